# SPDX-License-Identifier: Apache-2.0
"""Events, which may launch workflows. Source: eSputnik API, "Generate event", "Past events".

Each event that is accepted counts as a new one: nothing documents that its key makes a repeat harmless. So a call whose
outcome is not known is never repeated. Where the service says that it got the same request less than a minute ago, it has
the event.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.keys import event_type_key, key_value
from airflow_provider_sendpulse.esputnik.limits import (
    EVENTS_V1,
    EVENTS_V2,
    PAST_EVENTS_DELETION,
    PAST_EVENTS_V1,
    PAST_EVENTS_V2,
)
from airflow_provider_sendpulse.esputnik.service import REPEATED
from airflow_provider_sendpulse.esputnik.statuses import PastEventStatus
from airflow_provider_sendpulse.esputnik.values import date_text, parameter, parameter_text
from airflow_provider_sendpulse.exceptions import InvalidRequest

LARGEST = 20 * 1024
"""Bytes of one event's data."""

MOST_PAST_EVENTS = 500
"""Past events of one request."""

LONGEST_NAME = 100
"""Characters of a parameter's name."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Personal data never shows in a ``repr``.

    :param event_type_key: type of the event; the service makes a new one when it is not known
    :param key: what the event is about, up to 300 characters. Without it, the parameters must say whom it is for: by
        contactId, externalCustomerId, email, phone or pushToken
    :param parameters: name to value; ``None`` values are left out
    """

    event_type_key: str
    key: str | None = field(default=None, repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self, convert: Callable[[str, Any], Any] = parameter) -> dict[str, Any]:
        """Return what is sent.

        :param convert: makes what the service takes of a parameter's name and value
        :raises InvalidRequest: for a key, a name or a value that the service does not take, without key and parameters,
            or with more than :data:`LARGEST` bytes of data
        """
        if self.key is None and not self.parameters:
            raise InvalidRequest("An event needs a key, or parameters that say whom it is for.")
        if any(not name.strip() or len(name) > LONGEST_NAME for name in self.parameters):
            raise InvalidRequest(f"The name of a parameter is empty, or has more than {LONGEST_NAME} characters.")
        given = {name: value for name, value in self.parameters.items() if value is not None}
        body = {
            "eventTypeKey": event_type_key(self.event_type_key),
            **wire.present(keyValue=None if self.key is None else key_value(self.key)),
            "params": [{"name": name, "value": convert(name, value)} for name, value in given.items()],
        }
        size = len(json.dumps(body, ensure_ascii=False).encode())
        if size > LARGEST:
            raise InvalidRequest(f"The event has {size} bytes; eSputnik takes {LARGEST}.")
        return body

    @property
    def private(self) -> tuple[str, ...]:
        """What is personal in it, so that it can be hidden where the service repeats it."""
        texts = (value for value in self.parameters.values() if isinstance(value, str))
        return tuple(dict.fromkeys([*([self.key] if self.key else []), *texts]))


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event that happened in the past; it must have a key.

    :param occurred: when, as a date or a date with time
    """

    event: Event
    occurred: dt.date | str

    def body(self, convert: Callable[[str, Any], Any] = parameter) -> dict[str, Any]:
        """Return what is sent.

        :raises InvalidRequest: as :meth:`Event.body`, and without a key
        """
        if self.event.key is None:
            raise InvalidRequest("A past event needs a key.")
        return {**self.event.body(convert), "occurred": date_text(self.occurred)}


@dataclass(frozen=True, slots=True)
class PastEvents:
    """What became of past events.

    :param statuses: see :class:`~airflow_provider_sendpulse.esputnik.statuses.PastEventStatus`; in the order of the events
    """

    statuses: tuple[str, ...]
    success_count: int
    error_count: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def send(event: Event) -> Call[None]:
    """Send an event; its parameters keep their JSON types (version 2 of the method)."""
    return Call(
        method="POST",
        path="/v2/event",
        body=JsonBody(event.body()),
        read=nothing,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        accepted={REPEATED: None},
        expect=Expect.TEXT,
        allowance=EVENTS_V2,
        private=event.private,
    )


def send_as_text(event: Event) -> Call[None]:
    """Send an event with all its parameters as text, lists and objects as JSON text (version 1 of the method)."""
    return Call(
        method="POST",
        path="/v1/event",
        body=JsonBody(event.body(parameter_text)),
        read=nothing,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        accepted={REPEATED: None},
        expect=Expect.TEXT,
        allowance=EVENTS_V1,
        private=event.private,
    )


def add_past(events: Sequence[PastEvent]) -> Call[PastEvents]:
    """Store events that happened, up to :data:`MOST_PAST_EVENTS`; they launch no workflow (version 2 of the method).

    Segmentation must be enabled for their types, and their contacts be there. Whether a repeat stores them twice is not
    documented, so it is not repeated when its outcome is not known.

    :raises InvalidRequest: for no or too many events, and as :meth:`PastEvent.body`
    """
    bodies = [event.body() for event in _some(events)]
    return Call(
        method="POST",
        path="/v2/past_events",
        body=JsonBody({"events": bodies}),
        read=_past_events,
        repeat=Repeat.IF_NOT_EXECUTED,
        allowance=PAST_EVENTS_V2,
        private=_private(events),
    )


def add_past_as_text(events: Sequence[PastEvent]) -> Call[PastEvents]:
    """Store events that happened with all their parameters as text (version 1 of the method).

    :raises InvalidRequest: as :func:`add_past`
    """
    bodies = [event.body(parameter_text) for event in _some(events)]
    return Call(
        method="POST",
        path="/v1/past_events",
        body=JsonBody({"events": bodies}),
        read=_past_events,
        repeat=Repeat.IF_NOT_EXECUTED,
        allowance=PAST_EVENTS_V1,
        private=_private(events),
    )


def delete_past(date_from: dt.date | str, date_to: dt.date | str) -> Call[None]:
    """Delete the past events of a period, both ends included; the service's support has to switch it on."""
    return Call(
        method="DELETE",
        path="/v1/past_events",
        body=JsonBody({"from": date_text(date_from), "to": date_text(date_to)}),
        read=nothing,
        repeat=Repeat.ALWAYS,
        expect=Expect.TEXT,
        allowance=PAST_EVENTS_DELETION,
    )


def _some(events: Sequence[PastEvent]) -> Sequence[PastEvent]:
    if not 1 <= len(events) <= MOST_PAST_EVENTS:
        raise InvalidRequest(f"One request holds 1 to {MOST_PAST_EVENTS} past events, not {len(events)}.")
    return events


def _private(events: Sequence[PastEvent]) -> tuple[str, ...]:
    return tuple(value for item in events for value in item.event.private)


def _past_events(answer: Any) -> PastEvents:
    data = wire.record(answer)
    return PastEvents(
        statuses=tuple(wire.text(wire.record(item)["status"]) for item in wire.as_list(data["results"])),
        success_count=wire.integer_or(data.get("successCount"), 0),
        error_count=wire.integer_or(data.get("errorCount"), 0),
        extra=wire.rest(data, "results", "successCount", "errorCount"),
    )


__all__ = [
    "LARGEST",
    "LONGEST_NAME",
    "MOST_PAST_EVENTS",
    "Event",
    "PastEvent",
    "PastEventStatus",
    "PastEvents",
    "add_past",
    "add_past_as_text",
    "delete_past",
    "send",
    "send_as_text",
]
