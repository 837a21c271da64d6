# SPDX-License-Identifier: Apache-2.0
"""Automation 360: flows that events start and stop (SendPulse API: Automation 360)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import clean_address
from airflow_provider_sendpulse.emulator.errors import Refusal
from airflow_provider_sendpulse.emulator.events import Event
from airflow_provider_sendpulse.emulator.messages import Mailbox, Message
from airflow_provider_sendpulse.emulator.settings import Settings

FIRST_FLOW_ID = 40001
FIRST_ELEMENT_ID = 900001

ElementType = Literal["maintrigger", "email", "push", "sms", "messenger", "filter", "trigger", "goal", "action"]
ELEMENT_TYPES: tuple[str, ...] = get_args(ElementType)


@dataclass
class Element:
    """One element of a flow.

    Attributes:
        delay_seconds: how long a contact waits before it.
        executed: how many contacts passed it.
    """

    id: int
    flow_id: int
    kind: str
    created_at: datetime
    name: str = ""
    subject: str = ""
    body: str = ""
    delay_seconds: float = 0.0
    executed: int = 0
    last_at: datetime | None = None
    messages: list[Message] = field(default_factory=list)


@dataclass
class Run:
    """One contact on its way through a flow."""

    contact: str
    variables: dict[str, Any]
    started_at: datetime
    position: int
    due_at: datetime


@dataclass(frozen=True)
class Conversion:
    """One contact that did what a flow is for."""

    id: int
    element: Element
    contact: str
    at: datetime
    started_at: datetime


@dataclass
class Flow:
    """A flow, with all who are in it.

    Attributes:
        event: the event that starts it, by name or hash.
        stop_event: the event that takes a contact out of it.
    """

    id: int
    name: str
    event: str
    stop_event: str
    is_active: bool
    elements: list[Element]
    created_at: datetime
    starts: int = 0
    ends: int = 0
    runs: list[Run] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)

    @property
    def due_at(self) -> datetime | None:
        """When the next contact passes an element."""
        return min((run.due_at for run in self.runs), default=None)


class Flows:
    """All flows of the account."""

    def __init__(self, settings: Settings, clock: Clock, mailbox: Mailbox) -> None:
        self._settings = settings
        self._clock = clock
        self._mailbox = mailbox
        self._flows: dict[int, Flow] = {}
        self._next_element_id = FIRST_ELEMENT_ID

    def __iter__(self) -> Iterator[Flow]:
        return iter(list(self._flows.values()))

    def find(self, flow_id: int) -> Flow:
        """Return the flow with this id, or a refusal."""
        found = self._flows.get(flow_id)
        if found is None:
            raise Refusal(self._settings.http_status_unknown_flow, 404, "Flow not found")
        return found

    def find_element(self, element_id: int, kind: str) -> Element:
        """Return the element with this id and of this kind, or a refusal."""
        for flow in self:
            for element in flow.elements:
                if (element.id, element.kind) == (element_id, kind):
                    return element
        raise Refusal(self._settings.http_status_unknown_flow, 404, "Element not found")

    def create(
        self,
        name: str,
        event: str,
        elements: list[Mapping[str, Any]],
        *,
        stop_event: str = "",
        is_active: bool = True,
    ) -> Flow:
        """Make a flow, as a person does in the dashboard; it begins with the element that starts it.

        Raises:
            ValueError: an element is of no known type, or has an unknown field.
        """
        flow_id, now = FIRST_FLOW_ID + len(self._flows), self._clock.now()
        made = [self._element(flow_id, {"type": "maintrigger"}, now)]
        made += [self._element(flow_id, fields, now) for fields in elements]
        flow = Flow(flow_id, name, event, stop_event, is_active, made, now)
        self._flows[flow_id] = flow
        return flow

    def receive(self, event: Event) -> None:
        """Let an event start and stop the flows bound to it, or only the one that it names."""
        key = event.name or event.event_hash or ""
        only = event.body.get("automation_id")
        contact = clean_address(event.contact)
        for flow in self:
            if only is not None and str(only) != str(flow.id):
                continue
            if flow.is_active and flow.event == key:
                flow.starts += 1
                flow.runs.append(Run(contact, event.variables, event.received_at, 0, event.received_at))
                self.settle(flow, event.received_at)
            if flow.stop_event == key:
                flow.runs = [run for run in flow.runs if run.contact != contact]

    def settle(self, flow: Flow, now: datetime) -> None:
        """Let everybody pass the elements that are due by now."""
        while (due_at := flow.due_at) is not None and due_at <= now:
            run = next(run for run in flow.runs if run.due_at == due_at)
            self._pass(flow, run)

    def convert(self, flow: Flow, contact: str, element_id: int | None = None) -> Conversion:
        """Note that a contact did what the flow, or one of its goals, is for."""
        element = flow.elements[0]
        if element_id is not None:
            element = next(item for item in flow.elements if item.id == element_id)
        now = self._clock.now()
        conversion = Conversion(len(flow.conversions) + 1, element, contact, now, now)
        flow.conversions.append(conversion)
        return conversion

    def as_list(self) -> list[dict[str, Any]]:
        """Return everything as JSON."""
        return [
            {
                "id": flow.id,
                "name": flow.name,
                "event": flow.event,
                "stop_event": flow.stop_event,
                "active": flow.is_active,
                "starts": flow.starts,
                "in_queue": [run.contact for run in flow.runs],
                "ends": flow.ends,
                "conversions": len(flow.conversions),
                "elements": [
                    {"id": element.id, "type": element.kind, "executed": element.executed} for element in flow.elements
                ],
            }
            for flow in self
        ]

    def _pass(self, flow: Flow, run: Run) -> None:
        element = flow.elements[run.position]
        element.executed += 1
        element.last_at = run.due_at
        if element.kind == "email" and "@" in run.contact:
            element.messages.append(self._mail(element, run))
        elif element.kind == "goal":
            flow.conversions.append(Conversion(len(flow.conversions) + 1, element, run.contact, run.due_at, run.started_at))
        run.position += 1
        if run.position == len(flow.elements):
            flow.runs.remove(run)
            flow.ends += 1
        else:
            run.due_at += timedelta(seconds=flow.elements[run.position].delay_seconds)

    def _mail(self, element: Element, run: Run) -> Message:
        return self._mailbox.post(
            kind="flow",
            campaign_id=None,
            book_id=None,
            to=run.contact,
            subject=element.subject,
            body=element.body,
            variables=run.variables,
            at=run.due_at,
        )

    def _element(self, flow_id: int, fields: Mapping[str, Any], now: datetime) -> Element:
        known = {"name", "subject", "body", "delay_seconds"}
        kind = fields.get("type")
        if kind not in ELEMENT_TYPES:
            raise ValueError(f"an element's type is one of {', '.join(ELEMENT_TYPES)}")
        if unknown := sorted(set(fields) - known - {"type"}):
            raise ValueError(f"an element has no {', '.join(unknown)}")
        given = {name: fields[name] for name in known & set(fields)}
        element = Element(self._next_element_id, flow_id, str(kind), now, **given)
        self._next_element_id += 1
        return element
