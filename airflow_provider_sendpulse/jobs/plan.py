# SPDX-License-Identifier: Apache-2.0
"""What is to be sent, found before anything is: rows are read to the end and held against the ledger."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.latest import Latest, Thing, digest
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.rivals import Rivals
from airflow_provider_sendpulse.jobs.rounds import Rounds
from airflow_provider_sendpulse.jobs.screening import Item, Outgoing
from airflow_provider_sendpulse.jobs.seen import Seen
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.jobs.spool import ItemSpool
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Rows that are looked up with one query."""

_DOUBT = (
    "an earlier try or run ended while this row was being sent: not sent again. Look for it in the service's dashboard; "
    'if_in_doubt="resend" sends it once more'
)

_CONDITION = "condition"

_WHY = {
    "sent": "were sent by an earlier try or run",
    "listed": "are in doubt since an earlier run, which has listed them: not sent again",
    "interval": "are for contacts that got one less than min_interval_per_contact ago",
    "resend": "are in doubt and are sent again, because if_in_doubt is resend",
    "overtaken": "are left out: a later row for the same one was sent already, or may have been",
}


Row = tuple[Item, bool]
"""A row, and whether it is sent although it is in doubt."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What decides by requests whether a row is sent: it is asked when no cursor is open any more.

    :param holds: whether a row may be sent
    :param otherwise: what to say of the rows that are skipped, after their number
    """

    holds: Callable[[Item], bool]
    otherwise: str


