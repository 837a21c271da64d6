# SPDX-License-Identifier: Apache-2.0
"""One import session that is waited for in the worker: looked at from time to time, with patience for looks that fail."""

from __future__ import annotations

from enum import Enum

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.import_sessions import ImportSession
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND
from airflow_provider_sendpulse.exceptions import FinalFailure, Refused, ServiceError
from airflow_provider_sendpulse.jobs.esputnik.session_waiting import AGAIN, judge_session
from airflow_provider_sendpulse.jobs.polling import Trouble
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.waiting import History, moment

PATIENCE = 60.0
"""Seconds for which a session that is not known may be one that is not known yet."""


class End(Enum):
    """How a wait for a session ends."""

    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"
    OVERDUE = "overdue"


class SessionWatch:
    """Looks at a session until it is over.

    :param session_id: the session
    :param deadline: seconds since the epoch after which it counts as overdue
    """

    def __init__(self, session_id: str, deadline: float) -> None:
        self.session_id = session_id
        self.deadline = deadline
        self.session = ImportSession("")
        self.reason = ""
        self._what = f"Import session {session_id}"
        self._history = History()
        self._trouble = Trouble()
        self._unknown_since: float | None = None

    def look(self, sender: Sender, clock: Clock) -> End | None:
        """Look once, and return how it has ended, or ``None`` while it goes on.

        :raises ServiceError: when looks fail for good, or have failed for too long
        """
        now = clock.now()
        try:
            self.session = sender.send(import_sessions.read(self.session_id))
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            self.session = ImportSession("")
        except FinalFailure:
            raise
        except ServiceError as error:
            self._trouble.met(self._what, error, now)
            return self._overdue(now)
        self._trouble.over()
        if not self.session.status:
            self._unknown_since = now if self._unknown_since is None else self._unknown_since
            if now - self._unknown_since < PATIENCE:
                return None
            self.reason = f"eSputnik does not know the import session {self.session_id}. {AGAIN}"
            return End.LOST
        self._unknown_since = None
        decision = judge_session(self.session_id, self.session)
        self._history.note(self._what, decision, now, self.deadline)
        if decision.error is not None:
            self.reason = str(decision.error)
            return End.FAILED
        return End.FINISHED if decision.is_over else self._overdue(now)

    def _overdue(self, now: float) -> End | None:
        if now < self.deadline:
            return None
        self.reason = (
            f"Import session {self.session_id} was not over by {moment(self.deadline)}; seen last: {self._history.last}"
            f"{self._trouble}"
        )
        return End.OVERDUE


__all__ = ["PATIENCE", "End", "SessionWatch"]
