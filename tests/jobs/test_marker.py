# SPDX-License-Identifier: Apache-2.0
"""The marker at the end of a campaign's name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name, plain_name

MARKER = Marker.of(deployment="production", mailing_key="weekly", edition=1)


def test_how_it_looks():
    assert re.fullmatch(r"\[af-[0-9a-f]{16}-g1\]", str(MARKER))
    assert MARKER.name("  Весна 🌻 ") == f"Весна 🌻 {MARKER}"


def test_it_never_changes():
    # Campaigns that were created by an older release must be found by a newer one.
    assert str(MARKER) == "[af-4572d2fd0ffa9d25-g1]"


def test_the_same_mailing_has_the_same_marker():
    assert Marker.of(deployment="production", mailing_key="weekly", edition="1") == MARKER


@pytest.mark.parametrize(
    "changes",
    [
        {"deployment": "staging"},
        {"deployment": ""},
        {"mailing_key": "daily"},
        {"mailing_key": "weekly "},
        {"edition": 2},
        {"edition": "1b"},
        {"deployment": "productionw", "mailing_key": "eekly"},
        {"mailing_key": "weekly1", "edition": ""},
    ],
)
def test_another_mailing_has_another_marker(changes):
    other = Marker.of(**{"deployment": "production", "mailing_key": "weekly", "edition": 1, **changes})
    assert other.digest != MARKER.digest


@given(st.text(), st.integers(1, 10**6), st.text(), st.text())
def test_round_trip(name, generation, deployment, key):
    digest = Marker.of(deployment=deployment, mailing_key=key, edition=1).digest
    marker = Marker(digest, generation)
    assert Marker.in_name(marker.name(name)) == marker
    assert marker.marks(marker.name(name))
    assert Marker.in_name(marker.name(name) + " \n") == marker
    assert str(marker) == f"[af-{digest}-g{generation}]"


@given(st.text())
def test_no_name_breaks_the_search(name):
    found = Marker.in_name(name)
    assert found is None or name.rstrip().endswith(str(found))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Spring",
        "[af-0123456789abcdef-g1] Spring",
        "Spring [af-0123456789abcdef-g0]",
        "Spring [af-0123456789abcdef-g01]",
        "Spring [af-0123456789abcdef-g]",
        "Spring [af-0123456789ABCDEF-g1]",
        "Spring [af-0123456789abcde-g1]",
        "Spring [af-0123456789abcdef-g1",
        "Spring [af-0123456789abcdef-g1].",
    ],
)
def test_names_without_a_marker(name):
    assert Marker.in_name(name) is None
    assert not MARKER.marks(name)


def test_the_last_one_counts():
    copied = Marker("0" * 16).name(MARKER.name("Copy"))
    assert Marker.in_name(copied) == Marker("0" * 16)
    assert not MARKER.marks(copied)


def test_every_generation_belongs_to_the_mailing():
    later = Marker(MARKER.digest, 3)
    assert MARKER.marks(later.name("Spring"))
    assert later.marks(MARKER.name("Spring"))
    assert later != MARKER


def test_a_note_of_an_edit_hides_nothing():
    name = MARKER.name("Весна", "0123abcd")
    assert name == f"Весна [af-edit-0123abcd] {MARKER}"
    assert Marker.in_name(name) == MARKER
    assert edit_in_name(name) == "0123abcd"
    assert plain_name(name) == plain_name(MARKER.name("Весна")) == plain_name("Весна") == "Весна"
    assert edit_in_name(MARKER.name("Весна")) is edit_in_name("Весна") is None


def test_a_long_name_keeps_the_note_too():
    name = MARKER.name("n" * 500, "0123abcd")
    assert len(name) == 120
    assert edit_in_name(name) == "0123abcd"
    assert MARKER.name(plain_name(name), "0123abcd") == name
