# SPDX-License-Identifier: Apache-2.0
"""Broadcasts: a prepared message to everybody in some segments (eSputnik API: broadcasts)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts, normal
from airflow_provider_sendpulse.emulator.esputnik.dates import write_date
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import PreparedMessages
from airflow_provider_sendpulse.emulator.esputnik.sends import CHANNEL_OF, Sends, content_of
from airflow_provider_sendpulse.emulator.settings import Settings

Interval = Literal["MINUTE", "HOUR", "DAY", "MONTH"]
BroadcastStatus = Literal["SCHEDULED", "RUNNING", "IDLE"]
INTERVALS: dict[Interval, timedelta] = {
    "MINUTE": timedelta(minutes=1),
    "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1),
    "MONTH": timedelta(days=30),
}
FIRST_BROADCAST = 810001


@dataclass
class Broadcast:
    """One broadcast.

    Attributes:
        segments: ids of the segments it goes to.
        excluded: ids of the segments whose contacts are left out.
        next_at: when it goes on, None once it is over.
        waiting: ids of contacts it has still to go to, None before it has begun.
        mailed: addresses it went to.
    """

    id: int
    title: str
    message_id: int
    segments: list[int]
    excluded: list[int]
    created_at: datetime
    starts_at: datetime
    is_scheduled: bool
    batch_size: int | None = None
    batch_interval: Interval | None = None
    next_at: datetime | None = None
    waiting: list[int] | None = None
    mailed: list[str] = field(default_factory=list)

    @property
    def status(self) -> BroadcastStatus:
        """How far it is; the API tells nobody."""
        if self.next_at is None:
            return "IDLE"
        return "SCHEDULED" if self.waiting is None else "RUNNING"

    def as_dict(self) -> dict[str, Any]:
        """Return the broadcast as JSON, for assertions."""
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "messageId": self.message_id,
            "groups": self.segments,
            "excludedGroups": self.excluded,
            "starts_at": self.starts_at.isoformat(),
            "mailed": self.mailed,
        }


class Broadcasts:
    """All broadcasts that were not deleted, oldest first."""

    def __init__(
        self, settings: Settings, clock: Clock, contacts: Contacts, messages: PreparedMessages, sends: Sends
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._contacts = contacts
        self._messages = messages
        self._sends = sends
        self._broadcasts: dict[int, Broadcast] = {}
        self._last_id = FIRST_BROADCAST - 1

    def __iter__(self) -> Iterator[Broadcast]:
        return iter(list(self._broadcasts.values()))

    def __len__(self) -> int:
        return len(self._broadcasts)

    def create(
        self,
        message_id: int,
        segments: list[int],
        excluded: list[int],
        title: str,
        starts_at: datetime | None,
        batch_size: int | None = None,
        batch_interval: Interval | None = None,
    ) -> Broadcast:
        """Make a broadcast; without a moment it begins at once."""
        now = self._clock.now()
        self._last_id += 1
        start = starts_at or now
        broadcast = Broadcast(
            self._last_id,
            title[: self._settings.esputnik_longest_broadcast_title],
            message_id,
            segments,
            excluded,
            now,
            start,
            starts_at is not None,
            batch_size,
            batch_interval,
            max(start, now),
        )
        self._broadcasts[broadcast.id] = broadcast
        return broadcast

    def get(self, broadcast_id: int) -> Broadcast | None:
        """Return the broadcast with this id."""
        return self._broadcasts.get(broadcast_id)

    def listed(self) -> list[Broadcast]:
        """Return the broadcasts that lists show by now."""
        hidden = timedelta(seconds=self._settings.esputnik_broadcast_visibility_seconds)
        found = [broadcast for broadcast in self if broadcast.created_at + hidden <= self._clock.now()]
        return found if self._settings.esputnik_broadcast_order == "asc" else found[::-1]

    def remove(self, broadcast: Broadcast) -> None:
        """Cancel a broadcast; what was mailed stays mailed."""
        self._broadcasts.pop(broadcast.id, None)

    def view(self, broadcast: Broadcast) -> dict[str, Any]:
        """Return the broadcast as the API shows it: without status and counters."""
        shown: dict[str, Any] = {
            "broadcastId": str(broadcast.id),
            "title": broadcast.title,
            "messageId": str(broadcast.message_id),
            "groupId": broadcast.segments[0],
        }
        if broadcast.is_scheduled:
            shown["startDate"] = write_date(broadcast.starts_at, self._settings.time_zone, "%Y-%m-%dT%H:%M")
        if broadcast.batch_size is not None:
            shown |= {"batchSize": broadcast.batch_size, "batchIntervalUnit": broadcast.batch_interval}
        return shown

    def settle(self, now: datetime) -> None:
        """Let every broadcast go on whose time has come."""
        while True:
            due = [(broadcast.next_at, broadcast.id) for broadcast in self if broadcast.next_at is not None]
            moment, number = min(due, default=(None, 0))
            if moment is None or moment > now:
                return
            self._mail(self._broadcasts[number], moment)

    def _mail(self, broadcast: Broadcast, at: datetime) -> None:
        message = self._messages.get(broadcast.message_id)
        if message is None:
            broadcast.next_at = None
            return
        if broadcast.waiting is None:
            broadcast.waiting = [contact.id for contact in self._recipients(broadcast)]
        size = broadcast.batch_size or len(broadcast.waiting)
        batch, broadcast.waiting = broadcast.waiting[:size], broadcast.waiting[size:]
        channel = CHANNEL_OF.get(message.kind, message.kind)
        for number in batch:
            contact = self._contacts.get(number)
            to = contact.channel(channel) if contact is not None else ""
            if contact is None or not to or normal(channel, to) in broadcast.mailed:
                continue
            if message.kind == "email" and not (contact.is_confirmed and self._sends.is_wanted(to)):
                continue
            broadcast.mailed.append(normal(channel, to))
            content = content_of(message, {}, str(contact.values.get("languageCode", "")))
            self._sends.send("broadcast", content, contact, to, broadcast_id=broadcast.id, at=at)
        interval = INTERVALS[broadcast.batch_interval or "HOUR"]
        broadcast.next_at = at + interval if broadcast.waiting else None

    def _recipients(self, broadcast: Broadcast) -> list[Contact]:
        wanted, unwanted = set(broadcast.segments), set(broadcast.excluded)
        return [contact for contact in self._contacts if contact.segments & wanted and not contact.segments & unwanted]
