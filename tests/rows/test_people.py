# SPDX-License-Identifier: Apache-2.0
"""How rows become people, and rows that are there already."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import uuid
from decimal import Decimal

import pytest

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.people import Columns, Person, key_columns, key_text, moment_of, people
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, source_of

ROW = {"email": " a@example.com ", "phone": None, "automation_id": 7, "Ім'я": "Олена", "age": 41, "city": None}


def one(row, columns=Columns()) -> Person:
    [person] = people([row], columns)
    return person


@pytest.mark.parametrize(
    "value", [b"ada@example.com", bytearray(b"7"), memoryview(b"7")], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize("column", ["mail", "mobile", "own", "number"])
def test_bytes_are_nobody_s_address(column, value):
    columns = Columns("mail", "mobile", external_customer_id="own", contact_id="number")
    assert one({column: value}, columns).fault == f"the column {column} holds bytes: cast it to text"


@pytest.mark.parametrize("value", [math.nan, Decimal("NaN"), "nan", " None ", "NULL", "A\ud800", True, ["a"]], ids=repr)
def test_what_is_nobody_s_id(value):
    columns = Columns("mail", external_customer_id="own")
    person = one({"mail": "ada@example.com", "own": value}, columns)
    assert person.fault.startswith("the column own ")


@pytest.mark.parametrize("value", [None, "", " ", "a-1", 7, 7.0, Decimal(7), uuid.UUID(int=7)], ids=repr)
def test_what_an_id_may_be(value):
    assert not one({"mail": "ada@example.com", "own": value}, Columns("mail", external_customer_id="own")).fault


def test_every_other_column_is_a_variable():
    person = one(ROW)
    assert (person.number, person.email, person.phone, person.automation_id) == (1, "a@example.com", "", 7)
    assert person.variables == {"Ім'я": "Олена", "age": 41}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (None, {"Ім'я": "Олена", "age": 41}),
        ([], {}),
        ((), {}),
        ({}, {}),
        (["age"], {"age": 41}),
        (("age", "city"), {"age": 41}),
        ({"age": "Вік", "Ім'я": "Name"}, {"Вік": 41, "Name": "Олена"}),
        (["email"], {"email": " a@example.com "}),
    ],
)
def test_chosen_columns(variables, expected):
    assert one(ROW, Columns(variables=variables)).variables == expected


def test_columns_of_other_names():
    row = {"E-mail": "a@example.com", "Mobile": 380501234567, "flow": "9", "email": "kept"}
    person = one(row, Columns(email="E-mail", phone="Mobile", automation_id="flow"))
    assert (person.email, person.phone, person.automation_id) == ("a@example.com", "380501234567", "9")
    assert person.variables == {"email": "kept"}


@pytest.mark.parametrize("variables", [["name", "age", "city"], {"name": "Name", "city": "City", "age": "Age"}])
def test_missing_columns_are_named_with_what_is_there(variables):
    with pytest.raises(InvalidRequest) as caught:
        one({"email": "a@example.com", "age": 41}, Columns(variables=variables))
    assert str(caught.value) == "The rows have no column name, city; they have email, age."


def test_a_row_about_nobody_names_what_is_there():
    with pytest.raises(InvalidRequest) as caught:
        one({"mail": "secret@example.com", "age": 41})
    assert str(caught.value) == "The rows have neither a column email nor phone; they have mail, age."


def test_one_of_the_two_columns_is_enough():
    assert one({"phone": "+380501234567"}).email == ""
    assert one({"email": "a@example.com"}).phone == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (380501234567, "380501234567"),
        (380501234567.0, "380501234567"),
        (Decimal("380501234567"), "380501234567"),
        (Decimal("380501234567.00"), "380501234567"),
        (" +38 050 ", "+38 050"),
        (None, ""),
        (float("nan"), "nan"),
        (Decimal("Infinity"), "Infinity"),
        (0.5, "0.5"),
    ],
)
def test_a_telephone_number_may_be_a_number(value, text):
    assert one({"phone": value}).phone == text


def test_rows_are_numbered_from_one():
    assert [person.number for person in people([{"email": "a"}, {"email": "b"}], Columns())] == [1, 2]


def test_rows_are_read_one_by_one():
    def rows():
        yield {"email": "a@example.com"}
        raise AssertionError("read too far")

    assert next(people(rows(), Columns())).email == "a@example.com"


def test_nothing_of_a_person_shows():
    assert repr(one({"email": "secret@example.com", "phone": "+38050", "name": "Олена"})) == "Person(number=1)"


@pytest.mark.parametrize(
    ("item", "row"),
    [
        ("a@example.com", {"email": "a@example.com"}),
        ({"email": "a@example.com", "name": "A"}, {"email": "a@example.com", "name": "A"}),
        ({"email": "a@example.com", "variables": {"name": "A"}}, {"email": "a@example.com", "name": "A"}),
        ({"email": "a@example.com", "variables": {"email": "b"}}, {"email": "a@example.com"}),
        ({"email": "a@example.com", "variables": {}}, {"email": "a@example.com"}),
        ({"email": "a@example.com", "variables": None}, {"email": "a@example.com"}),
        ({"phone": "1", "automation_id": 7, "variables": {"n": 1}}, {"phone": "1", "automation_id": 7, "n": 1}),
    ],
)
def test_inline_rows(item, row):
    source = InlineRows([item])
    assert [*source.rows()] == [row]
    assert [*source.rows()] == [row], "a source can be read again"


def test_inline_rows_show_their_number():
    assert str(InlineRows(["secret@example.com"] * 3)) == "3 rows"


@pytest.mark.parametrize("items", [["a@example.com"], ({"email": "a@example.com"},), []])
def test_lists_become_sources(items):
    assert isinstance(source_of(items, "contacts"), InlineRows)


def test_a_source_stays_as_it_is():
    class Own:
        def rows(self):
            return iter(())

    own = Own()
    assert isinstance(own, RowSource)
    assert source_of(own, "contacts") is own


@pytest.mark.parametrize("value", [None, "a@example.com", b"a", {"email": "a"}, 7, {"a"}, ["a", 7], [None], [["a"]]])
def test_anything_else_is_refused_by_name(value):
    with pytest.raises(InvalidRequest, match="contacts is a ") as caught:
        source_of(value, "contacts")
    assert "example.com" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("cart_id", ["cart_id"]),
        ("cart_id || step", ["cart_id", "step"]),
        (" a||b||c ", ["a", "b", "c"]),
        (["a", "b"], ["a", "b"]),
        ("", []),
        (None, []),
        ((), []),
    ],
)
def test_key_columns(expression, columns):
    assert key_columns(expression) == columns


@pytest.mark.parametrize("expression", ["a ||", "|| a", "a || || b", ["a", " "]])
def test_key_expressions_that_cannot_be_meant(expression):
    with pytest.raises(InvalidRequest, match="event_key is"):
        key_columns(expression)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((7, 7.0, Decimal("7.00"), " 7 "), "7"),
        ((dt.date(2026, 1, 5), "2026-01-05"), "2026-01-05"),
        (
            (
                dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC),
                dt.datetime(2026, 1, 5, 10, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            ),
            "2026-01-05T08:00:00+00:00",
        ),
        ((b"\x00\xffid", bytearray(b"\x00\xffid"), memoryview(b"\x00\xffid"), "00ff6964"), "00ff6964"),
        ((uuid.UUID(int=5), str(uuid.UUID(int=5))), "00000000-0000-0000-0000-000000000005"),
        ((dt.time(8, 30), "08:30:00"), "08:30:00"),
        ((True,), "True"),
        ((Decimal("1.5"), 1.5), "1.5"),
    ],
)
def test_key_text(values, text):
    assert {key_text(value) for value in values} == {text}


@pytest.mark.parametrize("value", [None, "", "  ", "\ud83d", b"", float("nan"), Decimal("NaN"), Decimal("sNaN")])
def test_keys_that_tell_no_row_from_another(value):
    with pytest.raises(InvalidRequest, match="the event key"):
        key_text(value)


@pytest.mark.parametrize("value", [object(), [1], (1,), {"a": 1}, {1}, dt.timedelta(1), 1j])
def test_keys_without_a_stable_text(value):
    with pytest.raises(InvalidRequest, match=f"the event key holds a {type(value).__name__}"):
        key_text(value)


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2026, 1, 5, 8),
        dt.datetime(2026, 1, 5, 10, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "2026-01-05 08:00",
        "2026-01-05T08:00:00Z",
        " 2026-01-05T10:00:00+02:00",
    ],
)
def test_moments(value):
    assert moment_of(value) == dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [dt.date(2026, 1, 5), "2026-01-05"])
def test_a_day_begins_at_midnight(value):
    assert moment_of(value) == dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", [None, "", "yesterday", 1_767_571_200, True, b"2026-01-05"])
def test_moments_that_cannot_be_read(value):
    with pytest.raises(InvalidRequest, match="event time"):
        moment_of(value)


def test_time_and_key_are_columns():
    row = {"email": "a@example.com", "cart": 1, "at": "2026-01-05"}
    person = one(row, Columns(key=["cart"], time="at"))
    assert (person.key, person.time) == ((1,), "2026-01-05")
    with pytest.raises(InvalidRequest, match="no column when"):
        one(row, Columns(time="when"))


@pytest.mark.parametrize(
    ("later", "fault"),
    [
        ({"cart": 2, "name": "Secret"}, "the row has neither a column email nor phone"),
        ({"email": "b@example.com", "secret@example.com": 1}, "the row has no column cart, name"),
        ({"phone": "1", "cart": 2}, "the row has no column name"),
    ],
)
def test_a_later_row_without_a_column_is_one_wrong_row(later, fault):
    first = {"email": "a@example.com", "cart": 1, "name": "A"}
    found = [*people([first, later, {**first, "cart": 3}], Columns(variables=["name"], key=["cart"]))]
    assert [(person.number, person.fault, person.key) for person in found] == [(1, "", (1,)), (2, fault, ()), (3, "", (3,))]
    assert found[1].email == later.get("email", "")


@pytest.mark.parametrize("missing", [[], ["cart"]], ids=["a good row", "a later row with a fault"])
def test_a_column_without_a_name_is_nobody(missing):
    """As a table that is written with its index has it."""
    row = {"": 500000001, "email": "a@example.com", "cart": 1}
    columns = Columns(phone="", automation_id=None, variables=["cart"])
    *_, person = people([row, {name: value for name, value in row.items() if name not in missing}], columns)
    assert bool(person.fault) == bool(missing)
    assert (person.phone, person.external_customer_id, person.contact_id) == ("", "", "")


class OtherInteger:
    """A whole number that is no ``int``, as numpy's are."""

    def __init__(self, value):
        self.value = value

    def __int__(self):
        return self.value


numbers.Integral.register(OtherInteger)


def test_whole_numbers_of_other_types():
    row = {"email": "a@example.com", "id": OtherInteger(5), "contact": OtherInteger(7), "cart": OtherInteger(9)}
    columns = Columns(key=["cart"], external_customer_id="id", contact_id="contact", variables=["cart"])
    person = one(row, columns)
    assert (person.fault, person.external_customer_id, person.contact_id, person.key) == ("", "5", "7", (9,))
    assert person.variables == {"cart": 9}
    assert type(person.variables["cart"]) is int
    assert one({"email": "a@example.com", "flag": True}).variables == {"flag": True}
