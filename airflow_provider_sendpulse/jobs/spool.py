# SPDX-License-Identifier: Apache-2.0
"""Rows that wait for their turn."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.jobs.screening import Item, Outgoing
from airflow_provider_sendpulse.rows.people import Person, key_text
from airflow_provider_sendpulse.rows.spool import Spool


class ItemSpool:
    """Keeps rows in order, in little memory.

    :param outgoing: makes what goes out of a row's values
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self._spool = Spool()
        self._outgoing = outgoing

    def __len__(self) -> int:
        """Rows that were added."""
        return len(self._spool)

    def add(self, item: Item, *, again: bool = False) -> None:
        """Keep a row, with the values as they go out.

        :param again: whether it is sent although it is in doubt
        """
        person = item.person
        kept = [
            person.number,
            person.email,
            person.phone,
            plain("automation_id", person.automation_id),
            {name: self._outgoing(name, value) for name, value in person.variables.items()},
            [key_text(value) for value in person.key],
            person.external_customer_id,
            person.contact_id,
            item.key,
            item.label,
            again,
        ]
        self._spool.add(kept)

    def __iter__(self) -> Iterator[tuple[Item, bool]]:
        """Yield every row, and whether it is sent although it is in doubt; nothing is added meanwhile."""
        for number, email, phone, automation_id, variables, parts, own_id, contact_id, key, label, again in self._spool:
            person = Person(
                number,
                email,
                phone,
                automation_id,
                variables,
                tuple(parts),
                external_customer_id=own_id,
                contact_id=contact_id,
            )
            yield Item(person, key, label), again

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()


__all__ = ["ItemSpool"]
