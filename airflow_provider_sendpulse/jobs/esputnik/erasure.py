# SPDX-License-Identifier: Apache-2.0
"""Contacts that are deleted, or erased for good."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik import account, contacts
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, find, identifier, several
from airflow_provider_sendpulse.jobs.receipts import Erased, Findings
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender

WINDOW = 20
"""Rows that are looked up before any of them is deleted."""

_ROW_LEVEL = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class ContactErasure:
    """How contacts are deleted.

    :param erases: whether nothing is to be left of them
    """

    sender: Sender
    clock: Clock
    by: By
    erases: bool

    def run(self, items: Iterable[Item], report: Report, findings: Findings, erased: Callable[[Erased], None]) -> None:
        """Delete contacts; who is not there is gone already, and a repeat changes nothing.

        :param erased: is told of every row whose contact is gone
        :raises ServiceError: as the calls do
        """
        for number, window in enumerate(chunks(items, WINDOW)):
            if not number:
                # A wrong host says of every contact that there is none, too.
                self.sender.send(account.info())
            found: list[tuple[Item, list[int]]] = []
            for item in window:
                with _rejecting(item, report):
                    found.append((item, self._found(item)))
            findings.add((item, ids) for item, ids in found if len(ids) == 1)
            for item, ids in found:
                if len(ids) > 1:
                    reason = f"not deleted: {several(ids, self.by)}"
                    report.settle(item.person, Outcome.REJECTED, reason, item.label)
                    continue
                with _rejecting(item, report):
                    self._delete(item, findings.of(item))
                    erased(findings.erased(item, self.clock.now()))
                    report.settle(item.person, Outcome.ACCEPTED)

    def _found(self, item: Item) -> list[int]:
        """Return the ids of the contacts that a row means, of those that are there."""
        text = identifier(item.person, self.by)
        if self.by is not By.CONTACT_ID:
            return find(self.sender, self.by, text)
        return [int(text)] if self._is_done(contacts.read(int(text))) else []

    def _delete(self, item: Item, known: Sequence[int]) -> None:
        """Delete what a row means.

        :param known: ids of what was there, in this try or an earlier one
        """
        calls = [contacts.delete(contact_id, erase=self.erases) for contact_id in known]
        if self.by.is_id and not known:
            # A contact that was deleted is not found, and may still be erased.
            text = identifier(item.person, self.by)
            if self.by is By.CONTACT_ID:
                calls = [contacts.delete(int(text), erase=self.erases)]
            else:
                calls = [contacts.delete_by_external_id(text, erase=self.erases)]
        for call in calls:
            self._is_done(call)

    def _is_done(self, call: Call[Any]) -> bool:
        """Carry out a call on one contact, and return whether there was such a contact."""
        try:
            self.sender.send(call)
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            return False
        return True


@contextlib.contextmanager
def _rejecting(item: Item, report: Report) -> Iterator[None]:
    """Reject a row that is refused for what is in it."""
    try:
        yield
    except Refused as error:
        if error.status not in _ROW_LEVEL:
            raise
        report.settle(item.person, Outcome.REJECTED, str(error), item.label)


__all__ = ["WINDOW", "ContactErasure"]
