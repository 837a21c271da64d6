# SPDX-License-Identifier: Apache-2.0
"""Tries of one load in any order of answers, killed and failing anywhere, over a source that changes between them."""

from __future__ import annotations

from collections import Counter

from deliveries import Collected, total
from emulated_account import FakeClock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from airflow_provider_sendpulse.exceptions import DeliveryFailed, Refused, ServiceError, ServiceUnavailable
from airflow_provider_sendpulse.jobs import batched_delivery
from airflow_provider_sendpulse.jobs.contact_delivery import ContactLoad
from airflow_provider_sendpulse.jobs.crew import Done
from airflow_provider_sendpulse.jobs.position import Position
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.upsert import Upsert
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import InlineRows

BATCH, CONCURRENCY = 3, 3
WINDOW = BATCH * CONCURRENCY

BAD = "bad"
"""A value that the service refuses while it is strict."""

ROW = st.tuples(st.integers(0, 25), st.sampled_from(["a", "b", "c", "d", "e", "f", BAD]))
ROWS = st.lists(ROW, min_size=12, max_size=40)


class Killed(BaseException):
    """The process ends."""


class Service:
    """An address book that says yes, no, or nothing, as told; it counts what it took."""

    def __init__(self):
        self.book = {}
        self.strict = True
        self.took = Counter()
        self.calls = 0
        self.fails_at = {}

    def send(self, call):
        self.calls += 1
        ending = self.fails_at.get(self.calls)
        if ending == "before":
            raise ServiceUnavailable("down")
        contacts = [(contact["email"], contact["variables"]["value"]) for contact in call.body.value["emails"]]
        if self.strict and any(value == BAD for _, value in contacts):
            raise Refused("no", status=422, error_code=422, due_to_a_row=True)
        self.book.update(contacts)
        self.took.update(contacts)
        if ending == "after":
            raise ServiceUnavailable("the answer was lost")


class Disorder:
    """Carries jobs out in any order, some long before their results are taken, and ends the process at a moment."""

    def __init__(self, work, data, killed_after):
        self.work = work
        self.data = data
        self.jobs = []
        self.done = []
        self.left = killed_after

    def submit(self, job):
        self.jobs.append(job)

    def take(self, timeout=None):
        if timeout is not None:
            return None
        while self.jobs and (not self.done or self.data.draw(st.booleans())):
            self.end_of_the_process()
            job = self.jobs.pop(self.data.draw(st.integers(0, len(self.jobs) - 1)))
            self.done.append(Done(job, self.work(job)))
        self.end_of_the_process()
        return self.done.pop(self.data.draw(st.integers(0, len(self.done) - 1))) if self.done else None

    def dismiss(self):
        self.jobs.clear()

    def end_of_the_process(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


class Store:
    """Keeps the position, and checks whenever it is written that nothing in it is still to come."""

    def __init__(self, machine):
        self.machine = machine
        self.value = None

    def read(self):
        return self.value

    def write(self, value):
        position = Position.of(value)
        behind = {number for number, *_ in self.machine.valid() if number <= position.rows}
        assert position.again <= behind
        for number, email, text in self.machine.valid():
            if number in behind - position.again:
                assert self.machine.service.book.get(email) == text, (number, value)
        self.value = value

    def delete(self):
        self.value = None


class Loads(RuleBasedStateMachine):
    """One task, its tries, and what happens between them."""

    def __init__(self):
        super().__init__()
        self.service = Service()
        self.store = Store(self)
        self.rows = [(number, "a") for number in range(20)]
        self.since_change = Counter()
        self.unchanged = False
        self.last = None

    def teardown(self):
        self.service.strict, self.service.fails_at = False, {}
        report = self.attempt(None)
        assert self.last is None
        assert report.counts.accepted + report.counts.skipped == len(self.valid())
        for _, email, text in self.valid():
            assert self.service.book[email] == text

    @rule(rows=ROWS)
    def other_rows(self, rows):
        self.rows, self.unchanged = rows, False

    @rule(data=st.data())
    def another_order(self, data):
        self.rows, self.unchanged = data.draw(st.permutations(self.rows)), False

    @rule(more=ROWS)
    def more_rows_at_the_end(self, more):
        self.rows = [*self.rows, *more][:60]

    @rule(strict=st.booleans())
    def the_service_is_strict(self, strict):
        self.service.strict = strict

    @rule(data=st.data(), after=st.none() | st.integers(0, 30))
    def a_try(self, data, after):
        self.attempt(data, killed_after=after)

    @rule(data=st.data(), at=st.integers(1, 20), when=st.sampled_from(["before", "after"]))
    def a_try_in_which_a_call_fails(self, data, at, when):
        self.service.fails_at = {self.service.calls + at: when}
        self.attempt(data)
        self.service.fails_at = {}

    def valid(self):
        """Return number, address and value of every row that is to be sent: the first of each address."""
        found, seen = [], set()
        for number, (reader, value) in enumerate(self.rows, start=1):
            # Every fifth reader's address is none.
            if reader % 5 and reader not in seen:
                found.append((number, f"{reader}@example.com", value))
            seen.add(reader)
        return found

    def attempt(self, data, killed_after=None):
        rejects = Collected()
        report = Report(rejects)
        rows = [
            {"email": f"{reader}@example.com" if reader % 5 else f"{reader}", "value": value} for reader, value in self.rows
        ]
        before, resumes = Counter(self.service.took), self.unchanged
        position = Position.of(self.store.value)
        again = position.again if position else frozenset()
        load = ContactLoad(1, batch_size=BATCH, concurrency=CONCURRENCY if data else 1)
        original = batched_delivery.Upsert

        def disordered(*arguments, **how):
            return original(
                *arguments, **how, **({"crews": lambda work, _: Disorder(work, data, killed_after)} if data else {})
            )

        batched_delivery.Upsert = disordered
        self.last = "badly"
        try:
            load.run(self.service, Audience(InlineRows(rows), Columns()), self.store, report, FakeClock(), account="a")
            self.last = "well" if data else None
        except DeliveryFailed:
            assert self.service.strict
        except (ServiceError, Killed):
            pass
        finally:
            batched_delivery.Upsert = original
        if self.last == "badly":
            report.abandon()
        assert total(report.counts) == report.counts.read
        self.refused = {row.number for row in rejects.rows if row.outcome == "rejected"}
        assert len(self.refused) == report.counts.rejected
        if self.last is not None and self.last != "badly":
            assert report.counts.read == len(rows)
        if resumes:
            self.at_most_one_window(before, again)
        if not self.unchanged:
            self.since_change = Counter(self.service.took) - before
        self.unchanged = True
        if self.last == "well":
            # It has left nothing out but what was refused.
            for number, email, text in self.valid():
                assert number in self.refused or self.service.book[email] == text
            self.store.delete()
            self.unchanged = False
        return report

    def at_most_one_window(self, before, again):
        """Rows that had arrived since the source is as it is, and came once more."""
        came = Counter(self.service.took) - before
        again_allowed = {(email, text) for number, email, text in self.valid() if number in again}
        twice = [row for row in came if self.since_change[row] and row not in again_allowed]
        assert len(twice) <= WINDOW, twice
        self.since_change += came


def test_every_contact_arrives_and_no_position_is_ahead():
    assert Upsert is batched_delivery.Upsert
    run_state_machine_as_test(
        Loads,
        settings=settings(
            max_examples=120,
            stateful_step_count=15,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )
