# SPDX-License-Identifier: Apache-2.0
"""The pages: overview, one book, one campaign, inbox, events, requests, and those of eSputnik alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.sends import Send
from airflow_provider_sendpulse.emulator.gateway import PAGES_PREFIX
from airflow_provider_sendpulse.emulator.messages import Message, fill_in
from airflow_provider_sendpulse.emulator.pages import esputnik
from airflow_provider_sendpulse.emulator.pages.event_views import event_view, listed_events
from airflow_provider_sendpulse.emulator.pages.paging import PAGE_LENGTH, offset_of, paging
from airflow_provider_sendpulse.emulator.pages.rendering import MESSAGE_POLICY, page, show
from airflow_provider_sendpulse.emulator.pages.views import campaign_view, message_view, sends_by_message
from airflow_provider_sendpulse.emulator.state import State

_LATEST = 10
"""Events below the inbox."""


def overview(request: Request, emulator: Emulator) -> Response:
    """Books, campaigns and counts at a glance."""
    state = emulator.state
    campaigns = [campaign_view(state, campaign) for campaign in reversed(list(state.campaigns))]
    return page(
        request,
        "overview.html",
        books=list(state.books),
        campaigns=campaigns[:PAGE_LENGTH],
        messages=len(state.mailbox),
        events=len(state.events) + len(state.esputnik.events),
        esputnik_contacts=len(state.esputnik.contacts),
        requests=emulator.requests.total,
        tokens=state.tokens.issued,
        faults=[fault for fault in emulator.faults.as_list() if fault["times"] != fault["fired"]],
        settings=emulator.settings,
        limit_used=state.campaign_limit.used,
    )


def book(request: Request, emulator: Emulator) -> Response:
    """One book with its contacts."""
    found = emulator.state.books.get(int(request.path_params["book_id"]))
    if found is None:
        raise HTTPException(404)
    contacts = list(found.contacts.values())
    offset = offset_of(request)
    return page(
        request,
        "book.html",
        book=found,
        contacts=contacts[offset : offset + PAGE_LENGTH],
        **paging(request, offset, len(contacts)),
        campaigns=[campaign_view(emulator.state, item) for item in emulator.state.campaigns.of_book(found.id)],
    )


def campaign(request: Request, emulator: Emulator) -> Response:
    """One campaign: its way so far, its numbers, and its message as a contact would see it."""
    state = emulator.state
    found = state.campaigns.get(int(request.path_params["campaign_id"]))
    if found is None:
        raise HTTPException(404)
    readers = _readers(state, found.content.book_ids)
    reader = request.query_params.get("as", "")
    if reader not in readers:
        reader = next(iter(readers), "")
    variables = {"email": reader, **readers.get(reader, {})}
    return page(
        request,
        "campaign.html",
        view=campaign_view(state, found),
        readers=list(readers),
        reader=reader,
        subject=fill_in(found.content.subject, variables),
        preview=f"{PAGES_PREFIX}/campaigns/{found.id}/body?" + urlencode({"as": reader}),
    )


def campaign_body(request: Request, emulator: Emulator) -> Response:
    """Show a campaign's message alone, filled in for a contact."""
    found = emulator.state.campaigns.get(int(request.path_params["campaign_id"]))
    if found is None:
        raise HTTPException(404)
    reader = request.query_params.get("as", "")
    variables = _readers(emulator.state, found.content.book_ids).get(reader, {})
    return _message_page(fill_in(found.content.body, {"email": reader, **variables}))


