# SPDX-License-Identifier: Apache-2.0
"""The whole account of eSputnik, and the passing of time in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts
from airflow_provider_sendpulse.emulator.esputnik.custom_fields import CustomFields
from airflow_provider_sendpulse.emulator.esputnik.events import Events
from airflow_provider_sendpulse.emulator.esputnik.import_sessions import ImportSessions
from airflow_provider_sendpulse.emulator.esputnik.importing import Importing
from airflow_provider_sendpulse.emulator.esputnik.keys import Keys
from airflow_provider_sendpulse.emulator.esputnik.limits import RateLimits
from airflow_provider_sendpulse.emulator.esputnik.repeats import Repeats
from airflow_provider_sendpulse.emulator.esputnik.segments import Segments
from airflow_provider_sendpulse.emulator.settings import Settings


class Esputnik:
    """Everything eSputnik would remember."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.keys = Keys(settings)
        self.limits = RateLimits(settings, clock)
        self.repeats = Repeats(settings, clock)
        self.contacts = Contacts()
        self.segments = Segments(self.contacts)
        self.fields = CustomFields()
        self.unsubscribed: dict[str, datetime] = {}
        self.workflows: list[dict[str, Any]] = []
        self.events = Events(clock)
        self.imports = ImportSessions(settings, clock, Importing(self.contacts, self.segments, self.events))

    def settle(self, now: datetime) -> None:
        """Let everything happen that was due by now."""
        self.imports.settle(now)

    def contact_of(self, email: str = "", phone: str = "", external_id: str = "") -> Contact | None:
        """Return the contact that the first known of some keys leads to: the caller's own id, the e-mail, the phone."""
        keys = (("externalCustomerId", external_id), ("email", email), ("sms", phone))
        found = (self.contacts.one(kind, value) for kind, value in keys if value)
        return next((contact for contact in found if contact is not None), None)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON, for assertions."""
        return {
            "contacts": [contact.as_dict() for contact in self.contacts.everybody()],
            "segments": [
                {**segment.as_dict(), "contacts": [contact.id for contact in self.segments.members(segment)]}
                for segment in self.segments
            ],
            "unsubscribed": sorted(self.unsubscribed),
            "fields": [field.as_dict() for field in self.fields],
            "events": [event.as_dict() for event in self.events],
            "imports": [session.as_dict() for session in self.imports],
        }
