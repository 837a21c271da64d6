# SPDX-License-Identifier: Apache-2.0
"""How much there is to send, how long a contact is left in peace, and rows that wait for their turn."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import stat
import uuid
from decimal import Decimal

import pytest
from emulated_account import FakeClock
from ledgers import database

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.event_delivery import EventDelivery
from airflow_provider_sendpulse.jobs.plan import contact_digest
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending_rules import ContactInterval, SendingRules, duration
from airflow_provider_sendpulse.jobs.spool import ItemSpool
from airflow_provider_sendpulse.rows.people import Person


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (375, "6 min 15 s"),
        (3600, "1 h"),
        (7261, "2 h 1 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_lengths_of_time(seconds, text):
    assert duration(seconds) == text


def test_how_much_there_is():
    rules = SendingRules(noun="events", rate=8.0, max_rows=3000, max_duration=375)
    assert rules.require_moderate(3000, 3000) == "3,000 events, 6 min 15 s at 8/s"
    assert rules.require_moderate(1, 1) == "1 event, 0 s at 8/s"
    assert rules.require_moderate(0, 0) == "0 events"
    with pytest.raises(InvalidRequest, match="more than max_events=3,000"):
        rules.require_moderate(3001, 3001)
    with pytest.raises(InvalidRequest, match="longer than max_duration=6 min 15 s"):
        rules.require_moderate(3000, 3001)


def test_of_two_who_claim_for_one_contact_never_both_go_on(tmp_path):
    with database("sqlite", tmp_path) as base:
        clock = FakeClock()
        first, second = base.ledger(clock, "first"), base.ledger(clock, "second")
        first.claim({"b": "ada"})
        second.claim({"a": "ada", "c": "bob"})
        intervals = [ContactInterval(ledger, 3600.0) for ledger in (first, second)]
        assert intervals[0].overtaken({"b": "ada"}, clock.time) == {"b"}
        assert intervals[1].overtaken({"a": "ada", "c": "bob"}, clock.time) == {"a"}
        first.settle([], ["b"])
        assert intervals[1].overtaken({"a": "ada", "c": "bob"}, clock.time) == set()
        first.claim({"b": "ada"})
        first.settle(["b"], [])
        assert intervals[1].overtaken({"a": "ada"}, clock.time) == {"a"}
        assert intervals[1].reached({"x": "ada", "c": "bob"}, clock.time) == {"x"}
        assert intervals[1].reached({"x": "ada"}, clock.time + 3601) == set()


@pytest.mark.parametrize("behind", [-5, 0, 5])
@pytest.mark.parametrize(("key", "later"), [("a", "b"), ("b", "a")])
def test_whoever_claims_last_yields_whatever_the_clocks_say(tmp_path, behind, key, later):
    with database("sqlite", tmp_path) as base:
        clocks = [FakeClock(), FakeClock()]
        clocks[1].time = clocks[0].time - behind
        first, second = base.ledger(clocks[0], "first"), base.ledger(clocks[1], "second")
        first.claim({key: "ada"})
        # The first looks before the second's claim can be seen, and goes on.
        assert ContactInterval(first, 3600.0).overtaken({key: "ada"}, clocks[0].time) == set()
        second.claim({later: "ada"})
        assert ContactInterval(second, 3600.0).overtaken({later: "ada"}, clocks[1].time) == {later}


def test_of_rows_claimed_together_the_first_key_goes_on(tmp_path):
    with database("sqlite", tmp_path) as base:
        clock = FakeClock()
        ledger = base.ledger(clock)
        claimed = {"b": "ada", "a": "ada", "c": "bob"}
        ledger.claim(claimed)
        assert ContactInterval(ledger, 3600.0).overtaken(claimed, clock.time) == {"b"}


def test_a_contact_is_an_address_or_else_a_number():
    def digest(email, phone=""):
        return contact_digest(Person(1, email, phone, None, {}))

    assert digest("Ada@example.com", "+1") == digest("ada@example.com")
    assert digest("", "+38 (050) 123") == digest("", "38050123") != digest("", "38050124")


VALUES = {
    "text": "Олена\u2028\n",
    "number": 7,
    "share": Decimal("1.50"),
    "whole": Decimal("3.00"),
    "left": dt.datetime(2026, 1, 5, 8, 30, tzinfo=dt.UTC),
    "day": dt.date(2026, 1, 5),
    "id": uuid.UUID(int=5),
    "yes": True,
    "things": [{"id": 1, "sum": Decimal("0.1")}],
}


@pytest.mark.parametrize("rows", [3, 20_000])
def test_rows_that_wait_are_the_same_afterwards(rows):
    def item(number):
        return Item(Person(number, f"r{number}@example.com", "+380501234567", Decimal(7), VALUES), f"{number:024x}", "a|b")

    delivery = EventDelivery("left")
    with contextlib.closing(ItemSpool(plain)) as spool:
        for number in range(1, rows + 1):
            spool.add(item(number), again=number == 2)
        assert len(spool) == rows
        found = [*spool]
        assert [(kept.person.number, kept.key, kept.label, again) for kept, again in found] == [
            (number, f"{number:024x}", "a|b", number == 2) for number in range(1, rows + 1)
        ]
        assert delivery._call([found[-1][0].person]) == delivery._call([item(rows).person])
        file = spool._spool._file
        if rows > 3:
            # On the disk: nobody else can read it, and it has no name.
            status = os.fstat(file.fileno())
            assert (stat.S_IMODE(status.st_mode), status.st_nlink) == (0o600, 0)
