# SPDX-License-Identifier: Apache-2.0
"""Which listed messages can be the one that is looked for: in doubt, all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from messages import ADA, SHOP, message

from airflow_provider_sendpulse.jobs.message_lookup import Likeness, ids_since
from airflow_provider_sendpulse.sendpulse.smtp import Person, SentMessage

KYIV = ZoneInfo("Europe/Kyiv")
SINCE = datetime(2026, 1, 5, 6, tzinfo=UTC)  # eight o'clock in Kyiv


def listed(**changes):
    fields = {"id": "a", "sender": SHOP, "recipient": ADA, "subject": "Order 17", "send_date": "2026-01-05 08:00:00"}
    return SentMessage(**{**fields, **changes})


def is_since(send_date, zone, since=SINCE):
    return ids_since([listed(send_date=send_date)], since.timestamp(), None, zone) == ["a"]


@pytest.mark.parametrize(
    ("send_date", "expected"),
    [
        ("2026-01-05 08:00:00", True),
        ("2026-01-06 00:00:00", True),
        ("2026-01-05 07:55:00", True),  # SendPulse's clock may be behind
        ("2026-01-05 07:54:59", False),
        ("2026-01-05 06:00:00", False),
        ("", True),
        ("0000-00-00 00:00:00", True),
        ("5 January", True),
    ],
)
def test_dates_of_the_account(send_date, expected):
    assert is_since(send_date, KYIV) is expected


@pytest.mark.parametrize(("send_date", "expected"), [("2026-01-04 15:00:00", True), ("2026-01-04 14:59:59", False)])
def test_dates_of_an_account_whose_zone_is_not_known(send_date, expected):
    assert is_since(send_date, None) is expected


def test_the_hour_that_the_clock_shows_twice():
    # At three in the morning of 26 October 2025 Kyiv's clock goes back to three from four.
    second = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert second.astimezone(KYIV).strftime("%H:%M") == "03:30"
    assert (second - timedelta(hours=1)).astimezone(KYIV).strftime("%H:%M") == "03:30"
    assert is_since("2025-10-26 03:30:00", KYIV, second)


def test_what_was_there_before_counts_alone_where_it_is_known():
    found = [listed(id="b", send_date="1999-01-01 00:00:00"), listed(id="a"), listed(id="c")]
    assert ids_since(found, SINCE.timestamp(), ("a",), KYIV) == ["b", "c"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"subject": "order  17"}, True),
        ({"subject": ""}, True),
        ({"subject": "Order 1"}, False),
        ({"subject": "Order 170"}, False),
        ({"recipient": ""}, True),
        ({"recipient": "ADA@Example.com"}, True),
        ({"recipient": f"bea@example.com, {ADA}"}, True),
        ({"recipient": "bea@example.com"}, False),
        ({"sender": ""}, True),
        ({"sender": "Shop@Example.com"}, True),
        ({"sender": "other@example.com"}, False),
    ],
    ids=str,
)
def test_likeness(changes, expected):
    assert Likeness.of(message()).fits(listed(**changes)) is expected


def test_a_subject_that_sendpulse_fills_in_may_be_any():
    assert Likeness.of(message(subject="Order {{order}}", text=None, template_id=7)).fits(listed(subject="Order 18"))


@pytest.mark.parametrize(
    "changes", [{"subject": "Order 18"}, {"to": [Person("bea@example.com")]}, {"sender": Person("x@example.com")}]
)
def test_digests_tell_messages_apart_and_show_nobody(changes):
    ours, other = Likeness.of(message()), Likeness.of(message(**changes))
    assert ours.digest != other.digest
    assert "ada" not in repr(ours)
    assert ours.digest == Likeness.of(message(text="another text", subject=" order 17")).digest
