# SPDX-License-Identifier: Apache-2.0
"""The account of a delivery: every row that is read gets exactly one outcome, and the bad ones a reason."""

from __future__ import annotations

import logging

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.jobs.counts import BAD, Counts, Outcome
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.rows.rejects import NoRejects, RejectedRow, Rejects

log = logging.getLogger(__name__)

_SHOWN = 20


class Report:
    """Counts rows, says in the log what is wrong with which, and hands the bad ones to ``rejects``.

    It belongs to one thread. In the log a row is its number and never what is in it; at most twenty, then only counts.

    :param rejects: where bad rows go, with their addresses
    """

    def __init__(self, rejects: Rejects | None = None) -> None:
        self.counts = Counts()
        self._rejects = rejects or NoRejects()
        self._said = 0

    def read(self) -> None:
        """Count a row that was read."""
        self.counts.read += 1

    def settle(self, person: Person, outcome: Outcome, reason: str = "", key: str = "") -> None:
        """Give a row its outcome.

        :param reason: why, for the bad ones
        :param key: what the row is recognised by, readable; it goes to the rejects only
        """
        self.counts.add(outcome)
        if outcome in BAD:
            self._complain(person.number, reason)
            self._rejects.write(RejectedRow(person.number, outcome.value, redact(reason), key, person.email, person.phone))

    def abandon(self) -> None:
        """Count what was read and has no outcome as skipped: the delivery ends before its turn."""
        self.counts.add(Outcome.SKIPPED, self.counts.read - self.counts.settled)

    def _complain(self, row: int, reason: str) -> None:
        self._said += 1
        if self._said <= _SHOWN:
            log.warning("Row %s: %s", row, redact(reason))
        elif self._said == _SHOWN + 1:
            log.warning("More rows have faults; only the counts follow.")


__all__ = ["Report"]
