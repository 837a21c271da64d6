# SPDX-License-Identifier: Apache-2.0
"""Who takes no transactional messages any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.languages import require_language


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """An address that takes no transactional messages any more, and how that came."""

    email: str = field(repr=False)
    unsubscribe_by_link: bool
    unsubscribe_by_user: bool
    spam_complaint: bool
    date: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def unsubscribe(addresses: Mapping[str, str]) -> Call[None]:
    """Stop transactional messages to addresses.

    :param addresses: address to comment
    """
    if not addresses:
        raise InvalidRequest("There is no address.")
    return Call(
        method="POST",
        path="/smtp/unsubscribe",
        body=JsonBody({"emails": [{"email": email, "comment": comment} for email, comment in addresses.items()]}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def remove_unsubscribed(emails: Sequence[str]) -> Call[None]:
    """Allow transactional messages to addresses again."""
    return Call(
        method="DELETE",
        path="/smtp/unsubscribe",
        body=JsonBody({"emails": wire.many(emails)}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def unsubscribed(date: dt.date | None = None, *, limit: int = 100) -> PagedCall[Unsubscribed]:
    """List addresses that take no transactional messages any more."""
    return PagedCall(
        method="GET",
        path="/smtp/unsubscribe",
        query={"date": None if date is None else date.isoformat()},
        read=wire.listed(_unsubscribed),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def is_unsubscribed(email: str) -> Call[bool]:
    """Return whether an address takes no transactional messages any more."""
    return Call(
        method="GET",
        path="/smtp/unsubscribe/search",
        query={"email": email},
        read=lambda answer: wire.record(answer)["result"] is True,
        repeat=Repeat.ALWAYS,
        result_is_data=True,
    )


def resubscribe(email: str, sender: str, lang: str | None = None) -> Call[None]:
    """Ask an unsubscribed person by mail to come back; five times a day.

    :param lang: language of that message, English when left out
    :raises InvalidRequest: for a language that SendPulse does not have
    """
    language = require_language(lang)
    return Call(
        method="POST",
        path="/smtp/resubscribe",
        body=JsonBody({"email": email, "sender": sender, **({"lang": language} if language else {})}),
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def _unsubscribed(data: Mapping[str, Any]) -> Unsubscribed:
    def flag(name: str) -> bool:
        return wire.integer_or(data.get(name), int(data.get(name) is True)) == 1

    return Unsubscribed(
        email=wire.text(data["email"]),
        unsubscribe_by_link=flag("unsubscribe_by_link"),
        unsubscribe_by_user=flag("unsubscribe_by_user"),
        spam_complaint=flag("spam_complaint"),
        date=wire.text(data.get("date")),
        extra=wire.rest(data, "email", "unsubscribe_by_link", "unsubscribe_by_user", "spam_complaint", "date"),
    )


__all__ = [
    "Unsubscribed",
    "is_unsubscribed",
    "remove_unsubscribed",
    "resubscribe",
    "unsubscribe",
    "unsubscribed",
]
