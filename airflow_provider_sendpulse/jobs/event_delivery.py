# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events from rows, each at most once across the tries of a task."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airflow_provider_sendpulse.api.call import Call, SecretUrl
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Key, screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import events


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """Where events go.

    :param event_name: name of the event
    :param url: its hash URL, to send to that instead of by name
    :param form: send a form instead of JSON; only to a hash URL
    :param automation_id: the flow for rows that name none
    """

    event_name: str
    url: SecretUrl | None = None
    form: bool = False
    automation_id: int | None = None

    def run(self, sender: Sender, persons: Iterable[Person], ledger: Ledger, report: Report, clock: Clock) -> None:
        """Send one event per row."""
        with contextlib.closing(screened(persons, report, self._key)) as items:
            send_once(sender, items, self._call, ledger, report, per_call=1, clock=clock)

    def _key(self, person: Person) -> Key:
        body = self._event(person).body()
        if person.key:
            label = json.dumps([str(value) for value in person.key], ensure_ascii=False)
            return Key(f"{self.event_name}\0{label}", label)
        return Key(f"{self.event_name}\0{json.dumps(body, sort_keys=True, ensure_ascii=False)}")

    def _call(self, batch: Sequence[Person]) -> Call[None]:
        [person] = batch
        event = self._event(person)
        if self.url is None:
            return events.send(self.event_name, event)
        return events.send_to_url(self.url, event, form=self.form)

    def _event(self, person: Person) -> events.Event:
        flow = person.automation_id if person.automation_id not in (None, "") else self.automation_id
        try:
            automation_id = None if flow is None else int(flow)
        except (TypeError, ValueError, OverflowError):
            raise InvalidRequest("automation_id is not a number") from None
        return events.Event(person.email or None, person.phone or None, automation_id, person.variables)


__all__ = ["EventDelivery"]
