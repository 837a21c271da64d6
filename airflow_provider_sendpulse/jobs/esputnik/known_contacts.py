# SPDX-License-Identifier: Apache-2.0
"""Rows whose contact is there already: what is sent to anybody else would make a confirmed contact of them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, hits
from airflow_provider_sendpulse.jobs.plan import Condition
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender


def known_contact(sender: Sender, by: Collection[By], unless: Callable[[Item], bool] = lambda _: False) -> Condition:
    """Return the condition that the account has the contact of a row, when the row is looked at.

    :param by: by what contacts are looked for: any of these is enough
    :param unless: says of a row that it makes no contact, and needs no search
    """

    def holds(item: Item) -> bool:
        return unless(item) or any(_is_known(sender, kind, item) for kind in by)

    return Condition(holds, "are for nobody whom the account has, and create_contacts is False: skipped")


def _is_known(sender: Sender, by: By, item: Item) -> bool:
    value = {
        By.EXTERNAL_CUSTOMER_ID: item.person.external_customer_id,
        By.EMAIL: item.person.email,
        By.PHONE: item.person.phone,
    }[by]
    return bool(value) and bool(hits(sender, by, value))


__all__ = ["known_contact"]
