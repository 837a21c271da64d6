# SPDX-License-Identifier: Apache-2.0
"""Which URLs the email service pushes its events to. Source: email service manual, "Webhooks"; SendPulse API, "Webhooks".

There is one subscription per event: asking for three events makes three, each with an id of its own. What arrives at the
URL is read by :mod:`~airflow_provider_sendpulse.sendpulse.webhooks`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

from airflow_provider_sendpulse.api.call import Call, FormBody, JsonBody, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire

T = TypeVar("T")

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
"""Events that can be subscribed to."""

_SHORTEST_TOKEN = 12
"""Letters of a word within a path that may be a secret; one with a digit may be shorter."""

_PATH = "/v2/email-service/webhook"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One event pushed to one URL; the URL often holds a secret, so it never shows in a ``repr``."""

    id: int
    url: str = field(repr=False)
    action: str
    user_id: int = 0
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def secrets_of(url: str) -> tuple[str, ...]:
    """Return what must not show of a URL that often holds a secret: all of it, all that follows the host, and its parts.

    A short word within the path, such as ``sendpulse``, is none: hiding it would only garble messages.
    """
    behind_host = url.partition("://")[2].partition("/")[2]
    path, _, query = behind_host.partition("#")[0].partition("?")
    user = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    *words, last = [word for word in path.split("/") if word] or [""]
    segments = [word for word in words if len(word) >= _SHORTEST_TOKEN or any(letter.isdigit() for letter in word)]
    values = [pair.partition("=")[2] or pair for pair in query.split("&")]
    parts = [
        url,
        behind_host,
        path,
        behind_host.rpartition("/")[2],
        last,
        *segments,
        query,
        *values,
        user.partition(":")[2],
    ]
    return tuple(dict.fromkeys(shown for part in parts for shown in (part, unquote(part)) if shown))


def list() -> Call[builtins.list[Subscription]]:
    """List the account's subscriptions."""
    return Call(method="GET", path=_PATH, read=_data(wire.listed(_subscription)), repeat=Repeat.ALWAYS)


def read(subscription_id: int) -> Call[Subscription]:
    """Read one subscription."""
    return Call(
        method="GET",
        path=f"{_PATH}/{{id}}",
        values={"id": subscription_id},
        read=_data(lambda data: _subscription(wire.only(data))),
        repeat=Repeat.ALWAYS,
    )


def create(url: str, actions: Sequence[str], *, form: bool = False) -> Call[builtins.list[Subscription]]:
    """Subscribe a URL to events; the answer has one subscription per event.

    Nothing says that a second subscription to the same event is refused, so it is not repeated in doubt.

    :param form: send a form, as the manual says, instead of JSON, as the OpenAPI file says
    :raises InvalidRequest: for an event that is not documented
    """
    if isinstance(actions, str) or not actions:
        raise InvalidRequest("Events are given as a list of at least one.")
    if unknown := sorted(set(actions) - set(ACTIONS)):
        raise InvalidRequest(f"There is no event {', '.join(unknown)}; there are {', '.join(ACTIONS)}.")
    return Call(
        method="POST",
        path=_PATH,
        body=FormBody({"url": url, "actions[]": [*actions]}) if form else JsonBody({"url": url, "actions": [*actions]}),
        read=_data(wire.listed(_subscription)),
        repeat=Repeat.IF_NOT_EXECUTED,
        secrets=secrets_of(url),
    )


def update(subscription_id: int, url: str, *, form: bool = False) -> Call[None]:
    """Give a subscription another URL; the event stays."""
    return Call(
        method="PUT",
        path=f"{_PATH}/{{id}}",
        values={"id": subscription_id},
        body=FormBody({"url": url}) if form else JsonBody({"url": url}),
        read=_done,
        repeat=Repeat.ALWAYS,
        secrets=secrets_of(url),
    )


def delete(subscription_id: int) -> Call[None]:
    """End a subscription. Nobody documents how an unknown one is refused: 404 on a repeat counts as done."""
    return Call(
        method="DELETE",
        path=f"{_PATH}/{{id}}",
        values={"id": subscription_id},
        read=_done,
        repeat=Repeat.ALWAYS,
        done_on_repeat=frozenset({404}),
    )


def _data(read: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return a reader of what an envelope holds; some answers are wrapped twice."""

    def unwrap(answer: Any) -> T:
        data = wire.record(answer)["data"]
        if isinstance(data, dict) and "data" in data:
            data = data["data"]
        return read(data)

    return unwrap


def _done(answer: Any) -> None:
    data = wire.record(answer)
    inner = data.get("data")
    if data.get("success") is not True and not (isinstance(inner, dict) and inner.get("result") is True):
        raise ValueError("the answer does not say that it was done")


def _subscription(data: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=wire.integer(data["id"]),
        url=wire.text(data.get("url")),
        action=wire.text(data.get("action")),
        user_id=wire.integer_or(data.get("user_id"), 0),
        extra=wire.rest(data, "id", "url", "action", "user_id"),
    )


__all__ = ["ACTIONS", "Subscription", "create", "delete", "list", "read", "secrets_of", "update"]
