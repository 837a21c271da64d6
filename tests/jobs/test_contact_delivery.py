# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows to an address book, against the emulator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from emulated_account import add_book, count, sent

from airflow_provider_sendpulse.exceptions import DeliveryFailed, InvalidRequest, Refused, ServiceUnavailable, Throttled
from airflow_provider_sendpulse.jobs.contact_delivery import ContactDelivery
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, MemoryLedger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.send_once import WINDOW
from airflow_provider_sendpulse.rows.people import Columns, people
from airflow_provider_sendpulse.sendpulse.contacts import DoubleOptIn

CONSENT = DoubleOptIn("shop@example.com", message_lang="ua")


@pytest.fixture
def book(emulator):
    return add_book(emulator)


@pytest.fixture
def store():
    return {}


def deliver(client, clock, book, rows, store=None, **settings):
    ledger = MemoryLedger() if store is None else KeyValueLedger(store.get, store.__setitem__)
    report = Report()
    ContactDelivery(book.id, **settings).run(client, people(rows, Columns()), ledger, report, clock)
    return report.counts


def rows_of(number):
    return [{"email": f"reader{index}@example.com", "Ім'я": f"Олена {index}"} for index in range(number)]


def test_single_opt_in(client, clock, emulator, book):
    counts = deliver(client, clock, book, rows_of(1201), batch_size=500)
    assert (counts.accepted, len(book.contacts), count(emulator, "contacts.add")) == (1201, 1201, 3)
    assert [len(body["emails"]) for body in sent(emulator, "contacts.add")] == [500, 500, 201]
    assert book.contacts["reader1200@example.com"].variables == {"Ім'я": "Олена 1200"}


def test_values_from_a_database(client, clock, emulator, book):
    row = {
        "email": "a@example.com",
        "phone": 380501234567,
        "sum": Decimal("1.50"),
        "born": dt.date(1990, 1, 31),
        "none": None,
    }
    deliver(client, clock, book, [row])
    contact = book.contacts["a@example.com"]
    assert (contact.phone, contact.variables) == ("380501234567", {"sum": 1.5, "born": "1990-01-31"})


def test_bad_rows_and_duplicates_are_left_out(client, clock, emulator, book, caplog):
    rows = [
        {"email": "A@example.com"},
        {"email": "a@example.com "},
        {"email": "no"},
        {"email": None},
        {"email": "", "phone": "+380501234567"},
        {"email": "b@example.com", "cart": [1]},
        {"email": "c@example.com", "broken": "\ud83d"},
        {"email": "d@example.com"},
    ]
    counts = deliver(client, clock, book, rows)
    assert [*book.contacts] == ["a@example.com", "d@example.com"]
    assert (counts.accepted, counts.duplicate, counts.invalid) == (2, 1, 5)
    assert "Row 5: a contact of an address book needs an address" in caplog.text


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "drop"}, {"kind": "html"}], ids=str)
def test_a_lost_answer_is_repeated(client, clock, emulator, book, fault):
    emulator.faults.add(**fault, operation="contacts.add", after=1)
    counts = deliver(client, clock, book, rows_of(30), batch_size=10)
    assert (counts.accepted, len(book.contacts), count(emulator, "contacts.add")) == (30, 30, 4)


def test_a_refused_batch_fails(client, clock, emulator, book):
    emulator.faults.add("status", status=422, error_code=21356, operation="contacts.add", after=1)
    with pytest.raises(DeliveryFailed, match="Rows 11 to 20") as caught:
        deliver(client, clock, book, rows_of(30), batch_size=10)
    assert caught.value.error_code == 21356


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_holds_something(client, clock, book, size):
    with pytest.raises(InvalidRequest):
        deliver(client, clock, book, rows_of(1), batch_size=size)


# Double opt-in: everybody is asked once.


def asked(emulator):
    return [pending.contact.email for pending in emulator.state.confirmations]


def expected(number):
    return [row["email"] for row in rows_of(number)]


def test_everybody_is_asked(client, clock, emulator, book):
    counts = deliver(client, clock, book, rows_of(45), consent=CONSENT)
    assert (counts.accepted, asked(emulator), [*book.contacts]) == (45, expected(45), [])
    assert [len(body["emails"]) for body in sent(emulator, "contacts.add")] == [WINDOW, WINDOW, 5]
    assert {body["confirmation"] for body in sent(emulator, "contacts.add")} == {"force"}


def test_nobody_is_asked_again(client, clock, emulator, book, store):
    deliver(client, clock, book, rows_of(45), store, consent=CONSENT)
    counts = deliver(client, clock, book, rows_of(50), store, consent=CONSENT)
    assert (counts.skipped, counts.accepted, asked(emulator)) == (45, 5, expected(50))


def test_other_values_are_no_reason_to_ask_again(client, clock, emulator, book, store):
    deliver(client, clock, book, [{"email": "a@example.com", "age": 1}], store, consent=CONSENT)
    deliver(client, clock, book, [{"email": "A@Example.com", "age": 2}], store, consent=CONSENT)
    assert asked(emulator) == ["a@example.com"]


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "cut_answer"}, {"kind": "truncate"}], ids=str)
def test_nobody_is_asked_again_in_doubt(client, clock, emulator, book, store, fault):
    emulator.faults.add(**fault, operation="contacts.add", after=1)
    counts = deliver(client, clock, book, rows_of(45), store, consent=CONSENT)
    assert (counts.accepted, counts.in_doubt) == (25, WINDOW)
    counts = deliver(client, clock, book, rows_of(45), store, consent=CONSENT)
    assert (counts.skipped, counts.in_doubt, asked(emulator)) == (25, WINDOW, expected(45))


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 422, "error_code": 791}], ids=str)
def test_the_next_try_asks_exactly_the_rest(client, clock, emulator, book, store, fault):
    emulator.faults.add("status", **fault, operation="contacts.add", after=1, times=None)
    with pytest.raises(Throttled):
        deliver(client, clock, book, rows_of(45), store, consent=CONSENT)
    emulator.faults.clear()
    deliver(client, clock, book, rows_of(45), store, consent=CONSENT)
    assert asked(emulator) == expected(45)


def test_a_service_that_cannot_be_asked_for_a_token_leaves_no_doubt(client, clock, emulator, book, store):
    emulator.faults.add("html", operation="tokens.issue", times=None)
    with pytest.raises(ServiceUnavailable):
        deliver(client, clock, book, rows_of(5), store, consent=CONSENT)
    emulator.faults.clear()
    assert deliver(client, clock, book, rows_of(5), store, consent=CONSENT).accepted == 5


def test_an_unknown_sender_ends_after_three_calls(client, clock, emulator, book, store):
    with pytest.raises(Refused) as caught:
        deliver(client, clock, book, rows_of(100), store, consent=DoubleOptIn("nobody@example.com"))
    assert (caught.value.error_code, count(emulator, "contacts.add")) == (1003, 3)
    deliver(client, clock, book, rows_of(100), store, consent=CONSENT)
    assert asked(emulator) == expected(100)


def test_books_do_not_share_keys(client, clock, emulator, book, store):
    deliver(client, clock, book, rows_of(2), store, consent=CONSENT)
    deliver(client, clock, add_book(emulator, "Other"), rows_of(2), store, consent=CONSENT)
    assert len(asked(emulator)) == 4
