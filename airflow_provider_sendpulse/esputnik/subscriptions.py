# SPDX-License-Identifier: Apache-2.0
"""Subscription categories, of the account and of a contact. Source: eSputnik API, "Subscription categories"."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.exceptions import InvalidRequest


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription category.

    :param group_id: the segment that holds its contacts
    :param contacts_count: ``None`` in the categories of one contact
    """

    id: int
    key: str
    name: str = ""
    group_id: int | None = None
    contacts_count: int | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def list() -> Call[builtins.list[Subscription]]:
    """List the account's subscription categories; the API documents no paging."""
    return Call(method="GET", path="/v1/subscriptions", read=wire.listed(_subscription), repeat=Repeat.ALWAYS)


def of_contact(contact_id: int) -> Call[builtins.list[Subscription]]:
    """List the subscription categories of a contact."""
    return Call(
        method="GET",
        path="/v1/contact/{id}/subscriptions",
        values={"id": contact_id},
        read=wire.listed(_subscription),
        repeat=Repeat.ALWAYS,
    )


def put(contact_id: int, keys: Sequence[str]) -> Call[None]:
    """Put a contact into subscription categories.

    Nothing documents whether those that are not named are left: read them afterwards where that matters.

    :raises InvalidRequest: for a single text in place of a list
    """
    if isinstance(keys, str):
        raise InvalidRequest("A single text was given where a list of subscription keys is needed.")
    return Call(
        method="PUT",
        path="/v1/contact/{id}/subscriptions",
        values={"id": contact_id},
        body=JsonBody({"subscriptions": [*keys]}),
        read=nothing,
        repeat=Repeat.ALWAYS,
        expect=Expect.TEXT,
    )


def _subscription(data: Mapping[str, Any]) -> Subscription:
    group, count = data.get("groupId"), data.get("contactsCount")
    return Subscription(
        id=wire.integer(data["id"]),
        key=wire.text(data.get("key")),
        name=wire.text(data.get("name")),
        group_id=None if group is None else wire.integer(group),
        contacts_count=None if count is None else wire.integer(count),
        extra=wire.rest(data, "id", "key", "name", "groupId", "contactsCount"),
    )


__all__ = ["Subscription", "list", "of_contact", "put"]
