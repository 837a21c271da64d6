# SPDX-License-Identifier: Apache-2.0
"""Events received for Automation 360 (SendPulse API: events)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import is_address, is_phone
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.settings import Settings


@dataclass(frozen=True)
class Event:
    """One event, kept as it came.

    Attributes:
        name: the event's name, None when it came by hash.
        event_hash: the hash in the address, None when it came by name.
        encoding: ``json``, ``form`` or ``multipart``.
        body: the fields with the types they were sent with.
    """

    id: int
    name: str | None
    event_hash: str | None
    user_id: str | None
    encoding: str
    body: dict[str, Any]
    received_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the event as JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "hash": self.event_hash,
            "user_id": self.user_id,
            "encoding": self.encoding,
            "body": self.body,
            "received_at": self.received_at.isoformat(),
        }

    @property
    def contact(self) -> str:
        """The address or number the event is about."""
        return str(self.body.get("email") or self.body.get("phone") or "")

    @property
    def variables(self) -> dict[str, Any]:
        """Every field that is no contact and no flow."""
        known = ("email", "phone", "automation_id")
        return {name: value for name, value in self.body.items() if name not in known}


class Events:
    """All events received, in order."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._events: list[Event] = []

    def __iter__(self) -> Iterator[Event]:
        return iter(list(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def receive(
        self,
        body: Any,
        encoding: str,
        *,
        name: str | None = None,
        event_hash: str | None = None,
        user_id: str | None = None,
    ) -> Event:
        """Keep an event, or refuse it when it names no contact."""
        known = self._settings.known_events
        if known is not None and (name or event_hash) not in known:
            raise Refusal(self._settings.http_status_unknown_event, 404, "Event not found")
        if not isinstance(body, dict):
            raise invalid("Badly formed incoming data")
        email, phone = body.get("email"), body.get("phone")
        if not email and not phone:
            raise missing("email")
        if email and (not isinstance(email, str) or not is_address(email.strip())):
            raise invalid("Email is not valid", 17)
        if phone and not is_phone(phone):
            raise invalid("Phone is not valid", 17)
        flow = body.get("automation_id")
        # Form fields are text by nature; only JSON can carry the wrong type.
        if encoding == "json" and flow is not None and (isinstance(flow, bool) or not isinstance(flow, int)):
            raise wrong_type("automation_id", "integer")
        event = Event(len(self._events) + 1, name, event_hash, user_id, encoding, body, self._clock.now())
        self._events.append(event)
        return event
