# SPDX-License-Identifier: Apache-2.0
"""Waiting for import sessions in the triggerer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.esputnik.base import EsputnikTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.esputnik.import_sessions import ImportSession
    from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class EsputnikImportTrigger(EsputnikTrigger):
    """Wait until import sessions are over, whether they have finished or ended in an error.

    :param session_ids: the sessions, at least one
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(self, *, session_ids: Sequence[str], **others: Any) -> None:
        super().__init__(**others)
        self.session_ids = list(session_ids)
        self._over: dict[str, ImportSession] = {}

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {"session_ids": self.session_ids}

    @property
    def what(self) -> str:
        """What is waited for."""
        first, *others = self.session_ids
        return f"Import sessions {first} and {len(others)} more" if others else f"Import session {first}"

    async def look(self, hook: EsputnikHook) -> Decision:
        """Read the sessions that are not over yet, and judge all of them."""
        from airflow_provider_sendpulse.esputnik import import_sessions
        from airflow_provider_sendpulse.jobs.esputnik.session_waiting import judge_session, judge_sessions

        seen = dict(self._over)
        for session_id in self.session_ids:
            if session_id in seen:
                continue
            seen[session_id] = await hook.asend(import_sessions.read(session_id))
            if judge_session(session_id, seen[session_id]).is_over:
                self._over[session_id] = seen[session_id]
        return judge_sessions([*seen.items()])


__all__ = ["EsputnikImportTrigger"]
