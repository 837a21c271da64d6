# SPDX-License-Identifier: Apache-2.0
"""What the readers make of answers that are not of one mind, and of answers that are nonsense."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Call, PagedCall, SplitCall
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.contacts import Channel, Contact, Field
from airflow_provider_sendpulse.esputnik.events import Event, PastEvent
from airflow_provider_sendpulse.esputnik.limits import MESSAGE_READS, SHARED
from airflow_provider_sendpulse.esputnik.messages import Recipient
from airflow_provider_sendpulse.esputnik.orders import Order
from airflow_provider_sendpulse.esputnik.values import field_value
from airflow_provider_sendpulse.exceptions import InvalidRequest

ADA = Contact.reached(email="ada@example.com")
DAYS = ("2026-03-01", "2026-03-02")
ORDER = Order(external_order_id="1", total_cost=1, status="DELIVERED", date="2026-03-01T00:00:00Z", currency="UAH")
ALL: list[Call] = [
    es.account.info(),
    es.account.version(),
    es.activity.contacts(*DAYS),
    es.activity.messages(*DAYS, contact_id=7),
    es.address_books.read(),
    es.balance.read(),
    es.balance.history(*DAYS),
    es.broadcasts.create(1, [7]),
    es.broadcasts.list(),
    es.broadcasts.read("7"),
    es.contacts.emails([7]),
    es.contacts.read(7),
    es.contacts.search(),
    es.contacts.subscribe(ADA),
    es.contacts.upsert(ADA),
    es.events.add_past([PastEvent(Event("a", "b"), "2026-03-01")]),
    es.import_sessions.read("7"),
    es.import_sessions.start([ADA], dedupe_on="email", contact_fields=["email"]),
    es.messages.email(["a"], sender="a", subject="a", html_text="a"),
    es.messages.smartsend(7, [Recipient("a")]),
    *es.messages.status(["7"]).parts,
    es.orders.add([ORDER]),
    es.segments.contacts(7),
    es.segments.list(),
    es.senders.list("email"),
    es.subscriptions.list(),
    es.templates.create("email", {}),
    es.templates.list("email"),
    es.templates.read("email", 7),
    es.templates.view_link(7),
    es.uploads.start("https://files.example.com/a.csv", dedupe_on="email"),
    es.workflows.list(),
]
EVERY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "results",
                    "status",
                    "contactId",
                    "channels",
                    "fields",
                    "type",
                    "value",
                    "broadcastId",
                    "mapping",
                    "offset",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("call", ALL, ids=lambda call: call.operation)
@given(EVERY_JSON)
def test_nonsense_is_read_or_told_by_a_documented_error(call, answer):
    with contextlib.suppress(LookupError, TypeError, ValueError):
        call.read(answer)


@pytest.mark.parametrize("call", [call for call in ALL if isinstance(call, PagedCall)], ids=lambda call: call.operation)
@pytest.mark.parametrize("answer", [None, {}, "", {"message": "x"}])
def test_a_page_is_a_list(call, answer):
    with pytest.raises(TypeError):
        call.read(answer)


def test_a_contact_collapsed_and_in_texts():
    row = {
        "id": "7",
        "channels": {"type": "email", "value": "ada@example.com", "device": {"x": 1}},
        "fields": {"id": "30001", "value": "5"},
        "groups": {"id": "3", "name": "Readers", "type": "Static"},
        "addressBookId": "7200",
        "firstName": "",
        "new": 1,
    }
    contact = es.contacts.read(7).read(row)
    assert contact == Contact(
        channels=(Channel("email", "ada@example.com"),),
        fields=(Field(30001, "5"),),
        segments=contact.segments,
        address_book_id=7200,
        id=7,
    )
    assert [segment.id for segment in contact.segments] == [3]
    assert contact.extra == {"new": 1}
    assert contact.channels[0].extra == {"device": {"x": 1}}


@pytest.mark.parametrize(("value", "expected"), [(None, []), ("", []), ([], []), ({}, [{}]), ([1], [1]), ("x", ["x"])])
def test_as_list(value, expected):
    assert wire.as_list(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("true", True), (" False", False), ("FALSE", False)])
def test_truth(value, expected):
    assert wire.truth(value) is expected


@pytest.mark.parametrize("value", [None, 1, "1", "yes", [], {}])
def test_no_truth(value):
    with pytest.raises(ValueError, match="true or false"):
        wire.truth(value)
    assert wire.truth_or(value, True) is True


@pytest.mark.parametrize(("value", "sent"), [(5, "5"), (True, "true"), (1.5, "1.5"), ("так", "так")])
def test_values_of_additional_fields(value, sent):
    assert field_value(30001, value) == sent


@pytest.mark.parametrize("value", [[1], {"a": 1}, None, float("nan"), object()])
def test_values_that_no_field_holds(value):
    with pytest.raises(InvalidRequest, match="additional field 30001"):
        field_value(30001, value)


def test_what_is_read_is_repeated_and_reaches_nobody():
    for call in ALL:
        if call.method == "GET":
            assert call.repeat.value == "always", call.operation
            assert not call.reaches_people


def test_limits_are_data():
    assert SHARED.requests == 200
    hourly = MESSAGE_READS.limits[1]
    assert (hourly.requests, hourly.seconds) == (500, 3600)
    named = {call.operation: call.allowance.limits[0].requests for call in ALL if call.allowance is not None}
    assert named == {
        "GET /v1/contacts": 50,
        "GET /v1/messages/email": 10,
        "GET /v1/messages/email/7": 10,
        "GET /v1/messages/email/7/viewLink": 10,
        "GET /v2/contacts/messages": 10,
        "POST /v2/past_events": 100,
    }
    assert es.events.send(Event("a", "b")).allowance.limits[0].requests == 350


def test_lists_are_split_only_where_that_keeps_the_meaning():
    assert isinstance(es.segments.detach(7, contact_ids=[1]), SplitCall)
    assert isinstance(es.messages.status(["1"]), SplitCall)
