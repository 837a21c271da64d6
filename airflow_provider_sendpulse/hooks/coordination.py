# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection of Redis or a SQL database, read as the place where hosts share their records.

Only the connection is needed, not the Airflow provider of its type: the fields mean what they mean there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.coordination import Address, CoordinationStore, coordination_store
from airflow_provider_sendpulse.api.databases import DATABASES, DRIVERS, first_installed, server_url
from airflow_provider_sendpulse.api.redis_store import RedisAddress
from airflow_provider_sendpulse.api.sql_store import KNOWN_DRIVERS, SqlAddress
from airflow_provider_sendpulse.exceptions import InvalidRequest

if TYPE_CHECKING:
    from airflow.sdk import Connection

_REDIS_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")

_LIBPQ = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "channel_binding",
    "gssencmode",
    "target_session_attrs",
    "application_name",
    "options",
)


def coordination_of(connection: Connection) -> CoordinationStore:
    """Return this process's store of a coordination connection.

    :raises InvalidRequest: when the connection's type cannot coordinate, something in it cannot be meant, or what its
        type needs is not installed; the message names the connection
    """
    address = address_of(connection)
    try:
        return coordination_store(address)
    except ImportError as error:
        extra = "redis" if isinstance(address, RedisAddress) else "sql"
        raise _error(
            connection,
            f"needs a package that is not installed ({error.name or 'a driver'}): "
            f"pip install 'airflow-provider-sendpulse[{extra}]'",
        ) from None


def address_of(connection: Connection) -> Address:
    """Return where the store of a coordination connection is.

    :raises InvalidRequest: as :func:`coordination_of`
    """
    kind = str(connection.conn_type or "").lower()
    if kind in ("redis", "rediss"):
        return _redis(connection, _extra(connection))
    if kind in DATABASES:
        return _sql(connection, DATABASES[kind], _extra(connection))
    raise _error(connection, f"is of type {kind!r}; Redis, PostgreSQL, MySQL, MariaDB and SQLite can coordinate")


def _redis(connection: Connection, extra: Mapping[str, Any]) -> RedisAddress:
    database = extra.get("db")
    if database in (None, ""):
        database = (connection.schema or "").strip("/") or 0
    try:
        number = int(database)
    except (TypeError, ValueError):
        raise _error(connection, "has a db that is not a number") from None
    tls: dict[str, Any] | None = None
    if _is_true(extra.get("ssl")) or connection.conn_type == "rediss":
        wanted = str(extra.get("ssl_cert_reqs") or "required").lower().removeprefix("cert_")
        if wanted not in ("none", "optional", "required"):
            raise _error(connection, "has an ssl_cert_reqs that is none of none, optional and required")
        named = extra.get("ssl_check_hostname")
        tls = {
            "ssl_cert_reqs": wanted,
            "ssl_check_hostname": wanted != "none" and (named in (None, "") or _is_true(named)),
            **{name: str(extra[name]) for name in _REDIS_TLS if extra.get(name)},
        }
    return RedisAddress(
        host=connection.host or "localhost",
        port=connection.port or 6379,
        database=number,
        username=connection.login or None,
        password=connection.password or None,
        tls=None if tls is None else tuple(sorted(tls.items())),
    )


def _sql(connection: Connection, database: str, extra: Mapping[str, Any]) -> SqlAddress:
    try:
        from sqlalchemy import URL
    except ImportError:
        raise _error(
            connection, "needs SQLAlchemy, which is not installed: pip install 'airflow-provider-sendpulse[sql]'"
        ) from None
    drivers = [driver for driver in DRIVERS[database] if driver.name in KNOWN_DRIVERS]
    driver = first_installed(drivers)
    if driver is None:
        wanted = ", ".join(driver.module for driver in drivers)
        raise _error(connection, f"needs one of these packages, and none is installed: {wanted}")
    if database == "sqlite":
        path = connection.host or connection.schema
        if not path:
            raise _error(connection, "has no path of a database file in its host field")
        return SqlAddress(URL.create("sqlite+pysqlite", database=path).render_as_string(hide_password=False))
    arguments: dict[str, Any] = {}
    if database == "postgresql":
        arguments = {name: str(extra[name]) for name in _LIBPQ if extra.get(name)}
    elif database == "mysql" and extra.get("ssl"):
        arguments = {"ssl": _object(connection, "ssl", extra["ssl"])}
    url = server_url(connection, database, driver)
    return SqlAddress(url.render_as_string(hide_password=False), json.dumps(arguments, sort_keys=True))


def _extra(connection: Connection) -> Mapping[str, Any]:
    # Not extra_dejson: that property calls the supervisor synchronously, which can deadlock in a trigger.
    text = connection.extra
    return _object(connection, "extra", text) if text and text.strip() else {}


def _object(connection: Connection, name: str, value: Any) -> dict[str, Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _error(connection, f"has {name} that is not a JSON object")
    return found


def _is_true(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "1", "yes", "on")


def _error(connection: Connection, fault: str) -> InvalidRequest:
    return InvalidRequest(f"The coordination connection {connection.conn_id!r} {fault}.")


__all__ = ["address_of", "coordination_of"]
