# SPDX-License-Identifier: Apache-2.0
"""SQLAlchemy engines of Airflow connections."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.exceptions import InvalidRequest

if TYPE_CHECKING:
    from sqlalchemy import Engine

# For a connection type whose Airflow provider is not installed: SQLAlchemy's names of the drivers, best first.
_DRIVERS = {
    "postgres": {"psycopg": "postgresql+psycopg", "psycopg2": "postgresql+psycopg2"},
    "mysql": {"MySQLdb": "mysql+mysqldb", "pymysql": "mysql+pymysql", "mysql.connector": "mysql+mysqlconnector"},
    "sqlite": {"sqlite3": "sqlite"},
}

_OPTIONS: dict[str, Any] = {
    # An error would show the values of its statement otherwise.
    "hide_parameters": True,
    "pool_pre_ping": True,
}


def engine_of(conn_id: str) -> Engine:
    """Return an engine for the database of an Airflow connection; whoever asks disposes of it.

    :raises InvalidRequest: when nothing here can connect to such a database
    """
    from airflow.sdk import BaseHook

    # Late: importing a hook is expensive, and DAG files are parsed far more often than they run.
    connection: Any = BaseHook.get_connection(conn_id)
    try:
        hook = connection.get_hook()
    except Exception:
        return _without_a_hook(connection)
    if not hasattr(hook, "get_sqlalchemy_engine"):
        raise InvalidRequest(f"The connection {conn_id} ({connection.conn_type}) is not one of a SQL database.")
    engine: Engine = hook.get_sqlalchemy_engine(dict(_OPTIONS))
    return engine


def _without_a_hook(connection: Any) -> Engine:
    import sqlalchemy as sa

    kind = {"postgresql": "postgres", "mariadb": "mysql"}.get(connection.conn_type, connection.conn_type)
    for module, driver in _DRIVERS.get(kind, {}).items():
        if find_spec(module.partition(".")[0]) is not None:
            if kind == "sqlite":
                return sa.create_engine(sa.URL.create(driver, database=connection.host), **_OPTIONS)
            url = sa.URL.create(
                driver,
                username=connection.login,
                password=connection.password,
                host=connection.host,
                port=connection.port,
                database=connection.schema,
            )
            return sa.create_engine(url, **_OPTIONS)
    raise InvalidRequest(
        f"Nothing here can connect to a database of type {connection.conn_type}: install the Airflow provider for it."
    )


__all__ = ["engine_of"]
