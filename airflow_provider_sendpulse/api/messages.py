# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire and what comes back, free of any HTTP library."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.redact import SECRET, SHORTEST_SECRET


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, complete.

    :param fresh_connection: do not reuse a kept-alive socket, so that a stale one is never the reason for doubt
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    fresh_connection: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the decoded body; an empty one is ``None``.

        :raises ValueError: when the body is not JSON
        """
        if not self.body.strip():
            return None
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text, never failing; a megabyte of error page is cut."""
        return self.body[:20_000].decode("utf-8", errors="replace")

    def without(self, secrets: Iterable[str]) -> Answer:
        """Return the answer without secrets that it repeats: what is read of it may become a reason, or a row's data."""
        body = self.body
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                body = body.replace(secret.encode(), SECRET.encode())
        return self if body == self.body else replace(self, body=body)


class Executed(enum.Enum):
    """Whether the service may have carried out a request that got no answer."""

    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """A request without an answer.

    :param executed: ``NO`` when the request provably never reached the service
    :param reason: what happened, without a URL
    """

    executed: Executed
    reason: str


__all__ = ["Answer", "Executed", "Request", "TransportFailure"]
