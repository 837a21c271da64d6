# SPDX-License-Identifier: Apache-2.0
"""What whoever erases contacts writes down of it: what was found of whom, and when nothing was left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from airflow_provider_sendpulse.jobs.position import PositionStore
from airflow_provider_sendpulse.jobs.screening import Item

Shown = Literal["digest", "address"]


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody who is erased.

    :param found: ids of what was found of them: the address books that an address was in, or the contacts that it had
    :param at: when nothing was left
    """

    item: Item
    found: tuple[int, ...]
    at: float


class Findings:
    """What was found of whom, and when they were erased: digests, ids and times.

    Another try or a cleared task finds nothing any more, and writes the same receipts by it.

    :param store: where it is kept
    """

    def __init__(self, store: PositionStore) -> None:
        self._store = store
        value = store.read()
        self._found: dict[str, list[int]] = {}
        self._erased: dict[str, float] = {}
        if isinstance(value, dict):
            self._found |= value.get("found", {})
            self._erased |= value.get("erased", {})

    def add(self, found: Iterable[tuple[Item, Sequence[int]]]) -> None:
        """Take in what was found, and keep it before anything is removed."""
        news = [(item, ids) for item, ids in found if ids]
        for item, ids in news:
            # Who was erased and is there again is erased once more, with a receipt of its own.
            before = () if self._erased.pop(item.key, None) is not None else self.of(item)
            self._found[item.key] = sorted({*before, *ids})
        if news:
            self.keep()

    def of(self, item: Item) -> tuple[int, ...]:
        """Return the ids of what was found for a row."""
        return tuple(self._found.get(item.key, ()))

    def erased(self, item: Item, now: float) -> Erased:
        """Return what became of a row of which nothing is left, with the time when that was seen first."""
        return Erased(item, self.of(item), self._erased.setdefault(item.key, now))

    def keep(self) -> None:
        """Keep all of it for another try; to be called before receipts are written."""
        self._store.write({"found": dict(self._found), "erased": dict(self._erased)})


def shown(contact: str, how: Shown) -> str:
    """Return what a receipt says of whom it is for: an address, or the SHA-256 digest of it in lower case."""
    return contact if how == "address" else hashlib.sha256(contact.lower().encode()).hexdigest()


__all__ = ["Erased", "Findings", "Shown", "shown"]
