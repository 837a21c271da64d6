# SPDX-License-Identifier: Apache-2.0
"""From a row to a contact of eSputnik."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest

from airflow_provider_sendpulse.esputnik.address_books import AdditionalField, AddressBook, FieldGroup
from airflow_provider_sendpulse.esputnik.import_sessions import CONTACT_FIELDS
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping
from airflow_provider_sendpulse.rows.people import people

BOOKS = [
    AddressBook(
        7200,
        "Contacts",
        (
            FieldGroup(
                "Shop",
                "shop",
                (
                    AdditionalField(1, "Points", "points", "NUMBER"),
                    AdditionalField(2, "Birthday", "birthday", "DATE"),
                    AdditionalField(3, "Sum", "sum", "DECIMAL", readonly=True),
                ),
            ),
            FieldGroup("Club", "club", (AdditionalField(4, "Points", "level", "TEXTFIELD"),)),
        ),
    )
]
ROW = {
    "mail": " ada@example.com ",
    "phone": 380440000001.0,
    "name": "Ada",
    "surname": None,
    "id": 15,
    "city": "Київ",
    "zip": Decimal("01001"),
    "points": 12,
    "born": dt.date(1990, 5, 7),
    "agreed": "Yes",
}
FULL = ContactMapping(
    email="mail",
    sms="phone",
    first_name="name",
    last_name="surname",
    external_customer_id="id",
    town="city",
    postcode="zip",
    fields={"shop.points": "points", 2: "born"},
    confirmed="agreed",
)


def person(row, mapping):
    return next(people([row], mapping.columns()))


def test_all_of_a_contact():
    contacts = FULL.resolved(BOOKS)
    contact = contacts.contact(person(ROW, FULL))
    assert contact.body() == {
        "channels": [{"type": "email", "value": "ada@example.com"}, {"type": "sms", "value": "380440000001"}],
        "firstName": "Ada",
        "address": {"town": "Київ", "postcode": "1001"},
        "fields": [{"id": 1, "value": "12"}, {"id": 2, "value": "1990-05-07"}],
        "externalCustomerId": "15",
    }
    # Ada's last name is written too: to nothing.
    assert set(FULL.contact_fields) == {
        *("email", "sms", "firstName", "lastName", "externalCustomerId", "town", "postcode"),
    }
    assert set(FULL.contact_fields) <= CONTACT_FIELDS
    assert contacts.custom_field_ids == [1, 2]


def test_only_what_is_named():
    mapping = ContactMapping.of({"email": "mail"})
    contact = mapping.resolved(BOOKS).contact(person(ROW, mapping))
    assert contact.body() == {"channels": [{"type": "email", "value": "ada@example.com"}]}
    assert mapping.contact_fields == ["email"]


def test_only_a_telephone_number():
    mapping = ContactMapping(sms="phone")
    assert mapping.resolved([]).contact(person(ROW, mapping)).sms == "380440000001"
    with pytest.raises(InvalidRequest, match="no column phone; they have"):
        person({"mail": "a@example.com"}, mapping)


YES = [True, 1, 1.0, Decimal(1), "1", "t", "Yes", " on ", b"\x01"]
NO = [False, 0, 0.0, Decimal("0.0"), math.nan, 2, "", "No", "null", "N/A", "-", "pending", "нет", b"\x00", None]


@pytest.mark.parametrize(
    ("value", "is_confirmed"), [*((value, True) for value in YES), *((value, False) for value in NO)], ids=repr
)
def test_who_has_agreed(value, is_confirmed):
    contacts = FULL.resolved(BOOKS)
    assert contacts.is_confirmed(person({**ROW, "agreed": value}, FULL)) is is_confirmed


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (math.nan, "not a number"),
        (Decimal("NaN"), "not a number"),
        (True, "holds a bool"),
        (b"7", "holds bytes"),
        (memoryview(b"7"), "holds bytes"),
        ("7\ud800", "broken text"),
        (Decimal("sNaN"), "not a number"),
        (10**5000, "too long a number"),
        ([1], "holds a list"),
        ("None", "stands for nothing"),
        ("nan", "stands for nothing"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_nobody_s_id(value, told):
    with pytest.raises(InvalidRequest, match=f"external_customer_id .*{told}"):
        FULL.resolved(BOOKS).contact(person({**ROW, "id": value}, FULL))


@pytest.mark.parametrize("value", [7, 7.0, Decimal("7.00"), "7"], ids=repr)
def test_an_id_is_the_same_whatever_type_a_driver_gives_it(value):
    assert FULL.resolved(BOOKS).contact(person({**ROW, "id": value}, FULL)).external_customer_id == "7"


@pytest.mark.parametrize("blank", ["", "  ", None], ids=repr)
def test_what_is_blank_is_left_out(blank):
    row = {**ROW, "name": blank, "id": blank, "city": blank, "zip": blank, "points": blank}
    contact = FULL.resolved(BOOKS).contact(person(row, FULL))
    assert contact.body() == {
        "channels": [{"type": "email", "value": "ada@example.com"}, {"type": "sms", "value": "380440000001"}],
        "fields": [{"id": 2, "value": "1990-05-07"}],
    }


@pytest.mark.parametrize("member", ["name", "city", "zip"])
def test_what_cannot_be_encoded(member):
    with pytest.raises(InvalidRequest, match="holds broken text"):
        FULL.resolved(BOOKS).contact(person({**ROW, member: "A\ud800"}, FULL))


def test_everybody_has_agreed_where_no_column_says_so():
    mapping = ContactMapping(email="mail")
    assert mapping.resolved([]).is_confirmed(person(ROW, mapping))


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"e_mail": "mail"}, "mapping has e_mail; it may have email, sms"),
        ({"first_name": "name"}, "neither email nor sms"),
        ({"email": "mail", "first_name": "name", "last_name": "name"}, "first_name and last_name from one column"),
        ({"email": "mail", "fields": {"hobby": "name"}}, r"no additional field 'hobby'; it has shop.points \(1\)"),
        ({"email": "mail", "fields": {"Points": "points"}}, r"more than one .* \[1, 4\]"),
        ({"email": "mail", "fields": {3: "points"}}, "read-only"),
        ({"email": "mail", "fields": {"shop.points": "points", 1: "born"}}, r"twice \(1\)"),
        ({"email": "mail", "fields": {1: "points", "1": "born"}}, r"twice \(1\)"),
        ({"email": "mail", "fields": ["points"]}, r"mapping.fields is a list"),
        ({"email": "mail", "fields": "points"}, r"mapping.fields is a str"),
        (ContactMapping(email="mail", fields=["points"]), r"mapping.fields is a list"),
        ({"email": "mail", "fields": {"shop.points": 7}}, r"column of the additional field shop.points is a int"),
        ({"email": ["mail"]}, r"column of email is a list"),
        (["mail"], "mapping is a list"),
    ],
)
def test_what_a_mapping_cannot_be(mapping, told):
    def use():
        found = ContactMapping.of(mapping)
        found.columns()
        found.resolved(BOOKS)

    with pytest.raises(InvalidRequest, match=told):
        use()
