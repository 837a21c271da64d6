# SPDX-License-Identifier: Apache-2.0
"""Who has arrived in the address book and can be mailed, against the emulator."""

from __future__ import annotations

import pytest
from deliveries import Collected, total
from emulated_account import add_book, count

from airflow_provider_sendpulse.exceptions import AddressBookUnusable, ServiceUnavailable
from airflow_provider_sendpulse.jobs.contact_delivery import ContactLoad
from airflow_provider_sendpulse.jobs.position import MemoryPosition
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.verification import LONGEST_LOCK
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import InlineRows

MISSING = "accepted, but not in the address book"


@pytest.fixture
def book(emulator):
    return add_book(emulator)


def rows_of(number):
    return [{"email": f"Reader{index}@example.com"} for index in range(1, number + 1)]


def load(client, clock, book, rows, position=None):
    rejects = Collected()
    report = Report(rejects)
    audience = Audience(rows if hasattr(rows, "rows") else InlineRows(rows), Columns(automation_id=None))
    settings = ContactLoad(book.id, batch_size=50, concurrency=1, verify=True)
    settings.run(client, audience, position or MemoryPosition(), report, clock, account="a digest")
    assert total(report.counts) == report.counts.read
    return report.counts, [(row.number, row.email, row.reason.partition(":")[0]) for row in rejects.rows]


def blacklist(emulator, *emails):
    with emulator.emulator.lock:
        emulator.state.blacklist.update(dict.fromkeys(emails, ""))


def set_status(emulator, book, email, status):
    with emulator.emulator.lock:
        book.contacts[email].status = status


@pytest.mark.parametrize("there", [0, 5000], ids=["a book of these rows", "a large book"])
def test_everybody_has_arrived(client, clock, emulator, there):
    book = add_book(emulator, contacts=there)
    rows = [{"email": f"new{index}@example.com"} for index in range(40)]
    counts, rejected = load(client, clock, book, rows)
    assert (counts.accepted, rejected) == (40, [])
    # The whole book, a hundred a page, or every contact: whichever is fewer.
    assert (count(emulator, "contacts.list"), count(emulator, "contacts.read")) == ((1, 0) if not there else (0, 40))


def test_who_has_not_arrived(client, clock, emulator, book):
    blacklist(emulator, "reader3@example.com", "reader205@example.com")
    counts, rejected = load(client, clock, book, rows_of(300))
    assert (counts.accepted, counts.rejected) == (298, 2)
    assert rejected == [(3, "Reader3@example.com", MISSING), (205, "Reader205@example.com", MISSING)]


def test_who_cannot_be_mailed(client, clock, emulator):
    book = add_book(emulator, contacts=6)  # reader0 to reader5
    for index, status in enumerate([4, 9, 14, 0, 1], start=1):
        set_status(emulator, book, f"reader{index}@example.com", status)
    counts, rejected = load(client, clock, book, rows_of(10))
    assert (counts.accepted, counts.rejected) == (7, 3)
    assert [(number, email) for number, email, _ in rejected] == [
        (1, "Reader1@example.com"),
        (2, "Reader2@example.com"),
        (3, "Reader3@example.com"),
    ]
    assert {reason for *_, reason in rejected} == {"accepted, but it cannot be mailed"}


@pytest.mark.parametrize("locked_late", [0, 1])
def test_a_book_that_is_still_being_loaded(client, clock, emulator, book, locked_late):
    emulator.configure(contacts_visible_late=True, book_load_reads=3, book_locked_late_reads=locked_late)
    counts, rejected = load(client, clock, book, rows_of(20))
    assert (counts.accepted, rejected) == (20, [])
    assert clock.sleeps


