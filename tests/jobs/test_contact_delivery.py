# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows to an address book, against the emulator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from deliveries import Collected
from emulated_account import add_book, connected, count, sent

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.exceptions import (
    DeliveryFailed,
    InvalidRequest,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.batched_delivery import MOST_BATCHES_AT_ONCE
from airflow_provider_sendpulse.jobs.contact_delivery import ConfirmedLoad, ContactLoad
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, MemoryLedger
from airflow_provider_sendpulse.jobs.position import MemoryPosition
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.send_once import WINDOW
from airflow_provider_sendpulse.jobs.splitting import MOST_IN_A_ROW
from airflow_provider_sendpulse.rows import FileRows
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import InlineRows
from airflow_provider_sendpulse.sendpulse.contacts import DoubleOptIn

CONSENT = DoubleOptIn("shop@example.com", message_lang="ua")


@pytest.fixture
def book(emulator):
    return add_book(emulator)


@pytest.fixture
def threads_client(emulator):
    """A client in real time: threads that wait for one another must not find it passed at once."""
    client = connected(emulator, SystemClock())
    yield client
    client.close()


@pytest.fixture
def store():
    return {}


def deliver(client, clock, book, rows, store=None, consent=None, position=None, report=None, **settings):
    report = report or Report()
    audience = Audience(rows if hasattr(rows, "rows") else InlineRows(rows), Columns(automation_id=None))
    if consent is not None:
        ledger = MemoryLedger() if store is None else KeyValueLedger(store.get, store.__setitem__)
        ConfirmedLoad(book.id, consent).run(client, audience, ledger, report, clock)
        return report.counts
    load = ContactLoad(book.id, **{"concurrency": 1, **settings})
    load.run(client, audience, position or MemoryPosition(), report, clock, account="a digest")
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


def test_later_rows_without_the_columns_are_invalid(client, clock, emulator, book, tmp_path, caplog):
    path = tmp_path / "readers.jsonl"
    path.write_text('{"email": "a@example.com"}\n{"mail": "b@example.com"}\n{"email": "c@example.com"}\n', encoding="utf-8")
    counts = deliver(client, clock, book, FileRows(str(path)))
    assert ([*book.contacts], counts.accepted, counts.invalid) == (["a@example.com", "c@example.com"], 2, 1)
    assert "Row 2: the row has neither a column email nor phone" in caplog.text


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "drop"}, {"kind": "html"}], ids=str)
def test_a_lost_answer_is_repeated(client, clock, emulator, book, fault):
    emulator.faults.add(**fault, operation="contacts.add", after=1)
    counts = deliver(client, clock, book, rows_of(30), batch_size=10)
    assert (counts.accepted, len(book.contacts), count(emulator, "contacts.add")) == (30, 30, 4)


def test_a_refusal_of_whatever_is_sent_fails(client, clock, emulator, book):
    emulator.faults.add("status", status=422, error_code=21356, operation="contacts.add", times=None)
    with pytest.raises(DeliveryFailed, match="Rows 1 to 10") as caught:
        deliver(client, clock, book, rows_of(30), batch_size=10)
    assert caught.value.error_code == 21356
    assert count(emulator, "contacts.add") == 1 + 3


def test_a_last_batch_of_bad_rows_does_not_fail_what_was_accepted(client, clock, emulator, book):
    book.variables["age"] = "number"
    emulator.configure(wrong_variables_on_add="refuse")
    rows = [{"email": f"reader{index}@example.com", "age": "old" if index > 30 else index} for index in range(1, 34)]
    counts = deliver(client, clock, book, rows, batch_size=10)
    assert (counts.accepted, counts.rejected, len(book.contacts)) == (30, 3, 30)


def test_a_book_that_is_not_there_is_no_matter_of_rows(client, clock, emulator, book):
    emulator.state.books.remove(book)
    with pytest.raises(DeliveryFailed, match=r"Rows 1 to 10.*213"):
        deliver(client, clock, book, rows_of(30), batch_size=10)
    assert count(emulator, "contacts.add") == 1


