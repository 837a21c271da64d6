# SPDX-License-Identifier: Apache-2.0
"""The pages of the eSputnik account: overview, contacts, one segment, prepared messages, orders, unsubscribed addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import KINDS
from airflow_provider_sendpulse.emulator.gateway import PAGES_PREFIX
from airflow_provider_sendpulse.emulator.pages.paging import PAGE_LENGTH, offset_of, paging
from airflow_provider_sendpulse.emulator.pages.rendering import page, show


def overview(request: Request, emulator: Emulator) -> Response:
    """Segments, broadcasts, imports and counts at a glance."""
    account = emulator.state.esputnik
    messages = {message["id"]: message["name"] for message in account.messages.as_list()}
    return page(
        request,
        "esputnik.html",
        contacts=len(account.contacts),
        segments=[(segment, len(account.segments.members(segment))) for segment in account.segments],
        names={segment.id: segment.name for segment in account.segments},
        messages=messages,
        prepared=len(messages),
        broadcasts=list(account.broadcasts)[::-1][:PAGE_LENGTH],
        imports=list(account.imports)[::-1][:PAGE_LENGTH],
        sends=len(account.sends),
        events=len(account.events),
        orders=len(account.orders),
        unsubscribed=len(account.unsubscribed),
    )


def contacts(request: Request, emulator: Emulator) -> Response:
    """Show all contacts, the newest first."""
    found = sorted(emulator.state.esputnik.contacts, key=lambda contact: contact.id, reverse=True)
    return _contacts(request, emulator, "Contacts", found)


def segment(request: Request, emulator: Emulator) -> Response:
    """Show the contacts of one segment."""
    segments = emulator.state.esputnik.segments
    found = segments.get(int(request.path_params["segment_id"]))
    if found is None:
        raise HTTPException(404)
    return _contacts(request, emulator, f"{found.name} ({found.type} segment {found.id})", segments.members(found))


def messages(request: Request, emulator: Emulator) -> Response:
    """Show the prepared messages by their ids, and how often each was sent."""
    account = emulator.state.esputnik
    return _list(
        request,
        "esputnik_messages.html",
        [message for kind in KINDS for message in account.messages.of_kind(kind)],
        sent=Counter(send.content.message_id for send in account.sends),
    )


def orders(request: Request, emulator: Emulator) -> Response:
    """Show the orders as they are now, those that were sent last first."""
    account = emulator.state.esputnik
    found = sorted(account.orders, key=lambda order: (order.updated_at, order.id), reverse=True)
    return _list(request, "esputnik_orders.html", found, contacts=account.contacts)


def unsubscribed(request: Request, emulator: Emulator) -> Response:
    """Show the addresses that get no e-mail any more, the latest first."""
    account = emulator.state.esputnik
    found = sorted(account.unsubscribed.items(), key=lambda item: item[1], reverse=True)
    return _list(request, "esputnik_unsubscribed.html", found, contacts=account.contacts)


def _contacts(request: Request, emulator: Emulator, title: str, found: list[Contact]) -> Response:
    account, offset = emulator.state.esputnik, offset_of(request)
    return page(
        request,
        "esputnik_contacts.html",
        title=title,
        contacts=found[offset : offset + PAGE_LENGTH],
        segments_of={contact.id: account.segments.of(contact) for contact in found[offset : offset + PAGE_LENGTH]},
        field_names={field.id: field.name for field in account.fields},
        unsubscribed=account.unsubscribed,
        **paging(request, offset, len(found)),
    )


def _list(request: Request, template: str, found: Sequence[Any], **values: Any) -> Response:
    offset = offset_of(request)
    part = found[offset : offset + PAGE_LENGTH]
    return page(request, template, found=part, **values, **paging(request, offset, len(found)))


ROUTES = [
    show(f"{PAGES_PREFIX}/esputnik", overview),
    show(f"{PAGES_PREFIX}/esputnik/contacts", contacts),
    show(f"{PAGES_PREFIX}/esputnik/segments/{{segment_id:int}}", segment),
    show(f"{PAGES_PREFIX}/esputnik/messages", messages),
    show(f"{PAGES_PREFIX}/esputnik/orders", orders),
    show(f"{PAGES_PREFIX}/esputnik/unsubscribed", unsubscribed),
]
