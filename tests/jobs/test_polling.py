# SPDX-License-Identifier: Apache-2.0
"""Waiting in the worker."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse.exceptions import (
    AuthenticationFailed,
    CampaignNotSent,
    DeadlinePassed,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.polling import POLL_ERROR_WINDOW, Trouble, wait_until_over
from airflow_provider_sendpulse.jobs.waiting import History, judge_campaign


def wait(clock, *looks, seconds=100.0, poll_interval=30.0, history=None, **settings):
    """Wait through looks: status codes, or errors to raise; the last one stays."""
    pending = list(looks)

    def look():
        clock.looks = getattr(clock, "looks", 0) + 1
        seen = pending.pop(0) if len(pending) > 1 else pending[0]
        if isinstance(seen, Exception):
            raise seen
        return judge_campaign(7, seen)

    return wait_until_over(
        "Campaign 7",
        look,
        poll_interval=poll_interval,
        deadline=clock.now() + seconds,
        clock=clock,
        history=history if history is not None else History(),
        **settings,
    )


def test_it_is_over_at_the_first_look(clock):
    assert wait(clock, 3).code == 3
    assert clock.sleeps == []


def test_it_goes_on_until_it_is_over(clock):
    history, began = History(), clock.now()
    assert wait(clock, 13, 13, 1, 3, history=history).code == 3
    assert clock.sleeps == [30.0, 30.0, 30.0]
    assert history.seen == [[13, began], [1, began + 60], [3, began + 90]]


def test_a_failure_is_a_decision_and_not_raised(clock):
    decision = wait(clock, 13, 12)
    assert isinstance(decision.error, CampaignNotSent)


def test_the_deadline_is_kept_to_the_second(clock):
    began = clock.now()
    with pytest.raises(DeadlinePassed, match="last status 13") as caught:
        wait(clock, 13)
    assert clock.now() == began + 100
    assert clock.sleeps == [30.0, 30.0, 30.0, 10.0]
    assert "UTC has passed" in str(caught.value)
    assert "The last look failed" not in str(caught.value)


def test_there_is_a_look_at_the_deadline_itself(clock):
    assert wait(clock, 13, 13, 13, 13, 3).code == 3
    assert clock.looks == 5


def test_a_deadline_in_the_past_still_allows_one_look(clock):
    assert wait(clock, 3, seconds=-5).code == 3
    with pytest.raises(DeadlinePassed):
        wait(clock, 13, seconds=-5)
    assert clock.sleeps == []


@pytest.mark.parametrize("error", [ServiceUnavailable("down"), Throttled("slow", retry_after=900)])
def test_passing_errors_are_borne(clock, error):
    history = History()
    assert wait(clock, error, 13, error, 3, history=history).code == 3
    assert [code for code, _ in history.seen] == [13, 3]


def test_an_error_that_lasts_is_named_at_the_deadline(clock):
    with pytest.raises(DeadlinePassed, match=r"last status 13\. The last look failed: down"):
        wait(clock, 13, ServiceUnavailable("down"))


def test_an_error_that_passed_is_not_named(clock):
    with pytest.raises(DeadlinePassed) as caught:
        wait(clock, ServiceUnavailable("down"), 13)
    assert "down" not in str(caught.value)


def test_nothing_was_ever_seen(clock):
    with pytest.raises(DeadlinePassed, match="last status never seen"):
        wait(clock, ServiceUnavailable("down"))


@pytest.mark.parametrize("error", [AuthenticationFailed("no"), Refused("gone"), RuntimeError("bug")])
def test_final_errors_are_raised_at_once(clock, error):
    with pytest.raises(type(error)) as caught:
        wait(clock, 13, error)
    assert caught.value is error
    assert clock.sleeps == [30.0]


# Trouble that lasts.


@pytest.mark.parametrize("error", [ServiceUnavailable("down"), Throttled("slow", retry_after=900)])
def test_trouble_that_lasts_is_raised_as_what_it_is(clock, error, caplog):
    began = clock.now()
    with pytest.raises(type(error)) as caught:
        wait(clock, 13, error, seconds=1000.0, poll_error_window=100.0)
    assert caught.value is error
    # It begins with the first failed look, and ends with the first one after the window.
    assert clock.now() - began == 30 + 120
    assert "no look has succeeded for 120 s" in caplog.text


def test_trouble_is_over_with_the_first_look_that_succeeds(clock):
    down = ServiceUnavailable("down")
    looks = [13, down, down, down, 13, down, down, down, 13, down, down, down, 3]
    assert wait(clock, *looks, seconds=1000.0, poll_error_window=60.0).code == 3


def test_trouble_as_long_as_the_window_is_borne(clock):
    down = ServiceUnavailable("down")
    assert wait(clock, down, down, down, 3, seconds=1000.0, poll_error_window=60.0).code == 3
    with pytest.raises(ServiceUnavailable):
        wait(clock, down, down, down, down, 3, seconds=1000.0, poll_error_window=60.0)


def test_no_window_bears_one_failure_and_no_second_one(clock):
    down = ServiceUnavailable("down")
    assert wait(clock, down, 3, poll_error_window=0.0).code == 3
    with pytest.raises(ServiceUnavailable):
        wait(clock, down, down, 3, poll_error_window=0.0)


def test_half_an_hour_is_borne_by_default(clock):
    assert POLL_ERROR_WINDOW == 1800
    down = ServiceUnavailable("down")
    assert wait(clock, *[down] * 61, 3, seconds=9000.0).code == 3
    with pytest.raises(ServiceUnavailable):
        wait(clock, *[down] * 62, 3, seconds=9000.0)


def test_the_last_of_many_errors_is_raised(clock):
    last = Throttled("slow")
    with pytest.raises(Throttled) as caught:
        wait(clock, ServiceUnavailable("down"), ServiceUnavailable("down"), last, seconds=1000.0, poll_error_window=59.0)
    assert caught.value is last


def test_a_deadline_within_the_window_names_the_trouble(clock):
    with pytest.raises(DeadlinePassed, match=r"last status 13\. The last look failed: down"):
        wait(clock, 13, ServiceUnavailable("down"), seconds=100.0, poll_error_window=500.0)


def test_trouble_says_nothing_when_there_is_none():
    trouble = Trouble(10.0)
    assert str(trouble) == ""
    trouble.met("Campaign 7", ServiceUnavailable("down"), 0.0)
    assert str(trouble) == " The last look failed: down"
    trouble.over()
    assert str(trouble) == ""
    trouble.met("Campaign 7", ServiceUnavailable("down"), 100.0)
    trouble.met("Campaign 7", ServiceUnavailable("down"), 110.0)
    with pytest.raises(ServiceUnavailable):
        trouble.met("Campaign 7", ServiceUnavailable("down"), 110.5)


def test_a_wait_tells_its_deadline(clock, caplog):
    with caplog.at_level("INFO"):
        wait(clock, *[1] * 62, 3, seconds=9000.0)
    assert "since 2027-01-15 08:00:00 UTC, deadline 2027-01-15 10:30:00 UTC; hours are normal" in caplog.text
