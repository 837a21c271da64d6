# SPDX-License-Identifier: Apache-2.0
"""Hours in which nobody is disturbed, also where clocks are changed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.quiet_hours import QuietHours, QuietNow

KYIV = ZoneInfo("Europe/Kyiv")


def at(text, zone=KYIV, fold=0):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def until(hours, now, zone="Europe/Kyiv"):
    return QuietHours.of(hours, zone).until(now)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-01 20:59:59", None),
        ("2026-06-01 21:00:00", "2026-06-02 08:00"),
        ("2026-06-01 23:59:59", "2026-06-02 08:00"),
        ("2026-06-02 00:00:00", "2026-06-02 08:00"),
        ("2026-06-02 07:59:59", "2026-06-02 08:00"),
        ("2026-06-02 08:00:00", None),
    ],
)
def test_over_midnight(now, end):
    assert until(("21:00", "08:00"), at(now)) == (end and at(end))


@pytest.mark.parametrize(
    ("now", "end"), [("2026-06-01 12:59", None), ("2026-06-01 13:00", "2026-06-01 14:30"), ("2026-06-01 14:30", None)]
)
def test_within_a_day(now, end):
    assert until((dt.time(13), "14:30"), at(now)) == (end and at(end))


def test_where_clocks_are_set_forward():
    # On 29 March 2026 there is no 03:30 in Kyiv: the clock goes from 3 to 4.
    assert until(("22:00", "03:30"), at("2026-03-29 01:00")) == at("2026-03-29 04:30")
    assert until(("22:00", "03:30"), at("2026-03-29 04:30")) is None


def test_where_clocks_are_set_back():
    # On 25 October 2026 there is 03:30 twice in Kyiv.
    first, second = at("2026-10-25 03:30"), at("2026-10-25 03:30", fold=1)
    assert second - first == 3600
    assert until(("22:00", "03:30"), at("2026-10-25 02:00")) == first
    assert until(("22:00", "03:30"), first) is None
    assert until(("22:00", "03:30"), at("2026-10-25 03:10", fold=1)) == second


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2040, 1, 1)),
    st.times(),
    st.times(),
    st.sampled_from(["UTC", "Europe/Kyiv", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_they_end_later_and_soon(moment, begin, end, zone):
    if begin == end:
        return
    now = moment.replace(tzinfo=dt.UTC).timestamp()
    found = until((begin, end), now, zone)
    assert found is None or now < found <= now + 50 * 3600


def test_it_says_until_when():
    with pytest.raises(QuietNow) as caught:
        QuietHours.of(("21:00", "08:00"), dt.UTC).require_awake(at("2026-06-01 22:00", dt.UTC))
    assert caught.value.until == at("2026-06-02 08:00", dt.UTC)


@pytest.mark.parametrize(
    "hours", [("21:00",), "21:00", 5, ("21", "8"), ("21:00", "08:00", "09:00"), ("21:00+02:00", "08:00"), ("9:00", "9:00")]
)
def test_hours_that_cannot_be_meant(hours):
    with pytest.raises(InvalidRequest):
        QuietHours.of(hours, "UTC")
