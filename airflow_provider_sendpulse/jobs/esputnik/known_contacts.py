# SPDX-License-Identifier: Apache-2.0
"""Rows whose contact is there already: what is sent to anybody else would make a confirmed contact of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.contact_search import with_email, with_external_id, with_phone
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

Search = Callable[[Sender, Person], bool]
"""Says whether the account has somebody by what a row says of them."""


def by_email(sender: Sender, person: Person) -> bool:
    """Whether a contact has a row's address."""
    return bool(person.email) and bool(with_email(sender, person.email))


def by_phone(sender: Sender, person: Person) -> bool:
    """Whether a contact has a row's telephone number."""
    return bool(person.phone) and bool(with_phone(sender, person.phone))


def by_external_id(sender: Sender, person: Person) -> bool:
    """Whether a contact has a row's id of the caller."""
    return bool(person.external_customer_id) and bool(with_external_id(sender, person.external_customer_id))


def known_only(
    sender: Sender,
    items: Iterable[Item],
    searches: Iterable[Search],
    report: Report,
    noun: str,
    unless: Callable[[Item], bool] = lambda _: False,
) -> Iterator[Item]:
    """Yield the rows whose contact the account has; the others are skipped, and counted in the log.

    :param searches: by what contacts are looked for: any of these is enough
    :param noun: what the rows are, in the plural
    :param unless: says of a row that it makes no contact, and needs no search
    """
    ways = [*searches]
    unknown = 0
    for item in items:
        if unless(item) or any(is_known(sender, item.person) for is_known in ways):
            yield item
        else:
            unknown += 1
            report.settle(item.person, Outcome.SKIPPED)
    if unknown:
        log.info("%s %s are for nobody whom the account has, and create_contacts is False: skipped.", f"{unknown:,}", noun)


__all__ = ["Search", "by_email", "by_external_id", "by_phone", "known_only"]
