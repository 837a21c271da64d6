# SPDX-License-Identifier: Apache-2.0
"""Work in threads, and calls that are acknowledged in any order."""

from __future__ import annotations

import threading
import time

import pytest
from deliveries import Journal, build, by_email, persons, total
from emulated_account import FakeClock

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, ServiceUnavailable, Throttled
from airflow_provider_sendpulse.jobs import send_once as sending
from airflow_provider_sendpulse.jobs.crew import Alone, Threads, crew, drain
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.send_once import WINDOW, send_once
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules

PATIENCE = 20.0


def test_one_alone_works_in_the_thread_that_takes_and_in_order():
    begun = []
    alone = crew(lambda job: begun.append((job, threading.current_thread())) or job * 2, 1)
    assert isinstance(alone, Alone)
    alone.submit(1)
    alone.submit(2)
    assert begun == []
    assert [alone.take().result, alone.take().result, alone.take()] == [2, 4, None]
    assert begun == [(1, threading.current_thread()), (2, threading.current_thread())]


def test_one_alone_begins_nothing_while_it_drains():
    begun = []
    alone = crew(begun.append, 1)
    alone.submit(1)
    assert [*drain(alone, PATIENCE)] == []
    assert begun == []
    alone.dismiss()
    assert alone.take() is None


@pytest.mark.parametrize("size", [1, 2])
def test_what_is_raised_is_handed_over(size):
    error = ValueError("no")

    def work(job):
        raise error

    workers = crew(work, size)
    workers.submit("a job")
    done = workers.take()
    workers.dismiss()
    assert (done.job, done.result, done.error) == ("a job", None, error)


def test_what_an_interruption_has_ended_can_be_taken_afterwards():
    def work(job):
        raise KeyboardInterrupt

    alone = crew(work, 1)
    alone.submit("begun")
    alone.submit("never begun")
    with pytest.raises(KeyboardInterrupt):
        alone.take()
    [done] = drain(alone, PATIENCE)
    assert (done.job, type(done.error)) == ("begun", KeyboardInterrupt)


def test_so_many_threads_at_a_time_none_of_which_outlives_the_process():
    together, threads = threading.Barrier(3), set()

    def work(job):
        threads.add(threading.current_thread())
        together.wait(PATIENCE)
        return job

    workers = crew(work, 3)
    for job in range(9):
        workers.submit(job)
    assert sorted(workers.take(PATIENCE).result for _ in range(9)) == [*range(9)]
    assert workers.take() is None
    assert len(threads) == 3
    assert all(thread.daemon for thread in threads)
    workers.dismiss()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_draining_is_for_a_bounded_time():
    stuck = {1: threading.Event(), 2: threading.Event()}
    workers = crew(lambda job: stuck[job].wait(PATIENCE), 2)
    workers.submit(1)
    workers.submit(2)
    assert workers.take(timeout=0) is None
    stuck[2].set()
    begin = time.monotonic()
    assert [done.job for done in drain(workers, 0.5)] == [2]
    assert 0.4 < time.monotonic() - begin < PATIENCE / 2
    stuck[1].set()
    assert [done.job for done in drain(workers, PATIENCE)] == [1]
    workers.dismiss()


class Reversing:
    """Carries out four calls at once and answers the newest first; the first call of all comes alone."""

    def __init__(self, rows, errors=()):
        self.errors = dict(errors)
        self.acknowledged = []
        self.most = 0
        self._rows = rows
        self._waiting = set()
        self._changed = threading.Condition()

    def send(self, call):
        row = int(call.values["rows"])
        with self._changed:
            self._waiting.add(row)
            self.most = max(self.most, len(self._waiting))
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._may_answer(row), PATIENCE)
            self._waiting.discard(row)
            self.acknowledged.append(row)
            self._changed.notify_all()
        if row in self.errors:
            raise self.errors[row]

    def _may_answer(self, row):
        window = (row - 1) // WINDOW
        left = min(self._rows, (window + 1) * WINDOW) - len(self.acknowledged)
        complete = len(self._waiting) == (1 if not self.acknowledged else min(4, left))
        return row == max(self._waiting) and complete


