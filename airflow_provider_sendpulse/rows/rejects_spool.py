# SPDX-License-Identifier: Apache-2.0
"""Rejected rows during a run: spooled until they are brought to their place."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import RejectsNotWritten
from airflow_provider_sendpulse.rows.rejects import Entry, Place, RejectedRow, TaskRun, as_text
from airflow_provider_sendpulse.rows.spool import Spool

log = logging.getLogger(__name__)

LONGEST = 1000
"""Characters of a value that are written; more is no address and no reason."""


class SpooledRejects:
    """Takes rejected rows and brings them to a place; memory does not grow with their number.

    :param place: where they belong
    :param run: who writes
    :param retention: how long they are kept; for ever when ``None``
    """

    def __init__(self, place: Place, run: TaskRun, retention: timedelta | None) -> None:
        self._place = place
        self._run = run
        now = datetime.now(UTC)
        expires = None if retention is None else as_text(now + retention)
        self._common: Entry = {**run.as_entry(), "recorded_at": as_text(now), "expires_at": expires}
        self._spool = Spool()
        self._trouble: OSError | None = None

    def write(self, row: RejectedRow) -> None:
        """Take one row. A full disk does not end the delivery; :meth:`close` says so."""
        values: Entry = {
            "source_row": row.number,
            "outcome": row.outcome,
            "row_key": _writable(row.key),
            "reason": _writable(row.reason),
            "email": _writable(row.email),
            "phone": _writable(row.phone),
        }
        if self._trouble is None:
            try:
                self._spool.add(values)
            except OSError as error:
                self._trouble = error

    def close(self) -> None:
        """Bring what was taken to the place, and delete there what is too old.

        :raises RejectsNotWritten: when the rows could not be written; old ones that cannot be deleted are only warned of
        """
        with contextlib.closing(self._spool):
            told = self._brought()
            if told is None:
                self._expire()
        # Not while the error is handled: its message may hold what it was given to write.
        if told is not None:
            raise RejectsNotWritten(f"Rejected rows could not be written to {self._place}: {told}")

    def _brought(self) -> str | None:
        try:
            if self._trouble is not None:
                raise self._trouble
            self._spool.flush()
            self._place.replace(self._run, _Entries(self._spool, self._common))
        except Exception as error:
            return reason_of(error)
        return None

    def _expire(self) -> None:
        try:
            deleted = self._place.expire(datetime.now(UTC))
        except Exception as error:
            log.warning("Old rejects in %s could not be deleted: %s", self._place, reason_of(error))
        else:
            if deleted:
                log.info("Deleted %s old rejects at %s.", f"{deleted:,}", self._place)


class _Entries:
    """What is in the spool, as often as needed."""

    def __init__(self, spool: Spool, common: Entry) -> None:
        self._spool = spool
        self._common = common

    def __iter__(self) -> Iterator[Entry]:
        for values in self._spool:
            yield {**self._common, **values}


def reason_of(error: Exception) -> str:
    """Return what is wrong in one line without personal data: a foreign error may quote what it was given."""
    # SQLAlchemy's own text holds the statement.
    lines = str(getattr(error, "orig", None) or error).splitlines() or [""]
    return f"{type(error).__name__}: {redact(lines[0], longest=200)}"


def _writable(text: str) -> str:
    """Return text that any file and database takes: no halves of surrogate pairs, no null characters, not too much."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


__all__ = ["LONGEST", "SpooledRejects", "reason_of"]
