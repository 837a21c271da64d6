# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events from rows, each at most once."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from airflow_provider_sendpulse.api.call import Call, SecretUrl
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.plan import contact_digest
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules, duration
from airflow_provider_sendpulse.rows.people import Person, key_text, moment_of
from airflow_provider_sendpulse.sendpulse import events
from airflow_provider_sendpulse.sendpulse.values import event_variable

log = logging.getLogger(__name__)

KEY_VARIABLE = "event_key"
"""Variable in which an event carries its key."""


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """Where events go.

    :param event_name: name of the event
    :param url: its hash URL, to send to that instead of by name
    :param form: send a form instead of JSON; only to a hash URL
    :param automation_id: the flow for rows that name none
    :param key_variable: variable in which a row's key goes along, where it has one; ``None`` leaves it out
    :param max_age: how old an event may be; older ones are skipped
    :param by_contact: whether a row without a key is its contact, whatever its variables are
    """

    event_name: str
    url: SecretUrl | None = None
    form: bool = False
    automation_id: int | None = None
    key_variable: str | None = KEY_VARIABLE
    max_age: dt.timedelta | None = None
    by_contact: bool = False

    def run(
        self,
        sender: Sender,
        persons: Iterable[Person],
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules = SendingRules(noun="events"),
    ) -> None:
        """Send one event per row: all rows are read first, then those are sent that were not before.

        :raises InvalidRequest: when rows have another variable of the key's name, or there is more to send than allowed
        """
        # Closed here and now, by the thread that has opened its temporary file.
        with contextlib.closing(screened(self._with_keys(persons), report, self._key)) as items:
            recent = self._recent(items, report, clock)
            send_once(sender, recent, self._call, ledger, report, per_call=1, clock=clock, rules=rules)

    def _with_keys(self, persons: Iterable[Person]) -> Iterator[Person]:
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

    def _recent(self, items: Iterable[Item], report: Report, clock: Clock) -> Iterator[Item]:
        if self.max_age is None:
            yield from items
            return
        now = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
        too_old = 0
        for item in items:
            # It can be read, or the row would have been found invalid.
            if now - moment_of(item.person.time) <= self.max_age:
                yield item
            else:
                too_old += 1
                report.settle(item.person, Outcome.SKIPPED)
        if too_old:
            log.info("%s events are older than max_event_age=%s.", f"{too_old:,}", duration(self.max_age.total_seconds()))

    def _key(self, person: Person) -> Key:
        event = self._event(person)
        body = event.body()
        if self.max_age is not None:
            moment_of(person.time)
        if person.key:
            return _key(self.event_name, person.key, event.automation_id)
        if self.by_contact:
            return Key(_for_flow(f"{self.event_name}\0contact {contact_digest(person)}", event.automation_id))
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
            automation_id = None if flow is None else int(event_variable("automation_id", flow))
        except (TypeError, ValueError, OverflowError):
            raise InvalidRequest("automation_id is not a number") from None
        return events.Event(person.email or None, person.phone or None, automation_id, person.variables)


def row_key(event_name: str, key: Sequence[object], automation_id: int | None = None) -> str:
    """Return what stands for a row in the ledger's column ``row_key``: 24 hexadecimal digits.

    :param key: the values of the columns of ``event_key``, in its order
    :param automation_id: the flow that the row is for, where there is one
    :raises InvalidRequest: for values that cannot be a key
    """
    return _key(event_name, key, automation_id).digest.hex()


def _key(event_name: str, key: Sequence[object], automation_id: int | None) -> Key:
    parts = [key_text(value) for value in key]
    return Key(_for_flow(f"{event_name}\0{json.dumps(parts, ensure_ascii=False)}", automation_id), readable(key))


def _for_flow(text: str, automation_id: int | None) -> str:
    # The same row for another flow is another event.
    return text if automation_id is None else f"{text}\0{automation_id}"


def readable(key: Sequence[object]) -> str:
    """Return a key for people and flows: its values, joined by ``|``.

    :raises InvalidRequest: for a value that tells no row from another
    """
    texts = [key_text(value) for value in key]
    if len(texts) == 1:
        return texts[0]
    return "|".join(text.replace("\\", "\\\\").replace("|", "\\|") for text in texts)


__all__ = ["KEY_VARIABLE", "EventDelivery", "readable", "row_key"]
