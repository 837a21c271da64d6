# SPDX-License-Identifier: Apache-2.0
"""Transactional messages to send, and short ways to tell what was sent."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.jobs.message_record import GuessedMessageRecord, MessageRecord, StoredMessageRecord
from airflow_provider_sendpulse.jobs.message_sending import OneMessage, Outcome, send_message_once
from airflow_provider_sendpulse.sendpulse.smtp import Message, Person

ADA, BEA = "ada@example.com", "bea@example.com"
SHOP = "shop@example.com"
POST = "POST /smtp/emails"
LIST = "GET /smtp/emails"


def message(**changes: Any) -> Message:
    fields = {"subject": "Order 17", "sender": Person(SHOP, "Shop"), "to": [Person(ADA)], "text": "Thank you", **changes}
    return Message(**fields)


def one(if_in_doubt: str = "fail", *, since: float = 0.0, wanted: Message | None = None, **others: Any) -> OneMessage:
    return OneMessage(message=wanted or message(), since=since, if_in_doubt=if_in_doubt, **others)


def record_of(store: Any, name: str = "x") -> StoredMessageRecord:
    """What a new try knows."""
    return StoredMessageRecord(store.get, store.put, name)


def send(sender: Any, wanted: OneMessage, clock: Any, record: MessageRecord | None = None, lease: Any = None) -> Outcome:
    return send_message_once(sender, wanted, record or GuessedMessageRecord(1, clock.now()), clock, lease)
