# SPDX-License-Identifier: Apache-2.0
"""From an aware date to the account's clock, and back."""

from __future__ import annotations

import datetime as dt
import logging
from zoneinfo import ZoneInfo, available_timezones

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import CampaignStartedEarly, InvalidRequest
from airflow_provider_sendpulse.jobs.schedule import account_time, parse_send_date, require_on_time, timezone
from airflow_provider_sendpulse.sendpulse import campaigns

KYIV = ZoneInfo("Europe/Kyiv")
# In Kyiv the clock skips 03:00 to 04:00 on 29 March 2026 and shows it twice on 25 October 2026.


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        (dt.datetime(2026, 1, 10, 8, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 1, 10, 10)),
        (dt.datetime(2026, 7, 10, 8, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 7, 10, 11)),
        (dt.datetime(2026, 7, 10, 8, tzinfo=KYIV), "Europe/Kyiv", dt.datetime(2026, 7, 10, 8)),
        (dt.datetime(2026, 7, 10, 8, tzinfo=KYIV), "UTC", dt.datetime(2026, 7, 10, 5)),
        (dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC), "Asia/Kathmandu", dt.datetime(2027, 1, 1, 5, 15)),
        (pendulum.datetime(2026, 7, 10, 8, tz="America/New_York"), "Europe/Kyiv", dt.datetime(2026, 7, 10, 15)),
        (dt.datetime(2026, 1, 10, 8, 0, 1, 999_999, tzinfo=dt.UTC), "UTC", dt.datetime(2026, 1, 10, 8, 0, 1)),
        ("2026-01-10T08:00:00Z", "Europe/Kyiv", dt.datetime(2026, 1, 10, 10)),
        (" 2026-01-10 08:00:00+00:00\n", "Europe/Kyiv", dt.datetime(2026, 1, 10, 10)),
        ("2026-01-10T08:00:00.123456+02:00", "Europe/Kyiv", dt.datetime(2026, 1, 10, 8)),
        ("20260110T0800-0500", "Europe/Kyiv", dt.datetime(2026, 1, 10, 15)),
        # On both sides of the change, in the account's zone.
        (dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 3, 29, 2, 59, 59)),
        (dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 3, 29, 4)),
        (dt.datetime(2026, 10, 24, 23, 59, 59, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 10, 25, 2, 59, 59)),
        (dt.datetime(2026, 10, 25, 2, tzinfo=dt.UTC), "Europe/Kyiv", dt.datetime(2026, 10, 25, 4)),
    ],
)
def test_account_time(value, zone, expected):
    naive = account_time(value, zone)
    assert (naive, naive.tzinfo, naive.microsecond, type(naive)) == (expected, None, 0, dt.datetime)


@pytest.mark.parametrize("hour", [0, 1])
def test_an_hour_that_comes_twice_is_refused(hour):
    with pytest.raises(InvalidRequest, match="twice"):
        account_time(dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC), "Europe/Kyiv")


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_does_not_exist_is_refused(fold):
    with pytest.raises(InvalidRequest, match="does not exist"):
        account_time(dt.datetime(2026, 3, 29, 3, 30, tzinfo=KYIV, fold=fold), "UTC")


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_elsewhere_is_certain(fold):
    value = dt.datetime(2026, 10, 25, 3, 30, tzinfo=KYIV, fold=fold)
    assert account_time(value, "UTC") == dt.datetime(2026, 10, 25, fold, 30)


@pytest.mark.parametrize("value", [dt.datetime(2026, 1, 10, 8), "2026-01-10T08:00:00", "2026-01-10 08:00", "2026-01-10"])
def test_a_date_without_a_zone_is_refused(value):
    with pytest.raises(InvalidRequest, match="no time zone"):
        account_time(value, "Europe/Kyiv")


@pytest.mark.parametrize(
    "value", ["", "tomorrow", "None", "10.01.2026 08:00", "{{ ds }}", "2026-13-01T00:00:00Z", "1800000000"]
)
def test_text_that_is_no_date_is_refused(value):
    with pytest.raises(InvalidRequest, match="ISO 8601"):
        parse_send_date(value)


