# SPDX-License-Identifier: Apache-2.0
"""Where what was sent is written down: a table of a database, or Airflow's task state store."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from airflow_provider_sendpulse.api.account import Account
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.arguments import seconds
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.database_ledger import DatabaseLedger, LedgerScope
from airflow_provider_sendpulse.jobs.event_rows import row_key
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.ledger_table import TABLE, ledger_table
from airflow_provider_sendpulse.operators.task_store import task_ledger
from airflow_provider_sendpulse.rows.database import engine_of


class SqlLedger:
    """A ledger in a database, for all runs.

    :param conn_id: Airflow connection of the database (templated)
    :param table: the table, created when it is missing; with a schema before a dot if need be (templated)
    """

    template_fields: Collection[str] = ("conn_id", "table")

    def __init__(self, conn_id: str, *, table: str = TABLE) -> None:
        self.conn_id = conn_id
        self.table = table

    @staticmethod
    def row_key(event_name: str, *key: Any, automation_id: int | None = None) -> str:
        """Return what is in the column ``row_key`` for a row, to find it by hand.

        :param event_name: name of the event, as the operator has it; for other rows what the column ``event`` has, such as
            ``message 2700001`` or ``orders``
        :param key: the values of the columns of ``event_key`` or ``row_key``, in its order; for an order its id and status
        :param automation_id: the flow that the event was for, where there was one
        :raises InvalidRequest: for values that cannot be a key
        """
        return row_key(event_name, key, automation_id)

    @classmethod
    def of(cls, value: SqlLedger | str | None) -> SqlLedger | None:
        """Return what ``ledger=`` means: a ledger, or the id of a connection; only ``None`` means none.

        :raises InvalidRequest: for anything else, empty text among it: a template that found nothing must not be why
            what was sent is not remembered
        """
        if value is None:
            return None
        if isinstance(value, str):
            value = cls(value)
        if not isinstance(value, SqlLedger):
            raise InvalidRequest(f"ledger is a {type(value).__name__}; it is the id of a connection, or an SqlLedger.")
        if not str(value.conn_id or "").strip():
            raise InvalidRequest(
                "ledger is empty; it is the id of a database connection. If it is a template, see what that renders to. "
                "To send without a ledger, leave ledger out (None). Nothing was sent."
            )
        return value

    def __str__(self) -> str:
        return f"SqlLedger(conn_id={self.conn_id!r}, table={self.table!r})"

    __repr__ = __str__


@contextlib.contextmanager
def open_ledger(
    context: Any,
    ledger: SqlLedger | None,
    *,
    account: str,
    event: str,
    retention: float | timedelta,
    clock: Clock,
) -> Iterator[Ledger]:
    """Open the ledger of a task, and close it.

    :param ledger: without one, the tries of this task share what they know, as far as Airflow has a place for it
    :param account: what tells one account from another
    :param event: what is sent; rows of another one are others
    :param retention: how long a row is remembered in a database
    """
    if ledger is None:
        yield task_ledger(context, "events")
        return
    instance = context["ti"]
    owner = "\0".join((instance.dag_id, instance.run_id, instance.task_id, str(instance.map_index)))
    held = DatabaseLedger(
        engine_of(ledger.conn_id),
        ledger_table(ledger.table),
        LedgerScope(account, event, owner, instance.try_number),
        seconds(retention, "ledger_retention"),
        clock,
    )
    try:
        held.open()
        yield held
    finally:
        held.close()


def account_identity(account: Account) -> str:
    """Return what tells one account from another; credentials are in it, so it is a digest."""
    return hashlib.sha256(f"{account.service.name}\0{account.identity}".encode()).hexdigest()


__all__ = ["SqlLedger", "account_identity", "open_ledger"]
