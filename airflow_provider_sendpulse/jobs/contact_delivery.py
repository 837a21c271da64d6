# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows to an address book."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.position import PositionStore, Prefix, binding, resumed
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import WINDOW, send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.jobs.upsert import Upsert, nobody, nothing
from airflow_provider_sendpulse.jobs.verification import Arrivals, Verification, contact_key
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import contacts

MOST_CONCURRENCY = 32
"""More than the account's budget of requests could ever keep busy."""


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
        if self.batch_size < 1:
            raise InvalidRequest(f"batch_size is {self.batch_size}; it is at least 1.")
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise InvalidRequest(f"concurrency is {self.concurrency}; it is a number from 1 to {MOST_CONCURRENCY}.")

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
        """Deliver the rows, from where an earlier try has got to. Whoever calls this deletes the position at the end.

        :param sender: carries out calls, from several threads unless ``concurrency`` is 1
        :param position: kept for another try
        :param account: what tells one account from another; a digest, never a credential
        :param catch_up: is called now and then by the thread that runs this
        """
        bound = binding(account=account, address_book=self.address_book_id, mapping=audience.mapping)
        prefix = Prefix(position, bound, resumed(position, bound, audience.reading()))
        with contextlib.ExitStack() as stack:
            arrivals = stack.enter_context(contextlib.closing(Arrivals())) if self.verify else None
            upsert = Upsert(
                sender,
                self._add,
                batch_size=self.batch_size,
                concurrency=self.concurrency,
                clock=clock,
                accepted=arrivals.expect if arrivals else nobody,
                catch_up=catch_up,
            )
            with (
                audience.reading() as persons,
                # Closed here and now, by the thread that has opened their temporary file.
                contextlib.closing(screened(prefix.reading(persons), report, _keys(self.address_book_id))) as items,
            ):
                upsert.run(_unsent(items, prefix, report, arrivals), report, prefix)
            if arrivals is not None:
                Verification(sender, self.address_book_id, arrivals, audience, clock).run(report, prefix)
                prefix.save()

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
            send_once(sender, items, self._ask, ledger, report, per_call=WINDOW, clock=clock, rules=rules)

    def _ask(self, batch: Sequence[Person]) -> Call[None]:
        return contacts.add_with_confirmation(self.address_book_id, [_contact(person) for person in batch], self.consent)


def _keys(address_book_id: int) -> Callable[[Person], Key]:
    def key(person: Person) -> Key:
        if not person.email:
            raise InvalidRequest("a contact of an address book needs an address")
        contacts.add(address_book_id, [_contact(person)])  # finds values that cannot be sent
        return contact_key(address_book_id, person.email)

    return key


def _unsent(items: Iterable[Item], prefix: Prefix, report: Report, arrivals: Arrivals | None) -> Iterator[Item]:
    """Leave out what an earlier try has delivered."""
    for item in items:
        if not prefix.has(item.person.number):
            yield item
            continue
        report.settle(item.person, Outcome.SKIPPED)
        if arrivals is not None:
            arrivals.expect(item, skipped=True)


def _contact(person: Person) -> contacts.NewContact:
    return contacts.NewContact(person.email, person.phone or None, person.variables)


__all__ = ["MOST_CONCURRENCY", "ConfirmedLoad", "ContactLoad"]
