# SPDX-License-Identifier: Apache-2.0
"""The databases that an Airflow connection can be of without that database's Airflow provider: drivers and URLs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import URL

DATABASES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
"""Connection type to SQLAlchemy's name of the database."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What talks to a database.

    :param module: the Python module
    :param name: SQLAlchemy's name for it
    """

    module: str
    name: str

    @property
    def is_installed(self) -> bool:
        """Whether it can be found; it is not imported."""
        try:
            return find_spec(self.module) is not None
        except ModuleNotFoundError:  # its package is missing
            return False


DRIVERS = {
    "postgresql": (Driver("psycopg", "psycopg"), Driver("psycopg2", "psycopg2"), Driver("pg8000", "pg8000")),
    "mysql": (Driver("pymysql", "pymysql"), Driver("MySQLdb", "mysqldb"), Driver("mysql.connector", "mysqlconnector")),
    "sqlite": (Driver("sqlite3", "pysqlite"),),
}
"""Database to its drivers, the preferred one first."""


def first_installed(drivers: Iterable[Driver]) -> Driver | None:
    """Return the first driver that is installed, if one is."""
    return next((driver for driver in drivers if driver.is_installed), None)


def server_url(connection: Any, database: str, driver: Driver, query: Mapping[str, str] | None = None) -> URL:
    """Return the SQLAlchemy URL that is in the plain fields of an Airflow connection; nobody is asked for any of them.

    :param database: of ``DATABASES``, and one with a server
    :param query: what goes behind the question mark
    """
    from sqlalchemy import URL

    return URL.create(
        f"{database}+{driver.name}",
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=query or {},
    )


__all__ = ["DATABASES", "DRIVERS", "Driver", "first_installed", "server_url"]
