# SPDX-License-Identifier: Apache-2.0
"""What holds personal data shows a count."""

from __future__ import annotations

import json
import pickle

import pytest

from airflow_provider_sendpulse.rows.confidential import ConfidentialList, ConfidentialValue, hide, reveal
from airflow_provider_sendpulse.rows.source import InlineRows, RowSource, source_of
from airflow_provider_sendpulse.rows.sql import SqlRows

PEOPLE = [{"email": "secret@example.com", "name": "Олена"}, "secret@example.org"]


def shown(value) -> list[str]:
    return [
        str(value),
        repr(value),
        f"{value}",
        f"{value!r}",
        f"{value!s}",
        format(value),
        json.dumps(value, default=str),
        "{}".format(value),  # noqa: UP032
    ]


@pytest.mark.parametrize(
    ("value", "noun", "text"),
    [
        (PEOPLE, "contacts", "2 contacts (not shown)"),
        (tuple(PEOPLE), "contacts", "2 contacts (not shown)"),
        ([], "contacts", "0 contacts (not shown)"),
        ({"Name": "Олена", "email": "secret@example.com"}, "variables", "2 variables (not shown)"),
        ("secret@example.com", "address", "address (not shown)"),
        (b"secret@example.com", "address", "address (not shown)"),
        (380501234567, "telephone number", "telephone number (not shown)"),
        ({"secret@example.com"}, "contacts", "contacts (not shown)"),
    ],
)
def test_only_a_count_shows(value, noun, text):
    assert {line.strip('"') for line in shown(hide(value, noun))} == {text}


def test_inside_other_values_too():
    assert "secret" not in repr({"contacts": [hide(PEOPLE, "contacts"), hide("secret@example.com", "address")]})


def test_a_list_is_as_it_was():
    hidden = hide(PEOPLE, "contacts")
    assert (list(hidden), len(hidden), hidden[0], hidden[-1]) == (PEOPLE, 2, PEOPLE[0], PEOPLE[1])
    assert list(hidden[:1]) == PEOPLE[:1]
    assert [*reversed(hidden)] == PEOPLE[::-1]
    assert "secret@example.org" in hidden
    assert not hide([], "contacts")


def test_a_part_of_a_list_does_not_show_either():
    assert "secret" not in "".join(shown(hide(PEOPLE, "contacts")[:1]))


@pytest.mark.parametrize("value", [PEOPLE[0], "secret@example.com", 7])
def test_a_value_is_revealed_as_it_was(value):
    assert reveal(hide(value, "x")) is value


def test_nothing_and_sources_stay_as_they_are():
    source = SqlRows("shop", "SELECT 1")
    assert hide(None, "x") is None
    assert hide(source, "x") is source
    assert reveal(source) is source


def test_hiding_twice_is_hiding_once():
    for value in (PEOPLE, "secret@example.com"):
        hidden = hide(value, "x")
        assert hide(hidden, "y") is hidden


def test_a_hidden_list_is_a_row_source():
    source = source_of(hide(PEOPLE, "contacts"), "contacts")
    assert isinstance(source, InlineRows)
    assert isinstance(source, RowSource)
    assert [*source.rows()] == [PEOPLE[0], {"email": "secret@example.org"}]


def test_it_travels():
    for value in (ConfidentialList(PEOPLE, "contacts"), ConfidentialValue("secret@example.com", "address")):
        assert str(pickle.loads(pickle.dumps(value))) == str(value)
