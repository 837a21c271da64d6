# SPDX-License-Identifier: Apache-2.0
"""What became of messages, contact by contact. Source: eSputnik API, "Contact activity", "Messages of a contact".

It may be off for an account: then the service refuses with 400 and says whom to ask.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import PagedCall, Paging, Repeat
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.limits import CONTACT_MESSAGES
from airflow_provider_sendpulse.esputnik.statuses import ActivityStatus
from airflow_provider_sendpulse.esputnik.values import date_text
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_ROWS = 1000
"""Rows to ask for at a time: the service takes 25000, and was seen to be unreliable beyond this."""

MOST_MESSAGES = 100
"""Messages of a contact on one page."""

_PAGING = Paging(limit="maxrows", offset="offset")


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that happened to a message. Nothing personal shows in a ``repr``.

    :param iid: id of the message to this recipient
    :param activity_status: one of :class:`~airflow_provider_sendpulse.esputnik.statuses.ActivityStatus`
    :param activity_date_time: when, ISO 8601
    :param offset: where the next page begins
    :param row: all members as the service writes them
    """

    iid: str
    activity_status: str
    activity_date_time: str
    offset: int
    contact_id: int | None = None
    external_request_id: str = ""
    media_type: str = ""
    message_id: int | None = None
    broadcast_id: int | None = None
    workflow_id: int | None = None
    row: dict[str, Any] = field(default_factory=dict, repr=False)


def contacts(
    date_from: dt.date | str,
    date_to: dt.date | str,
    *,
    email: str | None = None,
    sms: str | None = None,
    web_push_token: str | None = None,
    mob_push_token: str | None = None,
    message_tag: str | None = None,
    activity_status: ActivityStatus | str | None = None,
    limit: int = MOST_ROWS,
) -> PagedCall[Activity]:
    """List the activity of a period of at most three months; a day at a time is what was seen to work reliably.

    :param activity_status: only this one
    :raises InvalidRequest: for a status that cannot be asked for
    """
    if activity_status is not None and activity_status not in set(ActivityStatus) - {ActivityStatus.SUBSCRIPTION_CHANGED}:
        raise InvalidRequest(f"Activity cannot be asked for by {str(activity_status)!r}.")
    query = {"email": email, "sms": sms, "webPushToken": web_push_token, "mobPushToken": mob_push_token}
    return PagedCall(
        method="GET",
        path="/v2/contacts/activity",
        query={
            "dateFrom": date_text(date_from),
            "dateTo": date_text(date_to),
            **query,
            "messageTag": message_tag,
            "activityStatus": None if activity_status is None else str(activity_status),
        },
        read=wire.page_of(_activity),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=_PAGING,
        cursor=lambda row: row.offset,
        private=tuple(value for value in query.values() if value),
    )


def messages(
    date_from: dt.date | str,
    date_to: dt.date | str,
    *,
    contact_id: int | None = None,
    external_customer_id: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    channel_types: str | None = None,
    limit: int = MOST_MESSAGES,
) -> PagedCall[dict[str, Any]]:
    """List the messages that a contact got, as the service writes them. They hold personal data.

    :param channel_types: only these channels, joined by commas
    :raises InvalidRequest: unless the contact is named in exactly one way
    """
    query = {"contactId": contact_id, "externalCustomerId": external_customer_id, "email": email, "phone": phone}
    given = [value for value in query.values() if value is not None]
    if len(given) != 1:
        raise InvalidRequest("Name the contact by contact_id, external_customer_id, email or phone: one of them.")
    return PagedCall(
        method="GET",
        path="/v2/contacts/messages",
        query={
            "dateFrom": date_text(date_from),
            "dateTo": date_text(date_to),
            **query,
            "channelTypes": channel_types,
        },
        read=wire.page_of(dict),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=_PAGING,
        allowance=CONTACT_MESSAGES,
        private=tuple(value for value in given if isinstance(value, str)),
    )


def _activity(data: Mapping[str, Any]) -> Activity:
    return Activity(
        iid=wire.text(data.get("iid")),
        activity_status=wire.word(data["activityStatus"]),
        activity_date_time=wire.text(data.get("activityDateTime")),
        offset=wire.integer_or(data.get("offset"), 0),
        contact_id=_number(data, "contactId"),
        external_request_id=wire.text(data.get("externalRequestId")),
        media_type=wire.text(data.get("mediaType")),
        message_id=_number(data, "messageId"),
        broadcast_id=_number(data, "broadcastId"),
        workflow_id=_number(data, "workflowId"),
        row=dict(data),
    )


def _number(data: Mapping[str, Any], name: str) -> int | None:
    return None if data.get(name) in (None, "") else wire.integer(data[name])


__all__ = ["MOST_MESSAGES", "MOST_ROWS", "Activity", "ActivityStatus", "contacts", "messages"]
