# SPDX-License-Identifier: Apache-2.0
"""Sensors on imports."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow.sdk import PokeReturnValue

from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.import_sessions import ImportSession
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_ids import LAYOUT
from airflow_provider_sendpulse.jobs.esputnik.session_waiting import judge_session
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.storage import as_template
from airflow_provider_sendpulse.sensors.esputnik.base import EsputnikSensor
from airflow_provider_sendpulse.triggers.esputnik.imports import EsputnikImportTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class EsputnikImportSensor(EsputnikSensor):
    """Wait until an import session has finished.

    It fails at once when the session ends in an error, with what eSputnik says of it, or when eSputnik does not know it.
    :class:`~airflow_provider_sendpulse.operators.esputnik.imports.EsputnikImportContactsOperator` waits for its sessions
    itself; this is for sessions that somebody else has started.

    :param session_id: the session (templated)
    :param mapping_output: where to write which contact each key belongs to (``dedupe_value``, ``contact_id``,
        ``session_id``): a path or URL that ends in ``.csv`` or ``.jsonl``, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated)
    """

    template_fields: Collection[str] = (*EsputnikSensor.template_fields, "session_id", "mapping_output")

    def __init__(
        self,
        *,
        session_id: str,
        mapping_output: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.session_id = session_id
        self.mapping_output: str | os.PathLike[str] | OutputFile | OutputTable | None = as_template(mapping_output)
        self._session = ImportSession("")

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Import session {self.session_id}"

    def look(self) -> Decision:
        """Read the session and judge it.

        :raises ImportFailed: when it ended in an error
        :raises Refused: when eSputnik does not know it
        """
        self._session = self.hook.send(import_sessions.read(self._id))
        return judge_session(self._id, self._session)

    def judge(self, seen: Any) -> Decision:
        """Judge the session itself: the trigger's event holds nothing of what the service says of it."""
        with self.hook:
            return self.look()

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        if self.mapping_output is not None:
            output_of(self.mapping_output).prepare(LAYOUT)
        seen = super().poke(context)
        if seen.is_done:
            self._write()
        return seen

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Go on after the wait in the triggerer."""
        result = super().execute_complete(context, event)
        self._write()
        return result

    def trigger(self, **wait: Any) -> EsputnikImportTrigger:
        """Return what waits in the triggerer."""
        return EsputnikImportTrigger(session_ids=[self._id], **wait)

    def _write(self) -> None:
        if self.mapping_output is None:
            return
        output = output_of(self.mapping_output)
        records = (
            {"dedupe_value": item.dedupe_value, "contact_id": item.contact_id, "session_id": self._id}
            for item in self._session.mapping
        )
        self.log.info("Wrote the ids of %s contacts to %s.", f"{output.write(LAYOUT, records):,}", output)

    @property
    def _id(self) -> str:
        session_id = str(self.session_id or "").strip()
        if session_id in ("", "None"):
            raise InvalidRequest("session_id is empty. Does the task it comes from return something?")
        return session_id


__all__ = ["EsputnikImportSensor"]
