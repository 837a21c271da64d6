# SPDX-License-Identifier: Apache-2.0
"""Contacts that subscribe, one call each: a new one is asked to confirm the address, and events tell of all of them."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik import contacts
from airflow_provider_sendpulse.esputnik.keys import form_type as checked_form_type
from airflow_provider_sendpulse.esputnik.values import parameter
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import CONFIRMED, Contacts, has_agreed
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.plan import contact_digest
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """What contacts subscribe to.

    :param groups: names of static segments
    :param subscriptions: keys of subscription categories
    :param form_type: what the event's name ends with
    :raises InvalidRequest: for a form type that the service does not take
    """

    groups: Sequence[str] = ()
    subscriptions: Sequence[str] = ()
    form_type: str | None = None

    def __post_init__(self) -> None:
        if self.form_type is not None:
            checked_form_type(self.form_type)

    @property
    def identity(self) -> str:
        """What tells it from other ones, whatever order its segments and categories are in."""
        return f"subscribe {json.dumps([self.form_type, sorted(self.groups), sorted(self.subscriptions)])}"


class Statuses:
    """How many contacts have which status of their address now. Threads share it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, subscribed: contacts.Subscribed) -> None:
        """Count a contact, where the service has told its status."""
        if subscribed.email_status:
            with self._lock:
                self._counts[subscribed.email_status] += 1

    def as_dict(self) -> dict[str, int]:
        """Return status to number of contacts."""
        return dict(sorted(self._counts.items()))


@dataclass(frozen=True, slots=True)
class SubscriptionLoad:
    """How contacts subscribe, each at most once as far as the ledger knows.

    :param maker: makes contacts of rows
    :param statuses: is told of every contact
    """

    maker: Contacts
    form: Form
    statuses: Statuses = field(default_factory=Statuses)

    def run(
        self,
        sender: Sender,
        audience: Audience,
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules = SendingRules(noun="contacts"),
    ) -> None:
        """Subscribe everybody who has not subscribed yet, nor agreed already: all rows are read first."""
        with (
            audience.reading() as persons,
            contextlib.closing(screened(persons, report, self._key, outgoing=_outgoing)) as items,
        ):
            asked = self._asked(items, report)
            send_once(sender, asked, self._build, ledger, report, per_call=1, outgoing=_outgoing, clock=clock, rules=rules)

    def _asked(self, items: Iterable[Item], report: Report) -> Iterator[Item]:
        """Yield the rows whose contact is to be asked; who has agreed already is skipped, and counted in the log."""
        agreed = 0
        for item in items:
            if self.maker.tells_who_has_agreed and self.maker.is_confirmed(item.person):
                agreed += 1
                report.settle(item.person, Outcome.SKIPPED)
            else:
                yield item
        if agreed:
            log.info("%s contacts have agreed already, as confirmed says: skipped; an import takes them.", f"{agreed:,}")

    def _key(self, person: Person) -> Key:
        self._call(person)  # finds values that cannot be sent
        return Key(f"{self.form.identity}\0{contact_digest(person)}", person.email or person.phone)

    def _build(self, batch: Sequence[Person]) -> Call[None]:
        [person] = batch
        call: Call[Any] = self._call(person)

        def read(answer: Any) -> None:
            self.statuses.add(call.read(answer))

        return replace(call, read=read, accepted=dict.fromkeys(call.accepted))

    def _call(self, person: Person) -> Call[contacts.Subscribed]:
        contact = self.maker.contact(person)
        form = self.form
        return contacts.subscribe(contact, groups=form.groups, subscriptions=form.subscriptions, form_type=form.form_type)


def _outgoing(name: str, value: Any) -> Any:
    # Databases write it in their own ways, bytes among them.
    return has_agreed(value) if name == CONFIRMED else parameter(name, value)


__all__ = ["Form", "Statuses", "SubscriptionLoad"]
