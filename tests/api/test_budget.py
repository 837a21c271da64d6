# SPDX-License-Identifier: Apache-2.0
"""The generic cell rate algorithm, and the Retry-After header."""

from __future__ import annotations

import email.utils
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.budget import Limit, pause, reservation
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
    state, _ = pause(now + seconds, now)(state)
    grants, _ = granted(limits, [now] * 5, state)
    assert grants[0] >= now + seconds - GRAIN
    for earlier, later in itertools.pairwise(grants):
        assert later - earlier >= max(limit.interval for limit in limits) - GRAIN


def test_a_pause_without_a_state():
    state, _ = pause(NOW + 5, NOW)(None)
    grants, state = granted((Limit(10, 1),), [NOW, NOW + 6], state)
    assert grants == [NOW + 5, NOW + 6]
    assert "paused_until" not in state


def test_the_longer_pause_wins():
    state, _ = pause(NOW + 50, NOW)(None)
    state, _ = pause(NOW + 5, NOW)(state)
    assert granted((Limit(10, 1),), [NOW], state)[0] == [NOW + 50]


def test_a_pause_is_bounded():
    state, _ = pause(NOW + 1e9, NOW)(None)
    assert granted((Limit(10, 1),), [NOW], state)[0] == [NOW + 300]


def test_a_pause_from_before_the_clock_was_set_back_is_forgotten():
    old, _ = pause(NOW + 250, NOW)(None)
    now = NOW - 86_400
    assert granted((Limit(10, 1),), [now], old)[0] == [now]
    state, _ = pause(now + 7, now)(old)
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
