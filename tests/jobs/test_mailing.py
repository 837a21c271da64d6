# SPDX-License-Identifier: Apache-2.0
"""One campaign and no second one, against the emulator and its faults."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER, Store, create, mailing_to

from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    CampaignConflict,
    FinalFailure,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs import mailing as jobs
from airflow_provider_sendpulse.jobs.mailing import LONGEST_HOLD, LOOK_AGAIN, VISIBILITY_WINDOW
from airflow_provider_sendpulse.jobs.marker import Marker

DONE_AND_LOST = [
    {"kind": "lose_answer"},
    {"kind": "lose_answer", "reset": True},
    {"kind": "cut_answer"},
    {"kind": "truncate"},
    {"kind": "html", "after_effect": True},
    {"kind": "html", "status": 200, "after_effect": True},
    {"kind": "status", "status": 500, "after_effect": True},
    {"kind": "status", "status": 503, "after_effect": True, "retry_after": "1"},
    {"kind": "status", "status": 200, "body": {"result": True}, "after_effect": True},
    {"kind": "status", "status": 409, "after_effect": True},
]
NOT_DONE_AND_LOST = [
    {"kind": "drop"},
    {"kind": "drop", "reset": True},
    {"kind": "html"},
    {"kind": "html", "status": 200},
    {"kind": "status", "status": 504},
    {"kind": "status", "status": 200, "body": "{}"},
]


@pytest.fixture(autouse=True)
def unlimited(emulator):
    emulator.configure(campaigns_per_window=None)


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=3)


@pytest.fixture
def wanted(book):
    return mailing_to(book)


def test_it_is_created_once(client, emulator, shared_clock, wanted):
    outcome = create(client, wanted, shared_clock)
    [campaign] = emulator.state.campaigns
    assert (outcome.campaign_id, outcome.adopted, outcome.created.id) == (campaign.id, False, campaign.id)
    assert campaign.content.name == f"Весна 🌻 {MARKER}"
    assert shared_clock.sleeps == []


def test_the_next_time_it_is_adopted(client, emulator, shared_clock, wanted):
    first = create(client, wanted, shared_clock)
    second = create(client, wanted, shared_clock)
    assert (second.campaign_id, second.adopted, second.created) == (first.campaign_id, True, None)
    assert count(emulator, "campaigns.create") == 1


def test_another_name_is_the_same_mailing(client, emulator, shared_clock, wanted):
    first = create(client, wanted, shared_clock)
    renamed = replace(wanted, campaign=replace(wanted.campaign, name="Other", body="<p>Other</p>"))
    assert create(client, renamed, shared_clock).campaign_id == first.campaign_id


def test_another_marker_is_another_mailing(client, emulator, shared_clock, wanted):
    create(client, wanted, shared_clock)
    again = replace(wanted, marker=Marker.of(deployment="production", mailing_key="weekly", edition=2))
    assert not create(client, again, shared_clock).adopted
    assert len(emulator.state.campaigns) == 2


def test_a_later_generation_is_adopted(client, emulator, book, shared_clock, wanted):
    names = [MARKER.name("a"), Marker(MARKER.digest, 2).name("b"), MARKER.name("c")]
    made = [add_campaign(emulator, book, name) for name in names]
    assert create(client, wanted, shared_clock).campaign_id == made[1].id
    assert count(emulator, "campaigns.create") == 0


def test_several_books_are_adopted(client, emulator, book, shared_clock):
    # The campaign's answer names one book, whatever number it goes to.
    wanted = mailing_to(book, add_book(emulator, "Other", contacts=1))
    first = create(client, wanted, shared_clock)
    assert create(client, wanted, shared_clock).campaign_id == first.campaign_id


@pytest.mark.parametrize("with_book", [True, False])
def test_a_segment_is_adopted(client, emulator, book, shared_clock, with_book):
    emulator.configure(segments={9: book.id})
    wanted = mailing_to(*([book] if with_book else []), segment_id=9)
    first = create(client, wanted, shared_clock)
    assert create(client, wanted, shared_clock).campaign_id == first.campaign_id


def test_it_is_adopted_after_its_book_was_deleted(client, emulator, book, shared_clock, wanted):
    first = create(client, wanted, shared_clock)
    emulator.state.course.force(next(iter(emulator.state.campaigns)), 3, [])
    emulator.state.books.remove(book)
    assert create(client, wanted, shared_clock).campaign_id == first.campaign_id


# Doubt.


def test_the_seconds_that_the_documents_promise():
    assert (VISIBILITY_WINDOW, LONGEST_HOLD, LOOK_AGAIN) == (120.0, 3600.0, 10.0)


@pytest.mark.parametrize("fault", DONE_AND_LOST, ids=str)
def test_a_lost_answer(client, emulator, shared_clock, wanted, fault):
    emulator.faults.add(**fault, operation="campaigns.create")
    outcome = create(client, wanted, shared_clock)
    [campaign] = emulator.state.campaigns
    assert (outcome.campaign_id, outcome.adopted) == (campaign.id, True)
    assert count(emulator, "campaigns.create") == 1
    assert shared_clock.sleeps == []


@pytest.mark.parametrize("delay", [5, LOOK_AGAIN, 95, VISIBILITY_WINDOW - 1, VISIBILITY_WINDOW])
def test_a_lost_answer_and_a_late_list(client, emulator, shared_clock, wanted, delay):
    emulator.configure(campaign_visibility_seconds=delay, clock="manual")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    began = shared_clock.now()
    outcome = create(client, wanted, shared_clock)
    assert outcome.campaign_id == next(iter(emulator.state.campaigns)).id
    assert (outcome.adopted, count(emulator, "campaigns.create")) == (True, 1)
    assert delay <= shared_clock.now() - began < delay + LOOK_AGAIN


@pytest.mark.parametrize("reads", [1, 3, 8])
def test_a_lost_answer_and_a_list_that_needs_reads(client, emulator, shared_clock, wanted, reads):
    emulator.configure(campaign_visibility_reads=reads)
    emulator.faults.add("lose_answer", operation="campaigns.create")
    assert create(client, wanted, shared_clock).adopted
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize("fault", NOT_DONE_AND_LOST, ids=str)
def test_a_request_that_was_lost_is_sent_once_more(client, emulator, shared_clock, wanted, fault):
    emulator.faults.add(**fault, operation="campaigns.create")
    began = shared_clock.now()
    outcome = create(client, wanted, shared_clock)
    [campaign] = emulator.state.campaigns
    assert (outcome.campaign_id, outcome.adopted, outcome.created.id) == (campaign.id, False, campaign.id)
    assert campaign.content.name == f"Весна 🌻 {MARKER}"
    assert shared_clock.now() - began == VISIBILITY_WINDOW
    assert count(emulator, "campaigns.create") == 2
    # The last look is not before the window's end.
    assert count(emulator, "campaigns.list") == 2 + VISIBILITY_WINDOW / LOOK_AGAIN


@pytest.mark.parametrize("fault", NOT_DONE_AND_LOST, ids=str)
def test_a_request_that_was_lost_twice_stays_in_doubt(client, emulator, shared_clock, wanted, fault):
    emulator.faults.add(**fault, operation="campaigns.create", times=None)
    began = shared_clock.now()
    with pytest.raises(AmbiguousOutcome, match="Search the campaigns") as caught:
        create(client, wanted, shared_clock)
    assert str(MARKER) in str(caught.value)
    assert caught.value.operation == "POST /campaigns"
    assert caught.value.status == fault.get("status", 502 if fault["kind"] == "html" else None), "that of the lost answer"
    assert isinstance(caught.value, FinalFailure)
    assert shared_clock.now() - began == 2 * VISIBILITY_WINDOW
    assert (count(emulator, "campaigns.create"), len(emulator.state.campaigns)) == (2, 0)
    assert count(emulator, "campaigns.list") == 3 + 2 * VISIBILITY_WINDOW / LOOK_AGAIN


def test_a_second_request_whose_answer_is_lost_is_adopted(client, emulator, shared_clock, wanted):
    emulator.faults.add("drop", operation="campaigns.create")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    outcome = create(client, wanted, shared_clock)
    assert [campaign.id for campaign in emulator.state.campaigns] == [outcome.campaign_id]
    assert (outcome.adopted, count(emulator, "campaigns.create")) == (True, 2)


def test_the_window_is_a_setting(client, emulator, shared_clock, wanted):
    emulator.configure(campaign_visibility_seconds=VISIBILITY_WINDOW + 60, clock="manual")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    assert create(client, replace(wanted, visibility_window=VISIBILITY_WINDOW + 60), shared_clock).adopted
    assert count(emulator, "campaigns.create") == 1


def test_the_window_begins_when_the_answer_is_lost(client, emulator, shared_clock, wanted):
    # The service asked to wait, twice, before it took the request: most of a window has passed by then.
    emulator.configure(campaign_visibility_seconds=VISIBILITY_WINDOW - 1, clock="manual")
    emulator.faults.add("status", status=429, retry_after="50", times=2, operation="campaigns.create")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    store = Store()
    assert create(client, wanted, shared_clock, store.record()).adopted
    assert len(emulator.state.campaigns) == 1
    # So it is for a try that is to go on where this one was killed.
    assert store.trail[1]["intent"]["at"] - store.trail[0]["intent"]["at"] >= 100


def test_after_doubt_a_cleared_task_creates_what_is_not_there(client, emulator, shared_clock, wanted):
    emulator.faults.add("drop", operation="campaigns.create", times=2)
    store = Store()
    with pytest.raises(AmbiguousOutcome):
        create(client, wanted, shared_clock, store.record())
    shared_clock.sleeps.clear()
    assert not create(client, wanted, shared_clock, store.record()).adopted
    assert len(emulator.state.campaigns) == 1
    assert sum(shared_clock.sleeps) == VISIBILITY_WINDOW, "a new try looks for as long as the last one might have sent"


@pytest.mark.parametrize("kept", [True, False])
def test_after_doubt_a_cleared_task_adopts_what_is_there(client, emulator, shared_clock, wanted, kept):
    emulator.faults.add("lose_answer", operation="campaigns.create")
    emulator.faults.add("status", status=503, operation="campaigns.list", after=1, times=None)
    store = Store()
    with pytest.raises(AmbiguousOutcome):
        create(client, wanted, shared_clock, store.record())
    emulator.faults.clear()
    assert create(client, wanted, shared_clock, store.record() if kept else None).adopted
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "drop"}, {"kind": "status", "status": 429}], ids=str
)
def test_doubt_outlives_a_failing_look(client, emulator, shared_clock, wanted, operation, fault):
    # An error that Airflow may retry would begin anew, and create what is only not listed yet.
    emulator.faults.add("lose_answer", operation="campaigns.create")
    emulator.faults.add(**fault, operation=operation, after=1, times=None)
    emulator.configure(campaign_visibility_seconds=VISIBILITY_WINDOW + 300, clock="manual")
    with pytest.raises(FinalFailure) as caught:
        create(client, wanted, shared_clock)
    assert type(caught.value) is AmbiguousOutcome
    assert "it could not be looked for (" in str(caught.value)
    assert "Search the campaigns" in str(caught.value)
    assert str(MARKER) in str(caught.value)
    assert caught.value.operation == "POST /campaigns"
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize("lost", [None, 500])
def test_the_status_is_that_of_the_lost_answer(client, emulator, shared_clock, wanted, lost):
    fault = {"kind": "drop"} if lost is None else {"kind": "status", "status": lost}
    emulator.faults.add(**fault, operation="campaigns.create")
    emulator.faults.add("status", status=422, error_code=707, operation="campaigns.list", after=1, times=None)
    with pytest.raises(AmbiguousOutcome, match="could not be looked for") as caught:
        create(client, wanted, shared_clock)
    assert (caught.value.operation, caught.value.status) == ("POST /campaigns", lost)


def test_the_last_look_counts_however_soon_after_a_failed_one(client, emulator, shared_clock, wanted, caplog):
    emulator.faults.add("lose_answer", operation="campaigns.create")
    emulator.faults.add("status", status=422, error_code=707, operation="campaigns.list", after=1, times=2)
    with caplog.at_level("WARNING", logger=jobs.__name__):
        assert create(client, replace(wanted, visibility_window=LOOK_AGAIN + 0.5), shared_clock).adopted
    assert shared_clock.sleeps == [LOOK_AGAIN, 0.5]
    failed = [text for text in caplog.messages if text.startswith(f"Looking for the marker {MARKER} failed: ")]
    assert len(failed) == 2
    assert all("error_code 707" in text for text in failed)


def test_looks_before_the_end_of_the_window_establish_nothing(client, emulator, shared_clock, wanted):
    # All but the last one succeed and find nothing; the campaign would be listed when that one is made.
    emulator.configure(campaign_visibility_seconds=VISIBILITY_WINDOW, clock="manual")
    emulator.faults.add("lose_answer", operation="campaigns.create")
    looks = int(VISIBILITY_WINDOW / LOOK_AGAIN)
    emulator.faults.add("status", status=503, operation="campaigns.list", after=1 + looks, times=None)
    with pytest.raises(AmbiguousOutcome, match="could not be looked for"):
        create(client, wanted, shared_clock)
    assert len(emulator.state.campaigns) == 1


def test_a_look_that_fails_in_passing_is_repeated(client, emulator, shared_clock, wanted):
    emulator.faults.add("lose_answer", operation="campaigns.create")
    emulator.faults.add("status", status=503, operation="campaigns.list", after=1, times=7)
    assert create(client, wanted, shared_clock).adopted


def test_a_conflict_after_doubt_is_told(client, emulator, book, shared_clock, wanted):
    emulator.faults.add("drop", operation="campaigns.create")
    ours = client.send

    def meanwhile(call):
        try:
            return ours(call)
        except AmbiguousOutcome:
            add_campaign(emulator, book, MARKER.name("x"), subject="Other")
            raise

    client.send = meanwhile
    with pytest.raises(CampaignConflict):
        create(client, wanted, shared_clock)


# Conflicts.


def test_another_subject_is_a_conflict(client, emulator, book, shared_clock, wanted):
    there = add_campaign(emulator, book, MARKER.name("x"), subject="Other")
    with pytest.raises(CampaignConflict) as caught:
        create(client, wanted, shared_clock)
    message = str(caught.value)
    assert f"Campaign {there.id} " in message
    assert "subject: 'Other' there, 'Sale' here" in message
    assert count(emulator, "campaigns.create") == 0


def test_other_books_are_a_conflict(client, emulator, book, shared_clock, wanted):
    other = add_book(emulator, "Other", contacts=1)
    add_campaign(emulator, other, MARKER.name("x"))
    with pytest.raises(CampaignConflict) as caught:
        create(client, wanted, shared_clock)
    assert f"address books: [{other.id}] there, [{book.id}] here" in str(caught.value)
    assert count(emulator, "campaigns.create") == 0


def test_both_are_named(client, emulator, shared_clock, wanted):
    add_campaign(emulator, add_book(emulator, "Other"), MARKER.name("x"), subject="Other")
    with pytest.raises(CampaignConflict, match=r"subject: .*; address books: "):
        create(client, wanted, shared_clock)


# Where it is found.


def test_it_is_found_behind_the_newest_hundred(client, emulator, book, shared_clock, wanted):
    mine = add_campaign(emulator, add_book(emulator, "Other"), MARKER.name("x"))
    mine.content.book_ids = [book.id]
    other = add_book(emulator, "Third")
    for number in range(201):
        add_campaign(emulator, other, f"{number}")
    assert create(client, wanted, shared_clock).campaign_id == mine.id
    assert count(emulator, "campaigns.list") >= 3


def test_the_search_ends_with_campaigns_that_are_too_old(client, emulator, book, shared_clock, wanted):
    other = add_book(emulator, "Other")
    for number in range(350):
        add_campaign(emulator, other, f"{number}").created_at -= dt.timedelta(days=3 if number < 320 else 0)
    create(client, wanted, shared_clock)
    # The first page holds new and old ones; the second nothing but old ones.
    assert count(emulator, "campaigns.list") == 2


def test_it_is_found_in_the_list_of_its_book_alone(client, emulator, book, shared_clock, wanted):
    mine = add_campaign(emulator, book, MARKER.name("x"))
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    outcome = create(client, wanted, shared_clock)
    assert (outcome.campaign_id, outcome.adopted) == (mine.id, True)


def test_it_is_found_in_the_list_of_the_second_book(client, emulator, book, shared_clock):
    other = add_book(emulator, "Other")
    mine = add_campaign(emulator, book, MARKER.name("x"), list_id=[other.id, book.id])
    mine.content.book_ids = [other.id]
    emulator.faults.add("status", status=200, body="[]", operation="campaigns.list", times=None)
    assert create(client, mailing_to(book, other), shared_clock).campaign_id == mine.id


def test_campaigns_of_others_are_left_alone(client, emulator, book, shared_clock, wanted):
    for name in ("Весна 🌻", f"{MARKER} Весна", Marker("0" * 16).name("Весна 🌻"), str(MARKER).upper()):
        add_campaign(emulator, book, name)
    assert not create(client, wanted, shared_clock).adopted


# Refusals and failures that leave no doubt.


@pytest.mark.parametrize("status", [422, 429, 400])
def test_the_hourly_limit_creates_nothing(client, emulator, shared_clock, wanted, status):
    emulator.configure(campaigns_per_window=0, http_status_campaign_limit=status)
    with pytest.raises(Throttled) as caught:
        create(client, wanted, shared_clock)
    assert not isinstance(caught.value, FinalFailure)
    assert len(emulator.state.campaigns) == 0
    emulator.configure(campaigns_per_window=None)
    assert not create(client, wanted, shared_clock).adopted
    assert len(emulator.state.campaigns) == 1


def test_a_refusal_is_final(client, emulator, book, shared_clock):
    with pytest.raises(Refused) as caught:
        create(client, mailing_to(book, sender_email="nobody@example.com"), shared_clock)
    assert caught.value.error_code == 704
    assert shared_clock.sleeps == []


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
def test_nothing_is_created_when_the_look_fails(client, emulator, shared_clock, wanted, operation):
    emulator.faults.add("html", operation=operation, times=None)
    with pytest.raises(ServiceUnavailable):
        create(client, wanted, shared_clock)
    assert count(emulator, "campaigns.create") == 0


def test_nothing_is_created_without_credentials(client, emulator, shared_clock, wanted):
    emulator.faults.add("status", status=401, operation="campaigns.create", times=None)
    with pytest.raises(AuthenticationFailed):
        create(client, wanted, shared_clock)
    assert len(emulator.state.campaigns) == 0


def test_a_token_that_ends_in_between_is_no_doubt(client, emulator, shared_clock, wanted):
    emulator.faults.add("revoke_tokens", operation="campaigns.create")
    assert not create(client, wanted, shared_clock).adopted
    assert (count(emulator, "campaigns.create"), len(emulator.state.campaigns)) == (2, 1)


def test_requests_beyond_the_pace_are_no_doubt(client, emulator, shared_clock, wanted):
    emulator.faults.add("status", status=429, operation="campaigns.create", times=2)
    assert not create(client, wanted, shared_clock).adopted
    assert (count(emulator, "campaigns.create"), len(emulator.state.campaigns)) == (3, 1)


def test_a_draft_is_no_campaign_to_send(client, emulator, book, shared_clock, wanted):
    there = add_campaign(emulator, book, MARKER.name("x"))
    with emulator.emulator.lock:
        emulator.state.course.force(there, 26, [])
    with pytest.raises(CampaignConflict) as caught:
        create(client, wanted, shared_clock)
    assert "(kind: 'a draft' there, 'a campaign to send' here)" in str(caught.value)
    assert create(client, replace(wanted, campaign=replace(wanted.campaign, draft=True)), shared_clock).adopted


def test_a_mailing_of_any_age_is_found(client, emulator, book, shared_clock):
    emulator.configure(segments={9: book.id})
    wanted = replace(mailing_to(segment_id=9), since=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    first = create(client, wanted, shared_clock)
    for days, campaign in enumerate([*emulator.state.campaigns, add_campaign(emulator, book, "Old")], start=300):
        campaign.created_at -= dt.timedelta(days=days)
    assert create(client, wanted, shared_clock).campaign_id == first.campaign_id
