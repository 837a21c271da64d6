# SPDX-License-Identifier: Apache-2.0
"""Rows whose contact is there already: what is sent to anybody else would make a confirmed contact of them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from airflow_provider_sendpulse.jobs.esputnik.contact_search import with_email, with_external_id, with_phone
from airflow_provider_sendpulse.jobs.plan import Condition
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

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


def known_contact(
    sender: Sender, searches: Collection[Search], unless: Callable[[Item], bool] = lambda _: False
) -> Condition:
    """Return the condition that the account has the contact of a row, when the row is looked at.

    :param searches: by what contacts are looked for: any of these is enough
    :param unless: says of a row that it makes no contact, and needs no search
    """

    def holds(item: Item) -> bool:
        return unless(item) or any(is_known(sender, item.person) for is_known in searches)

    return Condition(holds, "are for nobody whom the account has, and create_contacts is False: skipped")


__all__ = ["Search", "by_email", "by_external_id", "by_phone", "known_contact"]
