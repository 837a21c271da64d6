# SPDX-License-Identifier: Apache-2.0
"""Upserts in batches, and what is left out before."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import threading

import pytest
from deliveries import Sender, build, by_email, person, persons, refused, rows_of, total
from emulated_account import FakeClock

from airflow_provider_sendpulse.exceptions import (
    AuthenticationFailed,
    DeliveryFailed,
    InvalidRequest,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.position import MemoryPosition, Position, Prefix
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.upsert import Upsert

FINAL = refused(404, 213)


def send_upserts(rows, sender, batch_size=10, clock=None, store=None, report=None, **how):
    report = report or Report()
    prefix = Prefix(store or MemoryPosition(), "here")
    upsert = Upsert(sender, build, batch_size=batch_size, clock=clock or FakeClock(), **how)
    try:
        with contextlib.closing(screened(prefix.reading(rows), report, by_email)) as items:
            upsert.run(items, report, prefix)
    finally:
        assert report.counts.settled <= report.counts.read
    return report.counts


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    ("count", "size", "batches"), [(0, 10, []), (1, 10, [1]), (10, 10, [10]), (25, 10, [10, 10, 5]), (3, 1, [1] * 3)]
)
def test_batches(count, size, batches, concurrency):
    sender = Sender()
    counts = send_upserts(persons(count), sender, size, concurrency=concurrency)
    assert sorted(len(rows) for rows in sender.tried) == sorted(batches)
    assert (counts.read, counts.accepted) == (count, count)


def test_duplicates_and_faults_are_left_out(caplog):
    sender = Sender()
    rows = [
        person(1, "A@example.com"),
        person(2, "a@example.com"),
        person(3, "no"),
        person(4, ""),
        person(5, "", "+38"),
        person(6),
    ]
    counts = send_upserts(rows, sender)
    assert sender.sent == [1, 6]
    assert counts.as_dict() == {
        "read": 6,
        "accepted": 2,
        "duplicate": 1,
        "invalid": 3,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
    }
    assert total(counts) == 6
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Row 3: not an address", "Row 4: neither address nor telephone number", "Row 5: not a telephone number"]


def test_a_refusal_that_is_not_about_rows_names_them_and_keeps_the_reason():
    error = refused(404, 213, "Book not found")
    with pytest.raises(DeliveryFailed, match=r"Rows 11 to 20: The service said no. So far: 20 read, 10 accepted") as caught:
        send_upserts(persons(25), Sender(errors={13: error}))
    failed = caught.value
    assert (failed.operation, failed.status, failed.error_code, failed.service_message) == (
        "POST /x", 404, 213, "Book not found",
    )  # fmt: skip
    assert failed.__cause__ is error


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("error", [Throttled("slow"), ServiceUnavailable("down"), AuthenticationFailed("no"), SystemExit()])
def test_other_failures_of_a_batch_pass_through(error, concurrency):
    with pytest.raises(type(error)) as caught:
        send_upserts(persons(25), Sender(errors={13: error}), concurrency=concurrency)
    assert caught.value is error


@pytest.mark.parametrize("concurrency", [1, 4])
def test_rows_are_read_as_they_are_needed(concurrency):
    def rows():
        yield from persons(100)
        raise RuntimeError("read too far")

    sender, store, report = Sender(), MemoryPosition(), Report()
    with pytest.raises(RuntimeError):
        send_upserts(rows(), sender, concurrency=concurrency, store=store, report=report)
    # What was begun before is settled and kept; no other batch is begun then.
    assert report.counts.accepted == len(sender.sent) >= (70 if concurrency > 1 else 100)
    gap = next(number for number in itertools.count(1) if number not in sender.sent)
    assert Position.of(store.read()).rows == gap - 1


def test_no_row_is_read_beyond_the_window():
    read = []

    def rows():
        for row in persons(100):
            read.append(row.number)
            yield row

    class Stuck(Sender):
        def send(self, call):
            raise ServiceUnavailable(f"{len(read)} rows were read")

    with pytest.raises(ServiceUnavailable):
        send_upserts(rows(), Stuck(), concurrency=3)
    assert len(read) == 30


def test_progress_is_told_every_half_minute(caplog):
    clock = FakeClock()

    class Slow(Sender):
        def send(self, call):
            clock.sleep(20)
            super().send(call)

    with caplog.at_level(logging.INFO):
        send_upserts(persons(60), Slow(), clock=clock)
    assert [record.message for record in caplog.records] == [
        "batch 2 · 20 sent · 0 rejected · 0.1 req/s",
        "batch 4 · 40 sent · 0 rejected · 0.1 req/s",
        "batch 6 · 60 sent · 0 rejected · 0.1 req/s",
    ]  # fmt: skip


def test_complaints_end_after_twenty(caplog):
    send_upserts([person(number, "no") for number in range(1, 40)], Sender())
    assert len(caplog.records) == 21
    assert "only the counts" in caplog.records[-1].getMessage()


@pytest.mark.parametrize("text", ["a\ud83d@example.com", "\ud83d"])
def test_broken_text_is_one_bad_row(text):
    sender = Sender()
    counts = send_upserts([person(1, text), person(2)], sender)
    assert (sender.sent, counts.invalid) == ([2], 1)


# Several at a time.


class Gated(Sender):
    """Lets no call end before it is told to; calls are known by their first row."""

    def __init__(self, **errors):
        super().__init__(**errors)
        self.begun = queue.SimpleQueue()
        self.gates = {}

    def send(self, call):
        first = rows_of(call)[0]
        gate = self.gates[first] = threading.Event()
        self.begun.put(first)
        assert gate.wait(30)
        super().send(call)

    def open(self, first):
        self.gates[first].set()


def in_background(sender, rows, store, **how):
    outcome = {}
    report = Report()

    def run():
        try:
            send_upserts(rows, sender, store=store, report=report, **how)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome, report


def test_batches_are_under_way_together_and_the_position_is_contiguous():
    sender = Gated()
    stored = queue.SimpleQueue()

    class Store(MemoryPosition):
        def write(self, value):
            super().write(value)
            stored.put(value["rows"])

    thread, outcome, report = in_background(sender, persons(60), Store(), concurrency=3)
    assert sorted(sender.begun.get(timeout=30) for _ in range(3)) == [1, 11, 21]
    # The second and third are acknowledged first: no more are handed out, and nothing is written.
    sender.open(21)
    sender.open(11)
    sender.open(1)
    # Only now is there room for others. What ended together is written together.
    assert sorted(sender.begun.get(timeout=30) for _ in range(3)) == [31, 41, 51]
    for first in (51, 41, 31):
        sender.open(first)
    thread.join(30)
    assert not thread.is_alive()
    assert (outcome, report.counts.accepted) == ({}, 60)
    written = []
    while not stored.empty():
        written.append(stored.get())
    assert written == sorted(set(written))
    assert written[-1] == 60


def test_the_first_batch_holds_the_position_back():
    sender, store = Gated(), MemoryPosition()
    thread, outcome, _ = in_background(sender, persons(90), store, concurrency=3)
    assert sorted(sender.begun.get(timeout=30) for _ in range(3)) == [1, 11, 21]
    sender.open(11)
    sender.open(21)
    with pytest.raises(queue.Empty):
        sender.begun.get(timeout=0.2)  # nothing beyond the window begins
    assert store.read() is None
    sender.errors[1] = ServiceUnavailable("down")
    sender.open(1)
    thread.join(30)
    assert str(outcome["error"]) == "down"
    assert store.read() is None


def test_a_failure_waits_for_the_others_and_counts_them():
    sender, store = Gated(errors={11: ServiceUnavailable("down")}), MemoryPosition()
    thread, outcome, report = in_background(sender, persons(60), store, concurrency=3)
    assert sorted(sender.begun.get(timeout=30) for _ in range(3)) == [1, 11, 21]
    sender.open(11)
    with pytest.raises(queue.Empty):
        sender.begun.get(timeout=0.2)
    assert thread.is_alive()
    sender.open(21)
    sender.open(1)
    thread.join(30)
    assert str(outcome["error"]) == "down"
    # Thirty rows were read; the first and the third batch arrived; the position ends where the second one begins.
    assert (report.counts.read, report.counts.accepted, Position.of(store.read()).rows) == (30, 20, 10)


def test_the_failure_that_no_retry_cures_is_told():
    sender = Gated(errors={1: ServiceUnavailable("down"), 11: FINAL})
    thread, outcome, _ = in_background(sender, persons(60), MemoryPosition(), concurrency=2)
    assert sorted(sender.begun.get(timeout=30) for _ in range(2)) == [1, 11]
    sender.open(1)
    sender.open(11)
    thread.join(30)
    assert isinstance(outcome["error"], DeliveryFailed)


def test_an_interruption_waits_for_nobody():
    sender, report = Gated(), Report()
    waiting = threading.Event()

    def rows():
        yield from persons(20)
        waiting.set()
        for _ in range(2):
            sender.begun.get(timeout=30)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_upserts(rows(), sender, concurrency=3, report=report)
    assert waiting.is_set()
    assert report.counts.accepted == 0
    for first in (1, 11):
        sender.open(first)


def test_what_only_this_thread_may_do_is_done_while_others_send():
    calls = []
    send_upserts(persons(40), Sender(), concurrency=2, catch_up=lambda: calls.append(threading.get_ident()))
    assert calls
    assert set(calls) == {threading.get_ident()}


def test_threads_end():
    before = set(threading.enumerate())  # some of an earlier test may still be ending
    send_upserts(persons(100), Sender(), concurrency=4)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) <= before


# A position that cannot be kept.


class Broken(MemoryPosition):
    def write(self, value):
        raise PermissionError("no")


def test_a_position_that_cannot_be_kept_ends_the_delivery(caplog):
    sender = Sender()
    with pytest.raises(PermissionError):
        send_upserts(persons(100), sender, store=Broken())
    assert len(sender.sent) == 10
    assert "The position could not be kept (PermissionError)" in caplog.text


def test_it_does_not_hide_the_reason():
    with pytest.raises(InvalidRequest, match="the reason"):
        send_upserts(persons(30), Sender(errors={1: InvalidRequest("the reason")}), store=Broken())
