# SPDX-License-Identifier: Apache-2.0
"""Imports without an answer: a session of them may be under way whose id nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_sendpulse.esputnik.service import REPEATED
from airflow_provider_sendpulse.exceptions import Refused, Throttled
from airflow_provider_sendpulse.jobs.visibility import LONGEST_HOLD

MOST_SILENCE = 2
"""Answers to one import that may be lost; after that, what is wrong will not be over soon."""


@dataclass(frozen=True, slots=True)
class UnansweredImport:
    """An import that was about to be sent, and of which no answer is known.

    :param since: seconds since the epoch when it was about to be sent
    :param missed_at: when it was certain that no answer comes; ``None`` when the process has ended before that
    :param first, last: numbers of the first and the last of its rows
    """

    since: float
    missed_at: float | None = None
    first: int = 0
    last: int = 0

    def settled_at(self, now: float, window: float) -> float:
        """Return when whatever has come of it is over.

        :param window: seconds in which an import is carried out that was taken
        """
        # Not from the intent: the request may have been held back by the budget before the process ended.
        missed_at = min(now, self.since + LONGEST_HOLD) if self.missed_at is None else self.missed_at
        return missed_at + window


def repeats(error: Exception) -> bool:
    """Whether an import was not carried out because the same one was taken a moment ago: its session is not known."""
    return isinstance(error, Refused | Throttled) and error.status == REPEATED


__all__ = ["MOST_SILENCE", "UnansweredImport", "repeats"]
