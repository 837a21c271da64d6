# SPDX-License-Identifier: Apache-2.0
"""Rows of a SQL query, through any Airflow connection whose hook speaks DB-API 2.0."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.cursors import streaming
from airflow_provider_sendpulse.rows.source import Row

_SHOWN = 5000


class SqlRows:
    """The rows of a query, read as they are needed: memory does not grow with their number.

    The query is open while the rows are delivered, and so is its transaction.

    :param conn_id: Airflow connection of the database (templated)
    :param sql: the query (templated); column names become variable names, so name them with ``AS``
    :param parameters: values for the query's placeholders, in the database driver's own style (templated)
    :param fetch_size: rows to fetch at a time
    """

    template_fields: Sequence[str] = ("conn_id", "sql", "parameters")

    def __init__(
        self,
        conn_id: str,
        sql: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        fetch_size: int = 1000,
    ) -> None:
        self.conn_id = conn_id
        self.sql = sql
        self.parameters = parameters
        self.fetch_size = fetch_size

    def rows(self) -> Iterator[Row]:
        """Run the query and yield its rows.

        :raises InvalidRequest: when two columns have the same name: one of them would be lost
        """
        # Late: importing a hook is expensive, and DAG files are parsed far more often than they run.
        from airflow.sdk import BaseHook

        connection_of: Any = BaseHook.get_connection(self.conn_id)
        hook = connection_of.get_hook()
        with (
            contextlib.closing(hook.get_conn()) as connection,
            streaming(connection, self.sql, another=hook.get_conn) as cursor,
        ):
            cursor.arraysize = self.fetch_size
            if self.parameters is None:
                cursor.execute(self.sql)
            else:
                cursor.execute(self.sql, self.parameters)
            columns: list[str] | None = None
            while batch := cursor.fetchmany(self.fetch_size):
                # Not before: psycopg2 knows the columns of a cursor on the server when it has fetched something.
                columns = columns or _columns(cursor)
                for values in batch:
                    # Connections can be set to return mappings.
                    yield dict(values) if isinstance(values, Mapping) else dict(zip(columns, values, strict=True))
            if columns is None:
                _columns(cursor)

    def __str__(self) -> str:
        return f"SqlRows(conn_id={self.conn_id!r}, sql={redact(self.sql, longest=_SHOWN)!r})"


def _columns(cursor: Any) -> list[str]:
    columns = [str(column[0]) for column in cursor.description or ()]
    if len(set(columns)) != len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise InvalidRequest(f"The query has more than one column named {', '.join(twice)}: rename with AS.")
    return columns


__all__ = ["SqlRows"]
