# SPDX-License-Identifier: Apache-2.0
"""How many rows a delivery read, and what became of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum


class Outcome(Enum):
    """What became of a row."""

    ACCEPTED = "accepted"
    """The service took it; it gives no outcome per address."""

    DUPLICATE = "duplicate"
    """The same address or event was in an earlier row."""

    INVALID = "invalid"
    """Found wrong here and not sent."""

    REJECTED = "rejected"
    """Refused by the service."""

    SKIPPED = "skipped"
    """Not sent, on purpose: an earlier try or run has sent it, it is too old, or this try ended before its turn."""

    IN_DOUBT = "in_doubt"
    """Sent or not: nobody knows."""


BAD = frozenset({Outcome.INVALID, Outcome.REJECTED, Outcome.IN_DOUBT})
"""Outcomes that somebody has to look at."""


@dataclass(slots=True)
class Counts:
    """Rows read, and rows by outcome; once a delivery has ended these add up to ``read``."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    invalid: int = 0
    rejected: int = 0
    skipped: int = 0
    in_doubt: int = 0

    def add(self, outcome: Outcome, rows: int = 1) -> None:
        """Count rows under an outcome."""
        setattr(self, outcome.value, getattr(self, outcome.value) + rows)

    @property
    def settled(self) -> int:
        """Rows whose outcome is known."""
        return sum(int(getattr(self, outcome.value)) for outcome in Outcome)

    @property
    def bad(self) -> int:
        """Rows that somebody has to look at."""
        return sum(int(getattr(self, outcome.value)) for outcome in BAD)

    def as_dict(self) -> dict[str, int]:
        """Return the counts for XCom."""
        return asdict(self)

    def __str__(self) -> str:
        return ", ".join(
            f"{value:,} {name.replace('_', ' ')}" for name, value in asdict(self).items() if value or name == "read"
        )


__all__ = ["BAD", "Counts", "Outcome"]
