# SPDX-License-Identifier: Apache-2.0
"""What a try writes down, in which order, and what the next one makes of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER, POST, Store, Watched, create, mailing_to

from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    CampaignConflict,
    CampaignNotSent,
    InvalidRequest,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.intent import ANY_GENERATION, GuessedRecord, Intent, StoredRecord
from airflow_provider_sendpulse.jobs.mailing import LONGEST_HOLD, LOOK_AGAIN, VISIBILITY_WINDOW
from airflow_provider_sendpulse.jobs.marker import Marker

LIST, BOOK_LIST = "GET /campaigns", "GET /addressbooks/{}/campaigns"


@pytest.fixture(autouse=True)
def unlimited(emulator):
    emulator.configure(campaigns_per_window=None, clock="manual")


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=3)


@pytest.fixture
def wanted(book):
    return mailing_to(book)


@pytest.fixture
def store():
    return Store()


def operations(trail):
    return [item for item in trail if isinstance(item, str)]


def cut_off(client, wanted, clock, store, *, effect):
    """A try whose process ends in the middle of the request that creates."""
    ending = {"after" if effect else "before": {POST: SystemExit()}}
    with pytest.raises(SystemExit):
        create(Watched(client, **ending), wanted, clock, store.record())


def cut_off_in(store, error):
    """A store that fails from now on."""

    def fail(value):
        raise error

    store.failing = fail


# The order.


def test_the_intent_directly_before_and_the_id_directly_after(client, book, shared_clock, wanted, store):
    sender = Watched(client, store.trail)
    began = shared_clock.now()
    outcome = create(sender, wanted, shared_clock, store.record())
    before = {"generation": 1, "at": began, "campaign_id": None}
    assert store.trail == [
        LIST,
        BOOK_LIST.format(book.id),
        {"intent": before},
        POST,
        {"intent": {**before, "campaign_id": outcome.campaign_id}},
    ]


def test_adopting_writes_the_id_down(client, emulator, book, shared_clock, wanted, store):
    mine = add_campaign(emulator, book, MARKER.name("x"))
    create(Watched(client, store.trail), wanted, shared_clock, store.record())
    assert store.record().intent() == Intent(1, shared_clock.now(), mine.id)
    assert POST not in store.trail


def test_an_intent_that_cannot_be_written_fences_off(client, emulator, shared_clock, wanted, store):
    error = PermissionError("replaced by another try")
    cut_off_in(store, error)
    with pytest.raises(PermissionError) as caught:
        create(client, wanted, shared_clock, store.record())
    assert caught.value is error
    assert count(emulator, "campaigns.create") == 0


def test_an_id_that_cannot_be_written_is_found_by_the_next_try(client, emulator, shared_clock, wanted, store):
    def fail(value):
        if value["intent"]["campaign_id"]:
            raise ConnectionError("no store")

    store.failing = fail
    with pytest.raises(ConnectionError):
        create(client, wanted, shared_clock, store.record())
    [campaign] = emulator.state.campaigns
    assert store.record().intent().campaign_id is None
    store.failing = lambda value: None
    outcome = create(client, wanted, shared_clock, store.record())
    assert (outcome.campaign_id, outcome.adopted) == (campaign.id, True)
    assert store.record().intent().campaign_id == campaign.id
    assert count(emulator, "campaigns.create") == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 422, "error_code": 704}, Refused),
        ({"kind": "is_error", "error_code": 707}, Refused),
        ({"kind": "result_false"}, Refused),
        ({"kind": "status", "status": 422, "error_code": 791}, Throttled),
        ({"kind": "status", "status": 429, "times": None}, Throttled),
        ({"kind": "status", "status": 401, "times": None}, AuthenticationFailed),
    ],
    ids=str,
)
def test_no_intent_stays_when_certainly_nothing_was_created(client, emulator, shared_clock, wanted, store, fault, error):
    emulator.faults.add(**fault, operation="campaigns.create")
    with pytest.raises(error):
        create(client, wanted, shared_clock, store.record())
    assert store.trail[0]["intent"] is not None
    assert store.record().intent() is None
    emulator.faults.clear()
    shared_clock.sleeps.clear()
    assert not create(client, wanted, shared_clock, store.record()).adopted
    assert shared_clock.sleeps == []


@pytest.mark.parametrize("error", [ServiceUnavailable("refused connection"), InvalidRequest("no body")])
def test_no_intent_stays_when_the_service_was_not_reached(client, emulator, shared_clock, wanted, store, error):
    with pytest.raises(type(error)):
        create(Watched(client, before={POST: error}), wanted, shared_clock, store.record())
    assert store.record().intent() is None


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, GeneratorExit, RuntimeError], ids=lambda e: e.__name__)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_intent_stays_when_the_process_ends_in_the_request(client, shared_clock, wanted, store, ending, when):
    with pytest.raises(ending):
        create(Watched(client, **{when: {POST: ending()}}), wanted, shared_clock, store.record())
    assert store.record().intent() == Intent(1, shared_clock.now())


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_an_intent_stays_when_the_process_ends_while_looking(client, emulator, shared_clock, wanted, store, ending):
    emulator.configure(campaign_visibility_seconds=60)
    emulator.faults.add("lose_answer", operation="campaigns.create")
    sender = Watched(client)
    create_then_end = sender.send

    def send(call):
        if call.operation == LIST and POST in sender.trail:
            raise ending
        return create_then_end(call)

    sender.send = send
    with pytest.raises(ending):
        create(sender, wanted, shared_clock, store.record())
    assert create(client, wanted, shared_clock, store.record()).adopted
    assert count(emulator, "campaigns.create") == 1


# The next try: an intent, and no id.


@pytest.mark.parametrize("late", [0, 5, 30, VISIBILITY_WINDOW])
@pytest.mark.parametrize("passed", [0, 20, VISIBILITY_WINDOW, 4000])
def test_it_is_adopted_as_soon_as_it_appears(client, emulator, shared_clock, wanted, store, late, passed):
    emulator.configure(campaign_visibility_seconds=late)
    cut_off(client, wanted, shared_clock, store, effect=True)
    began = shared_clock.now()
    shared_clock.sleep(passed)
    outcome = create(client, wanted, shared_clock, store.record())
    assert [campaign.id for campaign in emulator.state.campaigns] == [outcome.campaign_id]
    assert outcome.adopted
    assert max(passed, late) <= shared_clock.now() - began < max(passed, late) + LOOK_AGAIN
    assert store.record().intent().campaign_id == outcome.campaign_id


@pytest.mark.parametrize("passed", [0, 20, VISIBILITY_WINDOW - 1, VISIBILITY_WINDOW, 4000])
def test_it_is_created_once_the_window_has_passed(client, emulator, shared_clock, wanted, store, passed):
    cut_off(client, wanted, shared_clock, store, effect=False)
    began = shared_clock.now()
    shared_clock.sleep(passed)
    shared_clock.sleeps.clear()
    looked = count(emulator, "campaigns.list")
    outcome = create(client, wanted, shared_clock, store.record())
    assert [campaign.id for campaign in emulator.state.campaigns] == [outcome.campaign_id]
    assert not outcome.adopted
    # The window counts from the beginning of this try: the request of the last one may have been held back for a while. An
    # hour later that is over, and one look does.
    looked_for = VISIBILITY_WINDOW if passed < LONGEST_HOLD else 0
    assert shared_clock.now() - began == passed + looked_for, "it looks until then, and not longer"
    # One look for each pause, and one when the window has passed.
    assert count(emulator, "campaigns.list") - looked == len(shared_clock.sleeps) + 1


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
@pytest.mark.parametrize("effect", [True, False])
def test_a_look_may_fail_in_passing(client, emulator, shared_clock, wanted, store, operation, effect):
    cut_off(client, wanted, shared_clock, store, effect=effect)
    emulator.faults.add("status", status=422, error_code=301, times=5, operation=operation)
    assert create(client, wanted, shared_clock, store.record()).adopted is effect
    assert len(emulator.state.campaigns) == 1


@pytest.mark.parametrize("operation", ["campaigns.list", "address_books.campaigns"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 422, "error_code": 301},
        {"kind": "status", "status": 401},
        {"kind": "html"},
        {"kind": "truncate"},
    ],
    ids=str,
)
def test_a_look_that_fails_at_the_end_establishes_nothing(client, emulator, shared_clock, wanted, store, operation, fault):
    cut_off(client, wanted, shared_clock, store, effect=False)
    emulator.faults.add(**fault, operation=operation, times=None, after=3)
    with pytest.raises(AmbiguousOutcome, match="Search the campaigns in the SendPulse dashboard") as caught:
        create(client, wanted, shared_clock, store.record())
    assert str(MARKER) in str(caught.value)
    assert "clear the task" in str(caught.value)
    assert "could not be looked for" in str(caught.value)
    assert caught.value.operation == POST
    assert count(emulator, "campaigns.create") == 0
    assert store.record().intent().campaign_id is None, "the next try is as careful"


def test_an_intent_whose_campaign_differs_is_a_conflict(client, emulator, book, shared_clock, wanted, store):
    cut_off(client, wanted, shared_clock, store, effect=True)
    changed = replace(wanted, campaign=replace(wanted.campaign, subject="Other"))
    with pytest.raises(CampaignConflict, match="'Sale' there, 'Other' here"):
        create(client, changed, shared_clock, store.record())
    assert len(emulator.state.campaigns) == 1


# The next try: the id.


def test_an_id_is_read_and_nothing_is_listed(client, emulator, shared_clock, wanted, store):
    first = create(client, wanted, shared_clock, store.record())
    emulator.configure(campaign_visibility_seconds=10**6)
    sender = Watched(client)
    again = create(sender, wanted, shared_clock, store.record())
    assert (again.campaign_id, again.adopted, again.created) == (first.campaign_id, True, None)
    assert sender.trail == [f"GET /campaigns/{first.campaign_id}"]


def test_an_id_does_not_excuse_a_conflict(client, emulator, shared_clock, wanted, store):
    create(client, wanted, shared_clock, store.record())
    with pytest.raises(CampaignConflict):
        create(client, replace(wanted, campaign=replace(wanted.campaign, subject="x")), shared_clock, store.record())


def test_an_id_that_cannot_be_read_now_is_no_reason_to_create(client, emulator, shared_clock, wanted, store):
    create(client, wanted, shared_clock, store.record())
    emulator.faults.add("status", status=503, operation="campaigns.read", times=None)
    with pytest.raises(ServiceUnavailable):
        create(client, wanted, shared_clock, store.record())
    assert count(emulator, "campaigns.create") == 1
    assert store.record().intent().campaign_id


def test_what_was_deleted_is_not_created_again(client, emulator, shared_clock, wanted, store):
    outcome = create(client, wanted, shared_clock, store.record())
    emulator.state.campaigns._campaigns.clear()
    sender = Watched(client)
    with pytest.raises(CampaignNotSent, match="another edition") as caught:
        create(sender, wanted, shared_clock, store.record())
    assert f"Campaign {outcome.campaign_id}" in str(caught.value)
    assert LIST in sender.trail
    assert POST not in sender.trail
    assert shared_clock.sleeps == []


def test_what_was_deleted_and_copied_is_adopted(client, emulator, book, shared_clock, wanted, store):
    create(client, wanted, shared_clock, store.record())
    emulator.state.campaigns._campaigns.clear()
    copy = add_campaign(emulator, book, MARKER.name("Copy"))
    assert create(client, wanted, shared_clock, store.record()).campaign_id == copy.id
    assert store.record().intent().campaign_id == copy.id


# Without a store.


def test_a_first_try_without_a_store_creates_at_once(client, emulator, shared_clock, wanted):
    record = GuessedRecord(1, shared_clock.now())
    assert record.intent() is None
    outcome = create(client, wanted, shared_clock, record)
    assert shared_clock.sleeps == []
    assert record.intent() == Intent(1, shared_clock.now(), outcome.campaign_id)


@pytest.mark.parametrize("number", [2, 3, 17])
def test_a_retry_without_a_store_looks_for_the_whole_window(client, emulator, shared_clock, wanted, number):
    began = shared_clock.now()
    record = GuessedRecord(number, began)
    assert record.intent() == Intent(ANY_GENERATION, began)
    assert not create(client, wanted, shared_clock, record).adopted
    assert shared_clock.now() - began == VISIBILITY_WINDOW
    assert count(emulator, "campaigns.list") == 1 + VISIBILITY_WINDOW / LOOK_AGAIN


@pytest.mark.parametrize("late", [0, 5, VISIBILITY_WINDOW])
def test_a_retry_without_a_store_adopts(client, emulator, shared_clock, wanted, late):
    emulator.configure(campaign_visibility_seconds=late)
    with pytest.raises(SystemExit):
        create(Watched(client, after={POST: SystemExit()}), wanted, shared_clock, GuessedRecord(1, shared_clock.now()))
    assert create(client, wanted, shared_clock, GuessedRecord(2, shared_clock.now())).adopted
    assert count(emulator, "campaigns.create") == 1


# The last look before creating.


def test_the_last_look_is_directly_before_and_may_change_the_campaign(client, emulator, shared_clock, wanted, store):
    def last_look(campaign):
        store.trail.append("last look")
        return replace(campaign, subject="Late sale")

    wanted = replace(wanted, before_creating=last_look)
    create(Watched(client, store.trail), wanted, shared_clock, store.record())
    assert operations(store.trail)[-2:] == ["last look", POST]
    [campaign] = emulator.state.campaigns
    assert campaign.content.subject == "Late sale"
    assert campaign.content.name.endswith(str(MARKER))


def test_there_is_no_last_look_when_it_exists(client, emulator, book, shared_clock, wanted, store):
    def never(campaign):
        raise AssertionError

    wanted = replace(wanted, before_creating=never)
    add_campaign(emulator, book, MARKER.name("x"))
    assert create(client, wanted, shared_clock).adopted
    assert create(client, wanted, shared_clock, store.record()).adopted
    assert create(client, wanted, shared_clock, store.record()).adopted, "by its id"


@pytest.mark.parametrize("error", [InvalidRequest("too late"), LookupError("bug"), KeyboardInterrupt()], ids=repr)
def test_whatever_the_last_look_raises_leaves_nothing_behind(client, emulator, shared_clock, wanted, store, error):
    def last_look(campaign):
        raise error

    with pytest.raises(type(error)) as caught:
        create(client, replace(wanted, before_creating=last_look), shared_clock, store.record())
    assert caught.value is error
    assert store.texts == {}
    assert count(emulator, "campaigns.create") == 0


def test_the_last_look_is_repeated_before_a_second_request(client, emulator, shared_clock, wanted):
    emulator.faults.add("drop", operation="campaigns.create")
    seen = []

    def last_look(campaign):
        seen.append(shared_clock.now())
        if len(seen) == 2:
            raise InvalidRequest("too late")
        return campaign

    with pytest.raises(InvalidRequest):
        create(client, replace(wanted, before_creating=last_look), shared_clock)
    assert seen[1] - seen[0] == VISIBILITY_WINDOW
    assert count(emulator, "campaigns.create") == 1


# The record itself.


def test_a_stored_record_holds_plain_values(store):
    record = store.record()
    record.keep_intent(Intent(2, 100.5, 7))
    record.deadline(900.0, 0)
    [(name, text)] = store.texts.items()
    assert name == f"mailing-{MARKER.digest}"
    assert json.loads(text) == {
        "intent": {"generation": 2, "at": 100.5, "campaign_id": 7},
        "deadline": {"at": 900.0, "clearing": 0},
    }


def test_a_deadline_is_decided_once(store):
    assert store.record().deadline(900.0, 0) == 900.0
    assert store.record().deadline(2000.0, 0) == 900.0
    record = store.record()
    record.keep_intent(Intent(1, 5.0))
    assert record.deadline(3000.0, 0) == 900.0
    assert store.record().intent() == Intent(1, 5.0)


def test_a_deadline_is_decided_anew_after_clearing(store):
    store.record().deadline(900.0, 0)
    assert store.record().deadline(2000.0, 1) == 2000.0
    assert store.record().deadline(3000.0, 1) == 2000.0
    assert store.record().deadline(4000.0, 2) == 4000.0


def test_clearing_does_not_forget_the_campaign(client, emulator, shared_clock, wanted, store):
    create(client, wanted, shared_clock, store.record())
    store.record().deadline(1.0, 0)
    store.record().deadline(2.0, 1)
    assert create(client, wanted, shared_clock, store.record()).adopted


def test_a_deadline_that_cannot_be_kept_is_an_error(store):
    cut_off_in(store, ConnectionError("no store"))
    with pytest.raises(ConnectionError):
        store.record().deadline(900.0, 0)


def test_what_could_not_be_written_is_not_believed(store):
    record = store.record()
    cut_off_in(store, ConnectionError("no store"))
    with pytest.raises(ConnectionError):
        record.keep_intent(Intent(1, 5.0))
    assert record.intent() is None


def test_no_intent_any_more(store):
    record = store.record()
    record.deadline(900.0, 0)
    record.keep_intent(Intent(1, 5.0))
    record.keep_intent(None)
    assert record.intent() is None
    assert store.record().intent() is None
    assert store.record().deadline(1.0, 0) == 900.0


def test_two_mailings_of_one_task_share_nothing(client, emulator, book, shared_clock, store):
    other = Marker.of(deployment="production", mailing_key="weekly", edition=2)
    store.record().deadline(900.0, 0)
    first = create(client, mailing_to(book), shared_clock, store.record())
    assert store.record(other).intent() is None
    assert store.record(other).deadline(2000.0, 0) == 2000.0
    second = create(client, mailing_to(book, marker=other), shared_clock, store.record(other))
    assert not second.adopted
    assert store.record().intent().campaign_id == first.campaign_id
    assert store.record(other).intent().campaign_id == second.campaign_id
    assert store.record().deadline(1.0, 0) == 900.0


@pytest.mark.parametrize("junk", [None, "text", 7, [1]])
def test_what_is_no_record_is_as_good_as_none(junk):
    record = StoredRecord(lambda name: junk, lambda name, value: None, "x")
    assert record.intent() is None
    assert record.deadline(5.0, 0) == 5.0


def test_a_guessed_record_keeps_no_deadline():
    record = GuessedRecord(2, 100.0)
    assert record.deadline(900.0, 0) == 900.0
    assert record.deadline(1900.0, 0) == 1900.0
