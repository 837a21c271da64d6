# SPDX-License-Identifier: Apache-2.0
"""The account of a delivery: what became of every row."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import DeliveryFailed, InvalidRequest

log = logging.getLogger(__name__)

_SHOWN = 20


@dataclass(slots=True)
class Counts:
    """How many rows were read, and what became of them: the other numbers add up to ``read``.

    :param accepted: the service took it; it gives no outcome per address
    :param duplicate: the same address or event was in an earlier row
    :param invalid: found wrong here and not sent
    :param rejected: refused by the service
    :param skipped: sent by an earlier try of the task
    :param in_doubt: sent or not: nobody knows, so it was not sent again
    """

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    invalid: int = 0
    rejected: int = 0
    skipped: int = 0
    in_doubt: int = 0

    @property
    def bad(self) -> int:
        """Rows that somebody has to look at."""
        return self.invalid + self.rejected + self.in_doubt

    def as_dict(self) -> dict[str, int]:
        """Return the counts for XCom."""
        return asdict(self)

    def __str__(self) -> str:
        return ", ".join(
            f"{value:,} {name.replace('_', ' ')}" for name, value in asdict(self).items() if value or name == "read"
        )


@dataclass(slots=True)
class Complaints:
    """Says what is wrong with a row: by its number and never by what is in it; at most twenty, then only counts."""

    said: int = field(default=0)

    def about(self, row: int, reason: str) -> None:
        """Log a row's fault."""
        self.said += 1
        if self.said <= _SHOWN:
            log.warning("Row %s: %s", row, redact(reason))
        elif self.said == _SHOWN + 1:
            log.warning("More rows have faults; only the counts follow.")


def require_ratio(max_rejected_ratio: float) -> None:
    """Check a threshold.

    :raises InvalidRequest: unless it is from 0 to 1
    """
    if not 0 <= max_rejected_ratio <= 1:
        raise InvalidRequest(f"max_rejected_ratio is {max_rejected_ratio}; it is a share from 0 to 1.")


def conclude(counts: Counts, max_rejected_ratio: float, noun: str) -> None:
    """Say how a delivery went.

    :raises DeliveryFailed: when more than the allowed share of the rows went wrong
    """
    log.info("%s: %s", noun, counts)
    if not counts.bad:
        return
    message = f"{noun}: {counts.bad:,} of {counts.read:,} rows went wrong ({counts})."
    if counts.bad > max_rejected_ratio * counts.read:
        raise DeliveryFailed(
            f"{message} That is more than max_rejected_ratio={max_rejected_ratio:g} allows. What is wrong with the rows "
            "is in the log above, by row number."
        )
    log.warning("%s max_rejected_ratio=%g allows that.", message, max_rejected_ratio)


__all__ = ["Complaints", "Counts", "conclude", "require_ratio"]
