# SPDX-License-Identifier: Apache-2.0
"""Rejects in a table of a SQL database: PostgreSQL, MariaDB or MySQL, SQLite."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.database import engine_of
from airflow_provider_sendpulse.rows.rejects import COLUMNS, RETENTION, Entry, TaskRun, as_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

T = TypeVar("T")

_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_AT_A_TIME = 500
_TIMES = 5

# Two transactions that met: serialisation failures, deadlocks and locks that were waited for too long.
_COLLISIONS = frozenset({"40001", "40P01", 1020, 1205, 1213})
_SQLITE_LOCKED = frozenset({5, 6})


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
        with self._engine() as engine:
            _create(engine, table)
            _check(engine, table, str(self))

    def replace(self, run: TaskRun, entries: Iterable[Entry]) -> None:
        """Delete what this task instance wrote before and insert the entries, in one transaction."""
        import sqlalchemy as sa

        table = self._table()
        same = sa.and_(
            *(table.c[name] == value for name, value in run.as_entry().items() if name != "try_number"),
        )

        def change(connection: Connection) -> None:
            connection.execute(sa.delete(table).where(same))
            for batch in _batches(entries):
                connection.execute(sa.insert(table), batch)

        with self._engine() as engine:
            _transaction(engine, change)

    def expire(self, now: datetime) -> int:
        """Delete the rows whose time has come."""
        import sqlalchemy as sa

        table = self._table()

        def change(connection: Connection) -> int:
            return connection.execute(sa.delete(table).where(table.c.expires_at < as_text(now))).rowcount

        with self._engine() as engine:
            return _transaction(engine, change)

    @contextlib.contextmanager
    def _engine(self) -> Iterator[Engine]:
        engine = engine_of(self.conn_id)
        try:
            yield engine
        finally:
            engine.dispose()

    def _table(self) -> Table:
        import sqlalchemy as sa

        name = str(self.table or "")
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                "The table of rejects needs a plain name: letters, digits and underscores, with a schema or without."
            )
        schema, _, plain = name.rpartition(".")
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
        return sa.Table(plain, sa.MetaData(), *columns, schema=schema or None, mysql_charset="utf8mb4")

    def __str__(self) -> str:
        return f"the table {self.table} of the connection {self.conn_id}"

    def __repr__(self) -> str:
        return f"RejectsTable(conn_id={self.conn_id!r}, table={self.table!r})"


def _create(engine: Engine, table: Table) -> None:
    import sqlalchemy as sa

    def is_there() -> bool:
        return sa.inspect(engine).has_table(table.name, schema=table.schema)

    if is_there():
        return
    try:
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
    except sa.exc.DBAPIError:
        # Two who create it at once: PostgreSQL refuses one of them in spite of IF NOT EXISTS.
        if not is_there():
            raise


def _check(engine: Engine, table: Table, place: str) -> None:
    import sqlalchemy as sa

    there = {column["name"] for column in sa.inspect(engine).get_columns(table.name, schema=table.schema)}
    if missing := [column for column in COLUMNS if column not in there]:
        raise InvalidRequest(f"{place[0].upper()}{place[1:]} is there and has no columns {', '.join(missing)}.")


def _transaction(engine: Engine, change: Callable[[Connection], T]) -> T:
    """Carry a change out as one transaction, again when it met another one."""
    import sqlalchemy as sa

    if engine.dialect.name != "sqlite":
        # Deleting what is not there locks the gap otherwise, and tasks that write side by side would block each other.
        engine = engine.execution_options(isolation_level="READ COMMITTED")
    for attempt in itertools.count(1):
        try:
            with engine.begin() as connection:
                return change(connection)
        except sa.exc.DBAPIError as error:
            if attempt == _TIMES or not _is_collision(error.orig):
                raise
    raise AssertionError("unreachable")


def _is_collision(cause: Any) -> bool:
    codes = {getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None), *getattr(cause, "args", ())[:1]}
    return bool(codes & _COLLISIONS) or getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_LOCKED


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    iterator = iter(entries)
    while batch := list(itertools.islice(iterator, _AT_A_TIME)):
        yield batch


__all__ = ["RejectsTable"]
