# SPDX-License-Identifier: Apache-2.0
"""Workflows, which events launch. Source: eSputnik API, "Workflows"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import PagedCall, Repeat
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.paging import MOST_PER_PAGE, PAGING


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow."""

    id: int
    name: str
    is_active: bool
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def list(name: str | None = None, *, limit: int = MOST_PER_PAGE) -> PagedCall[Workflow]:
    """List the account's workflows.

    :param name: only those with such a name; compare again
    """
    return PagedCall(
        method="GET",
        path="/v1/workflows",
        query={"name": name},
        read=wire.page_of(_workflow),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
    )


def _workflow(data: Mapping[str, Any]) -> Workflow:
    return Workflow(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        is_active=wire.text(data.get("status")).lower() == "active",
        tags=tuple(wire.text(tag) for tag in wire.as_list(data.get("tags"))),
        extra=wire.rest(data, "id", "name", "status", "tags"),
    )


__all__ = ["Workflow", "list"]
