# SPDX-License-Identifier: Apache-2.0
"""Where the rows go that somebody has to look at: the only place where an address may be written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

COLUMNS = (
    "dag_id",
    "run_id",
    "task_id",
    "map_index",
    "try_number",
    "source_row",
    "outcome",
    "row_key",
    "reason",
    "email",
    "phone",
    "recorded_at",
    "expires_at",
)
"""What is written of a row, in this order; none of these is a reserved word of a database."""

Entry = dict[str, str | int | None]
"""A row as it is written: a value for each of :data:`COLUMNS`; times are UTC, as ``2026-01-05T06:00:00Z``."""


RETENTION = timedelta(days=30)
"""How long rejects are kept unless told otherwise."""


def as_text(moment: datetime) -> str:
    """Return a time as entries have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not delivered, or perhaps not. Personal data never shows in a ``repr``.

    :param number: the row's number, from 1
    :param outcome: ``invalid``, ``rejected`` or ``in_doubt``
    :param key: what the row is recognised by, readable
    """

    number: int
    outcome: str
    reason: str
    key: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """Which try of which task writes.

    :param map_index: -1 for a task that is not mapped
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1

    def as_entry(self) -> Entry:
        """Return the columns that say whose row it is."""
        return {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": self.task_id,
            "map_index": self.map_index,
            "try_number": self.try_number,
        }


class Rejects(Protocol):
    """Takes rejected rows; written from scratch by every try of a task."""

    def write(self, row: RejectedRow) -> None:
        """Take one row. It does not fail: what is wrong is said by :meth:`close`."""
        ...

    def close(self) -> None:
        """Bring what was taken to where it belongs; called once, also when the delivery has failed.

        :raises RejectsNotWritten: when that does not work
        """
        ...


class NoRejects:
    """Keeps nothing: what is wrong is in the log, by row number."""

    def write(self, row: RejectedRow) -> None:
        """Take one row."""

    def close(self) -> None:
        """Nothing is to be done."""


class Place(Protocol):
    """Where rejected rows are kept. Its ``str`` says where, and shows no secret."""

    def prepare(self, run: TaskRun) -> None:
        """Find out, before anything is sent, whether this run can write there.

        :raises InvalidRequest: when something stands there that is not ours to replace
        """
        ...

    def replace(self, run: TaskRun, entries: Iterable[Entry]) -> None:
        """Put entries in place of what this task instance wrote before; nothing is left when there are none.

        :param entries: may be gone through more than once
        """
        ...

    def expire(self, now: datetime) -> int:
        """Delete what is too old, whoever wrote it, and return how many files or rows that were."""
        ...


__all__ = ["COLUMNS", "RETENTION", "Entry", "NoRejects", "Place", "RejectedRow", "Rejects", "TaskRun", "as_text"]
