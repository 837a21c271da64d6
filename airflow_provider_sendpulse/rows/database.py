# SPDX-License-Identifier: Apache-2.0
"""From an Airflow connection of a database to an SQLAlchemy engine, also without that database's Airflow provider."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.databases import DATABASES, DRIVERS, first_installed, server_url
from airflow_provider_sendpulse.exceptions import InvalidRequest

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from sqlalchemy import URL, Engine

log = logging.getLogger(__name__)

TIMEOUT = 30
"""Seconds to wait for a connection, or for SQLite's lock."""

_CONNECT: dict[str, dict[str, int]] = {
    "psycopg": {"connect_timeout": TIMEOUT},
    "psycopg2": {"connect_timeout": TIMEOUT},
    "pymysql": {"connect_timeout": TIMEOUT},
    "mysqldb": {"connect_timeout": TIMEOUT},
    "pysqlite": {"timeout": TIMEOUT},
}

_PASSED_ON = ("sslmode", "sslrootcert", "sslcert", "sslkey", "charset", "ssl_ca", "ssl_cert", "ssl_key")
"""What of a connection's extra goes into the URL."""


def engine_of(conn_id: str) -> Engine:
    """Return an engine for the database of an Airflow connection; nothing is asked of it yet.

    The database's own Airflow hook says where it is, if its provider is installed; else the connection's fields do.

    :raises InvalidRequest: when SQLAlchemy or a driver is not installed, or the connection is of no database
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise InvalidRequest("A table in a database needs SQLAlchemy: install sqlalchemy>=2.") from None
    # Late: importing a hook is expensive, and DAG files are parsed far more often than they run.
    from airflow.sdk import BaseHook

    url = database_url(BaseHook.get_connection(conn_id))
    options: dict[str, Any] = {}
    if url.get_backend_name() in ("mysql", "mariadb"):
        # Without the locks on gaps that MySQL's default takes, two who claim at once do not meet in deadlocks.
        options["isolation_level"] = "READ COMMITTED"
    try:
        return sa.create_engine(
            url,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_CONNECT.get(url.get_dialect().driver, {}),
            **options,
        )
    except (ImportError, sa.exc.ArgumentError) as error:
        raise InvalidRequest(f"Connection {conn_id!r} cannot be used: {type(error).__name__}, {error}.") from None


def database_url(connection: Connection) -> URL:
    """Return the SQLAlchemy URL of a connection.

    :raises InvalidRequest: when it is of no database, or its driver is not installed
    """
    import sqlalchemy as sa

    database = DATABASES.get(connection.conn_type or "")
    if database == "sqlite":
        # Airflow's own hook has it in the host.
        return sa.URL.create("sqlite", database=connection.host or connection.schema or None)
    if (url := _url_of_hook(connection)) is not None:
        return url
    if database is None:
        raise InvalidRequest(
            f"Connection {connection.conn_id!r} is of type {connection.conn_type!r}, for which no installed provider knows "
            "an SQLAlchemy URL. PostgreSQL, MariaDB, MySQL and SQLite are known without one."
        )
    driver = first_installed(DRIVERS[database])
    if driver is None:
        wanted = " or ".join(driver.module for driver in DRIVERS[database])
        raise InvalidRequest(f"Connection {connection.conn_id!r} needs a driver for {database}: install {wanted}.")
    extra = connection.extra_dejson
    query = {name: str(extra[name]) for name in _PASSED_ON if extra.get(name)}
    return server_url(connection, database, driver, query)


def _url_of_hook(connection: Connection) -> URL | None:
    """Return what the connection's own hook says: it knows of schemes, certificates and tokens in its extra."""
    import sqlalchemy as sa

    wrong: str | None = None
    try:
        url = sa.make_url(connection.get_hook().sqlalchemy_url)
        url.get_dialect().import_dbapi()
    except Exception as error:  # no provider, a hook without it, no driver: the message may hold the URL
        wrong = type(error).__name__
    else:
        return url
    log.debug("Connection %s: its hook gives no SQLAlchemy URL (%s).", connection.conn_id, wrong)
    return None


__all__ = ["TIMEOUT", "database_url", "engine_of"]
