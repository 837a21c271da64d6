# SPDX-License-Identifier: Apache-2.0
"""What eSputnik documents, what of it is left out here, and every call, built once."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Call, SplitCall
from airflow_provider_sendpulse.esputnik.contacts import Contact
from airflow_provider_sendpulse.esputnik.events import Event, PastEvent
from airflow_provider_sendpulse.esputnik.messages import Recipient
from airflow_provider_sendpulse.esputnik.orders import Order
from airflow_provider_sendpulse.esputnik.templates import Kind

_ADA = Contact.reached(email="ada@example.com")
_DAYS = ("2026-03-01", "2026-03-02")
_PAST = PastEvent(Event("a", "b"), "2026-03-01")
_ORDER = Order(external_order_id="1", total_cost=1, status="DELIVERED", date="2026-03-01T00:00:00Z", currency="UAH")

CALLS: dict[str, list[Call[Any] | SplitCall[Any]]] = {
    "account.info": [es.account.info()],
    "account.version": [es.account.version()],
    "activity.contacts": [es.activity.contacts(*_DAYS)],
    "activity.messages": [es.activity.messages(*_DAYS, contact_id=7)],
    "address_books.read": [es.address_books.read()],
    "balance.history": [es.balance.history(*_DAYS)],
    "balance.read": [es.balance.read()],
    "broadcasts.create": [es.broadcasts.create(1, [7])],
    "broadcasts.delete": [es.broadcasts.delete("7")],
    "broadcasts.list": [es.broadcasts.list()],
    "broadcasts.read": [es.broadcasts.read("7")],
    "contacts.delete": [es.contacts.delete(7)],
    "contacts.delete_by_external_id": [es.contacts.delete_by_external_id("7")],
    "contacts.emails": [es.contacts.emails([7])],
    "contacts.read": [es.contacts.read(7)],
    "contacts.search": [es.contacts.search()],
    "contacts.subscribe": [es.contacts.subscribe(_ADA)],
    "contacts.update": [es.contacts.update(7, _ADA)],
    "contacts.upsert": [es.contacts.upsert(_ADA)],
    "events.add_past": [es.events.add_past([_PAST])],
    "events.add_past_as_text": [es.events.add_past_as_text([_PAST])],
    "events.delete_past": [es.events.delete_past(*_DAYS)],
    "events.send": [es.events.send(Event("a", "b"))],
    "events.send_as_text": [es.events.send_as_text(Event("a", "b"))],
    "import_sessions.read": [es.import_sessions.read("7")],
    "import_sessions.start": [es.import_sessions.start([_ADA], dedupe_on="email", contact_fields=["email"])],
    "messages.email": [es.messages.email(["a"], sender="a", subject="a", html_text="a")],
    "messages.smartsend": [es.messages.smartsend(7, [Recipient("a")])],
    "messages.sms": [es.messages.sms("a", sender="a", group_id=7)],
    "messages.status": [es.messages.status(["7"])],
    "messages.viber": [es.messages.viber("a", ios_expirity_text="a", group_id=7)],
    "orders.add": [es.orders.add([_ORDER])],
    "segments.attach": [es.segments.attach(7, contact_ids=[7])],
    "segments.contacts": [es.segments.contacts(7)],
    "segments.detach": [es.segments.detach(7, contact_ids=[7])],
    "segments.empty": [es.segments.empty(7)],
    "segments.list": [es.segments.list()],
    "senders.list": [es.senders.list("email"), es.senders.list("sms")],
    "subscriptions.list": [es.subscriptions.list()],
    "subscriptions.of_contact": [es.subscriptions.of_contact(7)],
    "subscriptions.put": [es.subscriptions.put(7, ["news"])],
    "templates.create": [es.templates.create(kind, {}) for kind in Kind],
    "templates.delete": [es.templates.delete(kind, 7, language=code) for kind in Kind for code in (None, "uk")],
    "templates.list": [es.templates.list(kind) for kind in Kind],
    "templates.read": [es.templates.read(kind, 7) for kind in Kind],
    "templates.update": [es.templates.update(kind, 7, {}, language=code) for kind in Kind for code in (None, "uk")],
    "templates.view_link": [es.templates.view_link(7)],
    "unsubscribed.add": [es.unsubscribed.add(["a"])],
    "unsubscribed.delete": [es.unsubscribed.delete(["a"])],
    "uploads.start": [es.uploads.start("https://files.example.com/a.csv", dedupe_on="email")],
    "workflows.list": [es.workflows.list()],
}
"""Function to the calls that it builds."""


def built() -> list[tuple[str, Call[Any]]]:
    """Return the function that builds each call, and the call."""
    return [
        (name, part)
        for name, calls in CALLS.items()
        for call in calls
        for part in (call.parts if isinstance(call, SplitCall) else (call,))
    ]


def requests() -> list[tuple[str, str]]:
    """Return the function that builds each request, and its endpoint."""
    return [(name, f"{call.method} {call.path}") for name, call in built()]


ENDPOINTS: dict[str, list[str]] = {
    "Account": [
        "GET /v1/account/info",
        "GET /v1/version",
        "GET /v2/version",
        "POST /v1/auth/token",
        "GET /v1/balance",
        "GET /v1/balance/history",
        "GET /v1/interfaces/email",
        "GET /v1/interfaces/sms",
        "GET /v1/addressbooks",
        "GET /v1/additionalfields",
    ],
    "Contacts": [
        "POST /v1/contact/subscribe",
        "POST /v1/contact",
        "PUT /v1/contact/{id}",
        "GET /v1/contact/{id}",
        "DELETE /v1/contact/{id}",
        "DELETE /v1/contact",
        "GET /v1/contacts",
        "GET /v1/contacts/email",
        "GET /v1/contact/token/{app}/{token}/contactId",
        "GET /v2/contacts/recoms/{dataSourceId}",
    ],
    "Imports": ["POST /v1/contacts", "GET /v1/importstatus/{session}", "POST /v1/contacts/upload"],
    "Segments": [
        "GET /v1/groups",
        "GET /v1/group/{id}/contacts",
        "POST /v1/group/{id}/contacts/attach",
        "POST /v1/group/{id}/contacts/detach",
    ],
    "Subscriptions": [
        "GET /v1/subscriptions",
        "GET /v1/contact/{id}/subscriptions",
        "PUT /v1/contact/{id}/subscriptions",
        "POST /v1/emails/unsubscribed/add",
        "POST /v1/emails/unsubscribed/delete",
    ],
    "Events": [
        "POST /v1/event",
        "POST /v2/event",
        "POST /v3/event",
        "POST /v1/past_events",
        "POST /v2/past_events",
        "POST /v3/past_events",
        "DELETE /v1/past_events",
        "GET /v1/workflows",
    ],
    "Messages": [
        "POST /v1/message/{id}/smartsend",
        "POST /v1/message/{id}/send",
        "POST /v1/message/email",
        "POST /v1/message/sms",
        "POST /v1/message/viber",
        "GET /v1/message/status",
    ],
    "Prepared messages": [
        *(
            f"{endpoint}"
            for kind in Kind
            for endpoint in (
                f"GET /v1/messages/{kind}",
                f"POST /v1/messages/{kind}",
                f"GET /v1/messages/{kind}/{{id}}",
                f"PUT /v1/messages/{kind}/{{id}}",
                f"DELETE /v1/messages/{kind}/{{id}}",
                f"PUT /v1/messages/{kind}/{{id}}/{{language}}",
                f"DELETE /v1/messages/{kind}/{{id}}/{{language}}",
            )
        ),
        "GET /v1/messages/email/{id}/viewLink",
    ],
    "Broadcasts": [
        "POST /v1/broadcast",
        "GET /v1/broadcast/{id}",
        "GET /v1/broadcasts",
        "DELETE /v1/broadcast/{id}",
    ],
    "Orders": ["POST /v1/orders", "DELETE /v1/orders"],
    "Activity": [
        "GET /v2/contacts/activity",
        "GET /v2/contacts/messages",
        "PUT /v1/interactions/{id}/status",
    ],
}

_NOT_DESCRIBED = "nothing describes what it takes and answers: `Call.raw` sends it"

LEFT_OUT = {
    "GET /v2/version": "the same as version 1",
    "POST /v1/auth/token": "the key does all that the token does",
    "GET /v1/additionalfields": _NOT_DESCRIBED,
    "GET /v1/contact/token/{app}/{token}/contactId": "for mobile apps: `Call.raw` sends it",
    "GET /v2/contacts/recoms/{dataSourceId}": "needs web tracking: `Call.raw` sends it",
    "POST /v3/event": _NOT_DESCRIBED,
    "POST /v3/past_events": _NOT_DESCRIBED,
    "POST /v1/message/{id}/send": "superseded by `messages.smartsend`",
    "DELETE /v1/orders": _NOT_DESCRIBED,
    "PUT /v1/interactions/{id}/status": "for mobile apps: `Call.raw` sends it",
}

HEAD = """\
# Endpoints of eSputnik

The endpoints of eSputnik (Yespo) for contacts, segments, events, messages, broadcasts, orders and activity that its API
description and its guides know, and what of them is here. A test fails when a row is missing or says something else than
the code; `make docs` writes this page. Those for promo codes, product catalogs, mobile apps and sites are left out.

*Call* is the function that builds it, in `airflow_provider_sendpulse.esputnik`; `hook.send(...)` sends it. *Operators* are
the operators and sensors that use it, or share the code that does. *Tests* send it through a socket. *Emulator* is its name
in the emulator's faults and request log.
"""
