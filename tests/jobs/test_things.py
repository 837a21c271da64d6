# SPDX-License-Identifier: Apache-2.0
"""Rows that bring one thing from state to state, such as an order: how many calls they take, and what other runs do."""

from __future__ import annotations

import contextlib
import threading
from itertools import pairwise
from unittest import mock

import pytest
from deliveries import Journal, Sender, build, by_email, digest_of, persons, refused, rows_of
from emulated_account import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused
from airflow_provider_sendpulse.jobs import send_once as send_once_module
from airflow_provider_sendpulse.jobs.ledger import Entry, KeyValueLedger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules


def run(things, sender, *, ledger=None, per_call=1, rules=SendingRules()):
    """Send a row for each of some things, in their order; return the counts."""
    report = Report()
    send_once(
        sender,
        screened(persons(len(things)), report, by_email),
        build,
        ledger or Journal({}),
        report,
        per_call=per_call,
        outgoing=plain,
        clock=FakeClock(),
        rules=rules,
        thing=lambda row: str(things[row.number - 1]),
    )
    report.finish()
    return report.counts


def by_thing(count, rows):
    """Return things of some rows each, sorted by thing."""
    return [thing for thing in range(count) for _ in range(rows)]


@pytest.mark.parametrize("per_call", [1, 4, 100])
def test_one_bad_thing_at_the_head_does_not_end_it(per_call):
    sender = Sender(errors=dict.fromkeys((1, 2, 3), refused()))
    counts = run(by_thing(30, 3), sender, per_call=per_call)
    assert (counts.accepted, counts.rejected) == (87, 3)


@pytest.mark.parametrize("count", [1, 2])
def test_one_thing_that_is_refused_is_no_reason_to_end_it(count):
    sender = Sender(errors=dict.fromkeys(range(1, 11), refused()))
    assert run(by_thing(count, 5), sender).rejected == 5 * count


def test_three_things_that_are_refused_are():
    sender = Sender(errors=dict.fromkeys(range(1, 31), refused()))
    with pytest.raises(Refused):
        run(by_thing(10, 3), sender)
    assert sender.tried == [[1], [4], [7]]


def test_rows_that_are_sorted_by_thing_fill_the_calls():
    sender = Sender()
    run(by_thing(200, 3), sender, per_call=100)
    assert [len(rows) for rows in sender.tried] == [100] * 6


def test_in_each_call_a_thing_is_there_once_and_its_rows_stay_in_order():
    sender = Sender()
    run([1, 2, 1, 3, 1], sender, per_call=100)
    assert sender.tried == [[1, 2, 4], [3], [5]]


@given(
    things=st.lists(st.integers(0, 30), min_size=1, max_size=90),
    per_call=st.sampled_from([1, 3, 15, 20, 50]),
)
def test_the_calls_are_foreseen(things, per_call):
    sender = Sender()
    run(things, sender, per_call=per_call)
    calls = len(sender.tried)
    enough = SendingRules(rate=1, max_duration=calls)
    assert run(things, Sender(), per_call=per_call, rules=enough).accepted == len(things)
    too_short = SendingRules(rate=1, max_duration=calls - 0.5)
    with pytest.raises(InvalidRequest, match="longer than max_duration"):
        run(things, Sender(), per_call=per_call, rules=too_short)


class Rival(Journal):
    """A ledger in which another run claims a row directly before our first claim.

    :param row: number of the row
    :param looks: how often the row is looked at before that run ends
    :param fate: what becomes of the row then; a new one is given back
    """

    def __init__(self, row, looks, fate):
        super().__init__({})
        self.key, self.looks, self.fate = digest_of(row), looks, fate
        self.has_claimed = False

    def look_up(self, keys):
        known = super().look_up(keys)
        if self.is_there and self.key in keys:
            self.looks -= 1
            if self.is_there:
                known[self.key] = Entry.TAKEN if self.looks >= 0 else self.fate
        return known

    def claim(self, contacts, *, again=()):
        self.has_claimed = True
        if self.is_there:
            contacts = {key: contact for key, contact in contacts.items() if key != self.key}
        return super().claim(contacts, again=again)

    @property
    def is_there(self):
        return self.has_claimed and (self.looks >= 0 or self.fate is not Entry.NEW)


