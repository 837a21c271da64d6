# SPDX-License-Identifier: Apache-2.0
"""Transactional messages that came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, PagedCall, Repeat
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.smtp.sent import counted


@dataclass(frozen=True, slots=True)
class Bounced:
    """A message that came back in the last 24 hours."""

    email_to: str = field(repr=False)
    sender: str = field(repr=False)
    send_date: str
    subject: str = field(repr=False)
    smtp_answer_code: int | None
    smtp_answer_subcode: str
    smtp_answer_data: str = field(repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def bounces(date: dt.date | None = None, *, limit: int = 100) -> PagedCall[Bounced]:
    """List what came back in the last 24 hours."""
    return PagedCall(
        method="GET",
        path="/smtp/bounces/day",
        query={"date": None if date is None else date.isoformat()},
        read=lambda answer: wire.listed(_bounced)(wire.record(answer).get("emails") or []),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def bounces_total() -> Call[int]:
    """Count what came back in the last 24 hours."""
    return counted("/smtp/bounces/day/total")


def _bounced(data: Mapping[str, Any]) -> Bounced:
    return Bounced(
        email_to=wire.text(data["email_to"]),
        sender=wire.text(data.get("sender")),
        send_date=wire.text(data.get("send_date")),
        subject=wire.text(data.get("subject")),
        smtp_answer_code=wire.integer_or(data.get("smtp_answer_code"), 0) or None,
        smtp_answer_subcode=wire.text(data.get("smtp_answer_subcode")),
        smtp_answer_data=wire.text(data.get("smtp_answer_data")),
        extra=wire.rest(
            data,
            "email_to",
            "sender",
            "send_date",
            "subject",
            "smtp_answer_code",
            "smtp_answer_subcode",
            "smtp_answer_data",
        ),
    )


__all__ = ["Bounced", "bounces", "bounces_total"]
