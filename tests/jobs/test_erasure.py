# SPDX-License-Identifier: Apache-2.0
"""When an address counts as erased: not because a call said so, but because nothing is found any more."""

from __future__ import annotations

import pytest
from deliveries import person, refused
from fake_clock import FakeClock

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.erasure import PAUSES, Erasure
from airflow_provider_sendpulse.jobs.position import MemoryPosition
from airflow_provider_sendpulse.jobs.receipts import Findings
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.sendpulse.addresses import Membership


class Account:
    """An account that shows an address for a while after it was removed.

    :param shown: look-ups that still find it after it was removed
    :param errors: method to what is raised in place of an answer
    """

    def __init__(self, shown=0, books=(7, 9), errors=None):
        self.shown = shown
        self.books = [*books]
        self.errors = errors or {}
        self.steps = []

    def send(self, call):
        self.steps.append(call.method)
        if call.method in self.errors:
            raise self.errors[call.method]
        if call.method == "DELETE":
            self.removed = True
            return None
        if "DELETE" in self.steps:
            if not self.shown:
                return []
            self.shown -= 1
        return [Membership(book, 1) for book in self.books]


def erase(account):
    clock, report, erased = FakeClock(), Report(), []
    one = person(1)
    report.read(one)
    Erasure(account, clock).run([Item(one, "key")], report, Findings(MemoryPosition()), erased.append)
    report.finish()
    return report.counts, erased, clock


def test_looked_up_before_and_after():
    account = Account()
    counts, [erased], _ = erase(account)
    assert (counts.accepted, erased.found) == (1, (7, 9))
    assert account.steps == ["GET", "DELETE", "GET"]


def test_found_for_a_while():
    account = Account(shown=len(PAUSES) - 1)
    counts, [erased], clock = erase(account)
    assert (counts.accepted, erased.at) == (1, clock.now())
    assert clock.now() - FakeClock().now() == sum(PAUSES)
    assert account.steps.count("DELETE") == len(PAUSES)


def test_found_for_good(caplog):
    counts, erased, _ = erase(Account(shown=len(PAUSES)))
    assert (counts.rejected, erased) == (1, [])
    assert "removed, and still in the address books 7, 9" in caplog.text


@pytest.mark.parametrize("code", [8, 14, 303, 502])
def test_not_known_in_other_words(code):
    unknown = refused(error_code=code)
    counts, [erased], _ = erase(Account(errors={"GET": unknown, "DELETE": unknown}))
    assert (counts.accepted, erased.found) == (1, ())


@pytest.mark.parametrize(("status", "code"), [(404, None), (403, 403)])
def test_what_says_nothing_of_the_address_is_no_success(status, code):
    with pytest.raises(Refused):
        erase(Account(errors={"GET": refused(status, code)}))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_address_for_the_service(method):
    counts, erased, _ = erase(Account(errors={method: refused(error_code=17)}))
    assert (counts.rejected, erased) == (1, [])
