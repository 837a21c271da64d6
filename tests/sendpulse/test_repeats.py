# SPDX-License-Identifier: Apache-2.0
"""Repeating what may have been done: "it is done already" is a success then, and a refusal otherwise."""

from __future__ import annotations

import pytest
from emulated_account import add_book, count

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import address_books, campaigns, contacts

LOST = [{"kind": "lose_answer"}, {"kind": "cut_answer"}, {"kind": "truncate"}, {"kind": "html", "after_effect": True}]


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_deleted_book_is_deleted(client, emulator, fault):
    book = add_book(emulator)
    emulator.faults.add(**fault, operation="address_books.delete")
    assert client.send(address_books.delete(book.id)) is None
    statuses = [record.handled_status for record in emulator.requests.records("address_books.delete")]
    assert statuses == [200, 404]


def test_a_book_that_never_was_cannot_be_deleted(client, emulator):
    with pytest.raises(Refused) as caught:
        client.send(address_books.delete(1))
    assert caught.value.error_code == 213
    assert count(emulator, "address_books.delete") == 1


def test_a_pause_alone_is_no_doubt(client, emulator):
    emulator.faults.add("status", status=429, operation="address_books.delete")
    with pytest.raises(Refused):
        client.send(address_books.delete(1))
    assert count(emulator, "address_books.delete") == 2


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_removed_contacts_are_removed(client, emulator, fault):
    book = add_book(emulator, contacts=2)
    emulator.faults.add(**fault, operation="contacts.remove")
    client.send(contacts.remove(book.id, ["reader0@example.com"]))
    assert [*book.contacts] == ["reader1@example.com"]
    assert count(emulator, "contacts.remove") == 2


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_unsubscribed_contacts_are_unsubscribed(client, emulator, fault):
    book = add_book(emulator, contacts=1)
    emulator.faults.add(**fault, operation="contacts.unsubscribe")
    client.send(contacts.unsubscribe(book.id, ["reader0@example.com"]))
    assert book.contacts["reader0@example.com"].status == 4
    assert count(emulator, "contacts.unsubscribe") == 2


def test_another_refusal_stays_one_in_doubt(client, emulator):
    book = add_book(emulator, contacts=1)
    emulator.faults.add("lose_answer", operation="contacts.remove")
    emulator.faults.add("status", status=404, error_code=213, operation="contacts.remove", after=0)
    with pytest.raises(Refused) as caught:
        client.send(contacts.remove(book.id, ["reader0@example.com"]))
    assert caught.value.error_code == 213


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_writes_that_set_a_state_are_repeated(client, emulator, fault):
    book = add_book(emulator, contacts=1)
    for operation in ("address_books.rename", "contacts.update_variables", "contacts.add"):
        emulator.faults.add(**fault, operation=operation)
    client.send(address_books.rename(book.id, "Нова"))
    client.send(contacts.update_variables(book.id, "reader0@example.com", {"Age": 41}))
    client.send(contacts.add(book.id, [contacts.NewContact("new@example.com")]))
    assert (book.name, book.contacts["reader0@example.com"].variables["Age"], len(book.contacts)) == ("Нова", 41, 2)
    assert {count(emulator, name) for name in ("address_books.rename", "contacts.update_variables", "contacts.add")} == {2}


def test_cancelling_again_is_refused_and_not_taken_for_done(client, emulator):
    with pytest.raises(Refused):
        client.send(campaigns.cancel(1))
    assert campaigns.cancel(1).done_on_repeat == frozenset()
