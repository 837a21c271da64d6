# SPDX-License-Identifier: Apache-2.0
"""Prepared messages. Source: eSputnik API, "Message templates".

All of an account's readers together may read 500 an hour.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, PagedCall, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.limits import MESSAGE_READS
from airflow_provider_sendpulse.esputnik.paging import MOST_PER_PAGE, PAGING
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND
from airflow_provider_sendpulse.exceptions import InvalidRequest


class Kind(StrEnum):
    """The channel that a prepared message is for."""

    EMAIL = "email"
    SMS = "sms"
    VIBER = "viber"
    MOBILEPUSH = "mobilepush"
    APPINBOX = "appinbox"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True)
class Template:
    """A prepared message.

    :param content: the other members, which differ by channel, such as ``subject`` and ``htmlText``
    """

    id: int
    name: str
    tags: tuple[str, ...] = ()
    content: dict[str, Any] = field(default_factory=dict, repr=False)


def list(kind: Kind | str, search: str | None = None, *, limit: int = MOST_PER_PAGE) -> PagedCall[Template]:
    """List the prepared messages of a channel.

    :param search: only those that it is found in
    """
    return PagedCall(
        method="GET",
        path=f"/v1/messages/{_kind(kind)}",
        query={"search": search},
        read=wire.page_of(_template),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
        allowance=MESSAGE_READS,
    )


def read(kind: Kind | str, message_id: int) -> Call[Template]:
    """Read one prepared message; one that does not exist is refused with 404."""
    return Call(
        method="GET",
        path=f"/v1/messages/{_kind(kind)}/{{id}}",
        values={"id": message_id},
        read=lambda answer: _template({"id": message_id, **wire.record(answer)}),
        repeat=Repeat.ALWAYS,
        allowance=MESSAGE_READS,
    )


def view_link(message_id: int) -> Call[str]:
    """Return the URL at which a prepared e-mail can be seen."""
    return Call(
        method="GET",
        path="/v1/messages/email/{id}/viewLink",
        values={"id": message_id},
        read=lambda answer: wire.text(wire.record(answer)["link"]),
        repeat=Repeat.ALWAYS,
        allowance=MESSAGE_READS,
    )


def create(kind: Kind | str, content: Mapping[str, Any]) -> Call[int]:
    """Create a prepared message and return its id.

    :param content: the members by their names in the API; an e-mail needs ``name``, ``from``, ``subject`` and ``htmlText``
    """
    return Call(
        method="POST",
        path=f"/v1/messages/{_kind(kind)}",
        body=JsonBody(dict(content)),
        read=lambda answer: wire.integer(wire.record(answer)["id"]),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def update(kind: Kind | str, message_id: int, content: Mapping[str, Any], *, language: str | None = None) -> Call[None]:
    """Change a prepared message, or its translation.

    :param language: code of the translation, such as ``de``
    """
    return _change("PUT", kind, message_id, language, JsonBody(dict(content)))


def delete(kind: Kind | str, message_id: int, *, language: str | None = None) -> Call[None]:
    """Delete a prepared message, or its translation.

    :param language: code of the translation, such as ``de``
    """
    return _change("DELETE", kind, message_id, language, None)


def _change(method: str, kind: Kind | str, message_id: int, language: str | None, body: JsonBody | None) -> Call[None]:
    values: dict[str, str | int] = {"id": message_id}
    path = f"/v1/messages/{_kind(kind)}/{{id}}"
    if language is not None:
        values["language"] = language
        path += "/{language}"
    return Call(
        method=method,
        path=path,
        values=values,
        body=body,
        read=nothing,
        repeat=Repeat.ALWAYS,
        gone_on_repeat=frozenset({NOT_FOUND}) if method == "DELETE" else frozenset(),
        expect=Expect.TEXT,
    )


def _kind(kind: Kind | str) -> Kind:
    if kind not in builtins.list(Kind):
        raise InvalidRequest(f"There are no prepared messages of kind {kind!r}; eSputnik knows {', '.join(Kind)}.")
    return Kind(kind)


def _template(data: Mapping[str, Any]) -> Template:
    return Template(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        tags=tuple(wire.text(tag) for tag in wire.as_list(data.get("tags"))),
        content=wire.rest(data, "id", "name", "tags"),
    )


__all__ = ["Kind", "Template", "create", "delete", "list", "read", "update", "view_link"]
