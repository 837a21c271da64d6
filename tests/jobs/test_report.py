# SPDX-License-Identifier: Apache-2.0
"""The account of a delivery adds up, or says loudly that it does not."""

from __future__ import annotations

import logging
import tracemalloc

import pytest
from deliveries import person, persons, total
from emulated_account import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import AccountBroken, FinalFailure
from airflow_provider_sendpulse.jobs.counts import BAD, Counts, Outcome
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.row_numbers import RowNumbers


class Kept:
    """Rejects in a list."""

    def __init__(self):
        self.rows = []

    def write(self, row):
        self.rows.append(row)

    def close(self):
        pass


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_counted_once(outcome):
    kept = Kept()
    report = Report(kept)
    report.read(person(1))
    report.settle(person(1), outcome, "why", "key")
    report.finish()
    assert report.counts.as_dict() == {**Counts().as_dict(), "read": 1, outcome.value: 1}
    assert [(row.number, row.outcome, row.reason, row.key, row.email) for row in kept.rows] == (
        [(1, outcome.value, "why", "key", "reader1@example.com")] if outcome in BAD else []
    )


@pytest.mark.parametrize("second", Outcome)
def test_a_second_outcome_is_a_fault(second):
    report = Report()
    report.read(person(1))
    report.settle(person(1), Outcome.ACCEPTED)
    with pytest.raises(AccountBroken, match=r"Row 1 .* has an outcome .* please report it"):
        report.settle(person(1), second)
    assert total(report.counts) == report.counts.read == 1


def test_an_outcome_without_a_row_is_a_fault():
    report = Report()
    report.read(person(1))
    with pytest.raises(AccountBroken, match="Row 2"):
        report.settle(person(2), Outcome.ACCEPTED)


def test_a_row_read_twice_is_a_fault():
    report = Report()
    report.read(person(1))
    with pytest.raises(AccountBroken, match="counted twice"):
        report.read(person(1))


def test_an_end_with_rows_that_have_no_outcome_is_a_fault():
    report = Report()
    for row in persons(3):
        report.read(row)
    report.settle(person(1), Outcome.ACCEPTED)
    with pytest.raises(AccountBroken, match="2 rows have no outcome, the first of them row 2"):
        report.finish()
    assert issubclass(AccountBroken, FinalFailure)


def test_counts_changed_past_the_report_are_noticed():
    report = Report()
    report.read(person(1))
    report.settle(person(1), Outcome.ACCEPTED)
    report.counts.add(Outcome.REJECTED)
    with pytest.raises(AccountBroken):
        report.finish()


def test_what_is_abandoned_is_skipped():
    report = Report()
    for row in persons(5):
        report.read(row)
    report.settle(person(4), Outcome.REJECTED)
    report.abandon()
    report.finish()
    assert (report.counts.skipped, report.counts.rejected, total(report.counts)) == (4, 1, 5)


def test_an_outcome_is_corrected():
    kept = Kept()
    report = Report(kept)
    report.read(person(1))
    report.settle(person(1), Outcome.ACCEPTED)
    report.correct(person(1), Outcome.ACCEPTED, Outcome.REJECTED, "did not arrive", "key")
    report.finish()
    assert (report.counts.accepted, report.counts.rejected, total(report.counts)) == (0, 1, 1)
    assert [row.reason for row in kept.rows] == ["did not arrive"]


@pytest.mark.parametrize("was", [Outcome.SKIPPED, Outcome.REJECTED])
def test_an_outcome_that_was_not_is_not_corrected(was):
    report = Report()
    report.read(person(1))
    report.settle(person(1), Outcome.ACCEPTED)
    with pytest.raises(AccountBroken):
        report.correct(person(1), was, Outcome.REJECTED)


