# SPDX-License-Identifier: Apache-2.0
"""Rows of a SQL query, through any Airflow connection whose hook speaks DB-API 2.0."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.source import Row


class SqlRows:
    """The rows of a query.

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
        with contextlib.closing(hook.get_conn()) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.arraysize = self.fetch_size
            if self.parameters is None:
                cursor.execute(self.sql)
            else:
                cursor.execute(self.sql, self.parameters)
            columns = [str(column[0]) for column in cursor.description or ()]
            if len(set(columns)) != len(columns):
                twice = sorted({name for name in columns if columns.count(name) > 1})
                raise InvalidRequest(f"The query has more than one column named {', '.join(twice)}: rename with AS.")
            while batch := cursor.fetchmany(self.fetch_size):
                for values in batch:
                    yield dict(zip(columns, values, strict=True))

    def __str__(self) -> str:
        return f"SqlRows(conn_id={self.conn_id!r}, sql={self.sql!r})"


__all__ = ["SqlRows"]
