# SPDX-License-Identifier: Apache-2.0
"""One address across all books, through a socket."""

from __future__ import annotations

import pytest
from emulated_account import add_book, add_campaign, count, sent

from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import addresses
from airflow_provider_sendpulse.sendpulse.addresses import AddressStatistics, BookName, Delivery, Membership

READER = "reader0@example.com"


@pytest.fixture
def books(emulator):
    return [add_book(emulator, "Readers", contacts=2), add_book(emulator, "Buyers", contacts=1)]


def test_memberships(either, books):
    books[1].contacts[READER].status = 4
    found = either.send(addresses.memberships(READER))
    assert [(place.book_id, place.status) for place in found] == [(books[0].id, 1), (books[1].id, 4)]
    assert found[0].variables == {"Ім'я": "Олена 0"}
    assert "Олена" not in repr(found)


def test_nobody_is_nowhere(either, books):
    assert either.send(addresses.memberships("nobody@example.com")) == []


def test_origins(either, books):
    found = either.send(addresses.origins(READER))
    assert [(origin.list_id, origin.list_name) for origin in found] == [(books[0].id, "Readers"), (books[1].id, "Buyers")]
    assert all(origin.add_date for origin in found)


def test_memberships_of_many(either, books):
    found = either.send(addresses.memberships_of_many([READER, "reader1@example.com"]))
    assert [place.book_id for place in found[READER]] == [books[0].id, books[1].id]
    assert found["reader1@example.com"] == [Membership(books[0].id, 1, "", {"Ім'я": "Олена 1"})]


def test_statistics(either, emulator, books):
    emulator.state.blacklist[READER] = ""
    names = (BookName(books[0].id, "Readers"), BookName(books[1].id, "Buyers"))
    expected = AddressStatistics(sent=0, open=0, link=0, blacklist=True, address_books=names)
    assert either.send(addresses.statistics(READER)) == expected
    assert either.send(addresses.statistics_of_many([READER])) == {READER: expected}


@pytest.mark.parametrize("build", [addresses.memberships_of_many, addresses.statistics_of_many])
@pytest.mark.parametrize("emails", [[], READER])
def test_many_are_a_list(build, emails):
    with pytest.raises(InvalidRequest):
        build(emails)


@pytest.mark.parametrize("fault", [None, {"kind": "lose_answer"}, {"kind": "cut_answer"}], ids=str)
def test_remove_everywhere(client, emulator, books, fault):
    if fault:
        emulator.faults.add(**fault, operation="addresses.remove")
    client.send(addresses.remove_everywhere(READER))
    assert [len(book.contacts) for book in books] == [1, 0]
    assert count(emulator, "addresses.remove") == (2 if fault else 1)


@pytest.mark.parametrize("shape", [{}, {"delivery_date_key": "send_date"}, {"delivery_details": False}], ids=str)
def test_delivery(either, emulator, books, shape):
    emulator.configure(outcomes={READER: 3}, **shape)
    campaign = add_campaign(emulator, books[0], "Spring")
    emulator.state.course.force(campaign, 3, [])
    found = either.send(addresses.delivery(campaign.id, READER))
    assert (found.global_status, found.global_status_explain) == (2, "Delivered")
    assert found.detail_status == (None if "delivery_details" in shape else 3)
    assert found.sent_date
    assert found.extra == {}
    with pytest.raises(Refused) as caught:
        either.send(addresses.delivery(campaign.id, "nobody@example.com"))
    assert caught.value.error_code == 502


@pytest.mark.parametrize("date", ["sent_date", "send_date"])
def test_delivery_in_both_spellings(date):
    answer = {date: "2026-01-05 09:00:00", "global_status": "2", "global_status_explain": "Delivered"}
    assert addresses.delivery(1, READER).read(answer) == Delivery("2026-01-05 09:00:00", 2, "Delivered")
    answer |= {"detail_status": 3, "detail_status_explain": "Opened"}
    assert addresses.delivery(1, READER).read(answer) == Delivery("2026-01-05 09:00:00", 2, "Delivered", 3, "Opened")


@pytest.mark.parametrize(
    "call", [addresses.memberships(READER), addresses.remove_everywhere(READER), addresses.delivery(1, READER)]
)
def test_the_address_is_encoded_and_never_named(call):
    assert "reader0%40example.com" in call.target
    assert "reader0" not in call.operation
    assert "reader0" not in repr(call)


def test_what_is_sent(client, emulator, books):
    client.send(addresses.statistics_of_many([READER]))
    assert sent(emulator, "addresses.statistics_many") == [{"emails": [READER]}]
