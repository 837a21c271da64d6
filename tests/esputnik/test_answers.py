# SPDX-License-Identifier: Apache-2.0
"""What the readers make of answers that are not of one mind, and of answers that are nonsense."""

from __future__ import annotations

import contextlib

import pytest
from esputnik_endpoints import built
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import PagedCall, SplitCall, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.contacts import Channel, Contact, Field
from airflow_provider_sendpulse.esputnik.limits import MESSAGE_READS, SHARED
from airflow_provider_sendpulse.esputnik.values import field_value
from airflow_provider_sendpulse.exceptions import InvalidRequest

# Functions that read nothing from an answer do not read nonsense either.
ALL = list({call.operation: call for _, call in built() if call.read is not nothing}.values())
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
        "channels": {"type": "email", "value": "ada@example.com", "device": {"x": 1}, "new": 1},
        "fields": {"id": "30001", "value": "5"},
        "groups": {"id": "3", "name": "Readers", "type": "Static"},
        "addressBookId": "7200",
        "firstName": "",
        "new": 1,
    }
    contact = es.contacts.read(7).read(row)
    assert contact == Contact(
        channels=(Channel("email", "ada@example.com", device={"x": 1}),),
        fields=(Field(30001, "5"),),
        segments=contact.segments,
        address_book_id=7200,
        id=7,
    )
    assert [segment.id for segment in contact.segments] == [3]
    assert contact.extra == {"new": 1}
    assert contact.channels[0].extra == {"new": 1}


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
    named = {call.operation: call.allowance for _, call in built() if call.allowance is not None}
    messages = {operation for operation in named if operation.startswith("GET /v1/messages/")}
    assert len(messages) == 13
    assert {named.pop(operation) for operation in messages} == {MESSAGE_READS}
    assert {operation: allowance.limits[0].requests for operation, allowance in named.items()} == {
        "GET /v1/contacts": 50,
        "GET /v2/contacts/messages": 10,
        "POST /v1/event": 350,
        "POST /v2/event": 350,
        "POST /v1/past_events": 100,
        "POST /v2/past_events": 100,
        "DELETE /v1/past_events": 5,
    }
    assert len({allowance.name for allowance in named.values()}) == len(named)


def test_lists_are_split_only_where_that_keeps_the_meaning():
    assert isinstance(es.segments.detach(7, contact_ids=[1]), SplitCall)
    assert isinstance(es.messages.status(["1"]), SplitCall)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("DELIVERED", "DELIVERED"),
        ("UNKNOWN_99", "UNKNOWN_99"),
        (17, "17"),
        (None, ""),
        ("ada@example.com bounced", "UNREADABLE"),
        ("+380671234567", "UNREADABLE"),
        ("380671234567", "UNREADABLE"),
        ("Ада", "UNREADABLE"),
        ("A" * 41, "UNREADABLE"),
    ],
)
def test_a_status_is_a_word(said, status):
    assert wire.word(said) == status
