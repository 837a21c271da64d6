# SPDX-License-Identifier: Apache-2.0
"""One decision on a status, for everybody who waits."""

from __future__ import annotations

import logging
import time

import pytest

from airflow_provider_sendpulse.exceptions import AddressBookUnusable, CampaignNotSent, NeedsHuman
from airflow_provider_sendpulse.jobs.waiting import (
    Decision,
    History,
    Verdict,
    judge_address_book,
    judge_campaign,
    judge_figures,
    moment,
)
from airflow_provider_sendpulse.sendpulse.statuses import AddressBookStatus, CampaignStatus

WAIT, DONE, FAILED = Verdict.WAIT, Verdict.DONE, Verdict.FAILED


def meaning(statuses, code):
    status = statuses.of(code)
    return status.meaning if status else "not documented"


# Written out by hand: the verdict when a campaign is to be sent, and the error.
CAMPAIGNS = {
    **dict.fromkeys([0, 1, 2, 4, 7, 9, 10, 13, 14, 15, 22, 28], (WAIT, None)),
    3: (DONE, None),
    **dict.fromkeys([5, 6, 8, 12, 16, 23, 25], (FAILED, CampaignNotSent)),
    **dict.fromkeys([11, 26, 27, 33, 36], (FAILED, NeedsHuman)),
    **dict.fromkeys([17, 18, 19, 20, 21, 24, 29, 30, 31, 32, 34, 35, 37, 99, -1], (WAIT, None)),
}


@pytest.mark.parametrize(("code", "expected"), CAMPAIGNS.items())
def test_a_campaign_that_is_to_be_sent(code, expected):
    decision = judge_campaign(7, code)
    verdict, error = expected
    assert (decision.verdict, decision.code, decision.is_over) == (verdict, code, verdict is not WAIT)
    assert decision.text.partition(", while")[0] == meaning(CampaignStatus, code)
    assert type(decision.error) is (error or type(None))
    if error:
        assert f"Campaign 7 is at status {code}" in str(decision.error)


@pytest.mark.parametrize("code", CAMPAIGNS)
def test_a_target_wins_over_every_meaning(code):
    decision = judge_campaign(7, code, targets={code, 3})
    assert decision == Decision(DONE, code, meaning(CampaignStatus, code))


@pytest.mark.parametrize(("code", "verdict"), [(13, WAIT), (1, WAIT), (14, DONE), (3, FAILED), (8, FAILED), (5, FAILED)])
def test_waiting_for_an_earlier_status(code, verdict):
    decision = judge_campaign(7, code, targets=[14, 2])
    assert decision.verdict is verdict
    if code in (3, 8):
        assert decision.text == f"{meaning(CampaignStatus, code)}, while 2 or 14 was waited for"
        assert f"({decision.text})" in str(decision.error)


@pytest.mark.parametrize(("code", "verdict"), [(26, DONE), (3, FAILED), (27, FAILED), (13, WAIT)])
def test_a_draft_that_is_to_be_one(code, verdict):
    assert judge_campaign(7, code, targets={26}).verdict is verdict


@pytest.mark.parametrize(("on_partial", "verdict"), [("fail", FAILED), ("success", DONE)])
def test_sent_in_part(on_partial, verdict):
    decision = judge_campaign(7, 23, on_partial=on_partial)
    assert (decision.verdict, decision.code, decision.text) == (verdict, 23, "Sent in part")


@pytest.mark.parametrize("code", [5, 12, 16, 25, 11, 27])
def test_part_of_it_is_no_excuse_for_anything_else(code):
    assert judge_campaign(7, code, on_partial="success").verdict is FAILED


@pytest.mark.parametrize("code", [5, 6, 11, 12, 16, 23, 25, 26, 27, 33])
def test_a_failure_says_what_to_do(code):
    assert len(str(judge_campaign(7, code).error).split(". ")) >= 2


BOOKS = {
    0: (DONE, None),
    1: (FAILED, AddressBookUnusable),
    3: (FAILED, NeedsHuman),
    4: (WAIT, None),
    5: (WAIT, None),
    **dict.fromkeys([2, 6, 99, -1], (WAIT, None)),
}