def inbox(request: Request, emulator: Emulator) -> Response:
    """Everything that was mailed by both services, one message of it open, and the latest events."""
    state = emulator.state
    filters = {name: request.query_params.get(name, "") for name in ("to", "service", "campaign", "broadcast")}
    sends = sends_by_message(state)
    found = [message for message in reversed(state.mailbox.messages) if _is_wanted(message, filters, sends)]
    offset = offset_of(request)
    # Events belong to neither a campaign nor a broadcast.
    is_of_one_mailing = bool(filters["campaign"] or filters["broadcast"])
    events = [] if is_of_one_mailing else listed_events(state, filters["service"], filters["to"])
    wanted = request.query_params.get("message", "")
    opened = state.mailbox.get(int(wanted)) if wanted.isdecimal() else None
    if opened is None and found:
        opened = found[0]
    return page(
        request,
        "inbox.html",
        messages=[message_view(state, message, sends) for message in found[offset : offset + PAGE_LENGTH]],
        opened=message_view(state, opened, sends) if opened is not None else None,
        campaigns=[(item.id, item.content.name) for item in reversed(list(state.campaigns))],
        broadcasts=[(item.id, item.title) for item in reversed(list(state.esputnik.broadcasts))],
        chosen=filters,
        filters=urlencode(filters),
        events=[event_view(state, event) for event in events[:_LATEST]],
        events_in_all=len(events),
        **paging(request, offset, len(found)),
    )


def message_body(request: Request, emulator: Emulator) -> Response:
    """Show a message alone, as its reader sees it."""
    message = emulator.state.mailbox.get(int(request.path_params["message_id"]))
    if message is None:
        raise HTTPException(404)
    return _message_page(message.rendered_body())


def events(request: Request, emulator: Emulator) -> Response:
    """Show the events of both services, those that eSputnik makes itself included."""
    state = emulator.state
    chosen = {name: request.query_params.get(name, "") for name in ("to", "service")}
    found = listed_events(state, chosen["service"], chosen["to"])
    offset = offset_of(request)
    return page(
        request,
        "events.html",
        events=[event_view(state, event) for event in found[offset : offset + PAGE_LENGTH]],
        chosen=chosen,
        **paging(request, offset, len(found)),
    )


def requests(request: Request, emulator: Emulator) -> Response:
    """How often what was asked, and the latest requests."""
    records = emulator.requests.records()[::-1]
    offset = offset_of(request)
    return page(
        request,
        "requests.html",
        counts=emulator.requests.counts(),
        busiest=emulator.requests.busiest_second(),
        tokens=emulator.state.tokens.issued,
        records=records[offset : offset + PAGE_LENGTH],
        **paging(request, offset, len(records)),
    )


def _is_wanted(message: Message, filters: Mapping[str, str], sends: Mapping[int, Send]) -> bool:
    """Whether a message fits everything that the inbox is narrowed by."""
    send = sends.get(message.id)
    return (
        filters["to"].lower() in message.to
        and filters["service"] in ("", message.service)
        and filters["campaign"] in ("", str(message.campaign_id))
        and filters["broadcast"] in ("", str(send.broadcast_id) if send is not None else None)
    )


def _readers(state: State, book_ids: list[int]) -> dict[str, dict[str, Any]]:
    """Return the first contacts of some books with their variables."""
    readers: dict[str, dict[str, Any]] = {}
    for book_id in book_ids:
        found = state.books.get(book_id)
        for contact in list(found.contacts.values())[:PAGE_LENGTH] if found is not None else ():
            phone = {"Phone": contact.phone} if contact.phone else {}
            readers.setdefault(contact.email, {**phone, **contact.variables})
    return readers


def _message_page(html: str) -> Response:
    return HTMLResponse(html, headers={"Content-Security-Policy": MESSAGE_POLICY, "Cache-Control": "no-store"})


ROUTES = [
    show("/", overview),
    show(f"{PAGES_PREFIX}", overview),
    show(f"{PAGES_PREFIX}/books/{{book_id:int}}", book),
    show(f"{PAGES_PREFIX}/campaigns/{{campaign_id:int}}", campaign),
    show(f"{PAGES_PREFIX}/campaigns/{{campaign_id:int}}/body", campaign_body),
    show(f"{PAGES_PREFIX}/inbox", inbox),
    show(f"{PAGES_PREFIX}/inbox/{{message_id:int}}/body", message_body),
    show(f"{PAGES_PREFIX}/events", events),
    show(f"{PAGES_PREFIX}/requests", requests),
    *esputnik.ROUTES,
]