def run(rows, store, sender, concurrency=4):
    report = Report()
    items = screened(rows, report, by_email)
    rules = SendingRules(concurrency=concurrency)
    try:
        send_once(sender, items, build, Journal(store), report, per_call=1, outgoing=plain, clock=FakeClock(), rules=rules)
    finally:
        report.abandon()
        assert total(report.counts) == report.counts.read
    return report.counts


def test_answers_out_of_order():
    store, sender = {}, Reversing(45)
    counts = run(persons(45), store, sender)
    assert (counts.accepted, sender.most) == (45, 4)
    assert sorted(sender.acknowledged) == [*range(1, 46)]
    assert sender.acknowledged[:6] == [1, 5, 6, 7, 8, 9]
    assert run(persons(45), store, Reversing(0)).skipped == 45


def test_refusals_out_of_order():
    store, sender = {}, Reversing(25, dict.fromkeys((7, 24), Refused("no", status=422, due_to_a_row=True)))
    counts = run(persons(25), store, sender)
    assert (counts.accepted, counts.rejected) == (23, 2)
    assert run(persons(25), store, Reversing(2)).accepted == 2


class Bounded:
    """Answers calls together, in groups of four once the first was answered."""

    def __init__(self, errors=()):
        self.errors = dict(errors)
        self.arrived = []
        self._together = threading.Barrier(4)

    def send(self, call):
        row = int(call.values["rows"])
        self.arrived.append(row)
        if 2 <= row <= 5:
            self._together.wait(PATIENCE)
        if row in self.errors:
            raise self.errors[row]


def test_what_is_under_way_is_waited_for_when_one_fails():
    store, sender = {}, Bounded({3: Throttled("slow")})
    with pytest.raises(Throttled):
        run(persons(30), store, sender)
    # Others may have begun before the failure was seen, and are accounted for all the same.
    assert sorted(sender.arrived)[:5] == [1, 2, 3, 4, 5]
    rest = Bounded()
    rest._together = threading.Barrier(1)
    counts = run(persons(30), store, rest)
    assert (counts.skipped, counts.accepted, counts.in_doubt) == (len(sender.arrived) - 1, 31 - len(sender.arrived), 0)
    assert sorted({*sender.arrived, *rest.arrived}) == [*range(1, 31)]


def test_lost_answers_stop_the_others():
    lost = {row: AmbiguousOutcome("lost") for row in range(2, 60)}
    store, sender = {}, Bounded(lost)
    with pytest.raises(ServiceUnavailable, match="answers in a row were lost"):
        run(persons(60), store, sender)
    assert sorted(sender.arrived) == [1, 2, 3, 4, 5]


def test_one_lost_answer_slows_down_until_the_next_arrives():
    counts = run(persons(40), {}, Bounded({4: AmbiguousOutcome("lost")}))
    assert (counts.accepted, counts.in_doubt) == (39, 1)


def test_an_interruption_waits_a_moment_for_answers_under_way(monkeypatch):
    class Interrupted(Threads):
        def take(self, timeout=None):
            if timeout is None and len(sender.arrived) >= 2:
                raise KeyboardInterrupt
            return super().take(timeout)

    store, sender, stuck = {}, Bounded(), threading.Event()
    send = sender.send
    monkeypatch.setattr(sending, "crew", Interrupted)
    monkeypatch.setattr(sending, "_GRACE", 0.5)
    sender.send = lambda call: (send(call), int(call.values["rows"]) == 5 and stuck.wait(PATIENCE))[0]
    with pytest.raises(KeyboardInterrupt):
        run(persons(30), store, sender)
    stuck.set()
    monkeypatch.undo()
    rest = Bounded()
    rest._together = threading.Barrier(1)
    counts = run(persons(30), store, rest)
    # The one that did not end in time is in doubt, and no other.
    assert (counts.skipped + counts.accepted, counts.in_doubt) == (29, 1)
    assert 5 not in rest.arrived


def test_a_latency_of_300_ms_leaves_eight_a_second():
    class Slow:
        def send(self, call):
            time.sleep(0.3)

    begin = time.monotonic()
    counts = run(persons(41), {}, Slow())
    rate = counts.accepted / (time.monotonic() - begin)
    print(f"{rate:.1f}/s")
    assert rate > 8


@pytest.mark.parametrize("concurrency", [0, 21])
def test_some_at_once(concurrency):
    with pytest.raises(InvalidRequest, match="concurrency"):
        SendingRules(concurrency=concurrency)
