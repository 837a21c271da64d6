# SPDX-License-Identifier: Apache-2.0
"""Segments, against the emulator. Above all: nothing empties one by accident."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused

READERS = [f"reader{number}@example.com" for number in range(3)]


def members(client, segment_id):
    return [contact.id for contact in client.pages(es.segments.contacts(segment_id, limit=2))]


def test_list(either, imported):
    for name in ("Readers", "Readers of old", "Buyers"):
        imported("ada@example.com", segment=name)
    assert [(found.name, found.type) for found in either.pages(es.segments.list(limit=2))] == [
        ("Readers", "Static"),
        ("Readers of old", "Static"),
        ("Buyers", "Static"),
    ]
    # Whether the service compares names exactly is not documented.
    assert len(list(either.pages(es.segments.list("Readers")))) == 2


def test_attach_and_detach(either, imported):
    readers, ids = imported(*READERS)
    buyers, _ = imported(READERS[0], segment="Buyers")
    either.send(es.segments.attach(buyers, contact_ids=ids))
    assert members(either, buyers) == ids
    either.send(es.segments.detach(buyers, contact_ids=ids[:2]))
    assert members(either, buyers) == ids[2:]
    assert members(either, readers) == ids


def test_by_the_callers_own_ids(either, ada, imported):
    segment, [other] = imported("grace@example.com")
    either.send(es.segments.attach(segment, external_customer_ids=["a-1"]))
    assert sorted(members(either, segment)) == sorted([ada, other])
    either.send(es.segments.detach(segment, external_customer_ids=["a-1"]))
    assert members(either, segment) == [other]


@pytest.mark.parametrize("change", [es.segments.attach, es.segments.detach])
def test_many_are_split(client, emulator, imported, change):
    segment, ids = imported(*[f"reader{number}@example.com" for number in range(1001)])
    client.send(change(segment, contact_ids=ids))
    name = f"esputnik.segments.{change.__name__}"
    assert [len(record.body["contactIds"]) for record in emulator.requests.records(name)] == [500, 500, 1]
    assert members(client, segment) == ([] if change is es.segments.detach else ids)


@pytest.mark.parametrize("change", [es.segments.attach, es.segments.detach])
@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"contact_ids": []},
        {"contact_ids": ()},
        {"external_customer_ids": []},
        {"contact_ids": None, "external_customer_ids": None},
        {"contact_ids": [1], "external_customer_ids": ["a"]},
        {"contact_ids": [1], "external_customer_ids": []},
        {"contact_ids": [None]},
        {"contact_ids": [0]},
        {"contact_ids": [True]},
        {"contact_ids": ["7"]},
        {"contact_ids": "7"},
        {"external_customer_ids": "a-1"},
        {"external_customer_ids": [""]},
        {"external_customer_ids": ["a", None]},
    ],
)
def test_a_list_that_names_nobody_changes_nothing(change, ids):
    with pytest.raises(InvalidRequest):
        change(7, **ids)


def test_emptying_is_a_call_of_its_own(either, emulator, imported):
    segment, ids = imported(*READERS)
    either.send(es.segments.empty(segment))
    assert members(either, segment) == []
    assert len(list(either.pages(es.contacts.search()))) == len(ids)


def test_a_segment_that_is_not_there(either):
    with pytest.raises(Refused):
        either.send(es.segments.attach(1, contact_ids=[7]))


def test_own_ids_show_nowhere():
    call = es.segments.attach(7, external_customer_ids=["canary-1"])
    assert "canary" not in repr(call)
    assert call.parts[0].operation == "POST /v1/group/7/contacts/attach"
