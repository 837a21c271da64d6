# SPDX-License-Identifier: Apache-2.0
"""How far a delivery has got: what a position is made of, and what it remembers."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from decimal import Decimal

import pytest
from deliveries import Sender, build, by_email, person, persons, refused
from emulated_account import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.jobs.position import (
    MOST_AGAIN,
    Mark,
    MemoryPosition,
    Position,
    Prefix,
    Reading,
    binding,
    resumed,
)
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.upsert import Upsert
from airflow_provider_sendpulse.rows.people import Person


def digest(rows, bound="here"):
    reading = Reading(bound)
    for row in rows:
        reading.add(row)
    return reading.digest()


def with_variables(number=1, **variables):
    return Person(number, "a@example.com", "", None, variables)


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.decimals() | st.binary()


@given(st.dictionaries(st.text(), VALUES))
def test_equal_content_has_one_digest(variables):
    again = dict(reversed(variables.items()))
    assert digest([with_variables(x=1)]) == digest([with_variables(7, x=1)])
    assert digest([Person(1, "a", "", None, variables)]) == digest([Person(9, "a", "", None, again)])


DIFFERENT = [
    [],
    [person(1)],
    [person(2)],
    [person(1), person(1)],
    [person(1), person(2)],
    [person(2), person(1)],
    [person(1, phone="+380440000001")],
    [with_variables(x=1)],
    [with_variables(x="1")],
    [with_variables(x=1.5)],
    [with_variables(x=Decimal("1.5"))],
    [with_variables(x=math.nan)],
    [with_variables(x=dt.date(2026, 1, 5))],
    [with_variables(x="2026-01-05")],
    [with_variables(y=1)],
    [with_variables(x=b"1")],
    [with_variables(x="\ud83d")],
    [with_variables(x='1"]\n["a')],
]


def test_other_content_has_another_digest():
    found = {digest(rows) for rows in DIFFERENT}
    assert len(found) == len(DIFFERENT)
    assert len({digest([], bound) for bound in ("a", "b", "Ж", "\ud83d", "a\n")}) == 5


def test_binding_tells_its_parts_apart():
    assert binding(account="a", address_book=1) != binding(account="a1", address_book=1)
    assert binding(account="a", address_book=1) == binding(address_book=1, account="a")


def store_of(rows, again=(), bound="here"):
    store = MemoryPosition()
    store.write(Position(len(rows), digest(rows, bound), frozenset(again)).as_dict())
    return store


def found(store, rows, bound="here"):
    return resumed(store, bound, contextlib.nullcontext(iter(rows)))


def test_a_source_that_begins_alike_goes_on():
    rows = persons(10)
    assert found(store_of(rows[:4], again=[2]), rows).rows == 4
    assert found(store_of(rows), rows).again == frozenset()


@pytest.mark.parametrize("rows", [[], persons(3), persons(5)[::-1], persons(6)[1:]], ids=str)
def test_another_source_starts_over(rows):
    store = store_of(persons(5))
    assert found(store, rows) is None
    assert store.read() is None


def test_no_position_needs_no_reading():
    class Unread:
        def __enter__(self):
            raise AssertionError

        def __exit__(self, *_):
            raise AssertionError

    assert resumed(MemoryPosition(), "here", Unread()) is None


def test_a_position_never_goes_back():
    store = store_of(persons(5), again=[2])
    prefix = Prefix(store, "here", found(store, persons(9)))
    prefix.advance(Mark(2, "of another place"), accepted=[2], refused=[])
    prefix.save()
    assert Position.of(store.read()) == Position(5, digest(persons(5)))


def test_what_has_not_changed_is_not_written():
    writes = []

    class Store(MemoryPosition):
        def write(self, value):
            writes.append(value)

    prefix = Prefix(Store(), "here")
    prefix.save()
    prefix.advance(Mark(3, "x"), [1, 2], [3])
    prefix.save()
    prefix.save()
    assert writes == [{"rows": 3, "digest": "x", "again": [3]}]


def test_which_rows_are_behind_us():
    store = store_of(persons(5), again=[2])
    prefix = Prefix(store, "here", found(store, persons(9)))
    assert [number for number in range(1, 10) if prefix.has(number)] == [1, 3, 4, 5]
    assert [number for number in range(1, 10) if prefix.was_refused(number)] == [2]
    assert not any(Prefix(store, "here").has(number) for number in range(10))


def test_more_refused_rows_than_it_remembers():
    store = MemoryPosition()
    kept = []

    class Watched(Sender):
        def send(self, call):
            kept.append(store.read())
            super().send(call)

    # Every second row is refused, so that no three in a row are.
    count = 2 * MOST_AGAIN + 100
    sender = Watched(errors={number: refused() for number in range(2, count + 1, 2)})
    report, prefix = Report(), Prefix(store, "here")
    upsert = Upsert(sender, build, batch_size=20, clock=FakeClock())
    with contextlib.closing(screened(prefix.reading(persons(count)), report, by_email)) as items:
        upsert.run(items, report, prefix)
    assert (report.counts.accepted, report.counts.rejected) == (count // 2, count // 2)
    assert max(len(value["again"]) for value in kept if value) == MOST_AGAIN
    assert store.read() is None
