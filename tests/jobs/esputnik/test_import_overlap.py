# SPDX-License-Identifier: Apache-2.0
"""Imports whose answers are lost: no contact is ever in two sessions that are under way, and none is left behind."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_tasks import ImportTask, contacts_of, overlapping, sessions

from airflow_provider_sendpulse.exceptions import ServiceUnavailable

IMPORT = "esputnik.contacts.import"
LASTS = 200.0
"""Seconds from the beginning of a session to its end: two steps."""
WINDOW = 210.0


def slow(emulator: Any, **others: Any) -> None:
    emulator.reset()
    emulator.configure(transitions="clock", esputnik_import_seconds=LASTS / 2, esputnik_limits=False, **others)


def rows_of(count: int) -> list[dict[str, str]]:
    return [{"email": f"r{number}@example.com", "name": "Ada"} for number in range(count)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 9),
    lost=st.sets(st.integers(0, 7), max_size=4),
    refused=st.sets(st.integers(0, 7), max_size=2),
    batch_size=st.integers(1, 4),
    concurrency=st.integers(1, 3),
    pause=st.booleans(),
    order=st.sampled_from(["time", "reversed"]),
)
def test_no_contact_is_in_two_sessions_at_a_time(emulator, count, lost, refused, batch_size, concurrency, pause, order):
    slow(emulator, esputnik_import_order=order)
    for number in sorted(lost):
        emulator.faults.add("lose_answer", operation=IMPORT, after=number, times=1)
    for number in sorted(refused - lost):
        emulator.faults.add("status", operation=IMPORT, after=number, times=1, status=500)
    task = ImportTask(
        emulator,
        rows_of(count),
        batch_size=batch_size,
        concurrency=concurrency,
        settle_window=WINDOW,
        event_key="isNew",
    )
    with closing(task.client):
        for _ in range(len(lost) + len(refused) + 1):
            counts, _, error = task.attempt(pause)
            if error is None:
                break
            assert isinstance(error, ServiceUnavailable)
            assert counts.in_doubt > 0
        assert error is None
    assert counts.accepted + counts.skipped == count
    assert overlapping(emulator) == []
    assert contacts_of(emulator) == {row["email"]: "Ada" for row in rows_of(count)}
    events = Counter(event["keyValue"] for event in emulator.state.as_dict()["esputnik"]["events"])
    assert events == dict.fromkeys(contacts_of(emulator), 1)


def test_others_go_on_while_rows_are_set_aside(emulator):
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    task = ImportTask(emulator, rows_of(6), batch_size=2, concurrency=2, settle_window=WINDOW)
    with closing(task.client):
        counts, _, error = task.attempt()
    assert error is None
    assert counts.accepted == 6
    sent = [min(emails) for emails, _, _ in sessions(emulator)]
    assert sent == ["r0@example.com", "r2@example.com", "r4@example.com", "r0@example.com"]
    assert overlapping(emulator) == []


def test_where_contacts_cannot_be_compared_nothing_else_goes_on(emulator):
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    task = ImportTask(emulator, rows_of(4), dedupe_on="email", batch_size=2, concurrency=1, settle_window=WINDOW)
    with closing(task.client):
        assert task.attempt()[0].accepted == 4
    assert [min(emails) for emails, _, _ in sessions(emulator)] == ["r0@example.com", "r0@example.com", "r2@example.com"]


def test_what_is_newer_is_not_overwritten_by_a_late_session(emulator):
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    first = ImportTask(emulator, [{"email": "r0@example.com", "name": "Ada"}], settle_window=WINDOW)
    second = ImportTask(emulator, [{"email": "r0@example.com", "name": "Grace"}], settle_window=WINDOW)
    with closing(first.client), closing(second.client):
        assert first.attempt()[2] is None
        assert second.attempt()[2] is None
        emulator.advance(10 * LASTS)
    assert contacts_of(emulator) == {"r0@example.com": "Grace"}


@pytest.mark.parametrize("status", [409, 503])
def test_a_refusal_that_says_nothing_of_the_session_is_no_answer(emulator, status):
    slow(emulator)
    emulator.faults.add("status", operation=IMPORT, status=status, times=1)
    task = ImportTask(emulator, rows_of(1), settle_window=WINDOW)
    with closing(task.client):
        began = task.clock.now()
        counts, _, error = task.attempt()
        assert error is None
        assert counts.accepted == 1
        assert task.clock.now() - began >= WINDOW


def test_a_retry_waits_for_what_may_be_under_way(emulator):
    """As after a kill: nothing is known but that rows were about to be sent."""
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    task = ImportTask(emulator, rows_of(2), settle_window=WINDOW)
    with closing(task.client):
        written = []
        task.sessions.write = lambda value: written.append(value)
        assert task.attempt()[2] is None
        before_the_answer = written[0]
        assert [item["missed_at"] for item in before_the_answer["unanswered"]] == [None]
        del task.sessions.write
        task.sessions.write(before_the_answer)
        began = task.clock.now()
        assert task.attempt()[2] is None
        assert task.clock.now() - began >= WINDOW


class Replaced(Exception):
    """Airflow takes nothing from a try that it has replaced."""


def test_rows_that_are_set_aside_stay_in_doubt_when_the_try_is_replaced(emulator):
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    task = ImportTask(emulator, rows_of(2), settle_window=WINDOW)
    write, written = task.sessions.write, []

    def refused(value):
        # The intent, that no answer came, and the intent of the repeat.
        if len(written) == 2:
            raise Replaced
        written.append(value)
        write(value)

    task.sessions.write = refused
    with closing(task.client):
        counts, bad, error = task.attempt()
    assert isinstance(error, Replaced)
    assert (counts.in_doubt, counts.skipped) == (2, 0)
    assert [row.number for row in bad] == [1, 2]


def test_rows_that_are_set_aside_stay_in_doubt_when_the_repeat_is_refused(emulator):
    slow(emulator)
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    emulator.faults.add("status", operation=IMPORT, status=400, times=1)
    task = ImportTask(emulator, rows_of(2), settle_window=WINDOW)
    with closing(task.client):
        counts, _, error = task.attempt()
    assert type(error).__name__ == "DeliveryFailed"
    assert (counts.in_doubt, counts.skipped) == (2, 0)
    assert len(contacts_of(emulator)) == 2


def test_what_another_release_has_written_down_is_no_reason_to_fail(emulator, caplog):
    slow(emulator)
    task = ImportTask(emulator, rows_of(2), settle_window=WINDOW)
    task.sessions.write({"account": "account", "ended": ["a"], "open": [], "sending": [1, 3000]})
    with closing(task.client):
        counts, _, error = task.attempt()
    assert error is None
    assert counts.accepted == 2
    assert "cannot be read: starting over" in caplog.text


def test_of_a_session_that_was_lost_nobody_is_looked_for(emulator):
    emulator.reset()
    emulator.configure(
        esputnik_limits=False, esputnik_import_reads=1, esputnik_next_import_outcomes=["LOST", "FINISHED", "ERROR"]
    )
    told = []

    def mapped(session_id, mapping):
        told.extend(item.dedupe_value for item in mapping)

    task = ImportTask(emulator, rows_of(6), batch_size=3, concurrency=1)
    with closing(task.client):
        for _ in range(2):
            assert task.attempt(mapped=mapped)[2] is not None
        told.clear()
        counts, _, error = task.attempt(mapped=mapped)
    assert error is None
    assert (counts.skipped, counts.accepted) == (3, 3)
    assert sorted(told) == sorted(row["email"] for row in rows_of(6))
    assert emulator.requests.counts().get("esputnik.contacts.search", 0) == 0
