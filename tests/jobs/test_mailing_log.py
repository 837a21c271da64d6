# SPDX-License-Identifier: Apache-2.0
"""What a mailing says in the task's log: what it did, why, and which marker to search for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from emulated_account import add_book, add_campaign
from mailings import MARKER, Store, create, list_unsent, mailing_to

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, CampaignNotSent
from airflow_provider_sendpulse.jobs import mailing as jobs
from airflow_provider_sendpulse.jobs.mailing import LOOK_AGAIN


@pytest.fixture(autouse=True)
def settings(emulator, caplog):
    emulator.configure(campaigns_per_window=None, clock="manual")
    caplog.set_level("INFO", logger=jobs.__name__)


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=3)


@pytest.fixture
def wanted(book):
    return mailing_to(book)


@pytest.fixture
def said(caplog):
    """What was said so far, with its level."""
    return lambda: [f"{one.levelname} {one.getMessage()}" for one in caplog.records if one.name == jobs.__name__]


def created(campaign_id, marker=MARKER):
    return f"INFO Created campaign {campaign_id} with the marker {marker}."


def adopted(campaign_id):
    return f"INFO Adopted campaign {campaign_id}: one with the marker {MARKER} exists already."


def test_created_and_adopted(client, shared_clock, wanted, said):
    made = create(client, wanted, shared_clock).campaign_id
    create(client, wanted, shared_clock)
    assert said() == [created(made), adopted(made)]


def doubt():
    return (
        "WARNING SendPulse: POST /campaigns was sent, and no usable answer came back: the service answered HTTP 500. "
        "It may have been carried out, so it is not repeated. Look in the service's dashboard before doing it again. "
        f"Looking for the marker {MARKER}."
    )


def test_a_lost_answer(client, emulator, shared_clock, wanted, said):
    emulator.faults.add("status", status=500, after_effect=True, operation="campaigns.create")
    made = create(client, wanted, shared_clock).campaign_id
    assert said() == [
        doubt(),
        f"INFO Campaign {made} was created; only the answer was lost.",
        adopted(made),
    ]


def test_a_lost_request(client, emulator, shared_clock, wanted, said):
    emulator.faults.add("status", status=500, operation="campaigns.create")
    made = create(client, replace(wanted, visibility_window=LOOK_AGAIN + 5.0), shared_clock).campaign_id
    assert said() == [
        doubt(),
        f"INFO No campaign with the marker {MARKER} yet; it would be listed within 15 s. Looking again.",
        f"INFO No campaign with the marker {MARKER} yet; it would be listed within 5 s. Looking again.",
        f"WARNING No campaign with the marker {MARKER} is there: the request did not arrive. Creating it.",
        created(made),
    ]


def test_a_request_that_was_lost_twice(client, emulator, shared_clock, wanted):
    emulator.faults.add("status", status=500, operation="campaigns.create", times=2)
    with pytest.raises(AmbiguousOutcome) as caught:
        create(client, wanted, shared_clock)
    assert str(caught.value) == (
        "The request that creates the campaign was sent twice, two minutes apart, and both answers were lost. Nothing more "
        f"is sent. Search the campaigns in the SendPulse dashboard for {MARKER}. Then clear the task: it adopts the "
        "campaign if it is there, and creates it if not."
    )
    assert caught.value.status == 500


def test_a_bad_end(client, emulator, book, shared_clock, wanted, said, monkeypatch):
    list_unsent(monkeypatch)
    there = add_campaign(emulator, book, MARKER.name("x"))
    with emulator.emulator.lock:
        emulator.state.course.force(there, 16, [])
    wanted = replace(wanted, recreate=frozenset({16}))
    made = create(client, wanted, shared_clock).campaign_id
    create(client, wanted, shared_clock)
    second = replace(MARKER, generation=2)
    assert said() == [
        f"WARNING Campaign {there.id} ended at status 16 and nothing of it went out: creating the next generation.",
        created(made, second),
        f"INFO Campaigns with the marker {MARKER}: [{made}, {there.id}].",
        adopted(made),
    ]


def test_a_deleted_campaign(client, emulator, shared_clock, wanted, said):
    store = Store()
    made = create(client, wanted, shared_clock, store.record()).campaign_id
    emulator.state.campaigns._campaigns.clear()
    with pytest.raises(CampaignNotSent) as caught:
        create(client, wanted, shared_clock, store.record())
    [_, warning] = said()
    assert warning.startswith(f"WARNING Campaign {made} of an earlier try cannot be read: SendPulse: GET /campaigns/")
    assert str(caught.value) == (
        f"Campaign {made}, which an earlier try of this task has created, is gone: somebody deleted it. Nothing was "
        "created. To mail again on purpose, give the operator another edition."
    )
