# SPDX-License-Identifier: Apache-2.0
"""Sending transactional messages, and reading what became of them.

Accepted is not delivered: read the message again later. A repeat of :func:`send` would send a second message; look for the
first one with :func:`list` before.
"""

from __future__ import annotations

import builtins
import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat, SplitCall, split
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.smtp.message import Message, written

MOST_IDS = 500
"""Messages that one request can ask for."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the service took.

    :param recipient: empty where the answer has none
    :param smtp_answer_code: what the recipient's server said; 250 is delivered; ``None`` while nothing is known
    :param tracking: opens and clicks, as the service writes them
    """

    id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    send_date: str
    smtp_answer_code: int | None = None
    smtp_answer_code_explain: str = ""
    total_size: int = 0
    tracking: dict[str, Any] = field(default_factory=dict, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def send(message: Message) -> Call[str]:
    """Send a message and return its id.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    return Call(
        method="POST",
        path="/smtp/emails",
        body=JsonBody({"email": written(message)}),
        read=_accepted,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def list(
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    sender: str | None = None,
    recipient: str | None = None,
    with_country: bool = True,
    limit: int = 100,
) -> PagedCall[SentMessage]:
    """List messages.

    :param since: the earliest date, in the account's time zone (the API's ``from``); a page has whole days
    :param until: the latest date (the API's ``to``)
    :param with_country: whether opens and clicks tell the country
    """
    return PagedCall(
        method="GET",
        path="/smtp/emails",
        query={
            "from": None if since is None else since.strftime("%Y-%m-%d"),
            "to": None if until is None else until.strftime("%Y-%m-%d"),
            "sender": sender,
            "recipient": recipient,
            "country": None if with_country else "off",
        },
        read=wire.listed(_message),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def total() -> Call[int]:
    """Count the messages."""
    return counted("/smtp/emails/total")


def read(message_id: str) -> Call[SentMessage]:
    """Read one message; an unknown id is refused with 14."""
    return Call(
        method="GET",
        path="/smtp/emails/{id}",
        values={"id": message_id},
        read=lambda answer: _message(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def read_many(message_ids: Sequence[str]) -> SplitCall[builtins.list[SentMessage]]:
    """Read many messages; :data:`MOST_IDS` go into one request. Unknown ids are left out."""

    def part(some: Sequence[str]) -> Call[builtins.list[SentMessage]]:
        return Call(
            method="POST",
            path="/smtp/emails/info",
            body=JsonBody({"emails": [*some]}),
            read=wire.listed(_message),
            repeat=Repeat.ALWAYS,
            # The service leaves unknown ids out, and refuses a request that holds nothing else.
            empty_on=frozenset({ErrorCode.MESSAGE_NOT_FOUND.code}),
        )

    return SplitCall(split(wire.many(message_ids), MOST_IDS, part), lambda pages: [*itertools.chain(*pages)])


def counted(path: str) -> Call[int]:
    """Read the ``total`` of an endpoint."""
    return Call(
        method="GET",
        path=path,
        read=lambda answer: wire.integer(wire.record(answer)["total"]),
        repeat=Repeat.ALWAYS,
    )


def _accepted(answer: Any) -> str:
    wire.confirmed(answer)
    return wire.text(wire.record(answer)["id"])


def _message(data: Mapping[str, Any]) -> SentMessage:
    code = data.get("smtp_answer_code")
    return SentMessage(
        id=wire.text(data["id"]),
        sender=wire.text(data.get("sender")),
        recipient=wire.text(data.get("recipient")),
        subject=wire.text(data.get("subject")),
        send_date=wire.text(data.get("send_date")),
        smtp_answer_code=wire.integer_or(code, 0) or None,
        smtp_answer_code_explain=wire.text(data.get("smtp_answer_code_explain")),
        total_size=wire.integer_or(data.get("total_size"), 0),
        tracking=dict(wire.record(data.get("tracking") or {})),
        extra=wire.rest(
            data,
            "id",
            "sender",
            "recipient",
            "subject",
            "send_date",
            "smtp_answer_code",
            "smtp_answer_code_explain",
            "total_size",
            "tracking",
        ),
    )


__all__ = ["MOST_IDS", "SentMessage", "counted", "list", "read", "read_many", "send", "total"]