@pytest.mark.parametrize(
    "settings", [{"batch_size": 0}, {"batch_size": -1}, {"concurrency": 0}, {"concurrency": MOST_BATCHES_AT_ONCE + 1}]
)
def test_numbers_that_cannot_be_meant(client, clock, book, settings):
    with pytest.raises(InvalidRequest):
        deliver(client, clock, book, rows_of(1), **settings)


@pytest.mark.parametrize("concurrency", [1, 4, MOST_BATCHES_AT_ONCE])
def test_several_batches_at_a_time(threads_client, clock, emulator, book, concurrency):
    counts = deliver(threads_client, clock, book, rows_of(3210), batch_size=50, concurrency=concurrency)
    assert (counts.accepted, len(book.contacts), count(emulator, "contacts.add")) == (3210, 3210, 65)
    # However many threads come for it.
    assert count(emulator, "tokens.issue") == 1
    used = {record.client_port for record in emulator.requests.records("contacts.add")}
    assert len(used) <= concurrency


def test_a_token_that_ends_while_threads_send(threads_client, clock, emulator, book):
    emulator.faults.add("revoke_tokens", operation="contacts.add", after=20)
    counts = deliver(threads_client, clock, book, rows_of(3000), batch_size=50, concurrency=4)
    assert (counts.accepted, len(book.contacts), count(emulator, "tokens.issue")) == (3000, 3000, 2)


# A refused batch is split, and its size adapts.


def number(emulator, book, name="age"):
    """Make a variable of the book a number, which the emulator then insists on."""
    with emulator.emulator.lock:
        book.variables[name] = "number"
    emulator.configure(wrong_variables_on_add="refuse")


def aged(count_, *wrong):
    return [{"email": f"reader{row}@example.com", "age": "old" if row in wrong else row} for row in range(1, count_ + 1)]


@pytest.mark.parametrize("wrong", [[1], [500], [250], [77], [3, 4, 5, 6], [1, 251], [600, 1100]], ids=str)
def test_only_the_rows_that_are_wrong_are_left_out(client, clock, emulator, book, wrong):
    number(emulator, book)
    rejects = Collected()
    counts = deliver(client, clock, book, aged(1200, *wrong), batch_size=500, report=Report(rejects))
    assert (counts.read, counts.accepted, counts.rejected) == (1200, 1200 - len(wrong), len(wrong))
    assert len(book.contacts) == 1200 - len(wrong)
    assert sorted((row.number, row.email) for row in rejects.rows) == [(row, f"reader{row}@example.com") for row in wrong]
    assert all("Variable value wrong format" in row.reason for row in rejects.rows)
    # Three batches; per refused one three rows alone, and two requests for every halving.
    assert count(emulator, "contacts.add") <= 3 + sum(3 + 2 * 9 for _ in wrong)


def test_what_is_wrong_with_all_rows_is_not_the_rows(client, clock, emulator, book):
    number(emulator, book)
    rejects = Collected()
    with pytest.raises(DeliveryFailed, match="Variable value wrong format"):
        deliver(client, clock, book, aged(1200, *range(501, 1001)), batch_size=500, report=Report(rejects))
    # Some were taken before, so that a few more are tried than three.
    assert (count(emulator, "contacts.add") < 3 * MOST_IN_A_ROW, len(rejects.rows)) == (True, MOST_IN_A_ROW - 1)


@pytest.mark.parametrize("size", [1, 2])
def test_small_batches_do_not_refuse_a_million_rows_one_by_one(client, clock, emulator, book, size):
    number(emulator, book)
    with pytest.raises(DeliveryFailed):
        deliver(client, clock, book, aged(100, *range(1, 101)), batch_size=size)
    assert count(emulator, "contacts.add") <= 5


def test_small_batches_may_hold_wrong_rows(client, clock, emulator, book):
    number(emulator, book)
    counts = deliver(client, clock, book, aged(20, 2, 3, 4, 5), batch_size=1)
    assert (counts.accepted, counts.rejected) == (16, 4)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(("how", "most"), [("items", 150), ("count", 150), ("http", 125)])
