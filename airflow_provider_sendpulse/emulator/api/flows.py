# SPDX-License-Identifier: Apache-2.0
"""Flows and their figures (SendPulse API: Automation 360). All of it can only be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.routing import Route

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.flows import Element, Flow
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.messages import delivery_counts
from airflow_provider_sendpulse.emulator.state import State

# What the paths of statistics call the elements.
KINDS = {
    "main-trigger": "maintrigger",
    "email": "email",
    "push": "push",
    "sms": "sms",
    "messenger": "messenger",
    "filter": "filter",
    "trigger": "trigger",
    "goal": "goal",
    "action": "action",
}
_ERRORS = (6, 7, 8, 9, 10, 12, 13, 14, 16)


def list_all(state: State, call: Call) -> dict[str, Any]:
    """Show a page of flows with their settings."""
    limit, offset = call.page()
    found = list(state.flows)[offset : offset + limit]
    return {"data": [{**_flow(state, flow), "main_data": _main_data(flow)} for flow in found]}


def read(state: State, call: Call) -> dict[str, Any]:
    """Show one flow with its elements and figures."""
    flow = state.flows.find(call.path_int("flow_id"))
    return {
        "autoresponder": _flow(state, flow),
        "flows": [_element(state, flow, element) for element in flow.elements],
        "starts": flow.starts,
        "in_queue": len(flow.runs),
        "end_count": flow.ends,
        "send_messages": sum(len(element.messages) for element in flow.elements),
        "conversions": len(flow.conversions),
    }


def total_statistics(state: State, call: Call) -> dict[str, Any]:
    """Show the figures of all elements, or of one type; the shape is our own, as none is documented."""
    flow = state.flows.find(call.path_int("flow_id"))
    wanted = call.query.get("flow_type")
    elements = [element for element in flow.elements if wanted in (None, "", element.kind)]
    return {"data": [{"id": element.id, "af_type": element.kind, **_figures(state, element)} for element in elements]}


def conversions(state: State, call: Call) -> dict[str, Any]:
    """Count a flow's conversions, by what brought them."""
    flow = state.flows.find(call.path_int("flow_id"))
    main, goals = flow.elements[0], [element for element in flow.elements if element.kind == "goal"]

    def count(element: Element) -> int:
        return sum(conversion.element is element for conversion in flow.conversions)

    return {
        "data": {
            "total_conversions": len(flow.conversions),
            "maintrigger_conversions": count(main),
            "goal_conversions": sum(count(goal) for goal in goals),
            "maintrigger": {**_element(state, flow, main), "conversions": count(main)},
            "goals": [{**_element(state, flow, goal), "name": goal.name, "conversions": count(goal)} for goal in goals],
        }
    }


def conversion_list(state: State, call: Call) -> dict[str, Any]:
    """Show a page of a flow's conversions."""
    flow = state.flows.find(call.path_int("flow_id"))
    limit, offset = call.page()
    items = [
        {
            "id": conversion.id,
            "conversion_type": conversion.element.kind,
            "flow_id": conversion.element.id,
            "email": conversion.contact if "@" in conversion.contact else "",
            "phone": None if "@" in conversion.contact else conversion.contact,
            "conversion_date": write_local(conversion.at, state.settings.time_zone),
            "start_date": write_local(conversion.started_at, state.settings.time_zone),
        }
        for conversion in flow.conversions
    ]
    return {"total": len(items), "items": items[offset : offset + limit]}


def _statistics_of(segment: str) -> Route:
    def answer(state: State, call: Call) -> dict[str, Any]:
        element = state.flows.find_element(call.path_int("element_id"), KINDS[segment])
        return {"data": _figures(state, element)}

    return endpoint("GET", f"/a360/stats/{segment}/{{element_id:int}}/group-stat", "flows.element_statistics", answer)


def _figures(state: State, element: Element) -> dict[str, Any]:
    counts = delivery_counts(element.messages, state.clock.now())
    figures: dict[str, Any] = {"flow_id": element.id, "last_send": _moment(state, element.last_at)}
    if element.kind == "maintrigger":
        return {"flow_id": element.id, "executed": element.executed, "deleted": 0}
    if element.kind == "email":
        task = {
            "id": element.id,
            "address_book_id": 0,
            "message_title": element.subject,
            "sender_mail_address": next(iter(state.senders)).email,
            "sender_mail_name": next(iter(state.senders)).name,
            "created": _moment(state, element.created_at),
        }
        return {
            **figures,
            "task": task,
            "sent": counts.get(1, 0),
            "delivered": counts.get(2, 0),
            "opened": counts.get(3, 0),
            "clicked": counts.get(4, 0),
            "errors": sum(counts.get(code, 0) for code in _ERRORS),
            "unsubscribed": counts.get(5, 0),
            "marked_as_spam": counts.get(11, 0),
        }
    passed = element.executed
    if element.kind == "push":
        return {**figures, "sent": passed, "delivered": passed, "clicked": 0, "errors": 0}
    if element.kind in ("sms", "goal"):
        figures.update(executed=passed, sent=passed, delivered=passed, opened=None, clicked=None, errors=0)
        return figures
    if element.kind == "messenger":
        return {**figures, "executed": passed, "sent": passed}
    return {**figures, "executed": passed}


def _flow(state: State, flow: Flow) -> dict[str, Any]:
    created = write_local(flow.created_at, state.settings.time_zone)
    return {"id": flow.id, "name": flow.name, "status": int(flow.is_active), "created": created, "changed": created}


def _main_data(flow: Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "type": "series",
        "automation_name": flow.name,
        "address_book_id": "0",
        "sender_email_id": 1,
        "sender_email_address": "",
        "sender_email_name": "",
        "sent_time_hour": 0,
        "sent_time_min": 0,
        "task_lang": "en",
        "aWeekDays": [1, 1, 1, 1, 1, 1, 1],
    }


def _element(state: State, flow: Flow, element: Element) -> dict[str, Any]:
    return {
        "id": element.id,
        "main_id": flow.id,
        "af_type": element.kind,
        "created": _moment(state, element.created_at),
        "last_send": _moment(state, element.last_at),
        "task": None,
    }


def _moment(state: State, moment: datetime | None) -> str | None:
    return None if moment is None else write_local(moment, state.settings.time_zone)


_ONE = "/a360/autoresponders/{flow_id:int}"
ROUTES = [
    endpoint("GET", "/a360/autoresponders/list", "flows.list", list_all),
    endpoint("GET", _ONE, "flows.read", read),
    endpoint("GET", f"{_ONE}/total-stats", "flows.total_statistics", total_statistics),
    endpoint("GET", f"{_ONE}/conversions", "flows.conversions", conversions),
    endpoint("GET", f"{_ONE}/conversions/list/all", "flows.conversion_list", conversion_list),
    *map(_statistics_of, KINDS),
]
