# SPDX-License-Identifier: Apache-2.0
"""The events of both services in one list, as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_provider_sendpulse.emulator.esputnik.events import Event as EsputnikEvent
from airflow_provider_sendpulse.emulator.events import Event
from airflow_provider_sendpulse.emulator.messages import Service
from airflow_provider_sendpulse.emulator.state import State


@dataclass(frozen=True)
class EventView:
    """An event as a line of a page.

    Attributes:
        contact: the address or number of whom it is about, empty where nobody is known.
        contact_note: what else says who that is: a number beside the address, or the contact's id.
        occurred_at: for one of SendPulse, when it was received.
    """

    service: Service
    event: Event | EsputnikEvent
    contact: str
    contact_note: str
    occurred_at: datetime


def listed_events(state: State, service: str = "", address: str = "") -> list[Event | EsputnikEvent]:
    """Return the events of one service or of both, the newest first.

    :param address: a part of the address or number of whom they are about
    """
    found: list[Event | EsputnikEvent] = []
    if service in ("", "sendpulse"):
        found += state.events
    if service in ("", "esputnik"):
        found += state.esputnik.events
    wanted = address.lower()
    if wanted:
        found = [event for event in found if any(wanted in text.lower() for text in _reached(state, event))]
    # Those of one moment come in the order of their arrival, too.
    return sorted(found, key=_occurred_at)[::-1]


def event_view(state: State, event: Event | EsputnikEvent) -> EventView:
    """Derive what a page says about an event."""
    if isinstance(event, Event):
        phone = str(event.body.get("phone") or "") if event.body.get("email") else ""
        return EventView("sendpulse", event, event.contact, phone, event.received_at)
    contact = state.esputnik.contacts.get(event.contact_id) if event.contact_id is not None else None
    address = (contact.email or contact.phone) if contact is not None else ""
    return EventView("esputnik", event, address, str(event.contact_id or ""), event.occurred_at)


def _occurred_at(event: Event | EsputnikEvent) -> datetime:
    return event.received_at if isinstance(event, Event) else event.occurred_at


def _reached(state: State, event: Event | EsputnikEvent) -> list[str]:
    """Return everything by which somebody can be reached whom an event is about."""
    values = event.body if isinstance(event, Event) else event.params
    found = [str(values.get(name) or "") for name in ("email", "phone")]
    if isinstance(event, Event):
        return found
    contact = state.esputnik.contacts.get(event.contact_id) if event.contact_id is not None else None
    channels = contact.channels.values() if contact is not None else ()
    return [*found, event.key, *(str(channel["value"]) for kind in channels for channel in kind)]
