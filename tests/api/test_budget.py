# SPDX-License-Identifier: Apache-2.0
"""The generic cell rate algorithm, and the Retry-After header."""

from __future__ import annotations

import email.utils
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.budget import ONE_REFUSAL, RECOVERY, SLOWEST, Limit, reservation, throttled
from airflow_provider_sendpulse.api.retry_after import LONGEST, retry_after

NOW = 1_800_000_000.0
GRAIN = 1e-5  # what a float of seconds since the epoch leaves over
limits = st.lists(st.builds(Limit, st.integers(1, 100), st.floats(0.5, 4.0)), min_size=1, max_size=3).map(tuple)
steps = st.lists(st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 30)), min_size=1, max_size=100)


def granted(limits, times, state=None):
    grants = []
    for now in times:
        state, wait = reservation(limits, now)(state)
        assert wait >= 0
        grants.append(now + wait)
    return grants, state


def running(steps):
    times, now = [], NOW
    for step in steps:
        now += step
        times.append(now)
    return times


@given(limits, steps)
def test_grants_keep_the_interval_of_every_limit(limits, steps):
    grants, _ = granted(limits, running(steps))
    for earlier, later in itertools.pairwise(grants):
        assert later - earlier >= max(limit.interval for limit in limits) - GRAIN


@given(limits, steps)
def test_no_window_holds_more_than_its_limit(limits, steps):
    grants, _ = granted(limits, running(steps))
    for limit in limits:
        for start in grants:
            count = sum(start - GRAIN <= grant < start + limit.seconds - limit.interval / 2 for grant in grants)
            assert count <= limit.requests + GRAIN


@given(limits, steps)
def test_nobody_waits_longer_than_needed(limits, steps):
    times = running(steps)
    grants, _ = granted(limits, times)
    interval = max(limit.interval for limit in limits)
    for index, (now, grant) in enumerate(zip(times, grants, strict=True)):
        free = NOW if index == 0 else grants[index - 1] + interval
        assert grant <= max(now, free) + GRAIN


@given(limits, steps, st.floats(601, 1e9))
def test_a_clock_set_far_back_costs_nothing(limits, steps, back):
    _, state = granted(limits, running(steps))
    now = min(state["arrivals"]) - back
    (grant,), _ = granted(limits, [now], state)
    assert grant == now


@given(limits, steps, st.floats(0, 600))
def test_a_clock_set_back_a_little_costs_no_more_than_that(limits, steps, back):
    times = running(steps)
    grants, state = granted(limits, times)
    now = times[-1] - back
    (grant,), _ = granted(limits, [now], state)
    assert now <= grant <= grants[-1] + max(limit.interval for limit in limits) + GRAIN


@given(limits, steps, st.floats(0.1, 300))
def test_a_pause_holds_and_then_the_limits_hold(limits, steps, seconds):
    times = running(steps)
    _, state = granted(limits, times)
    now = times[-1]
    state, _ = throttled(now + seconds, now)(state)
    grants, _ = granted(limits, [now] * 5, state)
    assert grants[0] >= now + seconds - GRAIN
    for earlier, later in itertools.pairwise(grants):
        assert later - earlier >= max(limit.interval for limit in limits) - GRAIN


def test_a_pause_without_a_state():
    state, _ = throttled(NOW + 5, NOW)(None)
    grants, state = granted((Limit(10, 1),), [NOW, NOW + 6], state)
    assert grants == [NOW + 5, NOW + 6]
    assert "paused_until" not in state


def test_the_longer_pause_wins():
    state, _ = throttled(NOW + 50, NOW)(None)
    state, _ = throttled(NOW + 5, NOW)(state)
    assert granted((Limit(10, 1),), [NOW], state)[0] == [NOW + 50]


def test_a_pause_is_bounded():
    state, _ = throttled(NOW + 1e9, NOW)(None)
    assert granted((Limit(10, 1),), [NOW], state)[0] == [NOW + 300]


def test_a_pause_from_before_the_clock_was_set_back_is_forgotten():
    old, _ = throttled(NOW + 250, NOW)(None)
    now = NOW - 86_400
    assert granted((Limit(10, 1),), [now], old)[0] == [now]
    state, _ = throttled(now + 7, now)(old)
    assert granted((Limit(10, 1),), [now], state)[0] == [now + 7]


