# SPDX-License-Identifier: Apache-2.0
"""Rows that wait for their turn, of each thing one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.latest import Thing, digest
from airflow_provider_sendpulse.jobs.screening import Item, Outgoing
from airflow_provider_sendpulse.jobs.seen import temporary_database
from airflow_provider_sendpulse.jobs.spool import ItemSpool


class Rounds:
    """Keeps rows in rounds: the first row of each thing is in the first one, the next row of it in the second.

    So however the rows are sorted, there are no more rounds than rows of one thing, and within a round order does not
    matter. There is a spool for each: this is for things that have a few rows.

    :param outgoing: makes what goes out of a row's values
    :param thing: says which thing a row is about; without it every row is about another, and there is one round
    """

    def __init__(self, outgoing: Outgoing, thing: Thing | None = None) -> None:
        self._outgoing = outgoing
        self._thing = thing
        self._rounds: list[ItemSpool] = []
        self._database = temporary_database()
        self._database.execute("CREATE TABLE rounds (thing BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def __len__(self) -> int:
        """Rows that were added."""
        return sum(map(len, self._rounds))

    def add(self, item: Item, *, again: bool = False) -> None:
        """Keep a row, which comes after those of the same thing that were added before.

        :param again: whether it is sent although it is in doubt
        """
        place = self._next_of(item)
        if place == len(self._rounds):
            self._rounds.append(ItemSpool(self._outgoing))
        self._rounds[place].add(item, again=again)

    def windows(self, size: int) -> Iterator[list[tuple[Item, bool]]]:
        """Yield round after round in lists of at most ``size`` rows, none of which holds a thing twice.

        With each row comes whether it is sent although it is in doubt. Nothing is added meanwhile.
        """
        for rows in self._rounds:
            yield from chunks(rows, size)

    def calls(self, size: int, per_call: int) -> int:
        """Return how many calls the rows make, when each window of ``size`` rows is sent ``per_call`` at a time."""
        whole = ceil(size / per_call)
        return sum(len(rows) // size * whole + ceil(len(rows) % size / per_call) for rows in self._rounds)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
        for rows in self._rounds:
            rows.close()

    def _next_of(self, item: Item) -> int:
        """Return how many rows of a row's thing there are before it, and count it."""
        if self._thing is None:
            return 0
        name = digest(self._thing, item)
        found = self._database.execute("SELECT count FROM rounds WHERE thing = ?", (name,)).fetchone()
        count: int = found[0] if found else 0
        self._database.execute("INSERT OR REPLACE INTO rounds VALUES (?, ?)", (name, count + 1))
        return count


__all__ = ["Rounds"]
