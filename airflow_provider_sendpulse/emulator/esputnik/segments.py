# SPDX-License-Identifier: Apache-2.0
"""Segments, which the API also calls groups (eSputnik API: segments)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts

SegmentType = Literal["Static", "Dynamic", "Combined"]
FIRST_SEGMENT = 160001


@dataclass(frozen=True)
class Segment:
    """One segment. Only a static one changes by what is asked of the API."""

    id: int
    name: str
    type: SegmentType
    created_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the segment as the API shows it."""
        return {"id": self.id, "name": self.name, "type": self.type}


class Segments:
    """All segments. Each contact keeps which of them it is in."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._segments: dict[int, Segment] = {}

    def __iter__(self) -> Iterator[Segment]:
        return iter(list(self._segments.values()))

    def __len__(self) -> int:
        return len(self._segments)

    def get(self, segment_id: int) -> Segment | None:
        """Return the segment with this id."""
        return self._segments.get(segment_id)

    def by_name(self, name: str) -> Segment | None:
        """Return the segment of a name."""
        return next((segment for segment in self if segment.name == name), None)

    def create(self, name: str, at: datetime, kind: SegmentType = "Static") -> Segment:
        """Make a segment."""
        if kind not in get_args(SegmentType):
            raise ValueError(f"a segment is one of {', '.join(get_args(SegmentType))}")
        segment = Segment(FIRST_SEGMENT + len(self._segments), name, kind, at)
        self._segments[segment.id] = segment
        return segment

    def named(self, names: list[str], at: datetime) -> list[Segment]:
        """Return the static segments of some names, and make those that are missing."""
        found = [self.by_name(name) or self.create(name, at) for name in dict.fromkeys(names)]
        return [segment for segment in found if segment.type == "Static"]

    def members(self, segment: Segment) -> list[Contact]:
        """Return the contacts of a segment."""
        return [contact for contact in self._contacts if segment.id in contact.segments]

    def of(self, contact: Contact) -> list[Segment]:
        """Return the static segments of a contact."""
        found = (self._segments[number] for number in sorted(contact.segments) if number in self._segments)
        return [segment for segment in found if segment.type == "Static"]
