# SPDX-License-Identifier: Apache-2.0
"""What was sent already: a key for every row that must not be sent twice.

The order is check, claim, send, record. A key that is claimed and not recorded belongs to a row whose fate is not
known, because the process ended in between; or to one that somebody else is sending at this moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, Protocol


class Entry(Enum):
    """What the ledger says of a key."""

    NEW = "new"
    """Nothing: the row was not sent."""

    IN_DOUBT = "in_doubt"
    """Claimed and not recorded, by somebody who is not sending any more."""

    LISTED = "listed"
    """In doubt too, and another run has listed it already."""

    TAKEN = "taken"
    """Claimed by another task a short while ago: it is probably being sent."""

    RECORDED = "recorded"
    """The row was sent."""


class Ledger(Protocol):
    """Remembers keys, at least across the tries of a task. It belongs to one thread.

    :param capacity: keys it can hold; ``None`` where there is no such bound
    :param is_lasting: whether what it knows outlives this process
    """

    capacity: int | None
    is_lasting: bool

    @property
    def size(self) -> int:
        """Keys that it holds; only asked where there is a ``capacity``."""
        ...

    def look_up(self, keys: Collection[str]) -> dict[str, Entry]:
        """Say what is known of keys; new ones are left out."""
        ...

    def claim(self, contacts: Mapping[str, str], *, again: Collection[str] = ()) -> set[str]:
        """Write down that rows are about to be sent, and return the keys that are ours to send.

        :param contacts: key of every row to the digest of its contact
        :param again: keys that are in doubt and are to be sent all the same
        """
        ...

    def settle(self, recorded: Collection[str], released: Collection[str]) -> None:
        """Write down that rows were sent, and give back those that certainly were not."""
        ...

    def note_listed(self, keys: Collection[str]) -> None:
        """Write down that rows are in doubt and were listed, so that other runs need not list them again."""
        ...


class KeyValueLedger:
    """A ledger in one small value, such as one of Airflow's task state store: for the tries of one task.

    :param get: returns the value of a name, or ``None``
    :param put: keeps a value under a name
    :param name: the name
    """

    capacity: int | None = 2000
    """About 55 KB: the task state store complains above 64 KB."""

    is_lasting = True

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], name: str = "ledger") -> None:
        self._put = put
        self._name = name
        stored = get(name) or {}
        self._entries = {key: entry for entry in (Entry.RECORDED, Entry.IN_DOUBT) for key in stored.get(entry.value) or ()}

    @property
    def size(self) -> int:
        """Keys that it holds."""
        return len(self._entries)

    def look_up(self, keys: Collection[str]) -> dict[str, Entry]:
        """Say what is known of keys; a claim is an earlier try's, and so in doubt."""
        return {key: self._entries[key] for key in keys if key in self._entries}

    def claim(self, contacts: Mapping[str, str], *, again: Collection[str] = ()) -> set[str]:
        """Write down that rows are about to be sent."""
        ours = {key for key in contacts if key not in self._entries or key in again}
        self._entries.update(dict.fromkeys(ours, Entry.IN_DOUBT))
        self._write()
        return ours

    def settle(self, recorded: Collection[str], released: Collection[str]) -> None:
        """Write down that rows were sent, and give back those that certainly were not."""
        self._entries.update(dict.fromkeys(recorded, Entry.RECORDED))
        for key in released:
            del self._entries[key]
        self._write()

    def note_listed(self, keys: Collection[str]) -> None:
        """There are no other runs: every try lists what is in doubt."""

    def _write(self) -> None:
        by_entry: dict[str, list[str]] = {Entry.RECORDED.value: [], Entry.IN_DOUBT.value: []}
        for key in sorted(self._entries):
            by_entry[self._entries[key].value].append(key)
        self._put(self._name, by_entry)


class MemoryLedger(KeyValueLedger):
    """A ledger that ends with the process: for a first try, where nothing can be kept."""

    capacity: int | None = None
    is_lasting = False

    def __init__(self) -> None:
        super().__init__(lambda _: None, lambda *_: None)

    def _write(self) -> None:
        """Nothing is to be written."""


class LostLedger(MemoryLedger):
    """A ledger for a retry where nothing tells what the try before has sent: every row is in doubt."""

    def look_up(self, keys: Collection[str]) -> dict[str, Entry]:
        """Say that all keys are in doubt but those that were sent since."""
        return dict.fromkeys(keys, Entry.IN_DOUBT) | super().look_up(keys)


__all__ = ["Entry", "KeyValueLedger", "Ledger", "LostLedger", "MemoryLedger"]