@pytest.mark.parametrize("zone", [None, ""])
def test_the_zone_must_be_set(zone):
    with pytest.raises(InvalidRequest, match="account_timezone"):
        account_time(dt.datetime(2026, 1, 10, tzinfo=dt.UTC), zone)


@pytest.mark.parametrize(
    "zone", ["Kyiv", "Europe/Kiev ", "Europe", "../UTC", "/etc/passwd", "EET+2", "+02:00", "\x00", "Europe/Київ"]
)
def test_the_zone_must_exist(zone):
    with pytest.raises(InvalidRequest, match="not the name of a time zone"):
        timezone(zone)


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59+00:00"])
def test_the_ends_of_time_are_refused(value):
    with pytest.raises(InvalidRequest):
        account_time(value, "Europe/Kyiv")


ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("posix", "right", "Etc")))


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2037, 1, 1), timezones=st.timezones()),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_the_result_is_the_same_instant(value, zone, as_text):
    try:
        naive = account_time(value.isoformat() if as_text else value, zone)
    except InvalidRequest as refused:
        reason = str(refused)
    else:
        back = naive.replace(tzinfo=ZoneInfo(zone))
        assert abs(back.timestamp() - value.timestamp()) < 1
        assert back.replace(fold=1).timestamp() == back.timestamp()
        return
    assert "twice" in reason or "does not exist" in reason


WANTED = dt.datetime(2026, 1, 10, 10)
BEGINS = dt.datetime(2026, 1, 10, 8, tzinfo=dt.UTC).timestamp()


def seen(status, send_date="2026-01-10 10:00:00"):
    return campaigns.read(7).read({"id": 7, "status": status, "send_date": send_date})


@pytest.mark.parametrize("status", [0, 1, 13, 14, 26, 99])
@pytest.mark.parametrize(
    "send_date", ["2026-01-10 10:00:00", "2026-01-10 10:01:00", "2026-01-10T09:59:30", "2026-01-10 10:00:00+02:00"]
)
def test_it_is_on_time(status, send_date):
    require_on_time(seen(status, send_date), WANTED, BEGINS, BEGINS - 3600)


@pytest.mark.parametrize("status", [2, 3, 7, 9, 22, 23, 25])
def test_it_goes_out_already(status):
    with pytest.raises(CampaignStartedEarly, match=f"status {status} already.*DMARC"):
        require_on_time(seen(status), WANTED, BEGINS, BEGINS - 3600)


@pytest.mark.parametrize("send_date", ["2026-01-10 08:00:00", "2026-01-10 10:01:01", "2026-01-09 10:00:00"])
def test_it_has_another_date(send_date):
    with pytest.raises(CampaignStartedEarly, match="SendPulse says"):
        require_on_time(seen(14, send_date), WANTED, BEGINS, BEGINS - 3600)


@pytest.mark.parametrize("send_date", ["", "soon", "0000-00-00 00:00:00"])
def test_it_does_not_tell_its_date(send_date, caplog):
    with caplog.at_level(logging.WARNING):
        require_on_time(seen(14, send_date), WANTED, BEGINS, BEGINS - 3600)
    assert "does not tell its date" in caplog.text


@pytest.mark.parametrize("left", [60, 0, -3600])
def test_its_time_has_come(left):
    require_on_time(seen(2, "2026-01-10 08:00:00"), WANTED, BEGINS, BEGINS - left)


def test_through_the_service(client, emulator):
    from emulated_account import add_book, add_campaign

    book = add_book(emulator, contacts=1)
    wanted = account_time("2099-05-01T08:00:00Z", emulator.settings.time_zone)
    begins = parse_send_date("2099-05-01T08:00:00Z").timestamp()
    on_time = add_campaign(emulator, book, "On time", send_date=wanted.strftime(campaigns.DATE_FORMAT))
    require_on_time(client.send(campaigns.read(on_time.id)), wanted, begins, BEGINS)
    emulator.configure(ignore_send_date=True)
    early = add_campaign(emulator, book, "Early", send_date=wanted.strftime(campaigns.DATE_FORMAT))
    with pytest.raises(CampaignStartedEarly):
        require_on_time(client.send(campaigns.read(early.id)), wanted, begins, BEGINS)
