# SPDX-License-Identifier: Apache-2.0
"""The account of a delivery: every row that is read gets exactly one outcome, and the bad ones a reason."""

from __future__ import annotations

import logging

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import AccountBroken
from airflow_provider_sendpulse.jobs.counts import BAD, Counts, Outcome
from airflow_provider_sendpulse.jobs.row_numbers import RowNumbers
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.rows.rejects import NoRejects, RejectedRow, Rejects

log = logging.getLogger(__name__)

_SHOWN = 20


class Report:
    """Counts rows, says in the log what is wrong with which, and hands the bad ones to ``rejects``.

    It belongs to one thread. In the log a row is its number and never what is in it; at most twenty, then only counts.

    A second outcome for a row, an outcome for one that was not read, and an end with rows that have none are faults of the
    caller, and raise :class:`~airflow_provider_sendpulse.exceptions.AccountBroken` where they happen.

    :param rejects: where bad rows go, with their addresses
    :param expected: how many rows there will be, where that is known
    """

    def __init__(self, rejects: Rejects | None = None, expected: int | None = None) -> None:
        self.counts = Counts()
        self.expected = expected
        self._rejects = rejects or NoRejects()
        self._open = RowNumbers()
        self._said = 0

    def read(self, person: Person) -> None:
        """Count a row that was read.

        :raises AccountBroken: when it was read before and has no outcome yet
        """
        if not self._open.add(person.number):
            raise AccountBroken(f"Row {person.number} was counted twice ({self.counts}). {_REPORT_IT}")
        self.counts.read += 1

    def settle(self, person: Person, outcome: Outcome, reason: str = "", key: str = "") -> None:
        """Give a row its outcome.

        :param reason: why, for the bad ones
        :param key: what the row is recognised by, readable; it goes to the rejects only
        :raises AccountBroken: when the row has an outcome, or was not read
        """
        if not self._open.remove(person.number):
            raise AccountBroken(
                f"Row {person.number} is to be counted as {outcome.value.replace('_', ' ')}, and has an outcome or was "
                f"never read ({self.counts}). {_REPORT_IT}"
            )
        self.counts.add(outcome)
        if outcome in BAD:
            self._complain(person.number, reason)
            self._rejects.write(RejectedRow(person.number, outcome.value, redact(reason), key, person.email, person.phone))

    def correct(self, person: Person, was: Outcome, outcome: Outcome, reason: str = "", key: str = "") -> None:
        """Give a row another outcome than it had, because more is known now.

        :param was: the outcome it had, a good one
        :raises AccountBroken: when no row has that outcome, or the row has none
        """
        if was in BAD or not getattr(self.counts, was.value) or person.number in self._open:
            raise AccountBroken(f"Row {person.number} was not counted as {was.value} ({self.counts}). {_REPORT_IT}")
        self.counts.add(was, -1)
        self._open.add(person.number)
        self.settle(person, outcome, reason, key)

    def finish(self) -> None:
        """Declare a delivery complete.

        :raises AccountBroken: when a row has no outcome
        """
        if self._open or self.counts.settled != self.counts.read:
            raise AccountBroken(
                f"{len(self._open):,} rows have no outcome, the first of them row {self._open.first()} ({self.counts}). "
                f"{_REPORT_IT}"
            )

    def abandon(self) -> None:
        """Count what was read and has no outcome as skipped: the delivery ends before its turn."""
        # Not the number of open rows: an interruption may have come between two lines of what is above.
        self.counts.add(Outcome.SKIPPED, self.counts.read - self.counts.settled)
        self._open.clear()

    def _complain(self, row: int, reason: str) -> None:
        self._said += 1
        if self._said <= _SHOWN:
            log.warning("Row %s: %s", row, redact(reason))
        elif self._said == _SHOWN + 1:
            log.warning("More rows have faults; only the counts follow.")


_REPORT_IT = "This is a fault of airflow-provider-sendpulse; please report it."

__all__ = ["Report"]
