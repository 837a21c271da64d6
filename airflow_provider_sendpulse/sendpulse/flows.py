# SPDX-License-Identifier: Apache-2.0
"""Automation 360 flows and their statistics. Source: SendPulse API (OpenAPI file of Automation 360).

Flows can be read only: nothing starts, stops or edits one, but an event may (see
:mod:`~airflow_provider_sendpulse.sendpulse.events`).
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from airflow_provider_sendpulse.api.call import Call, PagedCall, Repeat
from airflow_provider_sendpulse.sendpulse import wire

ElementKind = Literal["main-trigger", "email", "push", "sms", "messenger", "filter", "trigger", "goal", "action"]
"""What an element of a flow does; the API has an address for the statistics of each."""

_KINDS: dict[str, ElementKind] = {
    "maintrigger": "main-trigger",
    **{kind: kind for kind in get_args(ElementKind) if kind != "main-trigger"},
}

ACTIVE = 1


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow.

    :param id: also in the flow's URL in the dashboard
    :param status: 1 when it is active
    :param main_data: settings, as the service writes them; empty where the answer has none
    """

    id: int
    name: str
    status: int
    created: str
    changed: str
    main_data: dict[str, Any] = field(default_factory=dict, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether events start it."""
        return self.status == ACTIVE


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a flow.

    :param af_type: such as ``maintrigger``, ``email``, ``push``, ``sms``, ``goal``
    :param last_send: as the service writes it; empty when nothing passed yet
    """

    id: int
    main_id: int
    af_type: str
    created: str
    last_send: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FlowDetail:
    """A flow with its elements and figures.

    :param starts: how many contacts entered it
    :param in_queue: how many are in it
    :param end_count: how many reached an end
    """

    flow: Flow
    elements: tuple[Element, ...]
    starts: int
    in_queue: int
    end_count: int
    send_messages: int
    conversions: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ElementStatistics:
    """Figures of one element.

    :param figures: name to number, such as ``sent``, ``delivered``, ``opened``; what the service leaves open is missing
    """

    flow_id: int
    figures: dict[str, int]
    last_send: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Conversions:
    """How many contacts did what a flow is for."""

    total: int
    by_main_trigger: int
    by_goal: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Conversion:
    """One contact that did what a flow is for. Personal data never shows in a ``repr``.

    :param conversion_type: type of the element that brought it, such as ``maintrigger`` or ``goal``
    :param flow_id: id of that element
    """

    id: int
    conversion_type: str
    flow_id: int
    email: str = field(repr=False)
    phone: str = field(repr=False)
    conversion_date: str
    start_date: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def list(limit: int = 100) -> PagedCall[Flow]:
    """List the account's flows."""
    return PagedCall(
        method="GET",
        path="/a360/autoresponders/list",
        read=lambda answer: wire.listed(_flow)(_data(answer)),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def read(flow_id: int) -> Call[FlowDetail]:
    """Read a flow with its elements and figures."""
    return Call(
        method="GET",
        path="/a360/autoresponders/{id}",
        values={"id": flow_id},
        read=_detail,
        repeat=Repeat.ALWAYS,
    )


def total_statistics(flow_id: int, *, flow_type: str | None = None, deleted: str | None = None) -> Call[Any]:
    """Return a flow's totals as the service writes them: their shape is not documented."""
    return Call(
        method="GET",
        path="/a360/autoresponders/{id}/total-stats",
        values={"id": flow_id},
        query={"flow_type": flow_type, "deleted": deleted},
        read=lambda answer: answer,
        repeat=Repeat.ALWAYS,
    )


def kind_of(af_type: str) -> ElementKind | None:
    """Return the kind under which the API has the figures of an element of this type, or ``None`` for an unknown type."""
    return _KINDS.get(af_type)


def element_statistics(kind: ElementKind, element_id: int) -> Call[ElementStatistics]:
    """Return the figures of one element of a flow.

    :param element_id: the element's ``id`` from :func:`read`
    """
    return Call(
        method="GET",
        path=f"/a360/stats/{kind}/{{id}}/group-stat",
        values={"id": element_id},
        read=lambda answer: _element_statistics(wire.record(_data(answer))),
        repeat=Repeat.ALWAYS,
    )


def conversions(flow_id: int) -> Call[Conversions]:
    """Return a flow's conversions."""
    return Call(
        method="GET",
        path="/a360/autoresponders/{id}/conversions",
        values={"id": flow_id},
        read=lambda answer: _conversions(wire.record(_data(answer))),
        repeat=Repeat.ALWAYS,
    )


def conversion_list(flow_id: int, *, limit: int = 100) -> PagedCall[Conversion]:
    """List a flow's conversions. Known from a client only: no documentation of SendPulse has it."""
    return PagedCall(
        method="GET",
        path="/a360/autoresponders/{id}/conversions/list/all",
        values={"id": flow_id},
        read=lambda answer: wire.listed(_conversion)(wire.record(answer)["items"]),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def _data(answer: Any) -> Any:
    return wire.record(answer)["data"]


def _flow(data: Mapping[str, Any]) -> Flow:
    return Flow(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        status=wire.integer_or(data.get("status"), 0),
        created=wire.text(data.get("created")),
        changed=wire.text(data.get("changed")),
        main_data=dict(wire.record(data.get("main_data") or {})),
        extra=wire.rest(data, "id", "name", "status", "created", "changed", "main_data"),
    )


def _detail(answer: Any) -> FlowDetail:
    data = wire.record(answer)
    elements: builtins.list[Any] = data.get("flows") or []
    return FlowDetail(
        flow=_flow(wire.record(data["autoresponder"])),
        elements=tuple(_element(wire.record(item)) for item in elements),
        starts=wire.integer_or(data.get("starts"), 0),
        in_queue=wire.integer_or(data.get("in_queue"), 0),
        end_count=wire.integer_or(data.get("end_count"), 0),
        send_messages=wire.integer_or(data.get("send_messages"), 0),
        conversions=wire.integer_or(data.get("conversions"), 0),
        extra=wire.rest(data, "autoresponder", "flows", "starts", "in_queue", "end_count", "send_messages", "conversions"),
    )


def _element(data: Mapping[str, Any]) -> Element:
    return Element(
        id=wire.integer(data["id"]),
        main_id=wire.integer_or(data.get("main_id"), 0),
        af_type=wire.text(data.get("af_type")),
        created=wire.text(data.get("created")),
        last_send=wire.text(data.get("last_send")),
        extra=wire.rest(data, "id", "main_id", "af_type", "created", "last_send"),
    )


_FIGURES = (
    "executed",
    "deleted",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "errors",
    "unsubscribed",
    "marked_as_spam",
)


def _element_statistics(data: Mapping[str, Any]) -> ElementStatistics:
    return ElementStatistics(
        flow_id=wire.integer(data["flow_id"]),
        figures={name: wire.integer(data[name]) for name in _FIGURES if data.get(name) is not None},
        last_send=wire.text(data.get("last_send")),
        extra=wire.rest(data, "flow_id", "last_send", *_FIGURES),
    )


def _conversions(data: Mapping[str, Any]) -> Conversions:
    return Conversions(
        total=wire.integer_or(data.get("total_conversions"), 0),
        by_main_trigger=wire.integer_or(data.get("maintrigger_conversions"), 0),
        by_goal=wire.integer_or(data.get("goal_conversions"), 0),
        extra=wire.rest(data, "total_conversions", "maintrigger_conversions", "goal_conversions"),
    )


def _conversion(data: Mapping[str, Any]) -> Conversion:
    return Conversion(
        id=wire.integer(data["id"]),
        conversion_type=wire.text(data.get("conversion_type")),
        flow_id=wire.integer_or(data.get("flow_id"), 0),
        email=wire.text(data.get("email")),
        phone=wire.text(data.get("phone")),
        conversion_date=wire.text(data.get("conversion_date")),
        start_date=wire.text(data.get("start_date")),
        extra=wire.rest(data, "id", "conversion_type", "flow_id", "email", "phone", "conversion_date", "start_date"),
    )


__all__ = [
    "ACTIVE",
    "Conversion",
    "Conversions",
    "Element",
    "ElementKind",
    "ElementStatistics",
    "Flow",
    "FlowDetail",
    "conversion_list",
    "conversions",
    "element_statistics",
    "kind_of",
    "list",
    "read",
    "total_statistics",
]
