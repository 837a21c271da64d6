# SPDX-License-Identifier: Apache-2.0
"""Ledgers in real databases: SQLite always, PostgreSQL and MariaDB where they answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from services import own_name, require

from airflow_provider_sendpulse.jobs.database_ledger import DatabaseLedger, LedgerScope
from airflow_provider_sendpulse.jobs.ledger_table import ledger_table

DATABASES = ("sqlite", "postgresql", "mariadb")
RETENTION = 90 * 86_400.0


class Database:
    """One database with a table of its own.

    :param url: an SQLAlchemy URL
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.table = own_name("ledger")
        options: dict[str, Any] = {"isolation_level": "READ COMMITTED"} if "mysql" in url else {}
        self.engine = sa.create_engine(url, pool_size=8, hide_parameters=True, **options)

    def ledger(self, clock: Any, owner: str = "task", **other: Any) -> DatabaseLedger:
        """Return a ledger that is open, as another process would have it; see :meth:`unopened`."""
        ledger = self.unopened(clock, owner, **other)
        ledger.open()
        return ledger

    def unopened(
        self,
        clock: Any,
        owner: str = "task",
        *,
        account: str = "account",
        event: str = "left",
        retention: float = RETENTION,
    ) -> DatabaseLedger:
        """Return a ledger whose table may not be there yet."""
        scope = LedgerScope(account, event, owner)
        return DatabaseLedger(self.engine, ledger_table(self.table), scope, retention, clock)

    def rows(self) -> list[dict[str, Any]]:
        """Return what is in the table."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.select(ledger_table(self.table)))]

    def empty(self) -> None:
        """Delete all rows."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(ledger_table(self.table)))

    def drop(self) -> None:
        """Remove the table, and close all connections."""
        try:
            ledger_table(self.table).drop(self.engine, checkfirst=True)
        finally:
            self.engine.dispose()


@contextlib.contextmanager
def database(name: str, folder: Path) -> Iterator[Database]:
    """Give a database of one of :data:`DATABASES`, or skip the test and say why."""
    held = Database(f"sqlite:///{folder / 'ledger.db'}" if name == "sqlite" else require(name))
    try:
        yield held
    finally:
        held.drop()
