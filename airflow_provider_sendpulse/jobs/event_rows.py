# SPDX-License-Identifier: Apache-2.0
"""Events of any service from rows, each at most once."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.plan import contact_digest
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules, duration
from airflow_provider_sendpulse.rows.people import Person, key_text, moment_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRows(ABC):
    """Rows of which each is an event; a service says how one is made of a row.

    :param max_age: how old an event may be; older ones are skipped
    :param by_contact: whether a row without a key is its contact, whatever its values are
    """

    max_age: dt.timedelta | None = None
    by_contact: bool = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What the events are called."""

    @abstractmethod
    def body(self, person: Person) -> dict[str, Any]:
        """Return what is sent for a row.

        :raises InvalidRequest: for a row that cannot be sent
        """

    @abstractmethod
    def outgoing(self, name: str, value: Any) -> Any:
        """Return a value of a row as it goes out."""

    @abstractmethod
    def call(self, person: Person) -> Call[None]:
        """Return the call for a row."""

    def scope(self, person: Person) -> int | None:
        """Return for which flow a row is, where the same row for another flow is another event."""
        return None

    def prepared(self, persons: Iterable[Person]) -> Iterable[Person]:
        """Return rows with what goes along beside what the source gives."""
        return persons

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
        with contextlib.closing(screened(self.prepared(persons), report, self._key, outgoing=self.outgoing)) as items:
            recent = self._recent(items, report, clock)
            send_once(
                sender,
                recent,
                self._call,
                ledger,
                report,
                per_call=1,
                outgoing=self.outgoing,
                clock=clock,
                rules=rules,
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
        self.body(person)  # finds values that cannot be sent
        flow = self.scope(person)
        if self.max_age is not None:
            moment_of(person.time)
        if person.key:
            return key_of(self.name, person.key, flow)
        if self.by_contact:
            return Key(_for_flow(f"{self.name}\0contact {contact_digest(person)}", flow))
        body = self.body(person.comparable)
        return Key(f"{self.name}\0{json.dumps(body, sort_keys=True, ensure_ascii=False)}")

    def _call(self, batch: Sequence[Person]) -> Call[None]:
        [person] = batch
        return self.call(person)


def row_key(event_name: str, key: Sequence[object], automation_id: int | None = None) -> str:
    """Return what stands for a row in the ledger's column ``row_key``: 24 hexadecimal digits.

    :param key: the values of the columns of ``event_key``, in its order
    :param automation_id: the flow that the row is for, where there is one
    :raises InvalidRequest: for values that cannot be a key
    """
    return key_of(event_name, key, automation_id).digest.hex()


def key_of(name: str, key: Sequence[object], automation_id: int | None = None) -> Key:
    """Return what a row is recognised by, of the values that say which row it is.

    :param name: what is sent for the row
    :raises InvalidRequest: for values that cannot be a key
    """
    parts = [key_text(value) for value in key]
    return Key(_for_flow(f"{name}\0{json.dumps(parts, ensure_ascii=False)}", automation_id), readable(key))


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


__all__ = ["EventRows", "key_of", "readable", "row_key"]
