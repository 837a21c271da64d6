# SPDX-License-Identifier: Apache-2.0
"""The table of a ledger, and what is written differently from database to database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.exceptions import InvalidRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

TABLE = "sendpulse_ledger"


def ledger_table(name: str) -> Table:
    """Return the table of a name, which may have a schema before a dot.

    All times are whole seconds since the epoch. No column holds personal data in clear.
    """
    import sqlalchemy as sa

    schema, _, plain = name.strip().rpartition(".")
    if not plain:
        raise InvalidRequest(f"{name!r} is not the name of a table.")
    return sa.Table(
        plain,
        sa.MetaData(),
        sa.Column("scope", sa.String(24), primary_key=True, comment="digest of the account and the event's name"),
        sa.Column("row_key", sa.String(24), primary_key=True, comment="digest of the event key"),
        sa.Column("event", sa.String(100), nullable=False, comment="name of the event"),
        sa.Column("contact", sa.String(24), nullable=False, comment="digest of the contact"),
        sa.Column("state", sa.String(8), nullable=False, comment="claimed, listed (in doubt) or recorded"),
        sa.Column("claim", sa.String(24), nullable=False, comment="who may record it"),
        sa.Column("owner", sa.String(24), nullable=False, comment="digest of the task instance"),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger, nullable=False, comment="when the row may be forgotten"),
        sa.Index(f"{plain}_by_contact", "scope", "contact"),
        sa.Index(f"{plain}_by_expiry", "scope", "expires_at"),
        schema=schema or None,
    )


def create(engine: Engine, table: Table) -> None:
    """Create what is missing of the table; others may be doing the same.

    :raises sqlalchemy.exc.SQLAlchemyError: when the table is not there and cannot be created
    """
    import sqlalchemy as sa

    def is_there(connection: Connection) -> bool:
        return bool(sa.inspect(connection).has_table(table.name, schema=table.schema))

    with engine.connect() as connection:
        there = is_there(connection)
    if not there:
        try:
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateTable(table))
        except sa.exc.DBAPIError:
            with engine.connect() as connection:
                if not is_there(connection):
                    raise
    # In transactions of their own: a process may have ended between the table and them.
    with engine.connect() as connection:
        indexed = {index["name"] for index in sa.inspect(connection).get_indexes(table.name, schema=table.schema)}
    for index in table.indexes:
        if index.name in indexed:
            continue
        try:
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateIndex(index))
        except sa.exc.DBAPIError:
            with engine.connect() as connection:
                found = sa.inspect(connection).get_indexes(table.name, schema=table.schema)
            if index.name not in {present["name"] for present in found}:
                raise


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving alone those whose key is there already."""
    import sqlalchemy as sa

    dialect = connection.dialect.name
    values = [dict(row) for row in rows]
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        connection.execute(postgresql.insert(table).values(values).on_conflict_do_nothing())
    elif dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        connection.execute(sqlite.insert(table).values(values).on_conflict_do_nothing())
    elif dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects import mysql

        # Not INSERT IGNORE, which hides other faults too.
        connection.execute(mysql.insert(table).values(values).on_duplicate_key_update(scope=table.c.scope))
    else:
        for row in values:
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(table).values(row))
            except sa.exc.IntegrityError:
                continue


__all__ = ["TABLE", "create", "insert_missing", "ledger_table"]
