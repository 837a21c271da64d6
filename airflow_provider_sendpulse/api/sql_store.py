# SPDX-License-Identifier: Apache-2.0
"""Records in a table of a SQL database, for processes on many hosts: PostgreSQL, MariaDB or MySQL, SQLite.

A change reads the record and its version, works out the new one here, and writes it only where the version is still the
same. Every statement is a transaction of its own, so nothing stays locked and no connection is held between them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_sendpulse.api.shared import Busy, Change, Record
from airflow_provider_sendpulse.api.unreachable import Unreachable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import SQLAlchemyError

R = TypeVar("R")

TABLE = "sendpulse_coordination"

TIMEOUT = 2
"""Seconds to wait for a connection, and for an answer where the driver can be told so."""

_TIMEOUTS: dict[str, dict[str, int]] = {
    "psycopg": {"connect_timeout": TIMEOUT, "tcp_user_timeout": TIMEOUT * 1000},
    "psycopg2": {"connect_timeout": TIMEOUT, "tcp_user_timeout": TIMEOUT * 1000},
    "pymysql": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT},
    "mysqldb": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT},
    "pysqlite": {"timeout": TIMEOUT},
}

KNOWN_DRIVERS = frozenset(_TIMEOUTS)
"""SQLAlchemy's names of the drivers that are told not to wait for ever."""

# Two who change the same row at once can meet in these; the other one was faster.
_COLLISIONS = frozenset({"40001", "40P01", 1020, 1205, 1213})
_SQLITE_LOCKED = frozenset({5, 6})


@dataclass(frozen=True, slots=True)
class SqlAddress:
    """Where a database is and how to get in.

    :param url: an SQLAlchemy URL with its password
    :param arguments: what the driver is told beyond that, a JSON object
    """

    url: str = field(repr=False)
    arguments: str = field(default="{}", repr=False)

    def open(self) -> SqlStore:
        """Return the records that are kept there; nothing is asked of it yet.

        :raises ImportError: when SQLAlchemy or the database's driver is not installed
        """
        return SqlStore(self)


class SqlStore:
    """Records in a SQL table, which is created when it is missing. Threads may share it, and so may forked processes.

    :param address: where
    :param table: the table's name
    :raises ImportError: when SQLAlchemy or the database's driver is not installed
    """

    remote = True

    def __init__(self, address: SqlAddress, *, table: str = TABLE) -> None:
        import sqlalchemy as sa

        url = sa.make_url(address.url)
        driver = url.get_dialect().driver
        self._engine: Engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            pool_size=1,
            max_overflow=4,
            pool_timeout=TIMEOUT,
            hide_parameters=True,
            connect_args={**_TIMEOUTS.get(driver, {}), **json.loads(address.arguments)},
        )
        self._process = os.getpid()
        self._is_there = False
        self._table = sa.Table(
            table,
            sa.MetaData(),
            sa.Column("name", sa.String(100), primary_key=True),
            sa.Column("record", sa.Text, nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        )

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record where nobody else does at the same moment.

        :raises Busy: when somebody else was faster
        :raises Unreachable: when the database cannot be reached or refuses
        """
        import sqlalchemy as sa

        columns = self._table.c
        with self._connected(key) as connection:
            there = connection.execute(sa.select(columns.record, columns.version).where(columns.name == key)).first()
            record, result = change(None if there is None else _read(there.record))
            if record is None:
                return result
            values = {"record": json.dumps(record), "updated_at": sa.func.now()}
            if there is None:
                # Somebody else's row of the same name is a violated key, and so Busy.
                connection.execute(sa.insert(self._table).values(name=key, version=1, **values))
                return result
            # Modulo, because a whole number of SQL has an end.
            following = (there.version + 1) % 2_000_000_000
            same = (columns.name == key) & (columns.version == there.version)
            written = connection.execute(sa.update(self._table).where(same).values(version=following, **values))
        if written.rowcount != 1:
            raise Busy(key)
        return result

    def close(self) -> None:
        """Close kept connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _connected(self, key: str) -> Iterator[Connection]:
        import sqlalchemy as sa

        if self._process != os.getpid():
            # The parent goes on using its connections: they are forgotten here, not closed.
            self._engine.dispose(close=False)
            self._process = os.getpid()
        try:
            with self._engine.connect() as connection:
                if not self._is_there:
                    self._create(connection)
                    self._is_there = True
                yield connection
        except sa.exc.SQLAlchemyError as error:
            if _is_collision(error):
                raise Busy(key) from None
            self._is_there = False  # somebody may have removed it
            raise Unreachable.because(error) from None

    def _create(self, connection: Connection) -> None:
        import sqlalchemy as sa

        if sa.inspect(connection).has_table(self._table.name):
            return
        try:
            connection.execute(sa.schema.CreateTable(self._table, if_not_exists=True))
        except sa.exc.DBAPIError:
            # Two who create it at once: PostgreSQL refuses one of them in spite of IF NOT EXISTS.
            if not sa.inspect(connection).has_table(self._table.name):
                raise


def _is_collision(error: SQLAlchemyError) -> bool:
    from sqlalchemy.exc import IntegrityError

    if isinstance(error, IntegrityError):
        return True
    cause: Any = getattr(error, "orig", None)
    codes = [getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None), *getattr(cause, "args", ())[:1]]
    return (
        any(isinstance(code, int | str) and code in _COLLISIONS for code in codes)
        or getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_LOCKED
    )


def _read(content: str) -> Record | None:
    try:
        value = json.loads(content)
    except (TypeError, ValueError):  # a damaged record is as good as none
        return None
    return value if isinstance(value, dict) else None


__all__ = ["KNOWN_DRIVERS", "TABLE", "TIMEOUT", "SqlAddress", "SqlStore"]
