# SPDX-License-Identifier: Apache-2.0
"""Broadcasts: prepared messages to segments. Source: eSputnik API, "Broadcasts".

What is read of a broadcast holds neither a status nor figures; the activity does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, PagedCall, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.paging import MOST_PER_PAGE, PAGING
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND
from airflow_provider_sendpulse.esputnik.values import date_text
from airflow_provider_sendpulse.exceptions import InvalidRequest


class Unit(StrEnum):
    """What the interval between two batches is counted in."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A broadcast.

    :param id: written as text here, and as a number in the activity
    :param start_date: in the time zone of the organisation, as far as is known
    """

    id: int
    title: str = ""
    message_id: str = ""
    group_ids: tuple[int, ...] = ()
    start_date: str | None = None
    batch_size: int | None = None
    batch_interval_unit: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def create(
    message_id: int | str,
    groups: Sequence[int],
    *,
    excluded_groups: Sequence[int] = (),
    title: str | None = None,
    start_date: dt.datetime | str | None = None,
    batch_size: int | None = None,
    batch_interval_unit: Unit | str | None = None,
    domain: str | None = None,
    app_id: str | None = None,
) -> Call[Broadcast]:
    """Send a prepared message to segments, now or on a date. A contact of several segments gets it once.

    A repeat mails everybody again, so it is not repeated when its outcome is not known.

    :param start_date: as ``YYYY-MM-DDTHH:mm`` in the time zone of the organisation; now when left out
    :param domain: for web push
    :param app_id: for mobile push and Telegram
    :raises InvalidRequest: for no segments
    """
    if not groups:
        raise InvalidRequest("A broadcast needs a segment.")
    body = {
        "messageId": str(message_id),
        "groups": [*groups],
        **wire.present(
            excludedGroups=[*excluded_groups] or None,
            title=title,
            startDate=None if start_date is None else date_text(start_date),
            batchSize=batch_size,
            batchIntervalUnit=None if batch_interval_unit is None else str(batch_interval_unit),
            domain=domain,
            appId=app_id,
        ),
    }
    return Call(
        method="POST",
        path="/v1/broadcast",
        body=JsonBody(body),
        read=lambda answer: _broadcast(wire.record(answer)),
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def read(broadcast_id: int) -> Call[Broadcast]:
    """Read one broadcast."""
    return Call(
        method="GET",
        path="/v1/broadcast/{id}",
        values={"id": broadcast_id},
        read=lambda answer: _broadcast(wire.record(answer)),
        repeat=Repeat.ALWAYS,
    )


def list(limit: int = MOST_PER_PAGE) -> PagedCall[Broadcast]:
    """List the account's broadcasts."""
    return PagedCall(
        method="GET",
        path="/v1/broadcasts",
        read=wire.page_of(_broadcast),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
    )


def delete(broadcast_id: int) -> Call[None]:
    """Cancel a broadcast that is scheduled. What the service says of one that has begun is not documented."""
    return Call(
        method="DELETE",
        path="/v1/broadcast/{id}",
        values={"id": broadcast_id},
        read=nothing,
        repeat=Repeat.ALWAYS,
        gone_on_repeat=frozenset({NOT_FOUND}),
        expect=Expect.TEXT,
    )


def _broadcast(data: Mapping[str, Any]) -> Broadcast:
    size = data.get("batchSize")
    return Broadcast(
        id=wire.integer(data["broadcastId"]),
        title=wire.text(data.get("title")),
        message_id=wire.text(data.get("messageId")),
        group_ids=tuple(wire.integer(item) for item in wire.as_list(data.get("groupId"))),
        start_date=wire.text_or_none(data.get("startDate")),
        batch_size=None if size is None else wire.integer(size),
        batch_interval_unit=wire.text_or_none(data.get("batchIntervalUnit")),
        extra=wire.rest(
            data, "broadcastId", "title", "messageId", "groupId", "startDate", "batchSize", "batchIntervalUnit"
        ),
    )


__all__ = ["Broadcast", "Unit", "create", "delete", "list", "read"]
