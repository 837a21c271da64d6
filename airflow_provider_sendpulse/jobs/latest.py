# SPDX-License-Identifier: Apache-2.0
"""Rows that bring one thing from state to state: none may arrive after a later one, or the thing would fall back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.seen import temporary_database
from airflow_provider_sendpulse.rows.people import Person

Thing = Callable[[Person], str]
"""Says what a row brings to another state, such as an order by its id."""


class Latest:
    """Of each thing, the last of some rows: those that were sent, say.

    :param thing: says which thing a row is about; without it every row is about another, and nothing is kept
    """

    def __init__(self, thing: Thing | None) -> None:
        self._thing = thing
        self._database = temporary_database()
        self._database.execute("CREATE TABLE latest (thing BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def note(self, item: Item) -> None:
        """Write down a row."""
        if self._thing is not None:
            self._database.execute(
                "INSERT INTO latest VALUES (?, ?) ON CONFLICT (thing) DO UPDATE SET number = max(number, excluded.number)",
                (digest(self._thing, item), item.person.number),
            )

    def is_after(self, item: Item) -> bool:
        """Whether a row was written down that is a later one of the same thing."""
        if self._thing is None:
            return False
        query = "SELECT 1 FROM latest WHERE thing = ? AND number > ?"
        found = self._database.execute(query, (digest(self._thing, item), item.person.number))
        return found.fetchone() is not None

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def digest(thing: Thing, item: Item) -> bytes:
    """Return twelve bytes that stand for the thing of a row."""
    return hashlib.sha256(thing(item.person).encode()).digest()[:12]


__all__ = ["Latest", "Thing", "digest"]
