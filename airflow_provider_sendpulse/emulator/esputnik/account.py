# SPDX-License-Identifier: Apache-2.0
"""The whole account of eSputnik, and the passing of time in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.broadcasts import Broadcasts
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts
from airflow_provider_sendpulse.emulator.esputnik.custom_fields import CustomFields
from airflow_provider_sendpulse.emulator.esputnik.events import Events
from airflow_provider_sendpulse.emulator.esputnik.import_sessions import ImportSessions
from airflow_provider_sendpulse.emulator.esputnik.importing import Importing
from airflow_provider_sendpulse.emulator.esputnik.keys import Keys
from airflow_provider_sendpulse.emulator.esputnik.limits import RateLimits
from airflow_provider_sendpulse.emulator.esputnik.orders import Orders
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import PreparedMessages
from airflow_provider_sendpulse.emulator.esputnik.repeats import Repeats
from airflow_provider_sendpulse.emulator.esputnik.segments import Segments
from airflow_provider_sendpulse.emulator.esputnik.sends import Sends
from airflow_provider_sendpulse.emulator.messages import Mailbox
from airflow_provider_sendpulse.emulator.settings import Settings


@dataclass(frozen=True)
class Category:
    """One kind of news that contacts subscribe to."""

    id: int
    key: str
    name: str

    def as_dict(self) -> dict[str, Any]:
        """Return the category as a contact has it."""
        return {"id": self.id, "key": self.key, "groupId": None, "name": self.name}


class Esputnik:
    """Everything eSputnik would remember."""

    def __init__(self, settings: Settings, clock: Clock, mailbox: Mailbox) -> None:
        self.settings = settings
        self.clock = clock
        self.created_at = clock.now()
        self.keys = Keys(settings)
        self.limits = RateLimits(settings, clock)
        self.repeats = Repeats(settings, clock)
        self.contacts = Contacts()
        self.segments = Segments(self.contacts)
        self.fields = CustomFields()
        self.unsubscribed: dict[str, datetime] = {}
        self.workflows: list[dict[str, Any]] = []
        self.events = Events(clock)
        self.messages = PreparedMessages()
        self.sends = Sends(settings, clock, self.contacts, mailbox, self.unsubscribed)
        self.broadcasts = Broadcasts(settings, clock, self.contacts, self.messages, self.sends)
        self.orders = Orders(clock, self.contacts, self.events)
        self.categories = [Category(1, "news", "News"), Category(2, "offers", "Offers")]
        self.senders = {"email": ['"Shop" <shop@example.com>'], "sms": ["SHOP"], "viber": ["SHOP"]}
        self.imports = ImportSessions(settings, clock, Importing(self.contacts, self.segments, self.events))

    def settle(self, now: datetime) -> None:
        """Let everything happen that was due by now."""
        self.imports.settle(now)
        self.broadcasts.settle(now)

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
            "messages": self.messages.as_list(),
            "sends": self.sends.as_list(),
            "broadcasts": [broadcast.as_dict() for broadcast in self.broadcasts],
            "orders": [order.as_dict() for order in self.orders],
            "imports": [session.as_dict() for session in self.imports],
        }
