# SPDX-License-Identifier: Apache-2.0
"""The account's blacklist: addresses that no campaign reaches. Source: SendPulse API, "Blacklist"."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire


def read() -> Call[list[str]]:
    """Return all addresses of the blacklist; the API documents no paging."""
    return Call(method="GET", path="/blacklist", read=wire.texts, repeat=Repeat.ALWAYS)


def add(emails: Sequence[str], *, comment: str | None = None) -> Call[None]:
    """Put addresses on the blacklist; adding one again changes nothing."""
    fields = {"emails": _encoded(emails)}
    return Call(
        method="POST",
        path="/blacklist",
        body=JsonBody(fields if comment is None else {**fields, "comment": comment}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def remove(emails: Sequence[str]) -> Call[None]:
    """Take addresses off the blacklist."""
    return Call(
        method="DELETE",
        path="/blacklist",
        body=JsonBody({"emails": _encoded(emails)}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def _encoded(emails: Sequence[str]) -> str:
    """Write addresses as the API wants them: joined by commas, as base64."""
    addresses = wire.many(emails)
    if any("," in address for address in addresses):
        raise InvalidRequest("An address holds a comma, and the blacklist takes addresses joined by commas.")
    return base64.b64encode(",".join(addresses).encode()).decode()


__all__ = ["add", "read", "remove"]
