# SPDX-License-Identifier: Apache-2.0
"""A campaign whose name the service has cut has lost its marker: it is never created again."""

from __future__ import annotations

import datetime as dt

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER, Store, create, mailing_to

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome
from airflow_provider_sendpulse.jobs.marker import Marker

NAME = "Spring in all our shops"


@pytest.fixture(autouse=True)
def unlimited(emulator):
    emulator.configure(campaigns_per_window=None)


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=3)


@pytest.mark.parametrize("length", [16, len(NAME), len(NAME) + 6, len(NAME) + 22])
def test_a_lost_answer(client, emulator, shared_clock, book, length):
    emulator.configure(longest_campaign_name=length)
    emulator.faults.add("lose_answer", operation="campaigns.create", times=1)
    store = Store()
    for _ in range(2):
        with pytest.raises(AmbiguousOutcome, match=r"the beginning of the name .* the subject and the address books"):
            create(client, mailing_to(book, name=NAME), shared_clock, store.record())
    assert count(emulator, "campaigns.create") == 1


def test_one_that_nobody_knows_of(client, emulator, shared_clock, book):
    emulator.configure(longest_campaign_name=len(NAME) + 6)
    create(client, mailing_to(book, name=NAME), shared_clock)
    [campaign] = emulator.state.campaigns
    with pytest.raises(AmbiguousOutcome, match=f"campaign {campaign.id} has the beginning"):
        create(client, mailing_to(book, name=NAME), shared_clock)
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    with pytest.raises(AmbiguousOutcome, match=f"campaign {campaign.id} has the beginning"):
        create(client, mailing_to(book, name=NAME), shared_clock)
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (NAME, {"subject": "Other"}),
        (f"{NAME[:-1]}!", {}),
        (NAME[:15], {}),
        (Marker.of(deployment="", mailing_key="another", edition=1).name(NAME), {}),
    ],
)
def test_what_is_another_campaign(client, emulator, shared_clock, book, name, changes):
    add_campaign(emulator, book, name, **changes)
    assert not create(client, mailing_to(book, name=NAME), shared_clock).adopted


def test_another_address_book(client, emulator, shared_clock, book):
    add_campaign(emulator, add_book(emulator, "Other", contacts=1), NAME)
    assert not create(client, mailing_to(book, name=NAME), shared_clock).adopted


def test_what_is_older_than_the_mailing(client, emulator, shared_clock, book):
    add_campaign(emulator, book, NAME)
    later = {"since": dt.datetime.now(dt.UTC) + dt.timedelta(days=30)}
    assert not create(client, mailing_to(book, name=NAME, mailing=later), shared_clock).adopted


def test_a_namesake_where_a_longer_name_is_whole(client, emulator, shared_clock, book):
    add_campaign(emulator, book, NAME)
    add_campaign(emulator, book, f"{NAME} and in those of our friends", subject="Other")
    mailing = mailing_to(book, name=NAME)
    emulator.faults.add("lose_answer", operation="campaigns.create", times=1)
    outcome = create(client, mailing, shared_clock)
    assert outcome.adopted
    assert create(client, mailing, shared_clock).campaign_id == outcome.campaign_id
    assert count(emulator, "campaigns.create") == 1


def test_a_namesake_that_is_as_long_as_any(client, emulator, shared_clock, book):
    add_campaign(emulator, book, NAME)
    add_campaign(emulator, book, "x" * len(NAME), subject="Other")
    with pytest.raises(AmbiguousOutcome, match="give the operator a name that begins otherwise"):
        create(client, mailing_to(book, name=NAME), shared_clock)
    assert not create(client, mailing_to(book, name=f"Our {NAME}"), shared_clock).adopted


def test_a_longer_name_does_not_excuse_the_beginning_of_a_marker(client, emulator, shared_clock, book):
    add_campaign(emulator, book, MARKER.name(NAME)[:-4])
    add_campaign(emulator, book, "x" * 100, subject="Other")
    with pytest.raises(AmbiguousOutcome, match="has the beginning of the name"):
        create(client, mailing_to(book, name=NAME), shared_clock)


def test_a_draft_with_the_name(client, emulator, shared_clock, book):
    add_campaign(emulator, book, NAME, type="draft")
    assert not create(client, mailing_to(book, name=NAME), shared_clock).adopted


def test_a_draft_whose_name_is_cut(client, emulator, shared_clock, book):
    emulator.configure(longest_campaign_name=len(NAME))
    mailing = mailing_to(book, name=NAME, draft=True)
    create(client, mailing, shared_clock)
    with pytest.raises(AmbiguousOutcome, match="has the beginning of the name"):
        create(client, mailing, shared_clock)
    assert count(emulator, "campaigns.create") == 1


def test_a_marked_one_counts(client, emulator, shared_clock, book):
    add_campaign(emulator, book, NAME)
    mine = add_campaign(emulator, book, MARKER.name(NAME))
    outcome = create(client, mailing_to(book, name=NAME), shared_clock)
    assert (outcome.campaign_id, outcome.adopted) == (mine.id, True)


@pytest.mark.parametrize(
    ("left", "is_cut"),
    [
        (MARKER.name(NAME)[:-1], True),
        (MARKER.name(NAME)[:-2], True),
        (f"{NAME} {str(MARKER)[:-4]}", True),
        (str(Marker(MARKER.digest, 12).name(NAME))[:-1], True),
        (f"{NAME}…", True),
        (f"{NAME[:18]}...", True),
        (f"{NAME} ", True),
        (NAME[:16], True),
        (NAME[:15], False),
        (f"{NAME}s", False),
        (f"{NAME} [af-0", False),
        (f"{NAME} [af-{MARKER.digest}-gx", False),
        ("2026010500000000", False),
        ("", False),
    ],
)
def test_what_may_be_left_of_a_name(left, is_cut):
    assert MARKER.is_cut_in(left, NAME) is is_cut
