# SPDX-License-Identifier: Apache-2.0
"""Address books, through a socket."""

from __future__ import annotations

import pytest
from emulated_account import add_book, add_campaign, count, sent

from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import address_books
from airflow_provider_sendpulse.sendpulse.address_books import AddressBook, BookCampaign, Cost, Variable


def test_create(client, emulator):
    created = client.send(address_books.create("Клієнти 🚀"))
    [book] = emulator.state.books
    assert (created, book.name) == (book.id, "Клієнти 🚀")
    assert sent(emulator, "address_books.create") == [{"bookName": "Клієнти 🚀"}]


def test_create_refuses_a_taken_name(client, emulator):
    add_book(emulator, "Readers")
    with pytest.raises(Refused, match="Choose another name") as caught:
        client.send(address_books.create("Readers"))
    assert (caught.value.status, caught.value.error_code) == (422, 203)
    assert count(emulator, "address_books.create") == 1


def test_read(either, emulator):
    book = add_book(emulator, "Читачі", contacts=3)
    book.contacts["reader0@example.com"].status = 4
    assert either.send(address_books.read(book.id)) == AddressBook(
        id=book.id,
        name="Читачі",
        all_email_qty=3,
        active_email_qty=2,
        inactive_email_qty=1,
        creationdate=write_local(book.created_at, "Europe/Kyiv"),
        status=0,
        status_explain="Active",
    )


def test_read_with_numbers_as_text(either, emulator):
    book = add_book(emulator, contacts=2)
    emulator.configure(book_numbers_as_strings=True)
    read = either.send(address_books.read(book.id))
    assert (read.id, read.all_email_qty, read.active_email_qty, read.status) == (book.id, 2, 2, 0)


def test_read_refuses_a_missing_book(either, emulator):
    with pytest.raises(Refused) as caught:
        either.send(address_books.read(1))
    assert (caught.value.status, caught.value.error_code) == (404, 213)


def test_a_missing_book_as_an_empty_list_is_no_book(either, emulator):
    emulator.configure(missing_book="empty_array")
    with pytest.raises(Refused, match="not found") as refused:
        either.send(address_books.read(1))
    assert refused.value.error_code == 213
    assert count(emulator, "address_books.read") == 1


@pytest.mark.parametrize("number", [0, 99, 100, 101, 201])
def test_list_pages_through_all(either, emulator, number):
    books = [add_book(emulator, f"Book {index}").id for index in range(number)]
    assert [book.id for book in either.pages(address_books.list())] == books
    assert count(emulator, "address_books.list") == number // 100 + 1


def test_list_asks_for_pages_of_the_given_size(either, emulator):
    for index in range(5):
        add_book(emulator, f"Book {index}")
    assert len([*either.pages(address_books.list(limit=2))]) == 5
    assert [record.query for record in emulator.requests.records("address_books.list")] == [
        "limit=2&offset=0",
        "limit=2&offset=2",
        "limit=2&offset=4",
    ]


def test_a_page_is_bounded_by_the_service(client, emulator):
    with pytest.raises(Refused, match="may not be greater than 100"):
        client.send(address_books.list(limit=101))


def test_rename(client, emulator):
    book = add_book(emulator, "Old")
    assert client.send(address_books.rename(book.id, "Нова")) is None
    assert book.name == "Нова"
    assert sent(emulator, "address_books.rename") == [{"name": "Нова"}]


def test_delete(client, emulator):
    book = add_book(emulator)
    assert client.send(address_books.delete(book.id)) is None
    assert len(emulator.state.books) == 0


def test_delete_refuses_a_book_of_an_active_campaign(client, emulator):
    book = add_book(emulator, contacts=1)
    add_campaign(emulator, book, "Sale")
    with pytest.raises(Refused, match="active campaign"):
        client.send(address_books.delete(book.id))
    assert len(emulator.state.books) == 1


def test_variables(either, emulator):
    book = add_book(emulator)
    book.variables.update({"Ім'я": "string", "Сума": "number", "Born": "date"})
    assert either.send(address_books.variables(book.id)) == [
        Variable("Ім'я", "string"),
        Variable("Сума", "number"),
        Variable("Born", "date"),
    ]


def test_cost(either, emulator):
    book = add_book(emulator, contacts=3)
    assert either.send(address_books.cost(book.id)) == Cost(
        cur="USD",
        sent_emails_qty=3,
        overdraft_all_emails_price=0.0,
        addresses_delta_from_balance=0,
        addresses_delta_from_tariff=0,
        max_emails_per_task=100000,
        affordable=True,
    )


def test_an_unaffordable_cost_is_data(either, emulator):
    book = add_book(emulator, contacts=3)
    emulator.configure(plan_recipients=1)
    cost = either.send(address_books.cost(book.id))
    assert (cost.affordable, cost.addresses_delta_from_tariff) == (False, 2)


def test_the_cost_of_what_the_plan_does_not_hold(either, emulator):
    book = add_book(emulator, contacts=3)
    emulator.configure(plan_recipients=1, price_per_email=10.0)
    cost = either.send(address_books.cost(book.id))
    assert (cost.overdraft_all_emails_price, cost.max_emails_per_task) == (20.0, 1)
    assert (cost.addresses_delta_from_tariff, cost.addresses_delta_from_balance) == (2, 1)


@pytest.mark.parametrize("spelling", ["date", "data"])
def test_both_spellings_of_the_date_type(either, emulator, spelling):
    emulator.configure(date_variable_type=spelling)
    book = add_book(emulator)
    with emulator.emulator.lock:
        book.variables["Born"] = "date"
    assert either.send(address_books.variables(book.id)) == [Variable("Born", "date")]


def test_cost_refuses_an_empty_book(either, emulator):
    with pytest.raises(Refused, match="unlocked") as caught:
        either.send(address_books.cost(add_book(emulator).id))
    assert caught.value.error_code == 211


def test_campaigns_of_a_book(either, emulator):
    one, other = add_book(emulator, "One", contacts=1), add_book(emulator, "Other", contacts=1)
    mine = [add_campaign(emulator, one, f"Лист {number}") for number in range(101)]
    add_campaign(emulator, other, "Theirs")
    assert [*either.pages(address_books.campaigns(one.id))] == [
        BookCampaign(campaign.id, campaign.content.name, campaign.status) for campaign in mine
    ]
    assert count(emulator, "address_books.campaigns") == 2
