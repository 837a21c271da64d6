# SPDX-License-Identifier: Apache-2.0
"""Activity of contacts, and the messages of one (eSputnik API: activity)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.activity import STATUSES, activities, row_of
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contacts import normal
from airflow_provider_sendpulse.emulator.esputnik.dates import read_date, read_end
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request

LONGEST_PERIOD = timedelta(days=93)
MOST_ROWS = 25000
MOST_MESSAGES = 100


def list_all(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List what happened in a period, after the row that an offset names."""
    if not account.settings.esputnik_activity:
        raise bad_request("Contact support to enable ContactActivity.")
    start, end = _period(account, call)
    status = call.query.get("activityStatus")
    if status and status not in STATUSES:
        raise bad_request(f"activityStatus must be one of {', '.join(STATUSES)}")
    asked = {name: call.query[name] for name in ("email", "sms", "mobPushToken", "messageTag") if call.query.get(name)}
    rows = [
        row_of(account, activity, place)
        for place, activity in enumerate(activities(account), start=1)
        if start <= activity.at < end and status in (None, "", activity.status)
    ]
    found = [
        row for row in rows if all(normal(name, row[name] or "") == normal(name, text) for name, text in asked.items())
    ]
    offset = call.number("offset", 0, 0)
    return [row for row in found if row["offset"] > offset][: call.number("maxrows", MOST_ROWS, 1, MOST_ROWS)]


def messages(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List the messages of one contact in a period."""
    start, end = _period(account, call)
    names = [name for name in ("contactId", "externalCustomerId", "email", "phone") if call.query.get(name)]
    if len(names) != 1:
        raise bad_request("One of contactId, externalCustomerId, email and phone is required")
    value = call.query[names[0]]
    if names[0] == "contactId":
        contact = account.contacts.get(int(value)) if value.isdecimal() else None
    else:
        contact = account.contacts.one({"phone": "sms"}.get(names[0], names[0]), value)
    channels = [name for name in call.query.get("channelTypes", "").split(",") if name]
    rows = [
        row_of(account, activity, place)
        for place, activity in enumerate(activities(account), start=1)
        if contact is not None
        and activity.send.contact_id == contact.id
        and activity.status in ("DELIVERED", "UNDELIVERED")
        and start <= activity.at < end
        and (not channels or activity.send.content.media in channels)
    ]
    offset = call.number("offset", 0, 0)
    return rows[offset : offset + call.number("maxrows", 10, 1, MOST_MESSAGES)]


def _period(account: Esputnik, call: Call) -> tuple[datetime, datetime]:
    zone = account.settings.time_zone
    try:
        start, end = read_date(call.query.get("dateFrom", ""), zone), read_end(call.query.get("dateTo", ""), zone)
    except ValueError as error:
        raise bad_request("dateFrom and dateTo must be dates") from error
    if end - start > LONGEST_PERIOD:
        raise bad_request("Period may not be longer than 3 months")
    return start, end


ROUTES = [
    endpoint("GET", "/v2/contacts/activity", "activity.list", list_all),
    endpoint("GET", "/v2/contacts/messages", "contacts.messages", messages, limit="contact_messages"),
]
