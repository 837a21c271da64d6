# SPDX-License-Identifier: Apache-2.0
"""Events: those that were sent, and those that eSputnik makes of what happens (eSputnik API: events)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact

EventSource = Literal["api", "system", "past"]


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        type: the key of its type.
        key: what it is about, ``keyValue``.
        params: its parameters by name, values as they came.
        source: ``api`` if a call sent it, ``system`` if eSputnik made it, ``past`` if it starts no workflow.
        contact_id: the contact it belongs to, None if there is none.
        version: 1 or 2 of the call that sent it, None without one.
    """

    id: int
    type: str
    key: str
    params: Mapping[str, Any]
    source: EventSource
    contact_id: int | None
    version: int | None
    occurred_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the event as JSON."""
        return {
            "id": self.id,
            "eventTypeKey": self.type,
            "keyValue": self.key,
            "params": dict(self.params),
            "source": self.source,
            "contact_id": self.contact_id,
            "version": self.version,
            "occurred_at": self.occurred_at.isoformat(),
        }


class Events:
    """All events, in order of arrival. A type exists once it was named."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[Event] = []
        self._last_id = 0

    def __iter__(self) -> Iterator[Event]:
        return iter(list(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def of_type(self, kind: str) -> list[Event]:
        """Return the events of one type."""
        return [event for event in self._events if event.type == kind]

    def receive(
        self,
        kind: str,
        key: str,
        params: Mapping[str, Any],
        *,
        source: EventSource,
        contact_id: int | None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Keep an event."""
        self._last_id += 1
        moment = at or self._clock.now()
        event = Event(self._last_id, kind, key, dict(params), source, contact_id, version, moment)
        self._events.append(event)
        return event

    def subscribed(self, contact: Contact, *, email: str, is_new: bool, form_type: str) -> None:
        """Tell that a contact came, or came again, by a subscription form.

        :param email: the address that the form gave, empty if it gave none
        """
        kind = "subscribeFromApi" if is_new else "subscribeUpdateFromApi"
        params = {"ContactId": str(contact.id)}
        if email:
            params["EmailAddress"] = email
        name = f"{kind}-{form_type}" if form_type else kind
        self.receive(name, str(contact.id), params, source="system", contact_id=contact.id)

    def imported(self, contact: Contact, kind: str, at: datetime) -> None:
        """Tell that an import made a contact."""
        params = {"contactId": str(contact.id), "EmailAddress": contact.email, "SMS": contact.phone}
        key = contact.email or contact.phone
        self.receive(kind, key, params, source="system", contact_id=contact.id, at=at)

    def forget_past(self, start: datetime, end: datetime) -> None:
        """Delete the events of the past between two moments."""
        self._events = [
            event for event in self._events if not (event.source == "past" and start <= event.occurred_at <= end)
        ]
