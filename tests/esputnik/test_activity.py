# SPDX-License-Identifier: Apache-2.0
"""What became of messages, against the emulator."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.esputnik.limits import CONTACT_MESSAGES
from airflow_provider_sendpulse.esputnik.messages import Recipient
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused, ServiceError

READERS = [f"reader{number}@example.com" for number in range(5)]


@pytest.fixture
def period(client, emulator, letter):
    """A period in which five readers got a message."""
    emulator.configure(bounce_share=0, open_share=0)
    client.send(es.messages.smartsend(letter, [Recipient(email) for email in READERS]))
    emulator.advance(3600)
    today = emulator.state.clock.now().date()
    return today - dt.timedelta(days=1), today + dt.timedelta(days=1)


def test_activity_by_pages(either, emulator, period):
    rows = list(either.pages(es.activity.contacts(*period, limit=2)))
    assert [row.row["email"] for row in rows] == READERS
    assert {row.activity_status for row in rows} == {"DELIVERED"}
    assert all(row.contact_id and row.message_id and row.activity_date_time for row in rows)
    queries = [record.query for record in emulator.requests.records("esputnik.activity.list")]
    # An empty page is the last one.
    assert len(queries) == 4
    assert "offset" not in queries[0]
    assert "reader" not in repr(rows)


def test_activity_of_one(either, period):
    [row] = either.pages(es.activity.contacts(*period, email=READERS[1], activity_status="DELIVERED"))
    assert row.row["email"] == READERS[1]
    with pytest.raises(InvalidRequest):
        es.activity.contacts(*period, activity_status="SUBSCRIPTION_CHANGED")


def test_activity_that_is_off(either, emulator):
    emulator.configure(esputnik_activity=False)
    with pytest.raises(Refused, match="Contact support") as caught:
        list(either.pages(es.activity.contacts("2026-03-01", "2026-03-02")))
    assert caught.value.status == 400


def test_pages_that_lead_nowhere_end():
    call = es.activity.contacts("2026-03-01", "2026-03-02")
    page = call.read([{"activityStatus": "READ"}])
    with pytest.raises(ServiceError, match="does not advance"):
        call.after(page)


def test_messages_of_a_contact(either, period):
    call = es.activity.messages(*period, email=READERS[0], limit=1)
    assert call.allowance is CONTACT_MESSAGES
    assert len(list(either.pages(call))) == 1
    assert "reader0" not in repr(call)


@pytest.mark.parametrize("who", [{}, {"email": "a", "contact_id": 7}])
def test_whose_messages_must_be_said(who):
    with pytest.raises(InvalidRequest):
        es.activity.messages("2026-03-01", "2026-03-02", **who)
