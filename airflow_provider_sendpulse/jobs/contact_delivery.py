# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows to an address book."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Key, screened
from airflow_provider_sendpulse.jobs.send_once import WINDOW, send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.upsert import upsert
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import contacts


@dataclass(frozen=True, slots=True)
class ContactDelivery:
    """How contacts get into an address book.

    :param consent: ask each contact by mail first (double opt-in)
    :param batch_size: contacts per call with single opt-in
    """

    address_book_id: int
    consent: contacts.DoubleOptIn | None = None
    batch_size: int = 500

    def run(self, sender: Sender, persons: Iterable[Person], ledger: Ledger, report: Report, clock: Clock) -> None:
        """Deliver the rows.

        Single opt-in adds are upserts and need no ledger. With double opt-in a repeat may ask a contact again, so every
        contact is asked once across the tries of the task.
        """
        if self.batch_size < 1:
            raise InvalidRequest(f"batch_size is {self.batch_size}; it is at least 1.")
        with contextlib.closing(screened(persons, report, self._key)) as items:
            if self.consent is None:
                upsert(sender, items, self._add, report, batch_size=self.batch_size, clock=clock)
            else:
                send_once(sender, items, self._ask, ledger, report, per_call=WINDOW, clock=clock)

    def _key(self, person: Person) -> Key:
        if not person.email:
            raise InvalidRequest("a contact of an address book needs an address")
        contacts.add(self.address_book_id, [_contact(person)])  # finds values that cannot be sent
        return Key(f"{self.address_book_id}\0{person.email.lower()}", person.email)

    def _add(self, batch: Sequence[Person]) -> Call[None]:
        return contacts.add(self.address_book_id, [_contact(person) for person in batch])

    def _ask(self, batch: Sequence[Person]) -> Call[None]:
        if self.consent is None:
            raise InvalidRequest("double opt-in needs a sender")
        return contacts.add_with_confirmation(self.address_book_id, [_contact(person) for person in batch], self.consent)


def _contact(person: Person) -> contacts.NewContact:
    return contacts.NewContact(person.email, person.phone or None, person.variables)


__all__ = ["ContactDelivery"]
