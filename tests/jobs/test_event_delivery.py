# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events from rows, each at most once, against the emulator."""

from __future__ import annotations

from decimal import Decimal

import pytest
from emulated_account import count

from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.exceptions import Refused, Throttled
from airflow_provider_sendpulse.jobs.event_delivery import EventDelivery
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, MemoryLedger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.rows.people import Columns, people


@pytest.fixture
def store():
    return {}


def deliver(client, clock, rows, store=None, key=(), variables=None, **settings):
    delivery = EventDelivery("purchase", **settings)
    ledger = MemoryLedger() if store is None else KeyValueLedger(store.get, store.__setitem__)
    report = Report()
    delivery.run(client, people(rows, Columns(key=key, variables=variables)), ledger, report, clock)
    return report.counts


def rows_of(number):
    return [{"email": f"reader{index}@example.com", "total": index, "products": [{"id": index}]} for index in range(number)]


def test_one_event_per_row(client, clock, emulator):
    counts = deliver(client, clock, rows_of(45))
    assert [event.body for event in emulator.state.events] == rows_of(45)
    assert {event.name for event in emulator.state.events} == {"purchase"}
    assert (counts.read, counts.accepted) == (45, 45)


@pytest.mark.parametrize("form", [False, True])
def test_to_a_url(client, clock, emulator, form):
    url = SecretUrl(f"{emulator.url}/events/id/{'0' * 32}/77")
    deliver(client, clock, rows_of(2), url=url, form=form)
    assert [event.encoding for event in emulator.state.events] == ["multipart" if form else "json"] * 2
    assert emulator.state.tokens.issued == 0


@pytest.mark.parametrize(
    ("column", "default", "sent"),
    [(7, None, 7), ("7", None, 7), (Decimal(7), None, 7), (7.0, 5, 7), (None, 5, 5), ("", 5, 5), (None, None, None)],
)
def test_the_flow(client, clock, emulator, column, default, sent):
    deliver(client, clock, [{"email": "a@example.com", "automation_id": column}], automation_id=default)
    assert [event.body.get("automation_id") for event in emulator.state.events] == [sent]


@pytest.mark.parametrize("column", ["seven", [7], float("nan"), float("inf"), Decimal("Infinity"), object()])
def test_a_flow_that_is_no_number_is_one_bad_row(client, clock, emulator, column, caplog):
    counts = deliver(client, clock, [{"email": "a@example.com", "automation_id": column}, {"email": "b@example.com"}])
    assert (counts.invalid, counts.accepted) == (1, 1)
    assert "Row 1: automation_id is not a number" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), b"x", object(), "\ud83d", ["\ud83d"], Decimal("sNaN")])
def test_a_value_that_cannot_be_sent_is_one_bad_row(client, clock, emulator, value, caplog):
    counts = deliver(client, clock, [{"email": "a@example.com", "cart": value}, {"email": "b@example.com"}])
    assert (counts.invalid, counts.accepted) == (1, 1)
    assert "'cart'" in caplog.text


def test_the_same_event_twice_is_sent_once(client, clock, emulator):
    rows = [
        {"email": "a@example.com", "total": 1},
        {"total": 1, "email": " a@example.com"},
        {"email": "a@example.com", "total": 2},
    ]
    counts = deliver(client, clock, rows)
    assert (counts.accepted, counts.duplicate) == (2, 1)
    assert [event.body["total"] for event in emulator.state.events] == [1, 2]


def test_one_spelled_in_two_ways_is_one(client, clock, emulator, store):
    rows = [{"email": "ada@example.com"}, {"email": "ADA@Example.com"}]
    rows += [{"phone": phone} for phone in ("+380671234567", "380671234567", "+38 (067) 123-45-67")]
    counts = deliver(client, clock, rows, store)
    assert (counts.accepted, counts.duplicate) == (2, 3)
    assert [event.body for event in emulator.state.events] == [rows[0], rows[2]]
    assert deliver(client, clock, rows[::-1], store).accepted == 0


