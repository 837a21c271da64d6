# SPDX-License-Identifier: Apache-2.0
"""What a webhook says (SendPulse API: webhooks, delivery): numbers are text in the older events only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.messages import (
    CLICKED,
    DELIVERED,
    OPENED,
    UNSUBSCRIBED,
    Message,
    links_in,
)

ACTIONS = (
    "new_emails",
    "delete",
    "unsubscribe",
    "task_status_update",
    "open",
    "redirect",
    "spam",
    "delivered",
    "hard_bounces",
    "soft_bounces",
)
MARKED_AS_SPAM = 11
SMTP_ANSWERS = {
    6: (550, "5.1.1", "The email account that you tried to reach does not exist"),
    7: (450, "4.2.1", "The mailbox is temporarily unavailable"),
    8: (550, "5.2.1", "The mailbox is unavailable"),
    9: (550, "5.7.1", "Message rejected as spam"),
    10: (552, "5.2.2", "The mailbox is full"),
    12: (554, "5.0.0", "Transaction failed"),
    14: (512, "5.1.2", "Host or domain name not found"),
    16: (553, "5.1.3", "Invalid address"),
    17: (451, "4.7.0", "Temporarily deferred"),
}
_HARD = frozenset({6, 8, 14, 16})
_MODERATION = {
    1: ("on_moderation", "Your campaign on moderation"),
    2: ("sending", "Your campaign in sending queue"),
    5: ("rejected", "Campaign was rejected"),
    11: ("confirm_addresses", "Rejected: you need to confirm your mailing list"),
    22: ("approve_part", "Approved and will be sent by part"),
    27: ("need_edit", "Rejected: You need to edit your mail body"),
}
_APPROVED = ("approve", "Approved and will be sent")

Told = tuple[datetime, dict[str, Any]]


def of_message(message: Message, *, link_id_as_text: bool) -> Iterator[Told]:
    """Tell what becomes of a campaign's message, each thing with the moment at which it happens."""
    campaign, sent_at = message.campaign_id or 0, message.sent_at
    if message.detail in SMTP_ANSWERS:
        code, subcode, response = SMTP_ANSWERS[message.detail]
        yield (
            sent_at,
            {
                "event": "hard_bounces" if message.detail in _HARD else "soft_bounces",
                "timestamp": _seconds(sent_at),
                "task_id": campaign,
                "email": message.to,
                "smtp_server_response_code": code,
                "smtp_server_response_subcode": subcode,
                "smtp_server_response": response,
            },
        )
        return
    if message.detail not in (DELIVERED, OPENED, CLICKED, UNSUBSCRIBED, MARKED_AS_SPAM):
        return
    delivered = {"event": "delivered", "timestamp": _seconds(sent_at), "task_id": campaign, "email": message.to}
    yield sent_at, delivered
    if message.detail == MARKED_AS_SPAM:
        yield sent_at, _classic("spam", sent_at, message.to, task_id=str(campaign))
    if message.opened_at is not None:
        yield message.opened_at, _reading("open", message, message.opened_at)
    if message.clicked_at is not None and message.clicked_link is not None:
        number = links_in(message.rendered_body()).index(message.clicked_link) + 1
        link = {"link_url": message.clicked_link, "link_id": str(number) if link_id_as_text else number}
        yield message.clicked_at, {**_reading("redirect", message, message.clicked_at), **link}
    if message.detail == UNSUBSCRIBED and message.clicked_at is not None:
        yield message.clicked_at, unsubscribed(message.clicked_at, message.to, message.book_id or 0, campaign)


def unsubscribed(at: datetime, email: str, book_id: int, campaign_id: int, *, from_all: bool = False) -> dict[str, Any]:
    """Tell that somebody unsubscribed."""
    return _classic(
        "unsubscribe",
        at,
        email,
        task_id=str(campaign_id),
        from_all=int(from_all),
        reason=None,
        book_id=str(book_id),
        categories="",
    )


def new_email(at: datetime, email: str, book_id: int, variables: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Tell that an address came into a book; no variables are an empty array."""
    return _classic("new_emails", at, email, variables=dict(variables) or [], source=source, book_id=str(book_id))


def deleted(at: datetime, email: str, book_id: int) -> dict[str, Any]:
    """Tell that an address left a book."""
    return _classic("delete", at, email, book_id=str(book_id))


def task_status(at: datetime, campaign_id: int, book_id: int, before: int | None, status: int) -> dict[str, Any] | None:
    """Tell how a campaign's moderation went on, where the new status says something about it."""
    value = _MODERATION.get(status)
    if before == 1 and status in (10, 14):
        value = _APPROVED
    if value is None:
        return None
    return {
        "event": "task_status_update",
        "status": value[0],
        "status_explain": value[1],
        "task_id": str(campaign_id),
        "timestamp": str(_seconds(at)),
        "book_id": str(book_id),
    }


def _reading(event: str, message: Message, at: datetime) -> dict[str, Any]:
    return _classic(
        event,
        at,
        message.to,
        task_id=str(message.campaign_id or 0),
        open_device="Desktop",
        open_platform="Linux",
        browser_ver="140.0",
        browser_name="Firefox",
    )


def _classic(event: str, at: datetime, email: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "timestamp": str(_seconds(at)), "email": email, **fields}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