def test_the_size_of_batches_adapts(client, clock, emulator, book, how, most, concurrency, caplog):
    emulator.configure(contacts_per_add=150, too_many_contacts=how)
    counts = deliver(client, clock, book, rows_of(3000), batch_size=500, concurrency=concurrency)
    assert (counts.accepted, len(book.contacts)) == (3000, 3000)
    taken = [record for record in emulator.requests.records("contacts.add") if record.status == 200]
    assert max(len(record.body["emails"]) for record in taken) == most
    told = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert told == [
        f"The service refuses {tried} rows in a request; going on with {fewer}."
        for tried, fewer in ([(500, 250), (250, 125)] if how == "http" else [(500, 150)])
    ]


def test_a_row_that_is_too_large_alone(client, clock, emulator, book):
    emulator.configure(contacts_per_add=0, too_many_contacts="http")
    with pytest.raises(DeliveryFailed, match="413"):
        deliver(client, clock, book, rows_of(10), batch_size=4)
    assert count(emulator, "contacts.add") <= 8


# Another try.


class Shop:
    """A source that can change between two readings, and ends the process where it is told to."""

    def __init__(self, rows, ends_at=None):
        self.all = rows
        self.ends_at = ends_at
        self.read = 0

    def rows(self):
        self.read += 1
        for index, row in enumerate(self.all):
            if index == self.ends_at:
                raise ServiceUnavailable("the database has gone")
            yield row


def interrupted(client, clock, book, rows, at, position, **settings):
    with pytest.raises(ServiceUnavailable):
        deliver(client, clock, book, Shop(rows, at), position=position, batch_size=10, **settings)


def added(emulator, since=0):
    return [contact["email"] for body in sent(emulator, "contacts.add")[since:] for contact in body["emails"]]


def test_another_try_goes_on(client, clock, emulator, book):
    position, rows = MemoryPosition(), rows_of(100)
    interrupted(client, clock, book, rows, 55, position)
    assert position.read()["rows"] == 50
    before = count(emulator, "contacts.add")
    counts = deliver(client, clock, book, rows, position=position, batch_size=10)
    assert (counts.read, counts.skipped, counts.accepted) == (100, 50, 50)
    assert added(emulator, before) == [row["email"] for row in rows[50:]]


def test_nothing_of_a_row_is_in_the_position(client, clock, book):
    position = MemoryPosition()
    deliver(client, clock, book, rows_of(100), position=position)
    value = position.read()
    assert sorted(value) == ["again", "digest", "rows"]
    assert (value["rows"], value["again"], len(value["digest"])) == (100, [], 64)


def reordered(rows):
    return [rows[1], rows[0], *rows[2:]]


def changed(rows):
    return [{**rows[0], "Ім'я": "Інша"}, *rows[1:]]


def shorter(rows):
    return rows[:30]


def shifted(rows):
    return [{"email": "first@example.com"}, *rows]


@pytest.mark.parametrize("change", [reordered, changed, shorter, shifted])
def test_another_try_starts_over_when_the_rows_are_others(client, clock, emulator, book, change):
    position, rows = MemoryPosition(), rows_of(100)
    interrupted(client, clock, book, rows, 55, position)
    before, now = count(emulator, "contacts.add"), change(rows)
    counts = deliver(client, clock, book, now, position=position, batch_size=10)
    assert (counts.read, counts.accepted, counts.skipped) == (len(now), len(now), 0)
    assert added(emulator, before) == [row["email"] for row in now]


@pytest.mark.parametrize("also", ["another book", "another account", "another mapping"])
def test_a_position_belongs_to_book_account_and_mapping(client, clock, emulator, book, also):
    position, rows = MemoryPosition(), rows_of(100)
    interrupted(client, clock, book, rows, 55, position)
    target = add_book(emulator, "Other") if also == "another book" else book
    columns = Columns(automation_id=None, variables=["Ім'я"] if also == "another mapping" else None)
    report = Report()
    ContactLoad(target.id, concurrency=1).run(
        client,
        Audience(InlineRows(rows), columns),
        position,
        report,
        clock,
        account="another digest" if also == "another account" else "a digest",
    )
    assert (report.counts.accepted, report.counts.skipped) == (100, 0)


