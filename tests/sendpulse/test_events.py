# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events, through a socket."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from emulated_account import count

from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import events
from airflow_provider_sendpulse.sendpulse.events import Event

HASH = "0123456789abcdef0123456789abcdef"
VARIABLES = {
    "text": "Олена 🌻",
    "whole": 3,
    "share": 0.5,
    "sum": Decimal("19.90"),
    "yes": True,
    "no": False,
    "nothing": None,
    "born": dt.date(1990, 1, 31),
    "seen": dt.datetime(2026, 3, 1, 9, 5, 7),
    "id": uuid.UUID(int=1),
    "products": [{"назва": "Сир", "price": Decimal("2.50")}, ("a", 1)],
}
RECEIVED = {
    "text": "Олена 🌻",
    "whole": 3,
    "share": 0.5,
    "sum": 19.9,
    "yes": True,
    "no": False,
    "born": "1990-01-31",
    "seen": "2026-03-01 09:05:07",
    "id": "00000000-0000-0000-0000-000000000001",
    "products": [{"назва": "Сир", "price": 2.5}, ["a", 1]],
}


@pytest.fixture
def url(emulator):
    return SecretUrl(f"{emulator.url}/events/id/{HASH}/77")


def test_by_name(either, emulator):
    call = events.send("purchase", Event("a@example.com", "+380501234567", 42, VARIABLES))
    assert call.reaches_people
    assert either.send(call) is None
    [event] = emulator.state.events
    assert (event.name, event.encoding) == ("purchase", "json")
    assert event.body == {"email": "a@example.com", "phone": "+380501234567", "automation_id": 42, **RECEIVED}
    assert event.body["yes"] is True
    assert event.variables == RECEIVED


@pytest.mark.parametrize("name", ["покупка", "a/b", "a b+c", "50%", "?x#y"])
def test_an_odd_name_reaches_the_service_whole(either, emulator, name):
    either.send(events.send(name, Event("a@example.com")))
    assert [event.name for event in emulator.state.events] == [name]


@pytest.mark.parametrize(
    ("event", "body"),
    [
        (Event("  a@example.com\n"), {"email": "a@example.com"}),
        (Event(phone=" +380501234567 "), {"phone": "+380501234567"}),
        (Event("", "+380501234567"), {"phone": "+380501234567"}),
        (Event("a@example.com", " "), {"email": "a@example.com"}),
        (Event("a@example.com", variables={"Email": "kept"}), {"email": "a@example.com", "Email": "kept"}),
    ],
)
def test_who_it_is_for(client, emulator, event, body):
    client.send(events.send("purchase", event))
    assert [event.body for event in emulator.state.events] == [body]


@pytest.mark.parametrize("event", [Event(), Event("", ""), Event(" ", " "), Event(variables={"a": 1})])
def test_it_is_for_somebody(event):
    with pytest.raises(InvalidRequest, match="email, a phone"):
        events.send("purchase", event)


@pytest.mark.parametrize("name", ["email", "phone", "automation_id"])
def test_reserved_names(name):
    with pytest.raises(InvalidRequest, match=name):
        events.send("purchase", Event("a@example.com", variables={name: "b"}))


@pytest.mark.parametrize("value", [object(), b"bytes", float("nan"), Decimal("Infinity"), [float("inf")], {"a": {1}}])
def test_a_value_that_cannot_be_sent_is_refused_by_name(value):
    with pytest.raises(InvalidRequest, match="'cart'"):
        events.send("purchase", Event("a@example.com", variables={"cart": value}))


def test_by_url(either, emulator, url):
    call = events.send_to_url(url, Event("a@example.com", automation_id=42, variables=VARIABLES))
    assert call.reaches_people
    either.send(call)
    [event] = emulator.state.events
    assert (event.name, event.event_hash, event.user_id, event.encoding) == (None, HASH, "77", "json")
    assert event.body == {"email": "a@example.com", "automation_id": 42, **RECEIVED}
    assert emulator.state.tokens.issued == 0


def test_by_url_as_a_form(either, emulator, url):
    event = Event("a@example.com", automation_id=42, variables=VARIABLES)
    either.send(events.send_to_url(url, event, form=True))
    [received] = emulator.state.events
    assert received.encoding == "multipart"
    assert all(isinstance(value, str) for value in received.body.values())
    assert (received.body["email"], received.body["automation_id"]) == ("a@example.com", "42")
    assert (received.body["text"], received.body["yes"], received.body["sum"]) == ("Олена 🌻", "true", "19.9")
    assert json.loads(received.body["products"]) == RECEIVED["products"]


def test_the_url_shows_nowhere(either, emulator, url):
    emulator.configure(known_events=[])
    call = events.send_to_url(url, Event("a@example.com"))
    with pytest.raises(Refused) as caught:
        either.send(call)
    assert HASH not in f"{call!r} {caught.value} {caught.value!r} {call.operation}"
    assert "a@example.com" not in f"{call!r} {caught.value}"


def test_an_unknown_event_is_refused(client, emulator):
    emulator.configure(known_events=["registration"])
    with pytest.raises(Refused, match="Event not found"):
        client.send(events.send("purchase", Event("a@example.com")))


@pytest.mark.parametrize("kind", ["lose_answer", "drop", "html", "truncate", "cut_answer"])
@pytest.mark.parametrize("form", [None, False, True])
def test_an_event_in_doubt_is_not_repeated(client, emulator, url, kind, form):
    emulator.faults.add(kind, path="^/events")
    event = Event("a@example.com")
    call = events.send("purchase", event) if form is None else events.send_to_url(url, event, form=form)
    with pytest.raises(AmbiguousOutcome):
        client.send(call)
    assert count(emulator, "events.send") + count(emulator, "events.send_by_hash") == 1


def test_an_event_refused_for_its_pace_is_repeated(client, emulator):
    emulator.faults.add("status", status=429, path="^/events", times=2)
    client.send(events.send("purchase", Event("a@example.com")))
    assert (count(emulator, "events.send"), len(emulator.state.events)) == (3, 1)