def test_another_number_of_limits_does_not_forget_what_was_granted():
    one, two = (Limit(1, 1),), (Limit(1, 1), Limit(60, 60))
    grants = []
    state = None
    for turn in range(6):
        (grant,), state = granted((one, two)[turn % 2], [NOW], state)
        grants.append(grant)
    assert grants == [NOW + turn for turn in range(6)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("1e400", LONGEST),
        ("nan", None),
        ("", None),
        ("soon", None),
        (email.utils.formatdate(NOW + 30, usegmt=True), 30.0),
        (email.utils.formatdate(NOW - 30, usegmt=True), 0.0),
        (email.utils.formatdate(NOW + 1e6, usegmt=True), LONGEST),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 31 Feb 2027 23:59:59 GMT", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after({"retry-after": value}, NOW) == seconds
    assert retry_after({}, NOW) is None


@given(st.text())
def test_any_retry_after_is_bounded(value):
    seconds = retry_after({"retry-after": value}, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST


# --- after the service said that there were too many requests


def spacing(limits, state, now, count=6):
    grants, _ = granted(limits, [now] * count, state)
    return [later - earlier for earlier, later in itertools.pairwise(grants)]


@pytest.mark.parametrize("asked", [0.0, 5.0, 120.0])
def test_after_a_refusal_the_rate_is_half_and_rises_evenly_within_a_minute(asked):
    limits = (Limit(10, 1),)
    state, lowered = throttled(NOW + asked, NOW)(None)
    assert lowered == 0.5
    begin = NOW + asked
    assert spacing(limits, state, begin)[0] == pytest.approx(0.2, abs=0.01)
    assert spacing(limits, state, begin + RECOVERY / 2)[0] == pytest.approx(0.1 / 0.75, abs=0.01)
    assert spacing(limits, state, begin + RECOVERY - 1)[0] == pytest.approx(0.1, abs=0.01)
    assert spacing(limits, state, begin + RECOVERY) == pytest.approx([0.1] * 5, abs=GRAIN)


def test_a_place_far_down_the_queue_has_the_rate_of_its_time():
    state, _ = throttled(NOW, NOW)(None)
    grants, state = granted((Limit(10, 1),), [NOW] * 1000, state)
    gaps = [later - earlier for earlier, later in itertools.pairwise(grants)]
    assert gaps[0] == pytest.approx(0.2, abs=0.01)
    assert gaps[-1] == pytest.approx(0.1, abs=GRAIN)
    # A minute at three quarters of the rate, on average, and the others at the whole of it.
    assert sum(grant < NOW + RECOVERY for grant in grants) == pytest.approx(450, rel=0.05)


def test_refusals_within_a_second_count_as_one_and_later_ones_halve_again():
    state, told = None, []
    for at in (0.0, 0.3, ONE_REFUSAL - 0.1, ONE_REFUSAL + 0.1, 2.5, 4.0, 5.5, 7.0):
        state, lowered = throttled(NOW + at, NOW + at)(state)
        told.append(lowered)
    assert told[:3] == [0.5, None, None]
    assert told[3] == pytest.approx(0.26, abs=0.01)
    assert told[-1] == SLOWEST
    assert spacing((Limit(8, 1),), state, NOW + 7)[0] == pytest.approx(1.0, abs=0.05)


def test_the_refusal_that_comes_late_prolongs_the_pause_and_does_not_halve_again():
    state, _ = throttled(NOW + 2, NOW)(None)
    state, lowered = throttled(NOW + 40, NOW + 0.5)(state)
    assert lowered is None
    grants, _ = granted((Limit(10, 1),), [NOW + 1] * 2, state)
    assert grants[0] == NOW + 40
    assert grants[1] - grants[0] == pytest.approx(0.2, abs=0.01), "the minute begins with the end of the pause"


refusals = st.lists(st.tuples(st.floats(0, 90), st.floats(0, 400)), max_size=8)


@given(limits, refusals, steps)
def test_never_faster_than_the_limits_nor_slower_than_the_slowest(limits, refusals, steps):
    state, now = None, NOW
    for wait, asked in refusals:
        now += wait
        state, lowered = throttled(now + asked, now)(state)
        assert lowered is None or SLOWEST <= lowered < 1
    times = [now + time - NOW for time in running(steps)]
    interval = max(limit.interval for limit in limits)
    before = max(state["paused_until"], now) if state else now
    grants, _ = granted(limits, times, state)
    for index, grant in enumerate(grants):
        free = before if index == 0 else grants[index - 1]
        if index > 0:
            assert grant - free >= interval - GRAIN
        assert grant <= max(times[index], free + interval / SLOWEST) + GRAIN


@given(limits, refusals, steps)
def test_a_minute_after_the_last_pause_nothing_is_left_of_it(limits, refusals, steps):
    state, now = None, NOW
    for wait, asked in refusals:
        now += wait
        state, _ = throttled(now + asked, now)(state)
    recovered = max(now, state["paused_until"] if state else now) + RECOVERY + GRAIN
    times = [recovered + time - NOW for time in running(steps)]
    slowed, left = granted(limits, times, state)
    fresh, _ = granted(limits, times)
    assert slowed == pytest.approx(fresh, abs=GRAIN)
    assert "slowed" not in left


@given(st.floats(0.01, 100), st.floats(0.1, 5000))
def test_a_slow_limit_stays_plausible_when_it_is_lowered(requests, seconds):
    limits = (Limit(requests, seconds),)
    state = None
    for at in (0.0, 2.0, 4.0, 6.0):
        state, _ = throttled(NOW + at, NOW + at)(state)
    _, state = granted(limits, [NOW + 6], state)
    ahead = state["arrivals"][0] - (NOW + 6)
    assert limits[0].interval - GRAIN <= ahead <= max(limits[0].interval, 60) + GRAIN


numbers = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3))


@given(limits, st.one_of(numbers, st.dictionaries(st.sampled_from(["part", "at", "since"]), numbers)), numbers)
def test_a_damaged_state_is_harmless(limits, slowed, paused):
    state = {"arrivals": [0.0] * len(limits), "slowed": slowed, "paused_until": paused}
    now = NOW
    grants, _ = granted(limits, [now] * 3, state)
    interval = max(limit.interval for limit in limits)
    assert now <= grants[0] <= now + 600
    for earlier, later in itertools.pairwise(grants):
        assert interval - GRAIN <= later - earlier <= interval / SLOWEST + GRAIN
    after, lowered = throttled(now + 1, now)(state)
    assert lowered is None or SLOWEST <= lowered < 1
    assert now + 1 <= granted(limits, [now], after)[0][0] <= now + 600