class Plan:
    """Rows to send, and rows that somebody else seems to be sending.

    ``passed`` knows of each thing the last row that was sent, or may have been; ``rivals`` whether another run is at it.

    :param report: gets the outcome of every row that is not sent
    :param outgoing: makes what goes out of a row's values
    :param condition: what only some of the rows that the ledger does not know fulfil
    :param thing: says what a row brings to another state, where none may arrive after a later one of the same thing
    """

    def __init__(
        self,
        ledger: Ledger,
        report: Report,
        rules: SendingRules,
        outgoing: Outgoing,
        condition: Condition | None = None,
        thing: Thing | None = None,
    ) -> None:
        self._ledger = ledger
        self._report = report
        self._rules = rules
        self._condition = condition
        self._contacts = Seen()
        self._doubtful: list[str] = []
        self._thing = thing
        self._pending = Latest(thing)
        self.passed = Latest(thing)
        self._unsent = ItemSpool(outgoing)
        self.rivals = Rivals(ledger, thing)
        self.to_send = Rounds(outgoing, thing)
        self.taken = Rounds(outgoing, thing)

    def fill(self, items: Iterable[Item], clock: Clock) -> None:
        """Read all rows, then settle those that are not to be sent.

        :raises InvalidRequest: when there are more rows to send than this ledger can hold
        """
        told: Counter[str] = Counter()
        for some in chunks(items, _AT_ONCE):
            unsent = self._sort(some, told)
            if self._condition is None and self._thing is None:
                self._choose(unsent, clock, told)
            else:
                for item, again in unsent:
                    self._unsent.add(item, again=again)
        # Not while the rows are read: a source in the same SQLite file is locked until then.
        self._ledger.note_listed(self._doubtful)
        if self._unsent and self._condition is not None:
            log.info("Each of %s %s is looked up before any is sent.", f"{len(self._unsent):,}", self._rules.noun)
        for rows in chunks(self._unsent, _AT_ONCE):
            self._choose([*self._fulfilling(self._in_time(rows, told), told)], clock, told)
        self._tell(told)
        room = self._ledger.capacity
        if room is not None and self._ledger.size + len(self.to_send) - told["resend"] > room:
            raise InvalidRequest(
                f"{len(self.to_send):,} {self._rules.noun} are to be sent. Without ledger= there is room for the keys of "
                f"{room:,}, those of earlier tries among them. Nothing was sent. Set ledger= to a database connection."
            )

    def fulfilling(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows that fulfil the condition now, if there is one, and settle the others."""
        told: Counter[str] = Counter()
        found = [*self._fulfilling(rows, told)]
        self._tell(told)
        return found

    def thing_of(self, item: Item) -> bytes:
        """Return what stands for the thing of a row, which is the row itself when it is about nothing else."""
        return digest(self._thing, item) if self._thing is not None else bytes.fromhex(item.key)

    def close(self) -> None:
        """Forget everything."""
        self._contacts.close()
        self._unsent.close()
        self.to_send.close()
        self.taken.close()
        self._pending.close()
        self.passed.close()
        self.rivals.close()

    def _sort(self, items: list[Item], told: Counter[str]) -> list[Row]:
        """Return the rows that were not sent, and settle the others."""
        known = self._ledger.look_up([item.key for item in items])
        resend = self._rules.if_in_doubt == "resend"
        unsent: list[Row] = []
        for item in items:
            entry = known.get(item.key, Entry.NEW)
            if entry is Entry.RECORDED:
                self._report.settle(item.person, Outcome.SKIPPED)
                told["sent"] += 1
            elif entry is Entry.TAKEN:
                self.taken.add(item)
                self.rivals.note(item)
            elif entry is Entry.LISTED and not resend:
                self._report.settle(item.person, Outcome.SKIPPED)
                told["listed"] += 1
            elif entry is Entry.IN_DOUBT and not resend:
                self._report.settle(item.person, Outcome.IN_DOUBT, _DOUBT, item.label)
                if self._ledger.is_lasting:
                    self._doubtful.append(item.key)
            else:
                unsent.append((item, item.key in known))
                continue
            (self._pending if entry is Entry.TAKEN else self.passed).note(item)
        return unsent

    def _in_time(self, rows: Iterable[Row], told: Counter[str]) -> Iterator[Row]:
        """Leave out rows after which another of the same thing was sent, may have been, or is being sent."""
        for item, again in rows:
            if self.passed.is_after(item) or self._pending.is_after(item):
                self._report.settle(item.person, Outcome.SKIPPED)
                told["overtaken"] += 1
            else:
                yield item, again

    def _fulfilling(self, rows: Iterable[Row], told: Counter[str]) -> Iterator[Row]:
        for item, again in rows:
            if self._condition is None or self._condition.holds(item):
                yield item, again
            else:
                self._report.settle(item.person, Outcome.SKIPPED)
                told[_CONDITION] += 1

    def _choose(self, rows: list[Row], clock: Clock, told: Counter[str]) -> None:
        """Keep the rows whose contact is not to be left in peace for a while."""
        crowded: set[str] = set()
        if self._rules.interval is not None and rows:
            contacts = {item.key: contact_digest(item.person) for item, _ in rows}
            crowded = self._rules.interval.reached(contacts, clock.now())
        for item, again in rows:
            if item.key in crowded or not self._is_first(item.person):
                self._report.settle(item.person, Outcome.SKIPPED)
                told["interval"] += 1
                continue
            if again:
                told["resend"] += 1
            self.to_send.add(item, again=again)
            self.rivals.note(item, again=again)

    def _tell(self, told: Counter[str]) -> None:
        for why, count in told.items():
            said = self._condition.otherwise if self._condition is not None and why == _CONDITION else _WHY[why]
            log.info("%s %s %s.", f"{count:,}", self._rules.noun, said)

    def _is_first(self, person: Person) -> bool:
        """Whether no earlier row of this run is for the same contact, where that matters."""
        return self._rules.interval is None or self._contacts.add(bytes.fromhex(contact_digest(person)))


def contact_digest(person: Person) -> str:
    """Return what stands for a row's contact in a ledger: its address, or what else it has of number and ids."""
    alike = person.comparable
    contact = alike.email or alike.phone
    if not contact:
        # Never equal to a number.
        contact = f"id {person.contact_id}" if person.contact_id else f"external id {person.external_customer_id}"
    return hashlib.sha256(contact.encode()).hexdigest()[:24]


__all__ = ["Condition", "Plan", "Row", "contact_digest"]
