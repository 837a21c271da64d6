# SPDX-License-Identifier: Apache-2.0
"""Other runs that send rows of the same things at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from airflow_provider_sendpulse.jobs.latest import Thing, digest
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.seen import temporary_database

_UNDER_WAY = frozenset({Entry.TAKEN, Entry.RECORDED})


@dataclass(frozen=True, slots=True)
class Untimely:
    """Keys of rows that are not to be sent now.

    :param late: a later row of the same thing was sent, or may have been
    :param early: another run is just sending an earlier row of the same thing
    """

    late: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)


class Rivals:
    """Knows the rows that may be sent, by their things, and asks the ledger what others do with them.

    :param thing: says which thing a row is about; without it every row is about another, and nothing is kept
    """

    def __init__(self, ledger: Ledger, thing: Thing | None) -> None:
        self._ledger = ledger
        self._thing = thing
        self._database = temporary_database()
        self._database.execute(
            "CREATE TABLE rivals (thing BLOB, number INTEGER, key TEXT, again INTEGER, PRIMARY KEY (thing, number)) "
            "WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def note(self, item: Item, *, again: bool = False) -> None:
        """Write down a row that may be sent.

        :param again: whether it is sent although it is in doubt
        """
        if self._thing is not None:
            row = (digest(self._thing, item), item.person.number, item.key, again)
            self._database.execute("INSERT OR REPLACE INTO rivals VALUES (?, ?, ?, ?)", row)

    def untimely(self, items: Iterable[Item]) -> Untimely:
        """Return which rows, claimed by us, another run makes untimely.

        To be asked after the claim: of two processes that claim two rows of one thing, whoever claims last sees the
        other's claim. So never do both go on.
        """
        found = Untimely()
        if self._thing is None:
            return found
        others = [(item, self._others(item, self._thing)) for item in items]
        keys = {key for _, rows in others for _, key, _ in rows}
        known = self._ledger.look_up(keys) if keys else {}
        for item, rows in others:
            for number, key, again in rows:
                entry = known.get(key, Entry.NEW)
                if number < item.person.number:
                    if entry is Entry.TAKEN:
                        found.early.add(item.key)
                elif entry in _UNDER_WAY or (entry is not Entry.NEW and not again):
                    found.late.add(item.key)
        return found

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def _others(self, item: Item, thing: Thing) -> list[tuple[int, str, int]]:
        query = "SELECT number, key, again FROM rivals WHERE thing = ? AND number <> ?"
        return self._database.execute(query, (digest(thing, item), item.person.number)).fetchall()


__all__ = ["Rivals", "Untimely"]