@pytest.mark.parametrize(("code", "expected"), BOOKS.items())
def test_an_address_book(code, expected):
    decision = judge_address_book(7, code, contacts=3)
    assert (decision.verdict, type(decision.error)) == (expected[0], expected[1] or type(None))
    assert (decision.code, decision.text) == (code, meaning(AddressBookStatus, code))
    if decision.error:
        status = AddressBookStatus.of(code)
        assert str(decision.error) == f"Address book 7 is at status {code}: {status.meaning}. {status.advice}"


@pytest.mark.parametrize(
    ("contacts", "expected_contacts", "verdict"),
    [(0, None, DONE), (0, 0, DONE), (2, 3, WAIT), (3, 3, DONE), (4, 3, DONE)],
)
def test_an_address_book_that_is_still_filling(contacts, expected_contacts, verdict):
    decision = judge_address_book(7, 0, contacts=contacts, expected_contacts=expected_contacts)
    assert (decision.verdict, decision.code) == (verdict, 0)
    assert verdict is DONE or decision.text == "2 of 3 contacts are there"


@pytest.mark.parametrize("code", [1, 3, 4, 5])
def test_contacts_do_not_open_a_locked_book(code):
    assert judge_address_book(7, code, contacts=9, expected_contacts=3).verdict is not DONE


def test_history_holds_every_change_once(caplog):
    history = History()
    with caplog.at_level(logging.INFO):
        for code, now in [(13, 100.0), (13, 110.0), (1, 120.5), (13, 130.0), (99, 140.0), (99, 150.0)]:
            history.note("Campaign 7", judge_campaign(7, code), now)
    assert history.seen == [[13, 100.0], [1, 120.5], [13, 130.0], [99, 140.0]]
    assert len(caplog.records) == 4
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "INFO", "WARNING"]
    assert told(caplog)[1] == "Campaign 7: status 1 (Waiting to be sent, in moderation), after 20 s"
    assert told(caplog)[3] == "Campaign 7: status 99 (not documented), after 10 s; taken as in progress"


def test_history_goes_on_from_an_earlier_one(caplog):
    history = History([[13, 100.0]])
    with caplog.at_level(logging.INFO):
        history.note("Campaign 7", Decision(WAIT, 13, "x"), 110.0)
    assert history.seen == [[13, 100.0]]
    assert not caplog.records


def test_history_knows_what_was_seen_last():
    history = History()
    assert history.last == "nothing"
    history.note("Campaign 7", judge_campaign(7, 13), 100.0)
    history.note("Campaign 7", judge_campaign(7, 1), 110.0)
    history.note("Campaign 7", judge_campaign(7, 14), 120.0)
    assert history.last == "status 14 (Created and queued)"
    # What an earlier leg of the task has seen comes without its meaning.
    assert History([[13, 100.0]]).last == "nothing"


def test_history_keeps_milliseconds():
    history = History()
    history.note("Campaign 7", judge_campaign(7, 13), 100.12345)
    assert history.seen == [[13, 100.123]]


def test_history_tells_when_a_status_has_something_new_to_say(caplog):
    history = History()
    with caplog.at_level(logging.INFO):
        for contacts, now in [(1, 0.0), (1, 10.0), (2, 20.0), (2, 1819.0), (2, 1820.0)]:
            history.note("Book 7", judge_address_book(7, 0, contacts=contacts, expected_contacts=3), now)
    since = "since 1970-01-01 00:00:00 UTC"
    assert told(caplog) == [
        "Book 7: status 0 (1 of 3 contacts are there)",
        f"Book 7: status 0 (2 of 3 contacts are there) {since}",
        f"Book 7: status 0 (2 of 3 contacts are there) {since}",
    ]
    assert history.seen == [[0, 0.0]]


def test_an_undocumented_target_is_not_taken_as_in_progress(caplog):
    with caplog.at_level(logging.INFO):
        History().note("Campaign 7", judge_campaign(7, 99, targets={99}), 0.0)
    assert told(caplog) == ["Campaign 7: status 99 (not documented)"]


def told(caplog):
    return [record.getMessage() for record in caplog.records]


