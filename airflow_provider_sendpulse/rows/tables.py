# SPDX-License-Identifier: Apache-2.0
"""Tables of SQL databases that are written to: created when missing, and changed in transactions."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.database import engine_of

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Engine, Table

T = TypeVar("T")

_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_AT_A_TIME = 500
_TIMES = 5

# Two transactions that met: serialisation failures, deadlocks and locks that were waited for too long.
_COLLISIONS = frozenset({"40001", "40P01", 1020, 1205, 1213})
_SQLITE_LOCKED = frozenset({5, 6})


@contextlib.contextmanager
def opened(conn_id: str) -> Iterator[Engine]:
    """Open the database of an Airflow connection, and let go of it.

    :raises InvalidRequest: when SQLAlchemy or a driver is not installed, or the connection is of no database
    """
    engine = engine_of(conn_id)
    try:
        yield engine
    finally:
        engine.dispose()


def table_of(name: Any, columns: Iterable[Column[Any]], noun: str) -> Table:
    """Return the table of a name, with its schema or without.

    :param noun: what it holds, for messages
    :raises InvalidRequest: when the name is none
    """
    import sqlalchemy as sa

    text = str(name or "")
    if not _NAME.fullmatch(text):
        raise InvalidRequest(
            f"The table of {noun} needs a plain name: letters, digits and underscores, with a schema or without."
        )
    schema, _, plain = text.rpartition(".")
    return sa.Table(plain, sa.MetaData(), *columns, schema=schema or None, mysql_charset="utf8mb4")


def create(engine: Engine, table: Table) -> None:
    """Create a table if it is missing."""
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


def require_columns(engine: Engine, table: Table, columns: Collection[str], place: str) -> None:
    """See whether a table has the columns that are written.

    :param place: the table, as it is told in messages
    :raises InvalidRequest: when it has not
    """
    import sqlalchemy as sa

    there = {column["name"] for column in sa.inspect(engine).get_columns(table.name, schema=table.schema)}
    if missing := [column for column in columns if column not in there]:
        raise InvalidRequest(f"{place[0].upper()}{place[1:]} is there and has no columns {', '.join(missing)}.")


def transaction(engine: Engine, change: Callable[[Connection], T]) -> T:
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


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield items as they are written, some hundreds at a time."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _AT_A_TIME)):
        yield batch


__all__ = ["batches", "create", "opened", "require_columns", "table_of", "transaction"]
