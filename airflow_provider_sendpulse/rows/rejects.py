# SPDX-License-Identifier: Apache-2.0
"""Where the rows go that somebody has to look at: the only place where an address may be written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


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


class Rejects(Protocol):
    """Takes rejected rows; written from scratch by every try of a task."""

    def write(self, row: RejectedRow) -> None:
        """Take one row."""
        ...

    def close(self) -> None:
        """Bring what was taken to where it belongs; called once, also when the delivery has failed."""
        ...


class NoRejects:
    """Keeps nothing: what is wrong is in the log, by row number."""

    def write(self, row: RejectedRow) -> None:
        """Take one row."""

    def close(self) -> None:
        """Nothing is to be done."""


__all__ = ["NoRejects", "RejectedRow", "Rejects"]
