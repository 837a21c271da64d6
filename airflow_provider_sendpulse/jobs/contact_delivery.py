# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows to an address book."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.position import PositionStore
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Key, screened
from airflow_provider_sendpulse.jobs.send_once import WINDOW, send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.jobs.upsert import nothing
from airflow_provider_sendpulse.jobs.verification import Arrivals, Verification, contact_key
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import contacts
from airflow_provider_sendpulse.sendpulse.values import contact_variable


@dataclass(frozen=True, slots=True)
class ContactLoad:
    """How contacts get into an address book with single opt-in: upserts, in batches, several at a time.

    :param batch_size: contacts in a call, until the service wants fewer
    :param concurrency: calls at a time
    :param verify: read back afterwards who is there
    :raises InvalidRequest: for numbers that cannot be meant
    """

    address_book_id: int
    batch_size: int = 500
    concurrency: int = 4
    verify: bool = False

    def __post_init__(self) -> None:
        self._delivery()

    def run(
        self,
        sender: Sender,
        audience: Audience,
        position: PositionStore,
        report: Report,
        clock: Clock,
        *,
        account: str,
        catch_up: Callable[[], None] = nothing,
    ) -> None:
        """Deliver the rows; see :meth:`BatchedDelivery.run`."""
        deliver = partial(
            self._delivery().run, sender, audience, position, report, clock, account=account, catch_up=catch_up
        )
        if not self.verify:
            deliver()
            return
        with contextlib.closing(Arrivals()) as arrivals:
            prefix = deliver(accepted=arrivals.expect, skipped=partial(arrivals.expect, skipped=True))
            Verification(sender, self.address_book_id, arrivals, audience, clock).run(report, prefix)
            prefix.save()

    def _delivery(self) -> BatchedDelivery:
        return BatchedDelivery(
            self._add,
            _keys(self.address_book_id),
            {"address_book": self.address_book_id},
            self.batch_size,
            self.concurrency,
        )

    def _add(self, batch: Sequence[Person]) -> Call[None]:
        return contacts.add(self.address_book_id, [_contact(person) for person in batch])


@dataclass(frozen=True, slots=True)
class ConfirmedLoad:
    """How contacts get into an address book with double opt-in: each is asked by mail first, and only once.

    :param consent: how to ask
    """

    address_book_id: int
    consent: contacts.DoubleOptIn

    def run(
        self,
        sender: Sender,
        audience: Audience,
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules = SendingRules(noun="contacts"),
    ) -> None:
        """Ask everybody whom nobody has asked yet, as far as the ledger knows."""
        with (
            audience.reading() as persons,
            contextlib.closing(screened(persons, report, _keys(self.address_book_id))) as items,
        ):
            send_once(
                sender,
                items,
                self._ask,
                ledger,
                report,
                per_call=WINDOW,
                outgoing=_outgoing,
                clock=clock,
                rules=rules,
            )

    def _ask(self, batch: Sequence[Person]) -> Call[None]:
        return contacts.add_with_confirmation(self.address_book_id, [_contact(person) for person in batch], self.consent)


def _keys(address_book_id: int) -> Callable[[Person], Key]:
    def key(person: Person) -> Key:
        if not person.email:
            raise InvalidRequest("a contact of an address book needs an address")
        contacts.add(address_book_id, [_contact(person)])  # finds values that cannot be sent
        return contact_key(address_book_id, person.email)

    return key


def _outgoing(name: str, value: Any) -> str | int | float | None:
    return None if value is None else contact_variable(name, value)


def _contact(person: Person) -> contacts.NewContact:
    return contacts.NewContact(person.email, person.phone or None, person.variables)


__all__ = ["ConfirmedLoad", "ContactLoad"]