def test_history_tells_again_after_half_an_hour(caplog):
    history, deadline = History(), 1_800_036_000.0
    began = 1_800_000_000.0
    with caplog.at_level(logging.INFO):
        for passed in [0, 60, 1799, 1800, 1860, 3599, 3600, 3660]:
            history.note("Campaign 7", judge_campaign(7, 1), began + passed, deadline)
    assert history.seen == [[1, began]]
    said = told(caplog)
    assert len(said) == 3
    assert said[0] == "Campaign 7: status 1 (Waiting to be sent, in moderation)"
    since = "Campaign 7: status 1 (Waiting to be sent, in moderation) since 2027-01-15 08:00:00 UTC"
    assert said[1] == said[2] == f"{since}, deadline 2027-01-15 18:00:00 UTC; hours are normal"


def test_figures_are_told_from_time_to_time_and_not_kept(caplog):
    history, deadline = History(), 1_800_036_000.0
    with caplog.at_level(logging.INFO):
        for starts, passed in [(1, 0), (2, 60), (3, 1799), (4, 1800), (5, 3599), (6, 3600)]:
            decision = judge_figures({"starts": starts}, [f"starts is {starts}"])
            history.note("Flow 7", decision, 1_800_000_000.0 + passed, deadline)
        assert history.last == "starts is 6"
        history.note("Flow 7", judge_figures({"starts": 7}, []), 1_800_003_601.0)
    until = ", deadline 2027-01-15 18:00:00 UTC"
    assert told(caplog) == [
        f"Flow 7: starts is 1{until}",
        f"Flow 7: starts is 4{until}",
        f"Flow 7: starts is 6{until}",
        "Flow 7: all that was waited for",
    ]
    assert history.seen == []


@pytest.mark.parametrize(("missing", "verdict"), [([], DONE), (["a is 1"], WAIT), (["a is 1", "b is 2"], WAIT)])
def test_figures_are_waited_for_until_nothing_is_missing(missing, verdict):
    figures = {"a": 1, "b": 2}
    decision = judge_figures(figures, missing)
    assert (decision.verdict, decision.code, decision.figures, decision.error) == (verdict, None, figures, None)
    assert decision.figures is not figures
    assert decision.text == ("; ".join(missing) or "all that was waited for")


@pytest.mark.parametrize(("passed", "lines"), [(1799.9, 1), (1800.0, 2)])
def test_half_an_hour_is_half_an_hour(caplog, passed, lines):
    history = History()
    with caplog.at_level(logging.INFO):
        history.note("Campaign 7", judge_campaign(7, 1), 100.0)
        history.note("Campaign 7", judge_campaign(7, 1), 100.0 + passed)
    assert len(caplog.records) == lines


@pytest.mark.parametrize("code", [13, 14, 2, 0, 99])
def test_hours_are_normal_in_moderation_only(caplog, code):
    history = History()
    with caplog.at_level(logging.INFO):
        for now in (1_800_000_000.0, 1_800_001_800.0):
            history.note("Campaign 7", judge_campaign(7, code), now, 1_800_036_000.0)
    assert len(caplog.records) == 2
    assert told(caplog)[1].endswith(" since 2027-01-15 08:00:00 UTC, deadline 2027-01-15 18:00:00 UTC")


def test_history_without_a_deadline_names_none(caplog):
    history = History()
    with caplog.at_level(logging.INFO):
        history.note("Campaign 7", judge_campaign(7, 1), 100.0)
        history.note("Campaign 7", judge_campaign(7, 1), 1900.0)
    assert told(caplog)[1].endswith(" since 1970-01-01 00:01:40 UTC; hours are normal")


def test_a_new_status_begins_its_own_half_hour(caplog):
    history = History()
    with caplog.at_level(logging.INFO):
        for code, now in [(13, 0.0), (1, 1700.0), (1, 1900.0), (1, 3499.0), (1, 3500.0)]:
            history.note("Campaign 7", judge_campaign(7, code), now, 9000.0)
    assert len(caplog.records) == 3
    assert "since 1970-01-01 00:28:20 UTC" in told(caplog)[2]


def test_moment(monkeypatch):
    assert moment(1_800_000_000.9) == "2027-01-15 08:00:00 UTC"
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", "XYZ-5")  # a machine five hours east of Greenwich
            time.tzset()
            assert moment(1_800_000_000.9) == "2027-01-15 08:00:00 UTC"
    finally:
        time.tzset()
