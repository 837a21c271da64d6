# SPDX-License-Identifier: Apache-2.0
"""What a conversation with a service asks of the outside world: send, wait, change a shared record, hide a secret.

The policy yields these and never does any of them itself; a client carries them out, with or without an event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from airflow_provider_sendpulse.api.messages import Answer, Request, TransportFailure
from airflow_provider_sendpulse.api.shared import Change

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; answered with an :class:`Answer` or a :class:`TransportFailure`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Update:
    """Change a shared record; answered with the change's result."""

    key: str
    change: Callable[[Any], Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mask:
    """Hide a value in all logs from now on."""

    secret: str = field(repr=False)


Step = Send | Wait | Update | Mask
Conversation = Generator[Step, Any, T]


def send(request: Request) -> Conversation[Answer | TransportFailure]:
    """Send a request."""
    return cast("Answer | TransportFailure", (yield Send(request)))


def wait(seconds: float) -> Conversation[None]:
    """Let time pass, if any."""
    if seconds > 0:
        yield Wait(seconds)


def update(key: str, change: Change[R]) -> Conversation[R]:
    """Change a shared record."""
    return cast("R", (yield Update(key, change)))


def mask(secret: str) -> Conversation[None]:
    """Hide a value."""
    yield Mask(secret)


__all__ = ["Conversation", "Mask", "Send", "Step", "Update", "Wait", "mask", "send", "update", "wait"]
