# SPDX-License-Identifier: Apache-2.0
"""What the connections of all services say, and how it is read and checked.

The form saves untouched fields as ``null`` or empty text, and a connection given as a URI has text for numbers; both
count as what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse import __version__
from airflow_provider_sendpulse.api.account import Account
from airflow_provider_sendpulse.exceptions import InvalidRequest

if TYPE_CHECKING:
    from airflow.sdk import Connection

USER_AGENT = f"airflow-provider-sendpulse/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a connection says, of whatever service.

    :param deployment: tells Airflow installations on one account apart
    :param coordination_conn_id: connection of the store that processes on many hosts share
    """

    account: Account
    deployment: str = ""
    coordination_conn_id: str | None = None

    @property
    def secrets(self) -> list[str]:
        """What must not show in logs beyond what Airflow hides by itself."""
        return []


class Reader:
    """Reads the fields of a connection.

    :raises InvalidRequest: when something in it cannot be meant; the message names the connection and the field
    """

    def __init__(self, connection: Connection) -> None:
        self._conn_id = str(connection.conn_id)
        # Not extra_dejson: that property calls the supervisor synchronously, which can deadlock in a trigger.
        extra = connection.extra
        try:
            values = json.loads(extra) if extra and extra.strip() else {}
        except ValueError:
            raise self.error("extra", "is not JSON") from None
        if not isinstance(values, dict):
            raise self.error("extra", "is not a JSON object")
        self._connection = connection
        self.values: Mapping[str, Any] = values

    def error(self, field_name: str, fault: str) -> InvalidRequest:
        """Return what is wrong with a field."""
        return InvalidRequest(f"Connection {self._conn_id!r}: {field_name} {fault}.")

    @property
    def login(self) -> str:
        """The login, trimmed."""
        return (self._connection.login or "").strip()

    def password(self, meaning: str) -> str:
        """Return the password, trimmed, which must be there."""
        password = (self._connection.password or "").strip()
        if not password:
            raise self.error("password", f"is empty: it is {meaning}")
        return password

    def host(self, default: str) -> str:
        """Return the base URL of the API, without a slash at its end."""
        connection = self._connection
        return base_url(connection.host, connection.port, connection.schema) or default

    def text(self, name: str) -> str | None:
        """Return an extra field, or ``None`` when it is absent or blank."""
        value = self.values.get(name)
        if value is None or not str(value).strip():
            return None
        return str(value).strip()

    def positive(self, name: str, default: float) -> float:
        """Return an extra field that is a number above 0."""
        text = self.text(name)
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf"):
            raise self.error(name, "is not a number above 0")
        return number


def base_url(host: str | None, port: int | None = None, scheme: str | None = None) -> str | None:
    """Return a host as the beginning of a URL, or ``None`` when it is blank."""
    if host is None or not host.strip():
        return None
    url = host.strip().rstrip("/")
    if "://" not in url:
        url = f"{scheme if scheme in ('http', 'https') else 'https'}://{url}"
    start, _, rest = url.partition("://")
    server, slash, path = rest.partition("/")
    if port and not server.rpartition(":")[2].isdigit():
        server = f"{server}:{port}"
    return f"{start}://{server}{slash}{path}"


__all__ = ["USER_AGENT", "Reader", "Settings", "base_url"]
