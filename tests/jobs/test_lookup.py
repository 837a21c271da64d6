# SPDX-License-Identifier: Apache-2.0
"""Looking for the campaigns of a mailing: far enough back, and in every list that could hold them."""

from __future__ import annotations

import datetime as dt

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER

from airflow_provider_sendpulse.exceptions import Refused, ServiceUnavailable
from airflow_provider_sendpulse.jobs.lookup import find_marked, generation
from airflow_provider_sendpulse.jobs.marker import Marker

SINCE = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


class Account:
    """Lists of campaigns as the service could give them, in the order they stand in."""

    def __init__(self, *listed, of_books=None):
        self.listed = [*listed]
        self.of_books = of_books or {}
        self.asked = []

    def send(self, call):
        self.asked.append(call.operation)
        if call.path == "/campaigns":
            return call.read(self.listed[call.offset : call.offset + call.limit])
        if call.path == "/campaigns/{id}":
            return call.read([item for item in self.listed if item["id"] == call.values["id"]] or seen(call.values["id"]))
        return call.read(self.of_books[call.values["id"]][call.offset : call.offset + call.limit])

    def pages(self, call):
        while call is not None:
            page = self.send(call)
            yield from page
            call = call.after(page)


def seen(number, date="2026-06-15 15:00:00", marker=None, **fields):
    name = marker.name("x") if marker else "Somebody else's"
    message = {"subject": "Sale", "list_id": 1}
    return {"id": number, "name": name, "status": 3, "send_date": date, "message": message, **fields}


def old(number):
    return seen(number, "2026-06-01 09:00:00")


def ids(found):
    return [campaign.id for campaign in found]


# Against the emulator.


