# SPDX-License-Identifier: Apache-2.0
"""Tags of contacts, whose changes wait in a queue (SendPulse API: tags)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.settings import Settings

FIRST_TAG_ID = 2501


@dataclass
class Tag:
    """A tag; its color is hexadecimal."""

    id: int
    name: str
    color: str


@dataclass
class _Change:
    """One change that was acknowledged and not made yet."""

    due_at: datetime
    make: Callable[[], None]
    reads: int = 0


class Tags:
    """The account's tags, and who has them.

    Attributes:
        pinned: ids of tags by contact, which is an address or a telephone number.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tags: dict[int, Tag] = {}
        self._changes: list[_Change] = []
        self._next_id = FIRST_TAG_ID
        self.pinned: dict[str, set[int]] = {}

    def __iter__(self) -> Iterator[Tag]:
        return iter(list(self._tags.values()))

    @property
    def waiting(self) -> int:
        """How many changes are still in the queue."""
        return len(self._changes)

    def queue(self, change: Callable[[], None]) -> str:
        """Put a change into the queue and return the number it has there."""
        due_at = self._clock.now() + timedelta(seconds=self._settings.tag_queue_seconds)
        self._changes.append(_Change(due_at, change))
        return str(uuid.uuid4())

    def settle(self, now: datetime) -> None:
        """Make the changes whose time has come; where states move by reads, none has."""
        if self._settings.transitions == "clock":
            self._make([change for change in self._changes if change.due_at <= now])

    def note_read(self) -> None:
        """Count a read of the list; where states move by reads, the changes it has waited for are made."""
        if self._settings.transitions != "reads":
            return
        self._make([change for change in self._changes if change.reads >= self._settings.tag_queue_reads])
        for change in self._changes:
            change.reads += 1

    def create(self, name: str, color: str) -> None:
        """Make a tag, unless names are unique and this one is taken."""
        if self._settings.tag_names_unique and any(tag.name == name for tag in self):
            return
        self._tags[self._next_id] = Tag(self._next_id, name, color)
        self._next_id += 1

    def update(self, tag_id: int, name: str, color: str) -> None:
        """Give a tag another name and color; nobody is told when there is none."""
        if tag_id in self._tags:
            self._tags[tag_id] = Tag(tag_id, name, color)

    def delete(self, tag_id: int) -> None:
        """Delete a tag, and take it off whoever has it."""
        self._tags.pop(tag_id, None)
        for ids in self.pinned.values():
            ids.discard(tag_id)

    def pin(self, contact: str, tag_ids: list[int]) -> None:
        """Put tags on a contact; ids that do not exist are left out."""
        self.pinned.setdefault(contact, set()).update(tag_id for tag_id in tag_ids if tag_id in self._tags)

    def unpin(self, contact: str, tag_ids: list[int]) -> None:
        """Take tags off a contact."""
        self.pinned.get(contact, set()).difference_update(tag_ids)

    def _make(self, changes: list[_Change]) -> None:
        for change in changes:
            self._changes.remove(change)
            change.make()
