# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events from rows, each at most once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call, SecretUrl
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.event_rows import EventRows, readable
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import events
from airflow_provider_sendpulse.sendpulse.values import event_variable

KEY_VARIABLE = "event_key"
"""Variable in which an event carries its key."""


@dataclass(frozen=True, slots=True)
class EventDelivery(EventRows):
    """Where events go.

    :param event_name: name of the event
    :param url: its hash URL, to send to that instead of by name
    :param form: send a form instead of JSON; only to a hash URL
    :param automation_id: the flow for rows that name none
    :param key_variable: variable in which a row's key goes along, where it has one; ``None`` leaves it out
    """

    event_name: str
    url: SecretUrl | None = None
    form: bool = False
    automation_id: int | None = None
    key_variable: str | None = KEY_VARIABLE

    @property
    def name(self) -> str:
        """What the events are called."""
        return self.event_name

    def body(self, person: Person) -> dict[str, Any]:
        """Return what is sent for a row."""
        return self._event(person).body()

    def outgoing(self, name: str, value: Any) -> Any:
        """Return a value of a row as it goes out."""
        return event_variable(name, value)

    def call(self, person: Person) -> Call[None]:
        """Return the call for a row."""
        event = self._event(person)
        if self.url is None:
            return events.send(self.event_name, event)
        return events.send_to_url(self.url, event, form=self.form)

    def scope(self, person: Person) -> int | None:
        """Return for which flow a row is."""
        return self._event(person).automation_id

    def prepared(self, persons: Iterable[Person]) -> Iterator[Person]:
        """Return rows with their key as a variable."""
        for person in persons:
            if not person.key or self.key_variable is None:
                yield person
                continue
            try:
                key = readable(person.key)
            except InvalidRequest:  # the row is found invalid when its key is asked for
                yield person
                continue
            if self.key_variable not in person.variables:
                yield replace(person, variables={**person.variables, self.key_variable: key})
            elif readable([person.variables[self.key_variable]]) == key:
                yield person
            else:
                raise InvalidRequest(
                    f"The rows have a variable {self.key_variable!r} of their own, and the event key is to go along under "
                    "that name. Give key_variable another name, or None to leave the key out."
                )

    def _event(self, person: Person) -> events.Event:
        flow = person.automation_id if person.automation_id not in (None, "") else self.automation_id
        try:
            automation_id = None if flow is None else int(event_variable("automation_id", flow))
        except (TypeError, ValueError, OverflowError):
            raise InvalidRequest("automation_id is not a number") from None
        return events.Event(person.email or None, person.phone or None, automation_id, person.variables)


__all__ = ["KEY_VARIABLE", "EventDelivery"]
