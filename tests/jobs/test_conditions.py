# SPDX-License-Identifier: Apache-2.0
"""What decides by requests which rows are sent: when it is asked, and what becomes of the others."""

from __future__ import annotations

import pytest
from deliveries import Journal, OtherRun, Sender, build, by_email, person, persons
from emulated_account import FakeClock

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import InvalidRequest, ServiceUnavailable
from airflow_provider_sendpulse.jobs.ledger import Entry
from airflow_provider_sendpulse.jobs.plan import Condition
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Key, screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending_rules import ContactInterval, SendingRules


def closing(rows, steps):
    """Yield rows, and write down that the last one was read and everything is closed."""
    try:
        yield from rows
    finally:
        steps.append("closed")


def run(rows, ledger, holds, *, key=by_email, **rules):
    """Send the rows whose numbers ``holds`` takes; the ledger's steps say in which order."""
    sender, report = Sender(ledger), Report()

    def asked(item):
        ledger.steps.append(("asked", item.person.number))
        return holds(item.person.number)

    send_once(
        sender,
        screened(closing(rows, ledger.steps), report, key),
        build,
        ledger,
        report,
        per_call=1,
        outgoing=plain,
        clock=FakeClock(),
        rules=SendingRules(**rules),
        condition=Condition(asked, "are for nobody: skipped"),
    )
    report.finish()
    return sender.sent, report.counts


def test_it_is_asked_when_all_is_read_and_before_anything_is_sent(caplog):
    caplog.set_level("INFO")
    ledger = Journal({})
    sent, counts = run(persons(4), ledger, {1, 3}.__contains__)
    asked = [("asked", number) for number in range(1, 5)]
    sending = [("claim", 2), ("send", 1), ("send", 1), ("settle", 2, 0)]
    assert ledger.steps == ["closed", ("look up", 4), *asked, *sending]
    assert (sent, counts.accepted, counts.skipped) == ([1, 3], 2, 2)
    assert "Each of 4 rows is looked up before any is sent." in caplog.text
    assert "2 rows are for nobody: skipped." in caplog.text


def test_who_is_skipped_is_not_in_the_ledger_and_who_was_sent_is_not_asked_about():
    store = {}
    run(persons(2), Journal(store), {1}.__contains__)
    ledger = Journal(store)
    assert ledger.size == 1
    sent, counts = run(persons(3), ledger, {1, 2}.__contains__)
    assert [step for step in ledger.steps if step[0] == "asked"] == [("asked", 2), ("asked", 3)]
    assert (sent, counts.accepted, counts.skipped) == ([2], 1, 2)


def test_only_rows_that_fulfil_it_count_for_what_may_be_sent():
    assert run(persons(600), Journal({}), {1, 600}.__contains__, max_rows=2)[0] == [1, 600]
    ledger = Journal({})
    with pytest.raises(InvalidRequest, match=r"2 rows: more than max_rows=1\. Nothing was sent"):
        run(persons(600), ledger, {1, 600}.__contains__, max_rows=1)
    assert not any(step[0] in ("claim", "send") for step in ledger.steps)


def test_what_cannot_be_asked_ends_it_before_anything_is_sent():
    def down(number):
        raise ServiceUnavailable("down")

    ledger = Journal({})
    with pytest.raises(ServiceUnavailable):
        run(persons(3), ledger, down)
    assert not any(step[0] in ("claim", "send") for step in ledger.steps)


@pytest.mark.parametrize("numbers", [{1, 2, 3}, {1, 3}], ids=["holds", "does not"])
def test_rows_that_another_run_gives_back_have_to_fulfil_it(numbers):
    ledger = OtherRun({}, 5, Entry.NEW)
    sent, counts = run(persons(3), ledger, numbers.__contains__)
    assert sorted(sent) == sorted(numbers)
    assert (counts.accepted, counts.skipped) == (len(numbers), 3 - len(numbers))
    assert ledger.size == len(numbers)


class Unseen:
    """A ledger that has seen no contact lately."""

    def seen_since(self, contacts, since):
        return []


def test_a_row_that_is_skipped_does_not_keep_its_contact_from_another():
    rows = [person(number, "ada@example.com") for number in (1, 2, 3)]
    interval = ContactInterval(Unseen(), 60.0)
    sent, counts = run(rows, Journal({}), {2, 3}.__contains__, key=lambda row: Key(str(row.number)), interval=interval)
    assert (sent, counts.skipped) == ([2], 2)
