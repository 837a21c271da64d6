# SPDX-License-Identifier: Apache-2.0
"""What the policy has to know about a service: how it says no, and how it hands out tokens."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.messages import Answer


class ProblemKind(enum.Enum):
    """The classes of failure that an answer can tell of."""

    CREDENTIALS = "credentials"
    """The token or key was not accepted; nothing was carried out."""

    THROTTLED = "throttled"
    """A limit was reached; nothing was carried out; worth repeating after a moment."""

    QUOTA = "quota"
    """A limit was reached that takes long to free itself: nothing was carried out, and waiting here is no use."""

    REFUSED = "refused"
    """The service said no; nothing was carried out."""

    REPEATED = "repeated"
    """The service has received the same call before: what became of that one is not known."""

    BROKEN = "broken"
    """The service or a gateway failed: what happened to the request is not known."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a bad answer says.

    :param message: the service's own words; redacted before they are shown
    :param retry_after: seconds the service is known to need, when the answer itself has no ``Retry-After``
    :param advice: what a person can do about it
    :param due_to_a_row: whether, of a call for many rows, some of them can be why it was refused
    :param is_too_large: whether the call held too much
    :param most_items: how many rows one call may hold, where the service says so
    """

    kind: ProblemKind
    error_code: int | None = None
    message: str = ""
    retry_after: float | None = None
    advice: str = ""
    due_to_a_row: bool = False
    is_too_large: bool = False
    most_items: int | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token.

    :param lifetime: seconds from now until it expires
    """

    value: str
    lifetime: float


@dataclass(frozen=True, slots=True)
class Service:
    """A marketing service, as far as the policy needs to know it.

    :param name: the name people know it by
    :param find_problem: reads an answer and its decoded body (``ValueError`` when it is not JSON); ``None`` means that
        all is well
    :param credentials_advice: likely causes of refused credentials
    :param token_call: the call that exchanges client id and secret for a token, where the service has tokens
    """

    name: str
    find_problem: Callable[[Call[Any], Answer, Any], Problem | None]
    credentials_advice: str
    token_call: Callable[[str, str], Call[IssuedToken]] | None = None


__all__ = ["IssuedToken", "Problem", "ProblemKind", "Service"]
