# SPDX-License-Identifier: Apache-2.0
"""Real Redis, PostgreSQL and MariaDB on this machine, for the tests that need them.

::

    url = require("postgresql")   # an SQLAlchemy URL, or redis://…

A service that does not answer skips the test and says why; with ``CI=true`` in the environment it fails it instead, because
there the services are part of what is promised. The addresses are those below unless the environment names others.
Whoever uses a service takes names of its own (:func:`own_name`) and removes what it made.
"""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

ADDRESSES = {
    "redis": ("TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
    "postgresql": ("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test"),
    "mariadb": ("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/test"),
}
"""Service to the variable that names another address, and the address."""


def require(service: str) -> str:
    """Return the URL of a service, or skip the test, or fail it where ``CI`` is true.

    :param service: a key of :data:`ADDRESSES`
    """
    variable, default = ADDRESSES[service]
    url = os.environ.get(variable) or default
    trouble = _trouble(service, url)
    if trouble is None:
        return url
    told = (
        f"{service} does not answer at {urlsplit(url).hostname}:{urlsplit(url).port} ({trouble}); {variable} names another"
    )
    unavailable(told)


def unavailable(told: str) -> NoReturn:
    """Skip the test that needs something that is not there, or fail it where ``CI`` is true.

    :param told: what is not there, and why
    """
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(told)
    pytest.skip(told)


def own_name(prefix: str) -> str:
    """Return a name that no other test has, fit for a table, a database or a key."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


@cache
def _trouble(service: str, url: str) -> str | None:
    address = urlsplit(url)
    try:
        # First of all, whether anybody listens: drivers take their time.
        socket.create_connection((address.hostname or "", address.port or 0), timeout=2).close()
        if service == "redis":
            import redis

            with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
                client.ping()
        else:
            import sqlalchemy

            engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": 2})
            try:
                with engine.connect() as connection:
                    connection.execute(sqlalchemy.text("SELECT 1"))
            finally:
                engine.dispose()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return None