@pytest.mark.parametrize("fate", [Entry.RECORDED, Entry.IN_DOUBT, Entry.LISTED])
@pytest.mark.parametrize("looks", [0, 1, 1000])
def test_nothing_is_sent_after_a_later_row_that_another_run_has_claimed_meanwhile(fate, looks):
    sender, ledger = Sender(), Rival(2, looks, fate)
    run(["a", "a", "b"], sender, ledger=ledger)
    assert sender.sent == [3]
    assert ledger.look_up([digest_of(1)]) == {}


@pytest.mark.parametrize(
    ("looks", "fate", "sent", "rejected"),
    [
        (5, Entry.RECORDED, [3, 2], 0),
        (5, Entry.NEW, [3, 1, 2], 0),
        (5, Entry.IN_DOUBT, [3, 2], 0),
        (1000, Entry.RECORDED, [3], 1),
    ],
)
def test_a_row_waits_while_another_run_is_sending_an_earlier_one(looks, fate, sent, rejected, caplog):
    sender, ledger = Sender(), Rival(1, looks, fate)
    counts = run(["a", "a", "b"], sender, ledger=ledger)
    assert sender.sent == sent
    assert counts.rejected == rejected
    assert ("Row 2: another run is sending an earlier row" in caplog.text) == bool(rejected)
    assert (digest_of(2) in ledger.look_up([digest_of(2)])) == (not rejected)


class Turns:
    """Lets one of two threads go on at a time, and passes on at every point as it was drawn.

    :param order: which of them goes on, one point after the other; when there is no more, each goes on until its end
    """

    def __init__(self, order):
        self._order = iter(order)
        self._running = {0, 1}
        self._turn = 0
        self._changed = threading.Condition()

    def point(self, who):
        """Wait until it is one's turn again."""
        with self._changed:
            if (turn := next(self._order, who)) in self._running:
                self._turn = turn
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._turn == who, timeout=30)

    def begin(self, who):
        """Wait for the first turn."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._turn == who, timeout=30)

    def end(self, who):
        """Leave everything to the other one."""
        with self._changed:
            self._running.discard(who)
            self._turn = 1 - who
            self._changed.notify_all()


class Shared(KeyValueLedger):
    """A ledger of two runs: what the other one has claimed is taken."""

    capacity = None

    def __init__(self, owners, store, who, turns):
        super().__init__(lambda _: None, lambda *_: None)
        self._entries = store
        self._owners, self._who, self._turns = owners, who, turns

    def look_up(self, keys):
        self._turns.point(self._who)
        known = super().look_up(keys)
        taken = [key for key in known if known[key] is Entry.IN_DOUBT and self._owners[key] != self._who]
        return known | dict.fromkeys(taken, Entry.TAKEN)

    def claim(self, contacts, *, again=()):
        self._turns.point(self._who)
        ours = super().claim(contacts, again=[key for key in again if self._owners.get(key) == self._who])
        self._owners.update(dict.fromkeys(ours, self._who))
        return ours

    def settle(self, recorded, released):
        self._turns.point(self._who)
        super().settle(recorded, released)

    def _write(self):
        """The store is the same for both."""


@given(
    things=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    order=st.lists(st.integers(0, 1), max_size=60),
    bad=st.tuples(st.sets(st.integers(1, 12), max_size=3), st.sets(st.integers(1, 12), max_size=3)),
    window=st.integers(1, 4),
    per_call=st.tuples(st.sampled_from([1, 2, 20]), st.sampled_from([1, 2, 20])),
)
def test_no_thing_falls_back_between_two_runs(things, order, bad, per_call, window):
    turns, owners, store, arrived, failures = Turns(order), {}, {}, [], []

    class Service(Sender):
        def send(self, call):
            turns.point(self.who)
            if bad[self.who].isdisjoint(rows_of(call)):
                arrived.extend(rows_of(call))
            turns.point(self.who)
            super().send(call)

    def work(who):
        sender = Service(errors=dict.fromkeys(bad[who], refused()))
        sender.who = who
        turns.begin(who)
        try:
            with contextlib.suppress(Refused):
                ledger = Shared(owners, store, who, turns)
                run(things, sender, ledger=ledger, per_call=per_call[who])
        except BaseException as error:
            failures.append(error)
        finally:
            turns.end(who)

    threads = [threading.Thread(target=work, args=(who,)) for who in (0, 1)]
    with mock.patch.object(send_once_module, "WINDOW", window):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(arrived) == len({*arrived})
    for thing in things:
        rows = [row for row in arrived if things[row - 1] == thing]
        assert all(one < other for one, other in pairwise(rows)), arrived
