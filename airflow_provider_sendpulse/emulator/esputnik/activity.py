# SPDX-License-Identifier: Apache-2.0
"""What contacts did with their messages (eSputnik API: activity)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.emulator.esputnik.dates import write_date
from airflow_provider_sendpulse.emulator.esputnik.sends import Send
from airflow_provider_sendpulse.emulator.messages import CLICKED, UNSUBSCRIBED

if TYPE_CHECKING:
    from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik

STATUSES = ("DELIVERED", "UNDELIVERED", "READ", "UNSUBSCRIBED", "SUBSCRIPTION_CHANGED", "CLICKED", "SPAM")


@dataclass(frozen=True)
class Activity:
    """One thing that became of a message.

    Attributes:
        number: orders those of one moment; the API tells nobody.
        instance: number of the message to its recipient, which all rows of it have.
    """

    number: int
    instance: int
    send: Send
    status: str
    at: datetime


def activities(account: Esputnik) -> list[Activity]:
    """Return everything that has happened by now, oldest first."""
    found: list[Activity] = []
    now = account.clock.now()
    for number, send in enumerate(account.sends, start=1):
        left = account.sends.leaves_queue_at(send)
        steps: list[tuple[str, datetime | None]] = [("DELIVERED" if send.is_delivered else "UNDELIVERED", left)]
        if send.message is not None and send.content.media != "sms":
            steps += [("READ", send.message.opened_at)] * account.settings.esputnik_reads_at_once
            if send.message.detail == CLICKED:
                steps.append(("CLICKED", send.message.clicked_at))
            if send.message.detail == UNSUBSCRIBED:
                steps.append(("UNSUBSCRIBED", send.message.clicked_at))
        for place, (status, moment) in enumerate(steps):
            if moment is not None and max(moment, left) <= now:
                found.append(Activity(number * 100 + place, number, send, status, max(moment, left)))
    return sorted(found, key=lambda row: (row.at, row.number))


def row_of(account: Esputnik, activity: Activity, offset: int) -> dict[str, Any]:
    """Return an activity as the API shows it."""
    send = activity.send
    content, contact = send.content, account.contacts.get(send.contact_id, or_deleted=True)
    is_email = content.media == "email"
    reason = account.sends.failure_of(send) if activity.status == "UNDELIVERED" else None
    return {
        "iid": send.request_id,
        "externalRequestId": content.external_request_id or None,
        "contactId": send.contact_id,
        "externalCustomerId": (contact.external_id or None) if contact is not None else None,
        "email": send.to if is_email else None,
        "sms": send.to if content.media in ("sms", "viber") else None,
        "webPushToken": None,
        "mobPushToken": send.to if content.media == "mobilepush" else None,
        "mediaType": content.media,
        "activityStatus": activity.status,
        "messageId": content.message_id,
        "messageInstanceId": activity.instance,
        "messageName": content.name or content.subject or None,
        "messageTag": content.tag or None,
        "messageLanguageCode": content.language or None,
        "activityDateTime": write_date(activity.at, account.settings.time_zone),
        "statusDescription": reason,
        "viewMessageLink": None,
        "clickEventLink": send.message.clicked_link if send.message and activity.status == "CLICKED" else None,
        "statusData": None,
        "offset": offset,
        "sourceEventKey": None,
        "sourceEventTypeKey": None,
        "workflowId": None,
        "workflowBlockId": None,
        "workflowInstanceId": None,
        "broadcastId": send.broadcast_id,
        "from": content.sender or None,
    }
