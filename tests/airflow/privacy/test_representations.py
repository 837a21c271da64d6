# SPDX-License-Identifier: Apache-2.0
"""Calls, hooks and clients show nothing secret or personal of themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from canaries import ADDRESS, HASH, NAME, OWN_ID, PHONE, PLACE, SECRET
from contact_file import LOGIN, PASSWORD
from watch import Watch

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.call import Call, SecretUrl
from airflow_provider_sendpulse.api.messages import Answer, Request
from airflow_provider_sendpulse.esputnik.contact_data import Address, Contact
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

CONTACT = Contact.reached(
    email=ADDRESS, sms=PHONE, external_customer_id=OWN_ID, first_name=NAME, address=Address(town=PLACE)
)
RECIPIENT = es.messages.Recipient(locator=ADDRESS, parameters={"name": NAME})
EVENT = es.events.Event("left", key=ADDRESS, parameters={"name": NAME, "email": ADDRESS})
ORDER = es.orders.Order(
    external_order_id="1",
    total_cost=5,
    status="DELIVERED",
    date="2026-01-05T10:00:00+02:00",
    currency="UAH",
    email=ADDRESS,
    phone=PHONE,
    external_customer_id=OWN_ID,
    first_name=NAME,
    delivery_address=PLACE,
)

CALLS: dict[str, Callable[[], Call[Any]]] = {
    "add": lambda: sp.contacts.add(7, [sp.contacts.NewContact(ADDRESS, PHONE, {"name": NAME})]),
    "double opt-in": lambda: sp.contacts.add_with_confirmation(
        7, [sp.contacts.NewContact(ADDRESS)], sp.contacts.DoubleOptIn(ADDRESS)
    ),
    "read contact": lambda: sp.contacts.read(7, ADDRESS),
    "update": lambda: sp.contacts.update_variables(7, ADDRESS, {"name": NAME}),
    "remove": lambda: sp.contacts.remove(7, [ADDRESS]).parts[0],
    "unsubscribe": lambda: sp.contacts.unsubscribe(7, [ADDRESS]).parts[0],
    "event": lambda: sp.events.send("left", sp.events.Event(ADDRESS, PHONE, variables={"name": NAME})),
    "event by hash": lambda: sp.events.send_to_url(
        SecretUrl(f"https://events.example.com/events/id/{HASH}/1"), sp.events.Event(ADDRESS), form=True
    ),
    "campaign": lambda: sp.campaigns.create(
        sp.campaigns.NewCampaign(
            name="News",
            sender_name="The Shop",
            sender_email="shop@example.com",
            subject="News",
            body=f"<p>{NAME}</p>",
            address_book_ids=[7],
            attachments={"list.csv": ADDRESS},
        )
    ),
    "token": lambda: sp.SENDPULSE.token_call("emulator-id", SECRET),
    "eSputnik: subscribe": lambda: es.contacts.subscribe(CONTACT),
    "eSputnik: upsert": lambda: es.contacts.upsert(CONTACT),
    "eSputnik: update": lambda: es.contacts.update(7, CONTACT),
    "eSputnik: search": lambda: es.contacts.search(email=ADDRESS),
    "eSputnik: delete": lambda: es.contacts.delete_by_external_id(OWN_ID),
    "eSputnik: unsubscribe": lambda: es.unsubscribed.add([ADDRESS]),
    "eSputnik: import": lambda: es.import_sessions.start([CONTACT], dedupe_on="email", contact_fields=["email"]),
    "eSputnik: import a file": lambda: es.uploads.start(
        f"https://{LOGIN}:{PASSWORD}@files.example.org/contacts", dedupe_on="email"
    ),
    "eSputnik: event": lambda: es.events.send(EVENT),
    "eSputnik: message": lambda: es.messages.smartsend(7, [RECIPIENT]),
    "eSputnik: email": lambda: es.messages.email([ADDRESS], sender="shop@example.com", subject=NAME, html_text=NAME),
    "eSputnik: sms": lambda: es.messages.sms(NAME, sender="Shop", phone_numbers=[PHONE]),
    "eSputnik: order": lambda: es.orders.add([ORDER]),
}


@pytest.mark.parametrize("name", CALLS)
def test_representation_of_a_call(watch: Watch, name: str) -> None:
    call = CALLS[name]()
    words = f"{call!r} {call} {call.operation} {call.body!r} {call.host!r}"
    watch.words({"call": words})
    assert call.operation.split()[0] in words


def test_representation_of_what_is_sent_and_received(watch: Watch) -> None:
    request = Request("POST", f"https://x.example.com/{ADDRESS}", {"Authorization": f"Bearer {SECRET}"}, ADDRESS.encode())
    answer = Answer(200, {"set-cookie": SECRET}, ADDRESS.encode())
    contact = sp.contacts.Contact(ADDRESS, 1, "New", PHONE, {"name": NAME}, {"name": NAME})
    objects = [request, answer, contact, sp.contacts.NewContact(ADDRESS, PHONE, {"name": NAME}), sp.events.Event(ADDRESS)]
    objects += [CONTACT, RECIPIENT, EVENT, ORDER, es.messages.Sent(ADDRESS, False, message=NAME)]
    objects += [es.import_sessions.ImportSession("ERROR", description=NAME, extra={"x": ADDRESS})]
    objects += [es.import_sessions.FailedContact(CONTACT, ADDRESS), es.orders.FailedOrder("1", NAME, {"email": ADDRESS})]
    watch.words({type(one).__module__ + type(one).__name__: f"{one!r} {one}" for one in objects})


@pytest.mark.parametrize(
    ("hook", "call"), [(SendPulseHook, sp.balance.read()), (EsputnikHook, es.balance.read())], ids=["SendPulse", "eSputnik"]
)
def test_representation_of_hook_and_clients(account: Any, watch: Watch, hook: Any, call: Call[Any]) -> None:
    async def in_a_loop(hook: Any) -> str:
        client = await hook.aget_conn()
        await hook.asend(call)
        try:
            return " ".join(map(deep, (hook, client)))
        finally:
            await hook.aclose()

    with hook() as opened:
        opened.send(call)
        objects = {"hook": deep(opened), "settings": deep(opened.settings), "client": deep(opened.get_conn())}
        objects["asynchronous"] = asyncio.run(in_a_loop(opened))
    assert bool(account.emulator.state.tokens._expiry) == (hook is SendPulseHook)
    assert "emulator-id" not in objects["settings"]
    watch.words(objects)


def deep(one: Any) -> str:
    """What an object shows of itself, and what its attributes show of themselves."""
    attributes = getattr(one, "__dict__", None) or {
        name: getattr(one, name) for name in getattr(type(one), "__slots__", ()) if hasattr(one, name)
    }
    return f"{one!r} {one} {attributes!r}"