def test_a_row_without_an_outcome_is_not_corrected():
    report = Report()
    for row in persons(2):
        report.read(row)
    report.settle(person(1), Outcome.ACCEPTED)
    with pytest.raises(AccountBroken):
        report.correct(person(2), Outcome.ACCEPTED, Outcome.REJECTED)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["read", "settle", "settle"]), st.integers(0, 40), st.sampled_from([*Outcome]))
    ),
    finish=st.booleans(),
)
def test_whatever_is_done_it_adds_up(steps, finish):
    report, open_rows, settled = Report(), set(), set()
    for step, number, outcome in steps:
        row = person(number)
        if step == "read":
            if number in open_rows | settled:
                continue
            report.read(row)
            open_rows.add(number)
        elif number in open_rows:
            report.settle(row, outcome)
            open_rows.remove(number)
            settled.add(number)
        else:
            with pytest.raises(AccountBroken):
                report.settle(row, outcome)
    if finish and open_rows:
        with pytest.raises(AccountBroken):
            report.finish()
    report.abandon()
    report.finish()
    assert total(report.counts) == report.counts.read == len(open_rows) + len(settled)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5000))))
def test_numbers_are_a_set(steps):
    numbers, model = RowNumbers(), set()
    for adding, number in steps:
        assert (numbers.add if adding else numbers.remove)(number) is ((number not in model) is adding)
        (model.add if adding else model.discard)(number)
        assert (number in numbers) is adding
        assert (len(numbers), numbers.first()) == (len(model), min(model, default=None))


def test_a_million_rows_take_little_memory():
    tracemalloc.start()
    try:
        report = Report()
        row = person(1)
        for number in range(1, 1_000_001):
            object.__setattr__(row, "number", number)
            report.read(row)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # None has an outcome: a bit each, and what holds the bits.
    assert most < 1_000_000
    assert report.counts.read == 1_000_000


def told(caplog):
    return [record.getMessage() for record in caplog.records]


@pytest.fixture
def clock():
    return FakeClock()


def test_progress_with_a_total(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "batch", 150_000, 500)
    counts = Counts()
    for number in range(1, 241):
        clock.sleep(0.25)
        counts.read += 500
        counts.accepted += 493 if number % 2 else 500
        counts.rejected += 7 if number % 2 else 0
        progress.tell(counts)
    assert told(caplog) == [
        "batch 120/300 · 59,580 sent · 420 rejected · 4.0 req/s · ETA 45 s",
        "batch 240/300 · 119,160 sent · 840 rejected · 4.0 req/s · ETA 15 s",
    ]


def test_progress_without_a_total(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "batch", None, 500)
    clock.sleep(31)
    progress.tell(Counts(read=600, accepted=500, invalid=3, skipped=4, duplicate=5, in_doubt=6))
    assert told(caplog) == [
        "batch 1 · 500 sent · 0 rejected · 3 invalid · 6 in doubt · 4 skipped · 5 duplicate · 0.0 req/s"
    ]


def test_progress_measures_the_last_interval(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "event", 1000)
    counts = Counts()
    for seconds in [0.125] * 240 + [3.0] * 10:
        clock.sleep(seconds)
        counts.accepted += 1
        progress.tell(counts)
    assert told(caplog)[0] == "event 240/1,000 · 240 sent · 0 rejected · 8.0 req/s · ETA 2 min"
    assert told(caplog)[1] == "event 250/1,000 · 250 sent · 0 rejected · 0.3 req/s · ETA 38 min"


def test_progress_follows_a_smaller_batch(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "batch", 1000, 500)
    progress.per_request = 100
    clock.sleep(30)
    progress.tell(Counts(read=100, accepted=100))
    assert told(caplog) == ["batch 1/10 · 100 sent · 0 rejected · 0.0 req/s · ETA 5 min"]


@pytest.mark.parametrize(("rows", "eta"), [(200_000, "5 h 33 min"), (7_300, "12 min"), (100, "0 s")])
def test_time_that_is_left(caplog, clock, rows, eta):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "event", rows)
    clock.sleep(30)
    progress.tell(Counts(read=300, accepted=300) if rows > 300 else Counts(read=100, accepted=100))
    assert told(caplog)[0].endswith(f"ETA {eta}")


def test_a_clock_that_goes_back_does_not_silence_it(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock)
    clock.time -= 3600
    progress.tell(Counts())
    clock.sleep(30)
    progress.tell(Counts())
    assert len(told(caplog)) == 1


def test_no_total_when_there_are_more_rows_than_expected(caplog, clock):
    caplog.set_level(logging.INFO)
    progress = Progress(clock, "event", 1)
    clock.sleep(30)
    progress.tell(Counts(read=3, accepted=3))
    assert told(caplog) == ["event 1/1 · 3 sent · 0 rejected · 0.0 req/s · ETA 0 s"]
