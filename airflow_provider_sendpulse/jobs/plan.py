# SPDX-License-Identifier: Apache-2.0
"""What is to be sent, found before anything is: rows are read to the end and held against the ledger."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.seen import Seen
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.jobs.spool import ItemSpool, Outgoing
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse.values import event_variable

log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Rows that are looked up with one query."""

_DOUBT = (
    "an earlier try or run ended while this row was being sent: not sent again. Look for it in the service's dashboard; "
    'if_in_doubt="resend" sends it once more'
)

_WHY = {
    "sent": "were sent by an earlier try or run",
    "listed": "are in doubt since an earlier run, which has listed them: not sent again",
    "interval": "are for contacts that got one less than min_interval_per_contact ago",
    "resend": "are in doubt and are sent again, because if_in_doubt is resend",
}


class Plan:
    """Rows to send, and rows that somebody else seems to be sending.

    :param report: gets the outcome of every row that is not sent
    :param outgoing: makes what goes out of a row's values
    """

    def __init__(self, ledger: Ledger, report: Report, rules: SendingRules, outgoing: Outgoing = event_variable) -> None:
        self._ledger = ledger
        self._report = report
        self._rules = rules
        self._contacts = Seen()
        self._doubtful: list[str] = []
        self.to_send = ItemSpool(outgoing)
        self.taken = ItemSpool(outgoing)

    def fill(self, items: Iterable[Item], now: float) -> None:
        """Read all rows, and settle those that are not to be sent.

        :param now: seconds since the epoch
        :raises InvalidRequest: when there are more rows to send than this ledger can hold
        """
        told: Counter[str] = Counter()
        for some in chunks(items, _AT_ONCE):
            self._sort(some, now, told)
        # Not while the rows are read: a source in the same SQLite file is locked until then.
        self._ledger.note_listed(self._doubtful)
        for why, count in told.items():
            log.info("%s %s %s.", f"{count:,}", self._rules.noun, _WHY[why])
        room = self._ledger.capacity
        if room is not None and self._ledger.size + len(self.to_send) - told["resend"] > room:
            raise InvalidRequest(
                f"{len(self.to_send):,} {self._rules.noun} are to be sent. Without ledger= there is room for the keys of "
                f"{room:,}, those of earlier tries among them. Nothing was sent. Set ledger= to a database connection."
            )

    def close(self) -> None:
        """Forget everything."""
        self._contacts.close()
        self.to_send.close()
        self.taken.close()

    def _sort(self, items: list[Item], now: float, told: Counter[str]) -> None:
        known = self._ledger.look_up([item.key for item in items])
        resend = self._rules.if_in_doubt == "resend"
        wanted: list[Item] = []
        for item in items:
            entry = known.get(item.key, Entry.NEW)
            if entry is Entry.RECORDED:
                self._report.settle(item.person, Outcome.SKIPPED)
                told["sent"] += 1
            elif entry is Entry.TAKEN:
                self.taken.add(item)
            elif entry is Entry.LISTED and not resend:
                self._report.settle(item.person, Outcome.SKIPPED)
                told["listed"] += 1
            elif entry is Entry.IN_DOUBT and not resend:
                self._report.settle(item.person, Outcome.IN_DOUBT, _DOUBT, item.label)
                if self._ledger.is_lasting:
                    self._doubtful.append(item.key)
            else:
                wanted.append(item)
        crowded: set[str] = set()
        if self._rules.interval is not None and wanted:
            crowded = self._rules.interval.reached({item.key: contact_digest(item.person) for item in wanted}, now)
        for item in wanted:
            if item.key in crowded or not self._is_first(item.person):
                self._report.settle(item.person, Outcome.SKIPPED)
                told["interval"] += 1
                continue
            again = item.key in known
            if again:
                told["resend"] += 1
            self.to_send.add(item, again=again)

    def _is_first(self, person: Person) -> bool:
        """Whether no earlier row of this run is for the same contact, where that matters."""
        return self._rules.interval is None or self._contacts.add(bytes.fromhex(contact_digest(person)))


def contact_digest(person: Person) -> str:
    """Return what stands for a row's contact in a ledger: its address, or what else it has of number and ids."""
    contact = person.email.lower() or re.sub(r"\D", "", person.phone)
    if not contact:
        # Never equal to a number.
        contact = f"id {person.contact_id}" if person.contact_id else f"external id {person.external_customer_id}"
    return hashlib.sha256(contact.encode()).hexdigest()[:24]


__all__ = ["Plan", "contact_digest"]
