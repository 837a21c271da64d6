# SPDX-License-Identifier: Apache-2.0
"""What was sent already: a key for every row that must not be sent twice.

The order is check, claim, send, record. A key that is claimed and not recorded belongs to a row whose fate is not
known, because the process ended in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from typing import Any, Protocol


class Entry(Enum):
    """What the ledger says of a key."""

    NEW = "new"
    CLAIMED = "claimed"
    RECORDED = "recorded"


class Ledger(Protocol):
    """Remembers keys across the tries of a task."""

    def look_up(self, key: str) -> Entry:
        """Say what is known of a key."""
        ...

    def claim(self, keys: Collection[str]) -> None:
        """Write down that rows are about to be sent."""
        ...

    def settle(self, recorded: Collection[str], released: Collection[str]) -> None:
        """Write down that rows were sent, and give back those that certainly were not."""
        ...


class KeyValueLedger:
    """A ledger in a store of small values, such as Airflow's task state store.

    :param get: returns the value of a name, or ``None``
    :param put: keeps a value under a name
    :param name: prefix of the names used
    """

    PER_CHUNK = 2000
    """Keys in one value, which is about 55 KB then: the task state store complains above 64 KB."""

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], name: str = "ledger") -> None:
        self._put = put
        self._name = name
        self._entries: dict[str, Entry] = {}
        self._chunk_of: dict[str, int] = {}
        self._chunks: list[set[str]] = []
        while (stored := get(self._chunk_name(len(self._chunks)))) is not None:
            self._chunks.append(set())
            for entry in (Entry.RECORDED, Entry.CLAIMED):
                for key in stored.get(entry.value, ()):
                    self._enter(key, entry)

    def look_up(self, key: str) -> Entry:
        """Say what is known of a key."""
        return self._entries.get(key, Entry.NEW)

    def claim(self, keys: Collection[str]) -> None:
        """Write down that rows are about to be sent."""
        if not keys:
            # An empty chunk is not written, and reading ends at the first one that is missing.
            return
        if not self._chunks or len(self._chunks[-1]) + len(keys) > self.PER_CHUNK:
            self._chunks.append(set())
        for key in keys:
            self._enter(key, Entry.CLAIMED)
        self._write({self._chunk_of[key] for key in keys})

    def settle(self, recorded: Collection[str], released: Collection[str]) -> None:
        """Write down that rows were sent, and give back those that certainly were not."""
        touched = {self._chunk_of[key] for key in (*recorded, *released)}
        for key in recorded:
            self._entries[key] = Entry.RECORDED
        for key in released:
            del self._entries[key]
            self._chunks[self._chunk_of.pop(key)].discard(key)
        self._write(touched)

    def _enter(self, key: str, entry: Entry) -> None:
        self._entries[key] = entry
        if key not in self._chunk_of:
            self._chunk_of[key] = len(self._chunks) - 1
            self._chunks[-1].add(key)

    def _write(self, chunks: Collection[int]) -> None:
        for chunk in chunks:
            by_entry: dict[str, list[str]] = {Entry.RECORDED.value: [], Entry.CLAIMED.value: []}
            for key in sorted(self._chunks[chunk]):
                by_entry[self._entries[key].value].append(key)
            self._put(self._chunk_name(chunk), by_entry)

    def _chunk_name(self, chunk: int) -> str:
        return f"{self._name}-{chunk:05}"


class MemoryLedger(KeyValueLedger):
    """A ledger that ends with the process: it finds duplicates within one reading and nothing else."""

    def __init__(self) -> None:
        values: dict[str, Any] = {}
        super().__init__(values.get, values.__setitem__)


__all__ = ["Entry", "KeyValueLedger", "Ledger", "MemoryLedger"]
