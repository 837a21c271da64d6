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
    """What was found of whom. Kept for another try, which finds nothing any more; it holds digests and ids.

    :param store: where it is kept
    """

    def __init__(self, store: PositionStore) -> None:
        self._store = store
        value = store.read()
        self._found: dict[str, list[int]] = dict(value) if isinstance(value, dict) else {}

    def add(self, found: Iterable[tuple[Item, Sequence[int]]]) -> None:
        """Take in what was found, and keep it before anything is removed."""
        news = {item.key: sorted({*self.of(item), *ids}) for item, ids in found if ids}
        if news:
            self._found |= news
            self._store.write(dict(self._found))

    def of(self, item: Item) -> tuple[int, ...]:
        """Return the ids of what was found for a row."""
        return tuple(self._found.get(item.key, ()))

    def forget(self) -> None:
        """Forget all of it: nothing is left for another try."""
        self._store.delete()


def shown(contact: str, how: Shown) -> str:
    """Return what a receipt says of whom it is for: an address, or the SHA-256 digest of it in lower case."""
    return contact if how == "address" else hashlib.sha256(contact.lower().encode()).hexdigest()


__all__ = ["Erased", "Findings", "Shown", "shown"]
