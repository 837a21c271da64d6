# SPDX-License-Identifier: Apache-2.0
"""How far a delivery of upserts has got, so that another try of the task goes on there.

The position is the contiguous beginning of the source that the service has acknowledged: how many rows, and a digest of
what was in them. The digest starts with what the rows were sent to and how columns were read, so a position only ever fits
the same account, address book and mapping. It holds no address and no value of a row.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from airflow_provider_sendpulse.exceptions import ServiceError
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

MOST_AGAIN = 1000
"""Refused rows that a position remembers; with more of them, another try starts over."""


class PositionStore(Protocol):
    """Keeps one position across the tries of a task."""

    def read(self) -> Any:
        """Return what was written last, or ``None``."""
        ...

    def write(self, value: dict[str, Any]) -> None:
        """Keep a value of plain JSON."""
        ...

    def delete(self) -> None:
        """Forget it; that there is none is no error."""
        ...


class MemoryPosition:
    """A position that ends with the process: another try starts over, which is safe with upserts."""

    def __init__(self) -> None:
        self._value: dict[str, Any] | None = None

    def read(self) -> Any:
        """Return what was written last, or ``None``."""
        return self._value

    def write(self, value: dict[str, Any]) -> None:
        """Keep a value."""
        self._value = value

    def delete(self) -> None:
        """Forget it."""
        self._value = None


@dataclass(frozen=True, slots=True)
class Position:
    """A contiguous beginning of a source.

    :param rows: how many rows of the source it covers
    :param digest: of what they were sent to and what was in them, in their order
    :param again: numbers of rows in it that the service refused, or that did not arrive
    """

    rows: int
    digest: str
    again: frozenset[int] = frozenset()

    @classmethod
    def of(cls, value: Any) -> Position | None:
        """Read a stored value; what cannot be read is as good as none."""
        try:
            position = cls(int(value["rows"]), str(value["digest"]), frozenset(int(row) for row in value["again"]))
        except (KeyError, TypeError, ValueError):
            return None
        return position if position.rows > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """Return the value to store."""
        return {"rows": self.rows, "digest": self.digest, "again": sorted(self.again)}


def _described(value: Any) -> str:
    # Dates, decimals and whatever else a database hands over.
    return f"{type(value).__qualname__} {value!r}"


_encode = json.JSONEncoder(default=_described).encode


class Reading:
    """The digest of what was read so far.

    :param binding: what the rows are sent to, and how they are read
    """

    def __init__(self, binding: str) -> None:
        self.rows = 0
        self._hash = hashlib.sha256(binding.encode(errors="backslashreplace") + b"\n")

    def add(self, person: Person) -> None:
        """Take in the next row; its content counts, and its place in the order."""
        # The text is ASCII without line breaks, so that no two sequences of rows look alike.
        content = _encode([person.email, person.phone, sorted(person.variables.items())])
        self._hash.update(content.encode() + b"\n")
        self.rows += 1

    def digest(self) -> str:
        """Return the digest of the rows so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a source: how many rows were read, and their digest."""

    rows: int
    digest: str


class Prefix:
    """The beginning of a source that is behind us: it grows while rows are acknowledged, and is kept for another try.

    :param store: where it is kept
    :param binding: what the rows are sent to, and how they are read
    :param resumed: where an earlier try has got to; see :func:`resumed`
    """

    def __init__(self, store: PositionStore, binding: str, resumed: Position | None = None) -> None:
        self._store = store
        self._reading = Reading(binding)
        self._resumed = resumed
        self._rows = resumed.rows if resumed else 0
        self._digest = resumed.digest if resumed else ""
        self._again = set(resumed.again) if resumed else set()
        self._kept = resumed
        self._void = False

    def reading(self, persons: Iterable[Person]) -> Iterator[Person]:
        """Yield rows and take note of them.

        :raises ServiceError: when the rows of the earlier try are not there any more, although they were a moment ago;
            the next try starts over
        """
        for person in persons:
            self._reading.add(person)
            yield person
            if self._resumed and self._reading.rows == self._resumed.rows:
                self._check(self._resumed)
        if self._resumed and self._reading.rows < self._resumed.rows:
            self._check(self._resumed)

    def has(self, number: int) -> bool:
        """Whether an earlier try has delivered a row."""
        return self._resumed is not None and number <= self._resumed.rows and number not in self._resumed.again

    def was_refused(self, number: int) -> bool:
        """Whether a row was refused in an earlier try, or did not arrive."""
        return self._resumed is not None and number in self._resumed.again

    def mark(self) -> Mark:
        """Return where reading stands."""
        return Mark(self._reading.rows, self._reading.digest())

    def advance(self, mark: Mark, accepted: Iterable[int], refused: Iterable[int]) -> None:
        """Move on to a mark: all rows up to it were acknowledged.

        :param accepted: numbers of rows that the service took
        :param refused: numbers of rows that it did not take
        """
        if mark.rows > self._rows:
            self._rows, self._digest = mark.rows, mark.digest
        if self._again:
            self._again.difference_update(accepted)
        self._again.update(refused)

    def resend(self, number: int) -> None:
        """Let another try send a row again: it was taken, and did not arrive."""
        self._again.add(number)

    def save(self) -> None:
        """Keep the position, if it has changed."""
        if self._void or not self._rows:
            return
        if len(self._again) > MOST_AGAIN:
            if self._kept is not None:
                log.info("More than %s rows were refused: another try would start over.", MOST_AGAIN)
                self._store.delete()
                self._kept = None
            return
        position = Position(self._rows, self._digest, frozenset(self._again))
        if position != self._kept:
            self._store.write(position.as_dict())
            self._kept = position

    def _check(self, expected: Position) -> None:
        if self.mark() != Mark(expected.rows, expected.digest):
            self._void = True
            self._store.delete()
            raise ServiceError("The rows have changed while they were read again. Another try starts over.")


def resumed(store: PositionStore, binding: str, reading: AbstractContextManager[Iterator[Person]]) -> Position | None:
    """Return where an earlier try has got to, if the source still begins with the same rows; else forget it.

    :param reading: the source, opened for this
    """
    value = store.read()
    position = Position.of(value)
    if position is None:
        return None
    found = Reading(binding)
    with reading as persons:
        for person in persons:
            found.add(person)
            if found.rows == position.rows:
                break
    if (found.rows, found.digest()) == (position.rows, position.digest):
        log.info("An earlier try has delivered the first %s rows; they are the same, going on.", f"{position.rows:,}")
        return position
    log.warning("The rows that an earlier try has delivered are others now: starting over.")
    store.delete()
    return None


def binding(**parts: str | int) -> str:
    """Return a text for what a position is bound to."""
    return json.dumps(parts, sort_keys=True)


__all__ = ["MOST_AGAIN", "Mark", "MemoryPosition", "Position", "PositionStore", "Prefix", "Reading", "binding", "resumed"]
