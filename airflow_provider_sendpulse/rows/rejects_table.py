# SPDX-License-Identifier: Apache-2.0
"""Rejects in a table of a SQL database: PostgreSQL, MariaDB or MySQL, SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.rows import tables
from airflow_provider_sendpulse.rows.rejects import COLUMNS, RETENTION, Entry, TaskRun, as_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


class RejectsTable:
    """Rejected rows in a table, which is created when it is missing. Any number of tasks may share it.

    :param conn_id: Airflow connection of the database (templated)
    :param table: name of the table, with its schema or without (templated)
    :param retention: after this time a row is deleted by any task that writes to the table; ``None`` keeps it
    """

    template_fields: Sequence[str] = ("conn_id", "table")

    def __init__(self, conn_id: str, table: str = "sendpulse_rejects", *, retention: timedelta | None = RETENTION) -> None:
        self.conn_id = conn_id
        self.table = table
        self.retention = retention

    def prepare(self, run: TaskRun) -> None:
        """Create the table if it is missing.

        :raises InvalidRequest: when its name is none, or it is there with other columns
        """
        table = self._table()
        with tables.opened(self.conn_id) as engine:
            tables.create(engine, table)
            tables.require_columns(engine, table, COLUMNS, str(self))

    def replace(self, run: TaskRun, entries: Iterable[Entry]) -> None:
        """Delete what this task instance wrote before and insert the entries, in one transaction."""
        import sqlalchemy as sa

        table = self._table()
        same = sa.and_(
            *(table.c[name] == value for name, value in run.as_entry().items() if name != "try_number"),
        )

        def change(connection: Connection) -> None:
            connection.execute(sa.delete(table).where(same))
            for batch in tables.batches(entries):
                connection.execute(sa.insert(table), batch)

        with tables.opened(self.conn_id) as engine:
            tables.transaction(engine, change)

    def expire(self, now: datetime) -> int:
        """Delete the rows whose time has come."""
        import sqlalchemy as sa

        table = self._table()

        def change(connection: Connection) -> int:
            return connection.execute(sa.delete(table).where(table.c.expires_at < as_text(now))).rowcount

        with tables.opened(self.conn_id) as engine:
            return tables.transaction(engine, change)

    def _table(self) -> Table:
        import sqlalchemy as sa

        short, long = sa.String(250), sa.Text()
        kinds: dict[str, Any] = {
            "map_index": sa.Integer(),
            "try_number": sa.Integer(),
            "source_row": sa.BigInteger(),
            "outcome": sa.String(20),
            "row_key": long,
            "reason": long,
            "email": long,
            "phone": long,
            # As text in UTC: it sorts like a time, and means the same in every database and driver.
            "recorded_at": sa.String(20),
            "expires_at": sa.String(20),
        }
        # The key holds that a row has one outcome.
        key = {"dag_id", "run_id", "task_id", "map_index", "source_row"}
        columns = [
            sa.Column(
                column,
                kinds.get(column, short),
                primary_key=column in key,
                autoincrement=False,
                nullable=column == "expires_at",
            )
            for column in COLUMNS
        ]
        return tables.table_of(self.table, columns, "rejects")

    def __str__(self) -> str:
        return f"the table {self.table} of the connection {self.conn_id}"

    def __repr__(self) -> str:
        return f"RejectsTable(conn_id={self.conn_id!r}, table={self.table!r})"


__all__ = ["RejectsTable"]
