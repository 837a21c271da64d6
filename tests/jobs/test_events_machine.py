# SPDX-License-Identifier: Apache-2.0
"""Tries and runs of an event task in any order, with any failure: no event twice, none lost, and all counted.

A model of the service takes the events; everything from the rows to the ledger is real, and so are the databases.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter

import pytest
from emulated_account import FakeClock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from ledgers import DATABASES, database

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, ServiceError, ServiceUnavailable, Throttled
from airflow_provider_sendpulse.jobs.database_ledger import CLAIM_LIFE
from airflow_provider_sendpulse.jobs.event_delivery import EventDelivery
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.send_once import WINDOW
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.rows.people import Columns, people

ROWS = 50
COLUMNS = Columns(key=("cart", "step"))

# What becomes of a call: whether the event arrives, and what is raised.
FATES = {
    "lost, arrived": (True, lambda: AmbiguousOutcome("lost")),
    "lost": (False, lambda: AmbiguousOutcome("lost")),
    "refused": (False, lambda: Refused("no", status=422, due_to_a_row=True)),
    "throttled": (False, lambda: Throttled("slow")),
    "unavailable": (False, lambda: ServiceUnavailable("down")),
    "killed before": (False, lambda: Killed()),
    "killed after": (True, lambda: Killed()),
}
fates = st.dictionaries(st.integers(0, ROWS - 1), st.sampled_from([*FATES]), max_size=6)
orders = st.permutations(range(ROWS)).map(lambda order: order[: ROWS - 10])
concurrencies = st.sampled_from([1, 4])


class Killed(BaseException):
    """The process has ended: nothing of it happens any more."""


class Mortal:
    """A ledger of a process that can end at any of its steps.

    :param ends_at: number of the step, counted from 0, or none; ``after`` whether the step is still carried out
    :param meanwhile: is done once, right before the claim of a number, and once right after it
    """

    def __init__(self, ledger, machine, ends_at=None, after=False, meanwhile=None):
        self._ledger = ledger
        self._machine = machine
        self._ends_at = ends_at
        self._after = after
        self._meanwhile = meanwhile
        self._steps = itertools.count()
        self.capacity, self.is_lasting = ledger.capacity, ledger.is_lasting
        self.is_dead = False
        self.open_claim = set()

    @property
    def size(self):
        return self._ledger.size

    def look_up(self, keys):
        return self._step(lambda: self._ledger.look_up(keys))

    def claim(self, contacts, *, again=()):
        if self._meanwhile and self._meanwhile[0] == "before":
            self._other_run()
        ours = self._step(lambda: self._claimed(contacts, again))
        if self._meanwhile and self._meanwhile[0] == "after":
            self._other_run()
        return ours

    def settle(self, recorded, released):
        self._step(lambda: self._ledger.settle(recorded, released))
        self.open_claim.clear()

    def note_listed(self, keys):
        self._step(lambda: self._ledger.note_listed(keys))

    def _claimed(self, contacts, again):
        ours = self._ledger.claim(contacts, again=again)
        self.open_claim = set(ours)
        return ours

    def _other_run(self):
        _, order, fates, concurrency = self._meanwhile
        self._meanwhile = None
        self._machine.deliver(f"run {next(self._machine.numbers)}", order, fates, concurrency)

    def _step(self, work):
        ends = next(self._steps) == self._ends_at
        if self.is_dead or (ends and not self._after):
            self.is_dead = True
            raise Killed
        result = work()
        if ends:
            self.is_dead = True
            raise Killed
        return result


class Service:
    """Takes events, as told."""

    def __init__(self, arrived, fates, ledger):
        self._arrived = arrived
        self._fates = dict(fates)
        self._ledger = ledger
        self._lock = threading.Lock()

    def send(self, call):
        body = call.body.value
        with self._lock:
            if self._ledger.is_dead:
                raise Killed
            assert body["event_key"] == f"{body['cart']}|{body['step']}"
            arrives, error = FATES.get(self._fates.pop(body["cart"], None), (True, None))
            if arrives:
                self._arrived[body["event_key"]] += 1
            if error is None:
                return
            raised = error()
            self._ledger.is_dead = self._ledger.is_dead or isinstance(raised, Killed)
            raise raised


class Events(RuleBasedStateMachine):
    """Tries of one task; in a database also other runs, and runs at the same time."""

    base = None

    def __init__(self):
        super().__init__()
        self.clock = FakeClock()
        self.arrived = Counter()
        self.doubtful = set()
        self.numbers = itertools.count()
        self.values = {}
        if self.base is not None:
            self.base.empty()

    def teardown(self):
        """When nothing fails any more, everything has arrived once or is in doubt, and for a reason."""
        self.clock.time += CLAIM_LIFE + 2
        counts = self.deliver("the last run" if self.base else "task", [*range(ROWS)], {}, 4)
        keys = {f"{number}|1": number for number in range(ROWS)}
        missing = {keys[key] for key in keys if not self.arrived[key]}
        assert missing <= self.doubtful, (missing, self.doubtful)
        # In a database those are passed over that another run has listed.
        assert len(missing) <= counts.in_doubt + (counts.skipped if self.base else 0)
        assert counts.in_doubt <= len(self.doubtful)
        assert max(self.arrived.values()) == 1
        assert counts.accepted + counts.skipped + counts.in_doubt == ROWS

    # What happens.

    @rule(order=orders, fates=fates, concurrency=concurrencies)
    def a_try(self, order, fates, concurrency):
        self.deliver("task", order, fates, concurrency)

    @rule(order=orders, fates=fates, concurrency=concurrencies, step=st.integers(0, 12), after=st.booleans())
    def a_try_that_ends_in_the_ledger(self, order, fates, concurrency, step, after):
        self.deliver("task", order, fates, concurrency, ends_at=step, after=after)

    @precondition(lambda self: self.base is not None)
    @rule(order=orders, fates=fates, concurrency=concurrencies)
    def another_run(self, order, fates, concurrency):
        self.deliver(f"run {next(self.numbers)}", order, fates, concurrency)

    @precondition(lambda self: self.base is not None)
    @rule(
        orders=st.tuples(orders, orders),
        fates=st.tuples(fates, fates),
        concurrency=concurrencies,
        when=st.sampled_from(["before", "after"]),
        step=st.none() | st.integers(0, 12),
    )
    def two_runs_at_once(self, orders, fates, concurrency, when, step):
        meanwhile = (when, orders[1], fates[1], concurrency)
        self.deliver(f"run {next(self.numbers)}", orders[0], fates[0], concurrency, ends_at=step, meanwhile=meanwhile)

    @rule(minutes=st.sampled_from([1, 14, 16, 600]))
    def time_passes(self, minutes):
        self.clock.time += minutes * 60

    # What must hold.

    @invariant()
    def nothing_arrives_twice(self):
        assert [key for key, count in self.arrived.items() if count > 1] == []

    def deliver(self, owner, order, fates, concurrency, **how):
        held = (
            self.base.unopened(self.clock, owner) if self.base else KeyValueLedger(self.values.get, self.values.__setitem__)
        )
        ledger = Mortal(held, self, **how)
        # The price changes from try to try; the row stays the same.
        rows = [
            {"email": f"reader{number}@example.com", "cart": number, "step": 1, "price": next(self.numbers)}
            for number in order
        ]
        report = Report()
        service = Service(self.arrived, fates, ledger)
        try:
            EventDelivery("left").run(
                service,
                people(rows, COLUMNS),
                ledger,
                report,
                self.clock,
                SendingRules(noun="events", concurrency=concurrency),
            )
        except (ServiceError, Killed):
            report.abandon()
            keys = {item: number for number, item in self._keys(order)}
            if ledger.is_dead:
                assert len(ledger.open_claim) <= WINDOW
                self.doubtful |= {keys[key] for key in ledger.open_claim}
        self.doubtful |= {number for number, fate in fates.items() if fate.startswith("lost")}
        counts = report.counts
        assert sum(counts.as_dict().values()) - counts.read == counts.read <= len(rows)
        assert min(counts.as_dict().values()) >= 0
        return counts

    def _keys(self, order):
        delivery = EventDelivery("left")
        for person in people(({"email": "a@example.com", "cart": number, "step": 1} for number in order), COLUMNS):
            yield person.key[0], delivery._key(person).digest.hex()


def check(held, examples):
    class Machine(Events):
        base = held

    if held is not None:
        held.ledger(FakeClock())  # makes the table

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=8,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_tries_of_a_task():
    check(None, 60)


@pytest.mark.parametrize(("name", "examples"), [(name, 25 if name == "sqlite" else 12) for name in DATABASES])
def test_runs_and_tries_with_a_database(name, examples, tmp_path):
    with database(name, tmp_path) as held:
        check(held, examples)