def test_a_book_that_stays_locked(client, clock, emulator, book):
    emulator.configure(contacts_visible_late=True, book_load_reads=10**9)
    position = MemoryPosition()
    before = clock.now()
    with pytest.raises(ServiceUnavailable, match="another try only reads them back"):
        load(client, clock, book, rows_of(120), position)
    assert clock.now() - before >= LONGEST_LOCK
    # The other try sends nothing, and finds what has not arrived.
    emulator.configure(book_load_reads=0)
    blacklist(emulator, "reader60@example.com")
    with emulator.emulator.lock:
        for each in book.loads:
            each.contacts = [new for new in each.contacts if new.email != "reader60@example.com"]
    counts, rejected = load(client, clock, book, rows_of(120), position)
    assert (counts.read, counts.skipped, counts.accepted, counts.rejected) == (120, 119, 0, 1)
    assert (rejected, count(emulator, "contacts.add")) == ([(60, "Reader60@example.com", MISSING)], 3)
    assert position.read()["again"] == [60]
    # And the one after that sends the missing one again.
    with emulator.emulator.lock:
        emulator.state.blacklist.clear()
    counts, rejected = load(client, clock, book, rows_of(120), position)
    assert (counts.skipped, counts.accepted, rejected, count(emulator, "contacts.add")) == (119, 1, [], 4)


def test_a_book_that_was_deleted(client, clock, emulator, book):
    with emulator.emulator.lock:
        book.forced_status = 1
    with pytest.raises(AddressBookUnusable):
        load(client, clock, book, rows_of(5))


def test_nobody_to_look_for(client, clock, emulator, book):
    counts, rejected = load(client, clock, book, [{"email": "no"}])
    assert (counts.invalid, len(rejected), count(emulator, "address_books.read")) == (1, 1, 0)


def test_a_source_that_has_changed_meanwhile(client, clock, emulator, book):
    blacklist(emulator, "reader3@example.com", "reader5@example.com")

    class Source:
        readings = 0

        def rows(self):
            self.readings += 1
            rows = rows_of(10)
            return iter(rows if self.readings == 1 else [rows[4], *rows[1:4]])

    counts, rejected = load(client, clock, book, Source())
    assert (counts.accepted, counts.rejected) == (8, 2)
    # Row 5 has moved to the first place: it keeps its number, and has its address.
    assert sorted(rejected) == [(3, "Reader3@example.com", MISSING), (5, "Reader5@example.com", MISSING)]


class Moving:
    """A live table: after the first reading some rows are gone, and others are in front."""

    def __init__(self, rows, gone=()):
        self.table = rows
        self.gone = gone
        self.readings = 0

    def rows(self):
        self.readings += 1
        if self.readings == 1:
            return iter(self.table)
        return iter([{"email": "first@example.com"}, *(row for row in self.table if row["email"] not in self.gone)])


def test_rows_that_have_moved_are_asked_for_one_by_one(client, clock, emulator):
    book = add_book(emulator, contacts=5000)
    rows = [{"email": f"new{index}@example.com"} for index in range(1, 11)]
    blacklist(emulator, "new4@example.com")
    counts, rejected = load(client, clock, book, Moving(rows))
    assert (counts.accepted, rejected) == (9, [(4, "new4@example.com", MISSING)])
    assert (count(emulator, "contacts.list"), count(emulator, "contacts.read")) == (0, 10 + 1)


def test_rows_that_are_gone_are_looked_for_in_the_whole_book(client, clock, emulator):
    book = add_book(emulator, contacts=500)
    rows = [{"email": f"new{index}@example.com"} for index in range(1, 6)]
    blacklist(emulator, "new4@example.com")
    counts, rejected = load(client, clock, book, Moving(rows, gone=("new1@example.com", "new4@example.com")))
    # The first one is there; of the fourth, its number is all that is known.
    assert (counts.accepted, rejected) == (4, [(4, "", MISSING)])


def test_a_contact_that_a_page_has_left_out(client, clock, emulator, book):
    """Somebody is removed while the book is read, and the rest moves up by one."""

    class Removing:
        def send(self, call):
            return client.send(call)

        def pages(self, call):
            following = call
            while following is not None:
                page = client.send(following)
                yield from page
                with emulator.emulator.lock:
                    book.contacts.pop("somebody@example.com", None)
                following = following.after(page)

    with emulator.emulator.lock:
        from airflow_provider_sendpulse.emulator.contacts import NewContact

        book.put(NewContact("somebody@example.com", {}), emulator.state.clock.now())
    counts, rejected = load(Removing(), clock, book, rows_of(250))
    assert (counts.accepted, rejected, count(emulator, "contacts.read")) == (250, [], 1)


def test_other_spellings_of_an_address(client, clock, emulator, book):
    counts, rejected = load(client, clock, book, [{"email": "ÄDA@Example.com"}, {"email": " bob@example.com "}])
    assert (counts.accepted, rejected) == (2, [])
