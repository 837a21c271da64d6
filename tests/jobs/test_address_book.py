# SPDX-License-Identifier: Apache-2.0
"""One address book of a name, against the emulator."""

from __future__ import annotations

import pytest
from emulated_account import add_book, count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, ServiceUnavailable
from airflow_provider_sendpulse.jobs.address_book import ensure_address_book

LOST = [{"kind": "lose_answer"}, {"kind": "cut_answer"}, {"kind": "truncate"}, {"kind": "html", "after_effect": True}]
CREATE, LIST = "address_books.create", "address_books.list"


def names(emulator):
    return [book.name for book in emulator.state.books]


def test_it_is_created(client, emulator):
    created = ensure_address_book(client, "  Читачі 🌻 ")
    [book] = emulator.state.books
    assert (created, book.name) == (book.id, "Читачі 🌻")
    assert sent(emulator, CREATE) == [{"bookName": "Читачі 🌻"}]


def test_it_is_reused(client, emulator):
    add_book(emulator, "Other")
    book = add_book(emulator, "Читачі")
    assert ensure_address_book(client, "Читачі") == book.id
    assert count(emulator, CREATE) == 0


def test_it_is_found_behind_the_first_hundred(client, emulator):
    books = [add_book(emulator, f"Book {number}") for number in range(150)]
    assert ensure_address_book(client, "Book 149") == books[149].id
    assert count(emulator, LIST) == 2


@pytest.mark.parametrize("name", ["Читач", "читачі", "Читачі 2"])
def test_only_the_whole_name_counts(client, emulator, name):
    add_book(emulator, "Читачі")
    ensure_address_book(client, name)
    assert names(emulator) == ["Читачі", name]


def test_an_existing_one_may_be_unwanted(client, emulator):
    book = add_book(emulator, "Readers")
    with pytest.raises(InvalidRequest, match=f"exists already: {book.id}"):
        ensure_address_book(client, "Readers", if_exists="fail")
    assert count(emulator, CREATE) == 0


@pytest.mark.parametrize("if_exists", ["reuse", "fail"])
@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer(client, emulator, fault, if_exists):
    emulator.faults.add(**fault, operation=CREATE)
    created = ensure_address_book(client, "Readers", if_exists)
    assert [book.id for book in emulator.state.books] == [created]
    assert count(emulator, CREATE) == 1


@pytest.mark.parametrize("if_exists", ["reuse", "fail"])
@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "html"}, {"kind": "status", "status": 503}], ids=str)
def test_a_lost_request(client, emulator, fault, if_exists):
    emulator.faults.add(**fault, times=2, operation=CREATE)
    created = ensure_address_book(client, "Readers", if_exists)
    assert [book.id for book in emulator.state.books] == [created]
    assert count(emulator, CREATE) == 3


def test_requests_that_are_always_lost(client, emulator):
    emulator.faults.add("drop", times=None, operation=CREATE)
    with pytest.raises(AmbiguousOutcome, match="could not be created"):
        ensure_address_book(client, "Readers")
    assert (count(emulator, CREATE), names(emulator)) == (3, [])


def test_somebody_else_was_faster(client, emulator):
    # Two tasks at once: neither saw the book, and the other one has it now.
    emulator.faults.add("status", status=200, body="[]", operation=LIST)
    book = add_book(emulator, "Readers")
    assert ensure_address_book(client, "Readers") == book.id
    assert names(emulator) == ["Readers"]


def test_somebody_else_was_faster_and_a_new_one_is_wanted(client, emulator):
    emulator.faults.add("status", status=200, body="[]", operation=LIST)
    add_book(emulator, "Readers")
    with pytest.raises(InvalidRequest, match="exists already"):
        ensure_address_book(client, "Readers", if_exists="fail")


def test_a_name_taken_by_a_book_that_is_not_listed(client, emulator):
    emulator.faults.add("status", status=200, body="[]", operation=LIST, times=None)
    add_book(emulator, "Readers")
    with pytest.raises(AmbiguousOutcome, match="not listed"):
        ensure_address_book(client, "Readers")
    assert names(emulator) == ["Readers"]


def test_other_refusals_pass_through(client, emulator):
    emulator.faults.add("status", status=403, error_code=3030303030, operation=CREATE)
    with pytest.raises(Refused) as caught:
        ensure_address_book(client, "Readers")
    assert caught.value.error_code == 3030303030


def test_nothing_is_created_when_the_look_fails(client, emulator):
    emulator.faults.add("html", times=None, operation=LIST)
    with pytest.raises(ServiceUnavailable):
        ensure_address_book(client, "Readers")
    assert count(emulator, CREATE) == 0


@pytest.mark.parametrize(("name", "if_exists"), [("", "reuse"), (" \n", "reuse"), ("Readers", "replace"), ("Readers", "")])
def test_arguments(client, emulator, name, if_exists):
    with pytest.raises(InvalidRequest):
        ensure_address_book(client, name, if_exists)
    assert len(emulator.requests) == 0
