# SPDX-License-Identifier: Apache-2.0
"""Senders: the addresses that campaigns come from. Source: SendPulse API, "Senders"."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode

ACTIVE = "Active"


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender.

    :param status: ``Active``, or for example ``Requested activation``
    :param is_allowed_for_smtp: ``None`` where the answer does not say
    """

    name: str
    email: str = field(repr=False)
    status: str
    is_allowed_for_smtp: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether campaigns may come from it."""
        return self.status.strip().lower() == ACTIVE.lower()


def list() -> Call[builtins.list[Sender]]:
    """List the account's senders."""
    return Call(method="GET", path="/senders", read=wire.listed(_sender), repeat=Repeat.ALWAYS)


def add(email: str, name: str) -> Call[None]:
    """Add a sender; the service mails a confirmation to it. A free mailbox is refused with 20 or 97."""
    return Call(
        method="POST",
        path="/senders",
        body=JsonBody({"email": email, "name": name}),
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def delete(email: str) -> Call[None]:
    """Delete a sender."""
    return Call(
        method="DELETE",
        path="/senders",
        body=JsonBody({"email": email}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
        done_on_repeat=frozenset({ErrorCode.SENDER_UNKNOWN.code}),
    )


def request_code(email: str) -> Call[None]:
    """Let the service mail an activation code to a sender: a ``GET`` with an effect, once in a quarter of an hour."""
    return Call(
        method="GET",
        path="/senders/{email}/code",
        values={"email": email},
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def activate(email: str, code: str) -> Call[None]:
    """Activate a sender with the code that was mailed to it."""
    return Call(
        method="POST",
        path="/senders/{email}/code",
        values={"email": email},
        body=JsonBody({"code": code}),
        read=wire.confirmed,
        secrets=(code,),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def _sender(data: Mapping[str, Any]) -> Sender:
    allowed = data.get("is_allowed_for_smtp")
    return Sender(
        name=wire.text(data.get("name")),
        email=wire.text(data["email"]),
        status=wire.text(data.get("status")),
        is_allowed_for_smtp=None if allowed is None else bool(wire.integer_or(allowed, int(allowed is True))),
        extra=wire.rest(data, "name", "email", "status", "is_allowed_for_smtp"),
    )


__all__ = ["ACTIVE", "Sender", "activate", "add", "delete", "list", "request_code"]
