# SPDX-License-Identifier: Apache-2.0
"""Broadcasts, against the emulator."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Repeat
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused


def test_a_broadcast(either, emulator, imported, letter):
    emulator.configure(bounce_share=0)
    readers, _ = imported("ada@example.com", "grace@example.com")
    others, _ = imported("grace@example.com", segment="Others")
    call = es.broadcasts.create(letter, [readers], excluded_groups=[others], title="Digest")
    assert call.reaches_people
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    broadcast = either.send(call)
    assert (broadcast.title, broadcast.message_id, broadcast.group_ids) == ("Digest", str(letter), (readers,))
    assert either.send(es.broadcasts.read(broadcast.id)) == broadcast
    assert list(either.pages(es.broadcasts.list())) == [broadcast]
    assert [message["to"] for message in emulator.inbox()] == ["ada@example.com"]
    with pytest.raises(Refused):
        either.send(es.broadcasts.delete(broadcast.id))


def test_a_scheduled_one_can_be_cancelled(either, emulator, imported, letter):
    readers, _ = imported("ada@example.com")
    when = dt.datetime(2099, 5, 1, 10, 30)
    broadcast = either.send(
        es.broadcasts.create(letter, [readers], start_date=when, batch_size=100, batch_interval_unit="HOUR")
    )
    assert (broadcast.start_date or "").startswith("2099-05-01T10:30")
    assert (broadcast.batch_size, broadcast.batch_interval_unit) == (100, "HOUR")
    assert either.send(es.broadcasts.delete(broadcast.id)) is None
    assert list(either.pages(es.broadcasts.list())) == []
    assert emulator.inbox() == []


def test_a_broadcast_whose_outcome_is_not_known_is_not_repeated(either, emulator, imported, letter):
    readers, _ = imported("ada@example.com")
    emulator.faults.add("lose_answer", operation="esputnik.broadcasts.create", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(es.broadcasts.create(letter, [readers]))
    assert len(list(either.pages(es.broadcasts.list()))) == 1


def test_a_broadcast_needs_a_segment():
    with pytest.raises(InvalidRequest):
        es.broadcasts.create(1, [])