@pytest.mark.parametrize("newer", [0, 99, 100, 101, 250, 305])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_it_is_found_behind_any_number_of_newer_ones(client, emulator, newer, order):
    emulator.configure(campaign_list_order=order)
    book = add_book(emulator)
    mine = add_campaign(emulator, book, MARKER.name("x"))
    for number in range(newer):
        add_campaign(emulator, book, f"{number}")
    found = find_marked(client, MARKER, dt.datetime.now(dt.UTC), [])
    assert ids(found) == [mine.id]
    assert count(emulator, "campaigns.list") == -(-(newer + 1) // 100) + 1, "only an empty page is the end"


@pytest.mark.parametrize("newer", [0, 99, 100, 250])
def test_it_is_found_far_back_in_its_books_own_list(client, emulator, newer):
    book = add_book(emulator)
    for number in range(newer):
        add_campaign(emulator, book, f"{number}")
    mine = add_campaign(emulator, book, MARKER.name("x"))
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    [found] = find_marked(client, MARKER, dt.datetime.now(dt.UTC), [book.id])
    assert (found.id, found.subject, found.address_book_ids) == (mine.id, "Sale", (book.id,))


def test_it_is_read_once_when_several_lists_hold_it(client, emulator):
    books = [add_book(emulator, name) for name in ("a", "b")]
    mine = add_campaign(emulator, books[0], MARKER.name("x"), list_id=[book.id for book in books])
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    assert ids(find_marked(client, MARKER, SINCE, [book.id for book in books])) == [mine.id]
    assert count(emulator, "campaigns.read") == 1


def test_what_the_accounts_list_holds_is_not_read(client, emulator):
    book = add_book(emulator)
    mine = add_campaign(emulator, book, MARKER.name("x"))
    assert ids(find_marked(client, MARKER, SINCE, [book.id])) == [mine.id]
    assert count(emulator, "campaigns.read") == 0


def test_a_deleted_book_holds_nothing(client, emulator):
    gone, book = add_book(emulator, "Gone"), add_book(emulator)
    mine = add_campaign(emulator, book, MARKER.name("x"))
    emulator.state.books.remove(gone)
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    assert ids(find_marked(client, MARKER, SINCE, [gone.id, book.id])) == [mine.id]
    assert find_marked(client, MARKER, SINCE, [gone.id]) == []


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
@pytest.mark.parametrize("code", [203, 301, 502, 602, 802, 404])
def test_any_other_refusal_says_nothing_about_campaigns(client, emulator, operation, code):
    book = add_book(emulator)
    emulator.faults.add("status", status=404, error_code=code, operation=operation)
    with pytest.raises(Refused) as caught:
        find_marked(client, MARKER, SINCE, [book.id])
    assert caught.value.error_code == code


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_list_that_cannot_be_read_to_its_end_says_nothing(client, emulator, operation, page):
    book = add_book(emulator)
    for number in range(250):
        add_campaign(emulator, book, f"{number}")
    emulator.faults.add("html", operation=operation, after=page, times=None)
    with pytest.raises(ServiceUnavailable):
        find_marked(client, MARKER, SINCE, [book.id])


def test_a_marked_campaign_that_cannot_be_read_is_an_error(client, emulator):
    book = add_book(emulator)
    add_campaign(emulator, book, MARKER.name("x"))
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    emulator.faults.add("status", status=422, error_code=802, operation="campaigns.read")
    with pytest.raises(Refused):
        find_marked(client, MARKER, SINCE, [book.id])


def test_generations_come_latest_first(client, emulator):
    book = add_book(emulator)
    made = [add_campaign(emulator, book, Marker(MARKER.digest, number).name("x")) for number in (2, 10, 1, 9, 10)]
    found = find_marked(client, MARKER, SINCE, [book.id])
    assert [(generation(campaign), campaign.id) for campaign in found] == [
        (10, made[4].id),
        (10, made[1].id),
        (9, made[3].id),
        (2, made[0].id),
        (1, made[2].id),
    ]


# Where the search may end.


def test_it_ends_with_a_page_of_nothing_but_old_ones():
    account = Account(*[seen(1000 - n) for n in range(50)], *[old(950 - n) for n in range(400)])
    assert find_marked(account, MARKER, SINCE, []) == []
    assert account.asked == ["GET /campaigns"] * 2


def test_it_goes_on_as_long_as_one_of_a_page_is_not_old():
    listed = [old(1000 - n) for n in range(350)]
    listed[99] = seen(901)
    listed[199] = seen(801)
    account = Account(*listed)
    find_marked(account, MARKER, SINCE, [])
    assert account.asked == ["GET /campaigns"] * 3


@pytest.mark.parametrize(
    ("date", "pages"),
    [
        # Two days are left for the account's time zone.
        ("2026-06-13 11:59:59", 1),
        ("2026-06-13 12:00:00", 4),
        ("2026-06-15 00:00:00", 4),
        ("2099-01-01 00:00:00", 4),
    ],
)
def test_how_old_is_old(date, pages):
    account = Account(*[seen(1000 - n, date) for n in range(250)])
    find_marked(account, MARKER, SINCE, [])
    assert len(account.asked) == pages


@pytest.mark.parametrize("date", ["0000-00-00 00:00:00", "", None, "1970-01-01 00:00:00", "-0001-11-30 00:00:00"])
def test_a_page_without_dates_ends_nothing(date):
    undated = [seen(1000 - n, date, status=26) for n in range(200)]
    account = Account(*undated, seen(700, marker=MARKER))
    assert ids(find_marked(account, MARKER, SINCE, [])) == [700]


@pytest.mark.parametrize("date", ["0000-00-00 00:00:00", "", None])
def test_one_without_a_date_is_found_among_old_ones(date):
    account = Account(*[old(1000 - n) for n in range(99)], seen(901, date, marker=MARKER, status=26))
    assert ids(find_marked(account, MARKER, SINCE, [])) == [901]


def test_drafts_do_not_hold_the_search_up():
    listed = [old(1000 - n) for n in range(300)]
    for place in range(0, 300, 7):
        listed[place] = seen(1000 - place, "0000-00-00 00:00:00", status=26)
    account = Account(*listed)
    find_marked(account, MARKER, SINCE, [])
    assert account.asked == ["GET /campaigns"]


def test_an_ascending_list_is_read_to_its_end():
    # The first pages are as old as can be, and the mailing is on the last one.
    account = Account(*[old(100 + n) for n in range(320)], seen(900, marker=MARKER))
    assert ids(find_marked(account, MARKER, SINCE, [])) == [900]
    assert len(account.asked) == 5


def test_a_list_in_no_order_is_read_to_its_end():
    account = Account(*[old(1000 + (n * 37) % 301) for n in range(301)], seen(900, marker=MARKER))
    assert ids(find_marked(account, MARKER, SINCE, [])) == [900]


def test_one_that_goes_out_later_does_not_look_old():
    # Scheduled ones stand where they were created, and with the date they are to go out.
    listed = [old(1000 - n) for n in range(100)]
    listed[40] = seen(960, "2026-12-24 08:00:00")
    account = Account(*listed, seen(800, marker=MARKER))
    assert ids(find_marked(account, MARKER, SINCE, [])) == [800]


@pytest.mark.parametrize("number", [0, 99, 100, 101, 200])
def test_every_page_is_read_and_no_more(number):
    account = Account(*[seen(1000 - n) for n in range(number)])
    find_marked(account, MARKER, SINCE, [])
    assert len(account.asked) == -(-number // 100) + 1


def test_a_book_lists_names_only_and_the_rest_is_read():
    mine = seen(7, marker=MARKER)
    book = [{"task_id": 5, "task_name": "Other", "task_status": 3}]
    account = Account(of_books={1: [*book, {"task_id": 7, "task_name": mine["name"], "task_status": 3}]})
    account.send = lambda call, send=account.send: call.read([mine]) if call.path == "/campaigns/{id}" else send(call)
    [found] = find_marked(account, MARKER, SINCE, [1])
    assert (found.id, found.subject) == (7, "Sale")
