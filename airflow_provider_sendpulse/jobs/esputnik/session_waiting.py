# SPDX-License-Identifier: Apache-2.0
"""What the status of an import session means for somebody who waits."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.api.statuses import StatusClass
from airflow_provider_sendpulse.esputnik.import_sessions import ImportSession
from airflow_provider_sendpulse.exceptions import ImportFailed
from airflow_provider_sendpulse.jobs.waiting import Decision, Verdict

AGAIN = "Importing the same contacts again does no harm: they end up the same."


def judge_session(session_id: str, session: ImportSession) -> Decision:
    """Decide on an import session."""
    if not session.status:
        text = "eSputnik says nothing of it, as if it did not know it"
        error = ImportFailed(f"Import session {session_id}: {text}. Check the id, and whose account it is of. {AGAIN}")
        return Decision(Verdict.FAILED, session.status, text, error)
    status = session.known_status
    if status is None:
        return Decision(Verdict.WAIT, session.status, "not documented")
    if status.status_class is StatusClass.IN_PROGRESS:
        return Decision(Verdict.WAIT, status.code, status.meaning)
    if status.status_class is StatusClass.SUCCESS:
        return Decision(Verdict.DONE, status.code, status.meaning)
    said = redact(session.description)
    failed = ImportFailed(
        f"Import session {session_id} ended in {status.code}{f': “{said}”' if said else ''}. Which of its contacts were "
        f"written is not known. {AGAIN}"
    )
    return Decision(Verdict.FAILED, status.code, status.meaning, failed)


def judge_sessions(sessions: Sequence[tuple[str, ImportSession]]) -> Decision:
    """Decide on several import sessions, which are waited for together: they are over when the last one is."""
    decisions = [judge_session(session_id, session) for session_id, session in sessions]
    waiting = (decision for decision in decisions if not decision.is_over)
    failed = (decision for decision in decisions if decision.error is not None)
    return next(waiting, None) or next(failed, None) or decisions[-1]


__all__ = ["AGAIN", "judge_session", "judge_sessions"]
