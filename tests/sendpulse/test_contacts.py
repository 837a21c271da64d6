# SPDX-License-Identifier: Apache-2.0
"""Contacts of an address book, through a socket."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from urllib.parse import unquote

import pytest
from emulated_account import add_book, count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import contacts
from airflow_provider_sendpulse.sendpulse.contacts import Contact, DoubleOptIn, NewContact

ODD = [
    "a+b@example.com",
    "a/b@example.com",
    "пошта@приклад.example",
    "a%2fb@example.com",
    "q?#&=@example.com",
    "'o@example.com",
]


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=3)


def test_add(client, emulator):
    book = add_book(emulator)
    people = [
        NewContact("plain@example.com"),
        NewContact("phone@example.com", phone="+380501234567"),
        NewContact(
            "олена@example.com",
            variables={
                "Ім'я": "Олена 🌻",
                "Кількість": 3,
                "Сума": Decimal("19.90"),
                "Ціле": Decimal("20"),
                "Born": dt.date(1990, 1, 31),
                "Seen": dt.datetime(2026, 3, 1, 9, 5, 7, 123456),
                "Member": True,
                "Nothing": None,
            },
        ),
    ]
    assert client.send(contacts.add(book.id, people)) is None
    assert sent(emulator, "contacts.add") == [
        {
            "emails": [
                {"email": "plain@example.com"},
                {"email": "phone@example.com", "variables": {"Phone": "+380501234567"}},
                {
                    "email": "олена@example.com",
                    "variables": {
                        "Ім'я": "Олена 🌻",
                        "Кількість": 3,
                        "Сума": 19.9,
                        "Ціле": 20,
                        "Born": "1990-01-31",
                        "Seen": "2026-03-01 09:05:07",
                        "Member": 1,
                    },
                },
            ]
        }
    ]
    member = sent(emulator, "contacts.add")[0]["emails"][2]["variables"]["Member"]
    assert member is not True
    assert [*book.contacts] == ["plain@example.com", "phone@example.com", "олена@example.com"]
    assert book.contacts["phone@example.com"].phone == "+380501234567"
    assert book.contacts["олена@example.com"].variables["Сума"] == 19.9


def test_adding_again_updates_and_leaves_out_nothing_that_was_there(client, emulator):
    book = add_book(emulator)
    client.send(contacts.add(book.id, [NewContact("a@example.com", "+380501234567", {"Name": "A", "Age": 1})]))
    client.send(contacts.add(book.id, [NewContact("a@example.com", None, {"Name": None, "Age": 2})]))
    contact = book.contacts["a@example.com"]
    assert (contact.variables, contact.phone) == ({"Name": "A", "Age": 2}, "+380501234567")


def test_adding_reaches_nobody_and_may_be_repeated(client, emulator):
    book = add_book(emulator)
    emulator.faults.add("lose_answer", operation="contacts.add")
    call = contacts.add(book.id, [NewContact("a@example.com")])
    assert not call.reaches_people
    client.send(call)
    assert count(emulator, "contacts.add") == 2
    assert [*book.contacts] == ["a@example.com"]


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"bytes", float("nan"), float("inf"), Decimal("NaN"), object(), {1}])
def test_a_value_that_no_type_holds_is_refused_by_name(value):
    with pytest.raises(InvalidRequest, match="'Cart'") as caught:
        contacts.add(1, [NewContact("a@example.com", variables={"Cart": value})])
    assert "a@example.com" not in str(caught.value)


def test_double_opt_in(client, emulator):
    book = add_book(emulator)
    consent = DoubleOptIn("shop@example.com", "2f1c-template", "ua")
    call = contacts.add_with_confirmation(book.id, [NewContact("a@example.com", variables={"Ім'я": "Ан"})], consent)
    assert call.reaches_people
    client.send(call)
    assert sent(emulator, "contacts.add") == [
        {
            "emails": [{"email": "a@example.com", "variables": {"Ім'я": "Ан"}}],
            "confirmation": "force",
            "sender_email": "shop@example.com",
            "template_id": "2f1c-template",
            "message_lang": "ua",
        }
    ]
    assert not book.contacts
    assert [pending.contact.email for pending in emulator.state.confirmations] == ["a@example.com"]
    assert emulator.state.confirm(book.id, "a@example.com")
    assert [*book.contacts] == ["a@example.com"]


def test_double_opt_in_leaves_out_what_is_not_given(client, emulator):
    book = add_book(emulator)
    client.send(contacts.add_with_confirmation(book.id, [NewContact("a@example.com")], DoubleOptIn("shop@example.com")))
    assert sorted(sent(emulator, "contacts.add")[0]) == ["confirmation", "emails", "sender_email"]


def test_double_opt_in_refuses_an_unknown_sender(client, emulator):
    book = add_book(emulator)
    with pytest.raises(Refused, match="confirm the address") as caught:
        client.send(contacts.add_with_confirmation(book.id, [NewContact("a@example.com")], DoubleOptIn("no@example.com")))
    assert caught.value.error_code == 1003
    assert not emulator.state.confirmations


@pytest.mark.parametrize("language", ["uk", "EN", "", "de"])
def test_double_opt_in_refuses_an_unknown_language(language):
    with pytest.raises(InvalidRequest, match="message_lang"):
        contacts.add_with_confirmation(1, [NewContact("a@example.com")], DoubleOptIn("shop@example.com", None, language))


@pytest.mark.parametrize("language", contacts.LANGUAGES)
def test_double_opt_in_takes_every_documented_language(client, emulator, language):
    book = add_book(emulator)
    consent = DoubleOptIn("shop@example.com", message_lang=language)
    client.send(contacts.add_with_confirmation(book.id, [NewContact("a@example.com")], consent))
    assert sent(emulator, "contacts.add")[0]["message_lang"] == language


def test_double_opt_in_is_not_repeated_in_doubt(client, emulator):
    book = add_book(emulator)
    emulator.faults.add("lose_answer", operation="contacts.add")
    with pytest.raises(AmbiguousOutcome):
        client.send(contacts.add_with_confirmation(book.id, [NewContact("a@example.com")], DoubleOptIn("shop@example.com")))
    assert count(emulator, "contacts.add") == 1


def test_nothing_of_a_person_shows():
    person = NewContact("secret@example.com", "+380501234567", {"Name": "Olena"})
    contact = Contact("secret@example.com", 1, "", "+380501234567", {"Name": "Olena"}, {"more": "Olena"})
    consent = DoubleOptIn("secret@example.com")
    shown = repr([person, contact, consent, contacts.add(7, [person]), contacts.read(7, "secret@example.com")])
    assert not any(part in shown for part in ("secret", "38050", "Olena"))


@pytest.mark.parametrize(("active", "expected"), [(None, [0, 1, 2]), (True, [0, 2]), (False, [1])])
def test_list_by_activity(either, emulator, book, active, expected):
    book.contacts["reader1@example.com"].status = 4
    listed = [*either.pages(contacts.list(book.id, active=active))]
    assert [contact.email for contact in listed] == [f"reader{number}@example.com" for number in expected]
    assert {contact.status for contact in listed} == {4 if number == 1 else 1 for number in expected}


def test_list_in_order(either, emulator, book):
    listed = either.pages(contacts.list(book.id, order="desc"))
    assert [contact.email for contact in listed] == [f"reader{number}@example.com" for number in (2, 1, 0)]


def test_list_beyond_a_page(either, emulator):
    book = add_book(emulator, contacts=250)
    listed = either.pages(contacts.list(book.id))
    assert [contact.email for contact in listed] == [f"reader{number}@example.com" for number in range(250)]
    assert count(emulator, "contacts.list") == 3


@pytest.mark.parametrize("shape", ["array", "object", "absent"])
def test_list_without_variables(either, emulator, book, shape):
    emulator.configure(empty_variables=shape)
    book.contacts["reader0@example.com"].variables.clear()
    listed = either.send(contacts.list(book.id))
    assert [contact.variables for contact in listed] == [{}, {"Ім'я": "Олена 1"}, {"Ім'я": "Олена 2"}]


def test_total(either, emulator, book):
    book.contacts["reader1@example.com"].status = 4
    assert either.send(contacts.total(book.id)) == 3
    assert either.send(contacts.total(book.id, active=True)) == 2
    assert [record.query for record in emulator.requests.records("contacts.total")] == ["", "active=1"]


@pytest.mark.parametrize("quirk", [{}, {"contact_book_id_as_string": True, "contact_status_as_string": True}])
def test_read(either, emulator, book, quirk):
    emulator.configure(**quirk)
    contact = either.send(contacts.read(book.id, "reader1@example.com"))
    assert (contact.email, contact.status, contact.phone) == ("reader1@example.com", 1, "")
    assert contact.variables == {"Ім'я": "Олена 1"}
    assert int(contact.extra["abook_id"]) == book.id


def test_a_phone_may_be_a_number(either, emulator, book):
    emulator.configure(phone_as_number=True)
    book.contacts["reader1@example.com"].phone = "380501234567"
    assert either.send(contacts.read(book.id, "reader1@example.com")).phone == "380501234567"


@pytest.mark.parametrize("email", ODD)
def test_an_odd_address_reaches_the_service_whole(either, emulator, email):
    book = add_book(emulator)
    with pytest.raises(Refused) as caught:
        either.send(contacts.read(book.id, email))
    assert caught.value.error_code == 502
    [record] = emulator.requests.records("contacts.read")
    assert unquote(record.path) == f"/addressbooks/{book.id}/emails/{email}"
    assert record.path.count("/") == 4
    either.send(contacts.add(book.id, [NewContact(email)]))
    assert either.send(contacts.read(book.id, email)).email == email


def test_reading_refuses_an_address_that_is_not_there(client, emulator, book):
    with pytest.raises(Refused, match="not in this address book") as caught:
        client.send(contacts.read(book.id, "nobody@example.com"))
    assert (caught.value.status, caught.value.error_code) == (422, 502)
    assert "nobody@" not in str(caught.value)


@pytest.mark.parametrize("value", ["Олена", "a/b", "a+b c", "50%", "?x=1&y#z", "🌻", "..x", "a\\b", "-"])
@pytest.mark.parametrize("variable", ["Ім'я", "a/b"])
def test_search_with_odd_characters(either, emulator, book, variable, value):
    book.variables[variable] = "string"
    book.contacts["reader2@example.com"].variables[variable] = value
    assert [contact.email for contact in either.send(contacts.search(book.id, variable, value))] == ["reader2@example.com"]


def test_search_by_a_number(either, emulator, book):
    book.variables["Age"] = "number"
    book.contacts["reader0@example.com"].variables["Age"] = 41
    [found] = either.send(contacts.search(book.id, "Age", 41))
    assert (found.email, found.status, found.variables) == ("reader0@example.com", 1, {})


def test_search_refuses_an_unknown_variable(either, emulator, book):
    with pytest.raises(Refused) as caught:
        either.send(contacts.search(book.id, "Shoe", "41"))
    assert (caught.value.status, caught.value.error_code) == (404, 299)


@pytest.mark.parametrize("call", [contacts.read(7, ".."), contacts.read(7, "."), contacts.search(7, "Name", "")])
def test_a_path_that_would_be_another_is_not_sent(client, emulator, call):
    with pytest.raises(InvalidRequest, match="was not sent"):
        client.send(call)
    assert count(emulator, "contacts.read") == 0


def test_remove(client, emulator, book):
    assert client.send(contacts.remove(book.id, ["reader0@example.com", "reader2@example.com"])) is None
    assert [*book.contacts] == ["reader1@example.com"]
    assert sent(emulator, "contacts.remove") == [{"emails": ["reader0@example.com", "reader2@example.com"]}]


def test_remove_refuses_when_none_is_there(client, emulator, book):
    with pytest.raises(Refused) as caught:
        client.send(contacts.remove(book.id, ["nobody@example.com"]))
    assert caught.value.error_code == 303


def test_remove_more_than_one_request_takes(client, emulator):
    book = add_book(emulator, contacts=251)
    assert client.send(contacts.remove(book.id, [f"reader{number}@example.com" for number in range(250)])) is None
    assert [*book.contacts] == ["reader250@example.com"]
    assert [len(body["emails"]) for body in sent(emulator, "contacts.remove")] == [100, 100, 50]


@pytest.mark.parametrize("build", [contacts.remove, contacts.unsubscribe])
@pytest.mark.parametrize("emails", [[], "a@example.com"])
def test_removal_takes_a_list_of_addresses(build, emails):
    with pytest.raises(InvalidRequest):
        build(7, emails)


def test_unsubscribe(client, emulator, book):
    assert client.send(contacts.unsubscribe(book.id, ["reader1@example.com"])) is None
    assert [contact.status for contact in book.contacts.values()] == [1, 4, 1]


def test_unsubscribe_refuses_when_none_is_active(client, emulator, book):
    book.contacts["reader1@example.com"].status = 4
    with pytest.raises(Refused, match="Active emails not found"):
        client.send(contacts.unsubscribe(book.id, ["reader1@example.com"]))


def test_update_variables(client, emulator, book):
    values = {
        "Ім'я": "Оля",
        "Born": dt.date(1990, 1, 31),
        "Сума": Decimal("1.5"),
        "Member": False,
        "Phone": "+380501234567",
    }
    assert client.send(contacts.update_variables(book.id, "  reader1@example.com ", values)) is None
    assert sent(emulator, "contacts.update_variables") == [
        {
            "email": "reader1@example.com",
            "variables": [
                {"name": "Ім'я", "value": "Оля"},
                {"name": "Born", "value": "1990-01-31"},
                {"name": "Сума", "value": 1.5},
                {"name": "Member", "value": 0},
                {"name": "Phone", "value": "+380501234567"},
            ],
        }
    ]
    contact = book.contacts["reader1@example.com"]
    assert (contact.variables["Ім'я"], contact.variables["Born"], contact.phone) == ("Оля", "1990-01-31", "+380501234567")


def test_update_variables_refuses_a_wrong_type(client, emulator, book):
    book.variables["Age"] = "number"
    with pytest.raises(Refused, match="wrong format"):
        client.send(contacts.update_variables(book.id, "reader1@example.com", {"Age": "old"}))


@pytest.mark.parametrize("variables", [{}, {"Name": None}, {"Name": [1]}])
def test_update_variables_needs_values(variables):
    with pytest.raises(InvalidRequest):
        contacts.update_variables(7, "a@example.com", variables)


READER = "reader0@example.com"


@pytest.mark.parametrize("fault", [None, "lose_answer", "cut_answer"])
def test_set_phone(either, emulator, book, fault):
    if fault:
        emulator.faults.add(fault, operation="contacts.set_phone")
    either.send(contacts.set_phone(book.id, f" {READER} ", " +380501234567 "))
    assert either.send(contacts.read(book.id, READER)).phone == "+380501234567"
    assert sent(emulator, "contacts.set_phone")[0] == {"email": READER, "phone": "+380501234567"}
    assert count(emulator, "contacts.set_phone") == (2 if fault else 1)


@pytest.mark.parametrize(
    ("email", "phone", "code"),
    [(READER, "none", 422), ("nobody@example.com", "+380501234567", 502), ("reader0", "+380501234567", 17)],
)
def test_a_phone_is_refused(client, book, email, phone, code):
    with pytest.raises(Refused) as caught:
        client.send(contacts.set_phone(book.id, email, phone))
    assert caught.value.error_code == code


def test_tags_of_added_contacts(either, emulator, book):
    with emulator.emulator.lock:
        emulator.state.tags.create("vip", "#ff0000")
        [tag] = emulator.state.tags
    either.send(contacts.add(book.id, [NewContact("ada@example.com")], tags=[tag.id]))
    consent = DoubleOptIn("shop@example.com")
    either.send(contacts.add_with_confirmation(book.id, [NewContact("bea@example.com")], consent, tags=[tag.id]))
    assert emulator.state.tags.pinned == {"ada@example.com": {tag.id}, "bea@example.com": {tag.id}}
    assert [body["tags"] for body in sent(emulator, "contacts.add")] == [[tag.id], [tag.id]]
