# SPDX-License-Identifier: Apache-2.0
"""Tags of contacts, from the Pro plan on. Source: SendPulse API (OpenAPI file of the email service), "Tags".

Writes are queued: the answer says that a request was taken, and a new tag's id is found by its name in the list.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag; ``color`` is hexadecimal."""

    id: int
    name: str
    color: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def list() -> Call[builtins.list[Tag]]:
    """List the account's tags."""
    return Call(
        method="GET",
        path="/tags",
        read=lambda answer: wire.listed(_tag)(wire.record(answer).get("tags") or []),
        repeat=Repeat.ALWAYS,
    )


def create(name: str, color: str) -> Call[None]:
    """Create a tag. Nothing tells what a repeat would do."""
    return Call(
        method="POST",
        path="/tags",
        body=JsonBody({"name": name, "color": color}),
        read=_queued,
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def update(tag_id: int, name: str, color: str) -> Call[None]:
    """Give a tag another name and color."""
    return Call(
        method="PUT",
        path="/tags/{id}",
        values={"id": tag_id},
        body=JsonBody({"name": name, "color": color}),
        read=_queued,
        repeat=Repeat.ALWAYS,
    )


def delete(tag_id: int) -> Call[None]:
    """Delete a tag."""
    return Call(method="DELETE", path="/tags/{id}", values={"id": tag_id}, read=_queued, repeat=Repeat.ALWAYS)


def pin(tag_ids: Sequence[int], *, email: str | None = None, phone: str | None = None) -> Call[None]:
    """Put tags on a contact, named by its address or its telephone number."""
    return _assign("pin", tag_ids, email, phone)


def unpin(tag_ids: Sequence[int], *, email: str | None = None, phone: str | None = None) -> Call[None]:
    """Take tags off a contact, named by its address or its telephone number."""
    return _assign("unpin", tag_ids, email, phone)


def _assign(verb: str, tag_ids: Sequence[int], email: str | None, phone: str | None) -> Call[None]:
    if (email is None) == (phone is None):
        raise InvalidRequest("A contact is named either by its email or by its phone.")
    if not tag_ids:
        raise InvalidRequest("There is no tag.")
    kind, value = ("email", email) if email is not None else ("phone", phone)
    return Call(
        method="POST",
        path=f"/tags/{verb}/{kind}",
        body=JsonBody({kind: value, "tags": [*tag_ids]}),
        read=_queued,
        repeat=Repeat.ALWAYS,
    )


def _tag(data: Mapping[str, Any]) -> Tag:
    return Tag(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        color=wire.text(data.get("color")),
        extra=wire.rest(data, "id", "name", "color"),
    )


def _queued(answer: Any) -> None:
    """Read ``{"success": true, "failure": false, …}``."""
    data = wire.record(answer)
    if data.get("success") is not True or data.get("failure") is True:
        raise ValueError("the answer does not say that it was queued")


__all__ = ["Tag", "create", "delete", "list", "pin", "unpin", "update"]
