# SPDX-License-Identifier: Apache-2.0
"""Endpoints that have limits of their own, and requests that may go at once after a pause."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.account import BasicKey
from airflow_provider_sendpulse.api.budget import Allowance, Limit, reservation, throttled
from airflow_provider_sendpulse.api.call import Call

NOW = 1_800_000_000.0
GRAIN = 1e-5
SEARCH = Allowance("search", (Limit(2, 1.0),))
PLAIN = Call.raw("GET", "/books")
SEARCHING = replace(PLAIN, path="/contacts", allowance=SEARCH)


def granted(limits, times, state=None):
    grants = []
    for now in times:
        state, wait = reservation(limits, now)(state)
        grants.append(now + wait)
    return grants, state


@given(
    requests=st.integers(2, 60),
    burst=st.integers(1, 60),
    steps=st.lists(st.sampled_from([0.0, 0.01, 0.5, 20.0]), min_size=1, max_size=150),
)
def test_no_window_holds_more_than_its_limit_with_a_burst_too(requests, burst, steps):
    limit = Limit(requests, 10.0, burst=min(burst, requests))
    grants, _ = granted((limit,), [NOW + time for time in itertools.accumulate(steps)])
    for start in grants:
        count = sum(start - GRAIN <= grant < start + limit.seconds - GRAIN for grant in grants)
        assert count <= requests + 1  # a request at each end


def test_a_burst_goes_at_once_and_the_rest_evenly():
    limit = Limit(500, 3600.0, burst=50)
    grants, _ = granted((limit,), [NOW] * 52)
    assert grants[:50] == pytest.approx([NOW] * 50, abs=GRAIN, rel=0)
    waits = [grant - NOW for grant in grants[50:]]
    assert waits == pytest.approx([limit.interval, 2 * limit.interval], rel=1e-3)


def test_nothing_goes_at_once_after_a_refusal():
    limit = Limit(100, 100.0, burst=50)
    _, state = granted((limit,), [NOW] * 10)
    state, part = throttled(NOW, NOW)(state)
    assert part == 0.5
    _, wait = reservation((limit,), NOW)(state)
    assert wait >= 9 * limit.interval


def test_an_allowance_is_apart_from_the_account(lab):
    account = lab.account(credentials=BasicKey("a-key"), limits=(Limit(1, 10.0),))
    lab.answer(*[lab.reply(json={})] * 4)
    client = lab.client(account)
    begun = lab.clock.time
    client.send(PLAIN)
    client.send(SEARCHING)
    client.send(SEARCHING)
    assert lab.clock.time - begun == pytest.approx(0.5)
    client.send(PLAIN)
    assert lab.clock.time - begun == pytest.approx(10.0)


def test_a_ceiling_holds_for_an_allowance_too(lab):
    account = lab.account(credentials=BasicKey("a-key"), limits=(Limit(1, 4.0),))
    lab.answer(*[lab.reply(json={})] * 2)
    client = lab.client(replace(account, ceiling=(Limit(1, 4.0),)))
    begun = lab.clock.time
    client.send(SEARCHING)
    client.send(SEARCHING)
    assert lab.clock.time - begun == pytest.approx(4.0)


def test_who_shares_an_account_shares_its_allowances(lab):
    keys = [lab.account(credentials=BasicKey(key, user)) for key, user in (("a", "x"), ("a", "y"), ("b", "x"))]
    names = [key.budget_of(SEARCHING)[0] for key in keys]
    assert names[0] == names[1]
    assert names[2] != names[0]
    assert keys[0].budget_of(PLAIN)[0] == keys[0].budget_key != names[0]
    other = replace(SEARCHING, allowance=Allowance("events", SEARCH.limits))
    assert keys[0].budget_of(other)[0] != names[0]


def test_a_429_slows_down_those_who_share_the_allowance(lab, caplog):
    account = lab.account(credentials=BasicKey("a-key"), limits=(Limit(1000, 1.0),))
    lab.answer(lab.reply(429, {"message": "slow"}, headers={"retry-after": "1"}), *[lab.reply(json={})] * 3)
    lab.client(account).send(SEARCHING)
    assert "going on at 50 %" in caplog.text
    # Another process, which was not refused itself.
    begun = lab.clock.time
    lab.client(account).send(SEARCHING)
    assert lab.clock.time - begun == pytest.approx(1.0, abs=0.02)
    begun = lab.clock.time
    lab.client(account).send(PLAIN)
    assert lab.clock.time == begun
