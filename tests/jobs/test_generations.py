# SPDX-License-Identifier: Apache-2.0
"""A mailing that ended badly: when a next generation is created, and which one is taken for the mailing's."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER, POST, Store, Watched, create, list_unsent, mailing_to

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, CampaignConflict, CampaignNotSent, Refused
from airflow_provider_sendpulse.jobs.intent import GuessedRecord
from airflow_provider_sendpulse.jobs.mailing import ENDED_BADLY, LOOK_AGAIN, VISIBILITY_WINDOW, went_out
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.sendpulse.campaigns import Campaign, Statistic
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus, DeliveryStatus

BAD = frozenset(status.code for status in ENDED_BADLY)
SECOND = Marker(MARKER.digest, 2)


@pytest.fixture(autouse=True)
def settings(emulator, monkeypatch):
    list_unsent(monkeypatch)
    emulator.configure(campaigns_per_window=None, clock="manual")


@pytest.fixture
def book(emulator):
    return add_book(emulator, contacts=4)


@pytest.fixture
def wanted(book):
    return mailing_to(book, mailing={"recreate": BAD})


@pytest.fixture
def store():
    return Store()


def ended(emulator, book, status, marker=MARKER, *before):
    """A campaign that went through some statuses and is now in this one."""
    campaign = add_campaign(emulator, book, marker.name("x"))
    with emulator.emulator.lock:
        for code in (*before, status):
            emulator.state.course.force(campaign, code, [])
    return campaign


def generations(emulator):
    return [Marker.in_name(campaign.content.name).generation for campaign in emulator.state.campaigns]


def mailed(emulator):
    """How often each reader was written to."""
    readers = [message.to for message in emulator.state.mailbox]
    return {reader: readers.count(reader) for reader in readers}


def test_what_counts_as_a_bad_end():
    assert sorted(BAD) == [5, 12, 16]


@pytest.mark.parametrize("status", sorted(BAD))
@pytest.mark.parametrize("kept", [True, False])
def test_the_next_generation_is_created(client, emulator, book, shared_clock, wanted, store, status, kept):
    if kept:
        first = create(client, wanted, shared_clock, store.record())
        with emulator.emulator.lock:
            emulator.state.course.force(emulator.state.campaigns.get(first.campaign_id), status, [])
    else:
        ended(emulator, book, status)
    outcome = create(client, wanted, shared_clock, store.record())
    assert not outcome.adopted
    assert generations(emulator) == [1, 2]
    assert emulator.state.campaigns.get(outcome.campaign_id).content.name.endswith(str(SECOND))
    assert store.record().intent().generation == 2
    assert shared_clock.sleeps == []
    # And this one is the mailing's from now on, whoever looks.
    assert create(client, wanted, shared_clock, store.record()).campaign_id == outcome.campaign_id
    assert create(client, wanted, shared_clock).campaign_id == outcome.campaign_id
    assert generations(emulator) == [1, 2]


@pytest.mark.parametrize("status", sorted({status.code for status in CampaignStatus} - BAD))
@pytest.mark.parametrize("kept", [True, False])
def test_any_other_status_is_no_reason(client, emulator, book, shared_clock, wanted, store, status, kept):
    there = ended(emulator, book, status)
    record = store.record() if kept else None
    if status == CampaignStatus.DRAFT.code:  # a draft that was not asked for is no campaign to adopt, either
        with pytest.raises(CampaignConflict, match="a draft"):
            create(client, wanted, shared_clock, record)
        return
    # Also when told to by mistake: having gone out is never a reason.
    wanted = replace(wanted, recreate=frozenset(status.code for status in CampaignStatus))
    for _ in range(2):
        outcome = create(client, wanted, shared_clock, record)
        assert (outcome.campaign_id, outcome.adopted) == (there.id, True)
    assert generations(emulator) == [1]


@pytest.mark.parametrize("status", sorted(BAD))
@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("kept", [True, False])
def test_part_of_it_went_out(client, emulator, book, shared_clock, wanted, store, status, shape, kept):
    emulator.configure(campaign_statistics=shape)
    there = ended(emulator, book, status, MARKER, 23)
    assert len(mailed(emulator)) == 2
    assert create(client, wanted, shared_clock, store.record() if kept else None).campaign_id == there.id
    assert generations(emulator) == [1]
    assert max(mailed(emulator).values()) == 1


def without_figures(monkeypatch, shape):
    """Let the service leave out, or leave empty, the figures of a campaign."""
    from airflow_provider_sendpulse.emulator.api import campaign_answers

    told = campaign_answers.one_campaign

    def one_campaign(*arguments):
        answer = told(*arguments)
        if shape == "absent":
            del answer["statistics"]
        else:
            answer["statistics"] = [] if shape == "array" else {"general": [], "clicks": []}
        return answer

    for name, module in [*sys.modules.items()]:
        if name.startswith("airflow_provider_sendpulse.emulator") and getattr(module, "one_campaign", None) is told:
            monkeypatch.setattr(module, "one_campaign", one_campaign)


@pytest.mark.parametrize("status", sorted(BAD))
@pytest.mark.parametrize("shape", ["absent", "array", "object"])
@pytest.mark.parametrize("kept", [True, False])
def test_no_figures(client, emulator, book, shared_clock, wanted, store, monkeypatch, status, shape, kept):
    without_figures(monkeypatch, shape)
    there = ended(emulator, book, status, MARKER, *([] if status == 12 else [23]))
    record = store.record() if kept else None
    if status == 12:
        assert not create(client, wanted, shared_clock, record).adopted
        return
    for _ in range(2):
        with pytest.raises(CampaignNotSent, match="gives no figures") as caught:
            create(client, wanted, shared_clock, record)
    assert str(MARKER) in str(caught.value)
    assert generations(emulator) == [1]
    assert max(mailed(emulator).values()) == 1
    if kept:
        assert store.record().intent().campaign_id == there.id


@pytest.mark.parametrize("ours", ["cancelled", "killable", "neither", "other"])
@pytest.mark.parametrize("figures", [True, False])
def test_what_a_kill_has_cancelled(client, emulator, book, shared_clock, wanted, store, monkeypatch, ours, figures):
    if not figures:
        without_figures(monkeypatch, "array")
    wanted = replace(wanted, recreate=frozenset(), recreate_killed=True)
    first = create(client, wanted, shared_clock, store.record()).campaign_id
    if ours == "cancelled":
        store.record().keep_cancelled(first)
    elif ours != "neither":
        store.record().keep_killable(first if ours == "killable" else first + 1)
    with emulator.emulator.lock:
        emulator.state.course.force(emulator.state.campaigns.get(first), 16, [])
    assert create(client, wanted, shared_clock, store.record()).adopted is (ours in ("neither", "other"))


def test_a_kill_that_came_too_late(client, emulator, shared_clock, wanted, store):
    wanted = replace(wanted, recreate=frozenset(), recreate_killed=True)
    first = create(client, wanted, shared_clock, store.record()).campaign_id
    store.record().keep_killable(first)
    with emulator.emulator.lock:
        for status in (23, 16):
            emulator.state.course.force(emulator.state.campaigns.get(first), status, [])
    assert create(client, wanted, shared_clock, store.record()).campaign_id == first


@pytest.mark.parametrize("recreate", [frozenset(), frozenset({16}), frozenset({5, 12})])
@pytest.mark.parametrize("status", sorted(BAD))
def test_only_what_was_asked_for_is_recreated(client, emulator, book, shared_clock, wanted, recreate, status):
    ended(emulator, book, status)
    outcome = create(client, replace(wanted, recreate=recreate), shared_clock)
    assert outcome.adopted is (status not in recreate)


def test_a_list_that_lags_behind_is_not_believed(client, emulator, book, shared_clock, wanted):
    # It says cancelled, and the campaign itself says that it is being sent.
    there = ended(emulator, book, 2)
    send = client.send

    def stale(call):
        answer = send(call)
        if call.operation == "GET /campaigns":
            return [replace(campaign, status=16) for campaign in answer]
        return answer

    client.send = stale
    assert create(client, wanted, shared_clock).campaign_id == there.id


def test_the_highest_generation_counts(client, emulator, book, shared_clock, wanted):
    third = replace(MARKER, generation=3)
    for marker in (MARKER, third, SECOND):
        ended(emulator, book, 16, marker)
    create(client, wanted, shared_clock)
    assert generations(emulator) == [1, 3, 2, 4]


def test_the_tenth_generation_is_later_than_the_ninth(client, emulator, book, shared_clock, wanted):
    for number in (9, 10, 2):
        ended(emulator, book, 16, replace(MARKER, generation=number))
    create(client, wanted, shared_clock)
    assert generations(emulator)[-1] == 11


def test_a_later_generation_is_adopted_whatever_became_of_the_first(client, emulator, book, shared_clock, wanted):
    second = add_campaign(emulator, book, SECOND.name("x"))
    ended(emulator, book, 16)
    assert create(client, wanted, shared_clock).campaign_id == second.id


def test_another_edition_is_no_generation(client, emulator, book, shared_clock, wanted):
    other = Marker.of(deployment="production", mailing_key="weekly", edition=2)
    ended(emulator, book, 16, replace(other, generation=7))
    create(client, wanted, shared_clock)
    assert generations(emulator) == [7, 1]


def test_somebody_else_created_the_next_generation(client, emulator, book, shared_clock, wanted, store):
    # Another run with the same mailing_key: the id of this task's own try is not the latest word.
    create(client, wanted, shared_clock, store.record())
    with emulator.emulator.lock:
        emulator.state.course.force(next(iter(emulator.state.campaigns)), 16, [])
    second = create(client, wanted, shared_clock)
    assert not second.adopted
    again = create(client, wanted, shared_clock, store.record())
    assert (again.campaign_id, again.adopted) == (second.campaign_id, True)
    assert generations(emulator) == [1, 2]


def test_somebody_elses_generation_ended_badly_too(client, emulator, book, shared_clock, wanted, store):
    create(client, wanted, shared_clock, store.record())
    with emulator.emulator.lock:
        emulator.state.course.force(next(iter(emulator.state.campaigns)), 16, [])
    ended(emulator, book, 12, SECOND)
    assert not create(client, wanted, shared_clock, store.record()).adopted
    assert generations(emulator) == [1, 2, 3]


def test_a_deleted_second_generation_is_not_replaced_by_the_first(client, emulator, book, shared_clock, wanted, store):
    # It may have gone out before somebody deleted it.
    ended(emulator, book, 16)
    second = create(client, wanted, shared_clock, store.record())
    del emulator.state.campaigns._campaigns[second.campaign_id]
    with pytest.raises(CampaignNotSent, match=f"Campaign {second.campaign_id}"):
        create(client, wanted, shared_clock, store.record())
    assert count(emulator, "campaigns.create") == 1


# Doubt about a later generation.


@pytest.mark.parametrize("late", [0, 5, VISIBILITY_WINDOW])
@pytest.mark.parametrize("effect", [True, False])
def test_an_old_generation_does_not_settle_the_doubt(client, emulator, book, shared_clock, wanted, late, effect):
    emulator.configure(campaign_visibility_seconds=late)
    ended(emulator, book, 16)
    emulator.faults.add("lose_answer" if effect else "drop", operation="campaigns.create")
    began = shared_clock.now()
    outcome = create(client, wanted, shared_clock)
    assert outcome.adopted is effect
    assert generations(emulator) == [1, 2]
    assert shared_clock.now() - began >= (late if effect else VISIBILITY_WINDOW)


@pytest.mark.parametrize("late", [0, 5, VISIBILITY_WINDOW])
@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("stored", [True, False])
def test_an_old_generation_does_not_settle_an_intent(
    client, emulator, book, shared_clock, wanted, store, late, effect, stored
):
    emulator.configure(campaign_visibility_seconds=late)
    ended(emulator, book, 16)
    sender = Watched(client, **{"after" if effect else "before": {POST: SystemExit()}})
    with pytest.raises(SystemExit):
        create(sender, wanted, shared_clock, store.record() if stored else None)
    began = shared_clock.now()
    record = store.record() if stored else GuessedRecord(2, began)
    outcome = create(client, wanted, shared_clock, record)
    assert outcome.adopted is effect
    assert generations(emulator) == [1, 2]
    passed = shared_clock.now() - began
    assert late <= passed < late + LOOK_AGAIN if effect else passed >= VISIBILITY_WINDOW


def test_an_intent_for_what_somebody_has_cancelled_since(client, emulator, shared_clock, wanted, store):
    # The doubt is about the first generation, and it is settled: no need to look for a second one.
    with pytest.raises(SystemExit):
        create(Watched(client, after={POST: SystemExit()}), wanted, shared_clock, store.record())
    with emulator.emulator.lock:
        emulator.state.course.cancel(next(iter(emulator.state.campaigns)))
    assert not create(client, wanted, shared_clock, store.record()).adopted
    assert generations(emulator) == [1, 2]
    assert shared_clock.sleeps == []


def test_an_intent_for_a_later_generation_that_nobody_wants_any_more(client, emulator, book, shared_clock, wanted, store):
    first = ended(emulator, book, 16)
    with pytest.raises(SystemExit):
        create(Watched(client, before={POST: SystemExit()}), wanted, shared_clock, store.record())
    began = shared_clock.now()
    outcome = create(client, replace(wanted, recreate=frozenset()), shared_clock, store.record())
    assert (outcome.campaign_id, outcome.adopted) == (first.id, True)
    assert shared_clock.now() - began == VISIBILITY_WINDOW


def test_a_later_generation_that_is_refused_leaves_no_intent(client, emulator, book, shared_clock, wanted, store):
    ended(emulator, book, 16)
    emulator.faults.add("status", status=422, error_code=707, operation="campaigns.create")
    with pytest.raises(Refused):
        create(client, wanted, shared_clock, store.record())
    assert store.record().intent() is None
    assert not create(client, wanted, shared_clock, store.record()).adopted
    assert generations(emulator) == [1, 2]


def test_a_second_doubt_is_final_for_a_later_generation_too(client, emulator, book, shared_clock, wanted, store):
    ended(emulator, book, 16)
    emulator.faults.add("drop", operation="campaigns.create", times=None)
    with pytest.raises(AmbiguousOutcome) as caught:
        create(client, wanted, shared_clock, store.record())
    assert MARKER.digest in str(caught.value)
    assert count(emulator, "campaigns.create") == 2
    assert store.record().intent().generation == 2


# Whether anything went out.

UNSENT = {DeliveryStatus.IN_QUEUE, DeliveryStatus.NOT_SENT}


def campaign(status, *statistics):
    rows = tuple(Statistic(code, number, "") for code, number in statistics)
    return Campaign(7, "x", status, "", (), "", 0, 0, 0, 0.0, "", "", statistics=rows)


@pytest.mark.parametrize("status", [*sorted({status.code for status in CampaignStatus} - BAD), 17, 99, -1])
def test_it_went_out_unless_it_certainly_did_not(status):
    assert went_out(campaign(status))
    assert went_out(campaign(status, (0, 5)))


@pytest.mark.parametrize("status", sorted(BAD))
@pytest.mark.parametrize("delivery", [*(status.code for status in DeliveryStatus), 99])
def test_figures_tell_whether_it_went_out(status, delivery):
    assert went_out(campaign(status)) is (False if status == 12 else None)
    assert went_out(campaign(status, (delivery, 0))) is False
    is_unsent = delivery in {status.code for status in UNSENT}
    assert went_out(campaign(status, (delivery, 1))) is not is_unsent
    assert went_out(campaign(status, (0, 3), (delivery, 1), (13, 2))) is not is_unsent