def test_what_is_wrong_or_twice_is_found_again(client, clock, emulator, book):
    rows = [{"email": "no"}, *rows_of(20), {"email": "reader1@example.com"}, *rows_of(60)]
    position = MemoryPosition()
    interrupted(client, clock, book, rows, 50, position)
    assert position.read()["rows"] == 1 + 20
    rejects = Collected()
    counts = deliver(client, clock, book, rows, position=position, batch_size=10, report=Report(rejects))
    assert (counts.read, counts.invalid, counts.duplicate, counts.skipped, counts.accepted) == (82, 1, 21, 20, 40)
    assert [row.number for row in rejects.rows] == [1]


def test_refused_rows_are_sent_again(client, clock, emulator, book):
    number(emulator, book)
    position, rows = MemoryPosition(), aged(100, 7, 23)
    interrupted(client, clock, book, rows, 55, position)
    assert position.read()["again"] == [7, 23]
    before = count(emulator, "contacts.add")
    rejects = Collected()
    counts = deliver(client, clock, book, rows, position=position, batch_size=10, report=Report(rejects))
    assert (counts.read, counts.skipped, counts.rejected, counts.accepted) == (100, 48, 2, 50)
    assert sorted(row.number for row in rejects.rows) == [7, 23]
    assert set(added(emulator, before)) == {rows[6]["email"], rows[22]["email"], *(row["email"] for row in rows[50:])}
    assert position.read()["again"] == [7, 23]
    # Once the book takes them, they are behind us.
    emulator.configure(wrong_variables_on_add="accept")
    counts = deliver(client, clock, book, rows, position=position, batch_size=10)
    assert (counts.skipped, counts.accepted, position.read()["again"]) == (98, 2, [])


def test_rows_that_are_refused_again_say_nothing_of_the_others(client, clock, emulator, book):
    number(emulator, book)
    wrong = [1, 4, 5, 8, 9, 12]
    position, rows = MemoryPosition(), aged(40, *wrong)
    interrupted(client, clock, book, rows, 35, position)
    assert position.read() == {"rows": 30, "digest": position.read()["digest"], "again": wrong}
    # All of the first batch are refused once more.
    counts = deliver(client, clock, book, rows, position=position, batch_size=6)
    assert (counts.skipped, counts.rejected, counts.accepted) == (24, 6, 10)


@pytest.mark.parametrize("value", [None, 1, {}, {"rows": "x", "digest": "", "again": []}, {"rows": 5, "digest": "0"}, []])
def test_a_damaged_position_is_none(client, clock, book, value):
    position = MemoryPosition()
    position.write(value)
    assert deliver(client, clock, book, rows_of(10), position=position).accepted == 10


def test_rows_that_change_while_they_are_read_again(client, clock, book):
    position, rows = MemoryPosition(), rows_of(100)
    interrupted(client, clock, book, rows, 55, position)

    class Fickle(Shop):
        def rows(self):
            self.all = reordered(rows) if self.read else rows
            return super().rows()

    source = Fickle(rows)
    report = Report()
    with pytest.raises(ServiceError, match="starts over"):
        deliver(client, clock, book, source, position=position, batch_size=10, report=report)
    assert position.read() is None
    assert deliver(client, clock, book, rows, position=position).accepted == 100


def test_every_source_is_closed(client, clock, book):
    closed = []

    class Cursor(Shop):
        def rows(self):
            try:
                yield from super().rows()
            finally:
                closed.append(self.read)

    position, rows = MemoryPosition(), rows_of(100)
    interrupted(client, clock, book, rows, 55, position)
    source = Cursor(rows)
    deliver(client, clock, book, source, position=position, verify=True)
    assert closed == [*range(1, source.read + 1)]


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


def test_an_unknown_sender_is_no_rows_fault_and_ends_at_once(client, clock, emulator, book, store):
    with pytest.raises(Refused) as caught:
        deliver(client, clock, book, rows_of(100), store, consent=DoubleOptIn("nobody@example.com"))
    assert (caught.value.error_code, count(emulator, "contacts.add")) == (1003, 1)
    deliver(client, clock, book, rows_of(100), store, consent=CONSENT)
    assert asked(emulator) == expected(100)


def test_books_do_not_share_keys(client, clock, emulator, book, store):
    deliver(client, clock, book, rows_of(2), store, consent=CONSENT)
    deliver(client, clock, add_book(emulator, "Other"), rows_of(2), store, consent=CONSENT)
    assert len(asked(emulator)) == 4
