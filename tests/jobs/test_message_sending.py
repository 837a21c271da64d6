# SPDX-License-Identifier: Apache-2.0
"""One message and no second one, whatever happens to requests, answers and processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from emulated_account import count
from mailings import Store, Watched
from messages import ADA, BEA, LIST, POST, message, one, record_of, send

from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    InvalidRequest,
    MessageConflict,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.message_record import GuessedMessageRecord
from airflow_provider_sendpulse.jobs.message_sending import lease_name
from airflow_provider_sendpulse.jobs.visibility import LOOK_AGAIN, VISIBILITY_WINDOW
from airflow_provider_sendpulse.sendpulse import smtp
from airflow_provider_sendpulse.sendpulse.smtp import Person

CHOICES = ("skip", "resend", "fail")


@pytest.fixture(autouse=True)
def settings(emulator, shared_clock):
    start = datetime.fromtimestamp(shared_clock.now(), tz=UTC).isoformat()
    emulator.configure(bounce_share=0.0, open_share=0.0)
    emulator.configure(clock_start=start)
    emulator.configure(clock="manual")


@pytest.fixture
def store():
    return Store()


def mailed(emulator, address=ADA):
    return [entry["subject"] for entry in emulator.inbox(address)]


def ids(emulator):
    return [record.id for record in emulator.state.smtp]


def cut_off(client, wanted, clock, store, *, effect):
    """A try whose process ends in the middle of the request that sends."""
    with pytest.raises(SystemExit):
        send(Watched(client, **{"after" if effect else "before": {POST: SystemExit()}}), wanted, clock, record_of(store))


# The order.


def test_the_intent_directly_before_and_the_id_directly_after(client, emulator, shared_clock, store):
    began = shared_clock.now()
    outcome = send(Watched(client, store.trail), one(), shared_clock, record_of(store))
    intent = record_of(store).intent()
    before = {"at": began, "likeness": intent.likeness, "before": [], "message_id": None, "resent": False}
    assert store.trail == [LIST, {"intent": before}, POST, {"intent": {**before, "message_id": outcome.message_id}}]
    assert (outcome.message_id, outcome.adopted) == (ids(emulator)[0], False)
    assert mailed(emulator) == ["Order 17"]


def test_an_intent_that_cannot_be_written_fences_off(client, emulator, shared_clock, store):
    def fail(value):
        raise PermissionError("replaced by another try")

    store.failing = fail
    with pytest.raises(PermissionError):
        send(client, one(), shared_clock, record_of(store))
    assert count(emulator, "smtp.send") == 0


def test_nobody_shows_in_the_store(client, shared_clock, store):
    send(client, one(), shared_clock, record_of(store))
    assert not any(word in str(store.texts) for word in (ADA, "ada", "Order", "shop"))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_message_that_was_sent_is_not_sent_again(client, emulator, shared_clock, store, choice):
    first = send(client, one(choice), shared_clock, record_of(store))
    shared_clock.sleep(40 * 86400)
    again = send(client, one(choice), shared_clock, record_of(store))
    assert (again.message_id, again.adopted) == (first.message_id, True)
    assert count(emulator, "smtp.send") == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 422, "error_code": 10}, Refused),
        ({"kind": "result_false"}, Refused),
        ({"kind": "status", "status": 429, "times": None}, Throttled),
        ({"kind": "status", "status": 401, "times": None}, AuthenticationFailed),
    ],
    ids=str,
)
def test_no_intent_stays_when_certainly_nothing_was_sent(client, emulator, shared_clock, store, fault, error):
    emulator.faults.add(**fault, operation="smtp.send")
    with pytest.raises(error):
        send(client, one(), shared_clock, record_of(store))
    assert record_of(store).intent() is None
    emulator.faults.clear()
    assert not send(client, one(), shared_clock, record_of(store)).adopted
    assert mailed(emulator) == ["Order 17"]


@pytest.mark.parametrize(("sending", "seconds"), [("limited", 900.0), ("over_quota", 3600.0)])
def test_a_limit_of_the_account_can_be_waited_for(client, emulator, shared_clock, store, sending, seconds):
    emulator.configure(smtp_sending=sending)
    with pytest.raises(Throttled) as caught:
        send(client, one(), shared_clock, record_of(store))
    assert caught.value.retry_after == seconds
    assert record_of(store).intent() is None


def test_nothing_is_sent_when_the_list_cannot_be_read(client, emulator, shared_clock, store):
    emulator.faults.add("status", status=500, operation="smtp.list", times=None)
    with pytest.raises(ServiceUnavailable):
        send(client, one(), shared_clock, record_of(store))
    assert count(emulator, "smtp.send") == 0
    assert store.trail == []


def test_what_cannot_be_a_message(client, emulator, shared_clock):
    with pytest.raises(InvalidRequest):
        send(client, one(wanted=message(to=[])), shared_clock)
    for window in (0, -1, 3601, float("nan")):
        with pytest.raises(InvalidRequest):
            one(visibility_window=window)
    assert count(emulator, "smtp.list") == 0


# A lost answer.


@pytest.mark.parametrize("fault", ["lose_answer", "cut_answer", "truncate"])
@pytest.mark.parametrize("late", [0, 15, VISIBILITY_WINDOW])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_lost_answer(client, emulator, shared_clock, store, choice, fault, late):
    emulator.configure(smtp_visibility_seconds=late)
    emulator.faults.add(fault, operation="smtp.send")
    began = shared_clock.now()
    outcome = send(client, one(choice), shared_clock, record_of(store))
    assert (outcome.message_id, outcome.adopted) == (ids(emulator)[0], True)
    assert late <= shared_clock.now() - began < late + LOOK_AGAIN
    assert mailed(emulator) == ["Order 17"]
    assert record_of(store).intent().message_id == outcome.message_id


@pytest.mark.parametrize("choice", CHOICES)
def test_a_lost_request(client, emulator, shared_clock, store, choice):
    emulator.faults.add("drop", operation="smtp.send")
    began = shared_clock.now()
    if choice == "resend":
        assert send(client, one(choice), shared_clock, record_of(store)).message_id == ids(emulator)[0]
    elif choice == "skip":
        outcome = send(client, one(choice), shared_clock, record_of(store))
        assert outcome.message_id is None
        assert "was listed within 120 s" in outcome.doubt
    else:
        with pytest.raises(AmbiguousOutcome, match="Look for it in the SMTP section") as caught:
            send(client, one(choice), shared_clock, record_of(store))
        assert caught.value.operation == POST
    assert shared_clock.now() - began == VISIBILITY_WINDOW
    assert mailed(emulator) == (["Order 17"] if choice == "resend" else [])
    assert count(emulator, "smtp.send") == (2 if choice == "resend" else 1)


def test_a_second_lost_request_is_not_followed_by_a_third(client, emulator, shared_clock, store):
    emulator.faults.add("drop", operation="smtp.send", times=2)
    # Neither now nor in a task that is cleared.
    for _ in range(3):
        with pytest.raises(AmbiguousOutcome, match="and sent again; none with"):
            send(client, one("resend"), shared_clock, record_of(store))
    assert count(emulator, "smtp.send") == 2


class Doomed(Watched):
    """A sender for one try, in which every request to send a message meets the same fate."""

    def __init__(self, client, fate):
        super().__init__(client)
        self.fate, self.tried = fate, False

    def send(self, call):
        if call.operation == LIST:
            if self.tried and self.fate == "look fails":
                raise ServiceUnavailable("no list")
            return []
        self.tried = True
        if self.fate == "throttled":
            raise Throttled("later")
        super().send(call)
        if self.fate == "killed":
            raise SystemExit
        raise AmbiguousOutcome("The answer was lost.")


@pytest.mark.parametrize("fates", [*product(["unlisted", "look fails", "killed", "throttled"], repeat=3)], ids=", ".join)
@pytest.mark.parametrize("is_stored", [True, False])
def test_never_a_third_over_all_tries(client, emulator, shared_clock, store, is_stored, fates):
    """Messages arrive, are never listed, and every try goes wrong; a clear is a try like any other."""
    for number, fate in enumerate(fates, start=1):
        before = count(emulator, "smtp.send")
        record = record_of(store) if is_stored else GuessedMessageRecord(number, shared_clock.now())
        with pytest.raises((ServiceUnavailable, Throttled, AmbiguousOutcome, SystemExit)) as caught:
            send(Doomed(client, fate), one("resend"), shared_clock, record)
        if "This try has sent nothing" in str(caught.value):
            assert count(emulator, "smtp.send") == before
        shared_clock.sleep(600)
    assert count(emulator, "smtp.send") <= 2
    # What is certain is not held back: with a store, a message that was only ever throttled is still sent.
    if is_stored and set(fates) == {"throttled"}:
        assert send(client, one("resend"), shared_clock, record_of(store)).message_id == ids(emulator)[0]


def test_a_refused_resend_leaves_the_first_in_doubt(client, emulator, shared_clock, store):
    emulator.faults.add("drop", operation="smtp.send")
    emulator.faults.add("status", status=429, operation="smtp.send", times=None)
    with pytest.raises(Throttled):
        send(client, one("resend"), shared_clock, record_of(store))
    assert record_of(store).intent().message_id is None
    with pytest.raises(AmbiguousOutcome):
        send(client, one("fail"), shared_clock, record_of(store))
    emulator.faults.clear()
    assert send(client, one("resend"), shared_clock, record_of(store)).message_id == ids(emulator)[0]
    assert mailed(emulator) == ["Order 17"]


def test_the_resend_is_noted_before_it_is_requested(client, emulator, shared_clock, store):
    emulator.faults.add("drop", operation="smtp.send")
    send(Watched(client, store.trail), one("resend"), shared_clock, record_of(store))
    posts = [number for number, step in enumerate(store.trail) if step == POST]
    assert [store.trail[number - 1]["intent"]["resent"] for number in posts] == [False, True]


@pytest.mark.parametrize("sends", [True, False])
def test_a_failed_look_says_whether_this_try_has_sent(client, emulator, shared_clock, store, sends):
    if not sends:
        cut_off(client, one("resend"), shared_clock, store, effect=True)
    emulator.faults.add("lose_answer", operation="smtp.send")
    emulator.faults.add("status", status=500, operation="smtp.list", times=None, after=1 if sends else 0)
    with pytest.raises(ServiceUnavailable, match="request of this try may" if sends else "try has sent nothing"):
        send(client, one("resend"), shared_clock, record_of(store))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_look_that_fails_sends_nothing_and_can_be_repeated(client, emulator, shared_clock, store, choice):
    emulator.faults.add("lose_answer", operation="smtp.send")
    emulator.faults.add("status", status=500, operation="smtp.list", times=None, after=1)
    with pytest.raises(ServiceUnavailable, match="A retry of the task looks again"):
        send(client, one(choice), shared_clock, record_of(store))
    emulator.faults.clear()
    assert send(client, one(choice), shared_clock, record_of(store)).adopted
    assert mailed(emulator) == ["Order 17"]


# Another try.


@pytest.mark.parametrize("late", [0, 15, VISIBILITY_WINDOW])
@pytest.mark.parametrize("passed", [0, 20, 4000, 30 * 3600])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_try_that_was_killed_after_sending(client, emulator, shared_clock, store, choice, passed, late):
    emulator.configure(smtp_visibility_seconds=late)
    cut_off(client, one(choice), shared_clock, store, effect=True)
    shared_clock.sleep(passed)
    outcome = send(client, one(choice), shared_clock, record_of(store))
    assert (outcome.message_id, outcome.adopted) == (ids(emulator)[0], True)
    assert mailed(emulator) == ["Order 17"]


@pytest.mark.parametrize("passed", [0, 20, 4000])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_try_that_was_killed_before_sending(client, emulator, shared_clock, store, choice, passed):
    cut_off(client, one(choice), shared_clock, store, effect=False)
    shared_clock.sleep(passed)
    if choice == "fail":
        with pytest.raises(AmbiguousOutcome):
            send(client, one(choice), shared_clock, record_of(store))
    else:
        assert (send(client, one(choice), shared_clock, record_of(store)).message_id is None) == (choice == "skip")
    assert mailed(emulator) == (["Order 17"] if choice == "resend" else [])


def test_a_message_that_appears_later_is_taken_after_all(client, emulator, shared_clock, store):
    emulator.configure(smtp_visibility_seconds=2 * VISIBILITY_WINDOW)
    emulator.faults.add("lose_answer", operation="smtp.send")
    assert send(client, one("skip"), shared_clock, record_of(store)).message_id is None
    shared_clock.sleep(VISIBILITY_WINDOW)
    assert send(client, one("skip"), shared_clock, record_of(store)).message_id == ids(emulator)[0]


@pytest.mark.parametrize("changes", [{"to": [Person(BEA)]}, {"subject": "Order 18"}, {"sender": Person("x@example.com")}])
@pytest.mark.parametrize("is_known", [True, False])
def test_another_message_is_a_conflict(client, emulator, shared_clock, store, changes, is_known):
    if is_known:
        send(client, one(), shared_clock, record_of(store))
    else:
        cut_off(client, one(), shared_clock, store, effect=True)
    with pytest.raises(MessageConflict, match="another edition or message_key"):
        send(client, one("resend", wanted=message(**changes)), shared_clock, record_of(store))
    assert count(emulator, "smtp.send") == 1


# What is like it.


def test_what_was_there_before_is_another_message(client, emulator, shared_clock, store):
    """Two runs, the same subject to the same person."""
    other = client.send(smtp.send(message()))
    emulator.faults.add("lose_answer", operation="smtp.send")
    outcome = send(client, one(), shared_clock, record_of(store))
    assert outcome.message_id not in (other, None)
    assert len(mailed(emulator)) == 2


def test_what_was_there_before_does_not_keep_it_from_being_sent(client, emulator, shared_clock, store):
    client.send(smtp.send(message()))
    emulator.faults.add("drop", operation="smtp.send")
    outcome = send(client, one("resend"), shared_clock, record_of(store))
    assert outcome.message_id == ids(emulator)[1]


@pytest.mark.parametrize("choice", CHOICES)
def test_several_that_may_be_it(client, emulator, shared_clock, store, choice):
    cut_off(client, one(choice), shared_clock, store, effect=True)
    client.send(smtp.send(message()))
    if choice == "skip":
        outcome = send(client, one(choice), shared_clock, record_of(store))
        assert outcome.message_id is None
        assert all(message_id in outcome.doubt for message_id in ids(emulator))
    else:
        with pytest.raises(AmbiguousOutcome) as caught:
            send(client, one(choice), shared_clock, record_of(store))
        assert all(message_id in str(caught.value) for message_id in ids(emulator))
    assert count(emulator, "smtp.send") == 2


def test_messages_to_others_and_about_other_things_are_not_it(client, emulator, shared_clock, store):
    cut_off(client, one(), shared_clock, store, effect=False)
    for changes in ({"to": [Person(BEA)]}, {"subject": "Order 18"}, {"subject": "Order 1"}):
        client.send(smtp.send(message(**changes)))
    with pytest.raises(AmbiguousOutcome, match="none with this sender"):
        send(client, one(), shared_clock, record_of(store))


@pytest.mark.parametrize(
    "written",
    [
        {"to": [Person("Ada@Example.com", "Ada")]},
        {"to": [Person(ADA), Person(BEA)], "cc": [Person("c@example.com")]},
        {"subject": "  Order\t17 "},
    ],
    ids=str,
)
def test_what_is_written_otherwise_is_it_all_the_same(client, emulator, shared_clock, store, written):
    emulator.faults.add("lose_answer", operation="smtp.send")
    assert send(client, one(wanted=message(**written)), shared_clock, record_of(store)).message_id == ids(emulator)[0]


@pytest.mark.parametrize(("field", "value"), [("recipient", None), ("subject", ""), ("sender", ""), ("send_date", "")])
def test_a_field_that_is_left_open_speaks_for_it(client, emulator, shared_clock, store, field, value):
    class Open(Watched):
        def send(self, call):
            answer = super().send(call)
            if call.operation == LIST:
                answer = [replace(found, **{field: value or ""}) for found in answer]
            return answer

    emulator.faults.add("lose_answer", operation="smtp.send")
    assert send(Open(client), one(), shared_clock, record_of(store)).adopted


def test_pages_that_are_not_full_hide_nothing(client, emulator, shared_clock, store):
    class Short(Watched):
        def send(self, call):
            return super().send(replace(call, limit=1) if call.operation == LIST else call)

    for _ in range(3):
        client.send(smtp.send(message()))
    emulator.faults.add("lose_answer", operation="smtp.send")
    assert send(Short(client), one(), shared_clock, record_of(store)).message_id == ids(emulator)[3]


# A subject that is a mark.


def unique(shared_clock, choice="fail", **others):
    return one(choice, is_unique=True, since=shared_clock.now() - 86400, **others)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("passed", [0, 3600])
def test_a_unique_one_is_never_sent_twice_by_whomever(client, emulator, shared_clock, store, choice, passed):
    wanted = unique(shared_clock, choice)
    first = send(client, wanted, shared_clock, record_of(store, "one run"))
    shared_clock.sleep(passed)
    for record in (record_of(store, "another"), GuessedMessageRecord(1, 0), GuessedMessageRecord(2, shared_clock.now())):
        again = send(client, wanted, shared_clock, record)
        assert (again.message_id, again.adopted) == (first.message_id, True)
    assert mailed(emulator) == ["Order 17"]
    assert record_of(store, "another").intent().message_id == first.message_id


def test_of_several_unique_ones_the_first_is_it(client, emulator, shared_clock, store):
    for _ in range(3):
        client.send(smtp.send(message()))
        shared_clock.sleep(10)
    cut_off(client, one(), shared_clock, store, effect=True)
    assert send(client, unique(shared_clock), shared_clock, record_of(store)).message_id == ids(emulator)[0]
    assert send(client, unique(shared_clock), shared_clock).message_id == ids(emulator)[0]
    assert count(emulator, "smtp.send") == 4


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("fault", ["lose_answer", "drop"])
def test_a_unique_one_in_doubt(client, emulator, shared_clock, store, choice, fault):
    emulator.faults.add(fault, operation="smtp.send")
    if fault == "drop" and choice == "fail":
        with pytest.raises(AmbiguousOutcome):
            send(client, unique(shared_clock, choice), shared_clock, record_of(store))
    else:
        send(client, unique(shared_clock, choice), shared_clock, record_of(store))
    assert len(mailed(emulator)) == (1 if fault == "lose_answer" or choice == "resend" else 0)


def test_a_subject_that_is_filled_in_is_not_unique(shared_clock):
    with pytest.raises(InvalidRequest, match="not unique"):
        unique(shared_clock, wanted=message(subject="Order {{order}}", text=None, template_id=7))


# Where nothing outlives a try.


@pytest.mark.parametrize("choice", CHOICES)
def test_a_retry_without_a_store_finds_what_was_sent_since_its_run_was_due(client, emulator, shared_clock, choice):
    client.send(smtp.send(message()))
    shared_clock.sleep(3600)
    began = shared_clock.now()
    sent = client.send(smtp.send(message()))
    kyiv = ZoneInfo("Europe/Kyiv")
    record = GuessedMessageRecord(2, shared_clock.now())
    outcome = send(client, one(choice, since=began, zone=kyiv), shared_clock, record)
    assert (outcome.message_id, outcome.adopted) == (sent, True)
    # A day is as near as it gets without the account's time zone: the earlier one may be it as well.
    if choice == "skip":
        assert send(client, one(choice, since=began), shared_clock, GuessedMessageRecord(2, began)).message_id is None
    else:
        with pytest.raises(AmbiguousOutcome):
            send(client, one(choice, since=began), shared_clock, GuessedMessageRecord(2, began))
    assert count(emulator, "smtp.send") == 2


@pytest.mark.parametrize("choice", CHOICES)
def test_a_retry_without_a_store_that_finds_nothing(client, emulator, shared_clock, choice):
    record = GuessedMessageRecord(2, shared_clock.now())
    wanted = one(choice, since=shared_clock.now())
    if choice == "fail":
        with pytest.raises(AmbiguousOutcome):
            send(client, wanted, shared_clock, record)
    else:
        send(client, wanted, shared_clock, record)
    assert len(mailed(emulator)) == (1 if choice == "resend" else 0)


def test_without_a_store_the_second_try_alone_sends_again(client, emulator, shared_clock):
    emulator.faults.add("drop", operation="smtp.send")
    with pytest.raises(ServiceUnavailable, match="The second try of the task"):
        send(client, one("resend"), shared_clock, GuessedMessageRecord(1, shared_clock.now()))
    with pytest.raises(AmbiguousOutcome, match="sent again"):
        send(client, one("resend", since=shared_clock.now()), shared_clock, GuessedMessageRecord(3, shared_clock.now()))
    outcome = send(client, one("resend"), shared_clock, GuessedMessageRecord(2, shared_clock.now()))
    assert [outcome.message_id] == ids(emulator)


# Others at the same time.


def leased(client):
    return lambda name: client.lease(name, "this task")


def test_others_wait_until_it_is_clear_whose_message_is_whose(client, emulator, shared_clock, store):
    other = client.lease(lease_name(message()), "another task")
    assert other.take(300) == 0
    began = shared_clock.now()
    outcome = send(client, one(), shared_clock, record_of(store), leased(client))
    assert not outcome.adopted
    assert shared_clock.now() - began >= 300
    # It is free again at once.
    assert other.take(300) == 0


def test_another_task_that_does_not_end(client, emulator, shared_clock, store):
    other = client.lease(lease_name(message()), "another task")
    other.take(7000)
    with pytest.raises(ServiceUnavailable, match="has sent nothing"):
        send(client, one(), shared_clock, record_of(store), leased(client))
    assert count(emulator, "smtp.send") == 0


def test_a_message_in_doubt_keeps_others_waiting(client, emulator, shared_clock, store):
    emulator.faults.add("drop", operation="smtp.send")
    with pytest.raises(AmbiguousOutcome):
        send(client, one(), shared_clock, record_of(store), leased(client))
    left = client.lease(lease_name(message()), "another task").take(10)
    assert left == pytest.approx(VISIBILITY_WINDOW)


def test_a_try_that_was_replaced_sends_nothing(client, emulator, shared_clock, store):
    name = lease_name(message())

    class Replacing(Watched):
        def send(self, call):
            if call.operation == LIST:
                client.lease(name, "this task").take(600)
            return super().send(call)

    with pytest.raises(ServiceUnavailable, match="taken over"):
        send(Replacing(client), one(), shared_clock, record_of(store), leased(client))
    assert count(emulator, "smtp.send") == 0


def test_messages_to_others_do_not_wait():
    assert lease_name(message()) != lease_name(message(to=[Person(BEA)]))
    assert ADA not in lease_name(message())