def test_the_same_key_for_another_flow_is_another_event(client, clock, emulator, store):
    rows = [{"email": "a@example.com", "cart": 1, "automation_id": flow} for flow in (7, 8, "7", None)]
    counts = deliver(client, clock, rows, store, key=["cart"])
    assert (counts.accepted, counts.duplicate) == (3, 1)
    assert [event.body.get("automation_id") for event in emulator.state.events] == [7, 8, None]
    # The flow of the task counts as well as that of the row.
    counts = deliver(client, clock, rows[3:], store, key=["cart"], automation_id=7)
    assert (counts.accepted, counts.skipped) == (0, 1)
    assert deliver(client, clock, rows[3:], store, key=["cart"], automation_id=9).accepted == 1


def test_a_key_of_bytes_and_one_without_text(client, clock, emulator, store, caplog):
    rows = [{"email": "a@example.com", "cart": cart} for cart in (b"\xff", memoryview(b"\xff"), object())]
    counts = deliver(client, clock, rows, store, key=["cart"], variables=[])
    assert (counts.accepted, counts.duplicate, counts.invalid) == (1, 1, 1)
    assert "Row 3: the event key holds a object" in caplog.text
    assert [event.body["event_key"] for event in emulator.state.events] == ["ff"]


def test_by_telephone_alone(client, clock, emulator):
    deliver(client, clock, [{"phone": 380501234567}, {"email": "", "phone": "+380501234568"}])
    assert [event.body for event in emulator.state.events] == [{"phone": "380501234567"}, {"phone": "+380501234568"}]


def test_the_next_try_sends_nothing_again(client, clock, emulator, store):
    deliver(client, clock, rows_of(30), store)
    counts = deliver(client, clock, rows_of(30), store)
    assert (counts.skipped, len(emulator.state.events)) == (30, 30)


@pytest.mark.parametrize(
    "fault", [{"kind": "lose_answer"}, {"kind": "drop"}, {"kind": "html"}, {"kind": "truncate"}], ids=str
)
def test_an_event_in_doubt_is_not_sent_again(client, clock, emulator, store, fault):
    emulator.faults.add(**fault, operation="events.send", after=4)
    counts = deliver(client, clock, rows_of(30), store)
    assert (counts.accepted, counts.in_doubt, count(emulator, "events.send")) == (29, 1, 30)
    counts = deliver(client, clock, rows_of(30), store)
    assert (counts.skipped, counts.in_doubt, count(emulator, "events.send")) == (29, 1, 30)


def test_a_throttled_run_is_finished_by_the_next(client, clock, emulator, store):
    emulator.faults.add("status", status=422, error_code=791, operation="events.send", after=25, times=None)
    with pytest.raises(Throttled):
        deliver(client, clock, rows_of(30), store)
    emulator.faults.clear()
    counts = deliver(client, clock, rows_of(30), store)
    assert (counts.skipped, counts.accepted, counts.in_doubt) == (25, 5, 0)
    assert [event.body for event in emulator.state.events] == rows_of(30)


def test_an_unknown_event_ends_after_one_call(client, clock, emulator, store):
    emulator.configure(known_events=["registration"])
    with pytest.raises(Refused, match="Event not found"):
        deliver(client, clock, rows_of(30), store)
    assert count(emulator, "events.send") == 1
    emulator.configure(known_events=None)
    assert deliver(client, clock, rows_of(30), store).accepted == 30


def test_a_refusal_that_is_no_rows_fault_ends_it_later_too(client, clock, emulator, store):
    emulator.faults.add("status", status=403, operation="events.send", after=25, times=None)
    with pytest.raises(Refused):
        deliver(client, clock, rows_of(60), store)
    assert count(emulator, "events.send") <= 26
    emulator.faults.clear()
    counts = deliver(client, clock, rows_of(60), store)
    assert (counts.skipped, counts.accepted, counts.in_doubt) == (25, 35, 0)


def test_names_of_events_do_not_share_keys(client, clock, emulator, store):
    ledger = KeyValueLedger(store.get, store.__setitem__)
    for name in ("purchase", "registration"):
        EventDelivery(name).run(client, people(rows_of(2), Columns()), ledger, Report(), clock)
    assert len(emulator.state.events) == 4


def test_what_is_kept_holds_no_personal_data(client, clock, emulator, store):
    deliver(client, clock, [{"email": "secret@example.com", "name": "Олена"}], store)
    assert "secret" not in repr(store)
    assert "Олена" not in repr(store)
