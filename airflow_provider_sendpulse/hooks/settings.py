# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection of type ``sendpulse``, read and checked in one place.

The form saves untouched fields as ``null`` or empty text, and a connection given as a URI has text for numbers; both
count as what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse import __version__
from airflow_provider_sendpulse.api.account import Account, ClientCredentials, StaticKey, Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import SENDPULSE

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_HOST = "https://api.sendpulse.com"
DEFAULT_CAMPAIGN_LINK = "https://login.sendpulse.com/emailservice/campaigns/{id}"
DEFAULT_ADDRESS_BOOK_LINK = "https://login.sendpulse.com/emailservice/addressbooks/{id}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a connection says.

    :param event_urls: name to hash URL; credentials
    :param account_timezone: the time zone set in the SendPulse account
    :param deployment: tells Airflow installations on one account apart
    :param coordination_conn_id: connection of the store that processes on many hosts share
    :param campaign_link: pattern of a campaign's page in the dashboard, with ``{id}``
    :param address_book_link: pattern of an address book's page in the dashboard, with ``{id}``
    """

    account: Account
    event_urls: Mapping[str, SecretUrl] = field(default_factory=dict)
    account_timezone: str | None = None
    deployment: str = ""
    coordination_conn_id: str | None = None
    campaign_link: str = DEFAULT_CAMPAIGN_LINK
    address_book_link: str = DEFAULT_ADDRESS_BOOK_LINK

    @classmethod
    def of(cls, connection: Connection) -> Settings:
        """Read a connection.

        :raises InvalidRequest: when something in it cannot be meant; the message names the connection and the field
        """
        # Not extra_dejson: that property calls the supervisor synchronously, which can deadlock in a trigger.
        reader = _Reader(str(connection.conn_id), connection.extra)
        if not connection.password or not connection.password.strip():
            raise reader.error("password", "is empty: it is the API secret, or a static API key when login is empty")
        credentials = (
            ClientCredentials(connection.login.strip(), connection.password.strip())
            if connection.login and connection.login.strip()
            else StaticKey(connection.password.strip())
        )
        api_url = _base_url(connection.host, connection.port, connection.schema) or DEFAULT_HOST
        return cls(
            account=Account(
                service=SENDPULSE,
                credentials=credentials,
                api_url=api_url,
                events_url=_base_url(reader.text("events_host"), None, None) or api_url,
                limits=(
                    Limit(reader.positive("requests_per_second", 8.0), 1.0),
                    Limit(reader.positive("requests_per_minute", 1000.0), 60.0),
                ),
                timeouts=Timeouts(total=reader.positive("timeout", 60.0)),
                user_agent=f"airflow-provider-sendpulse/{__version__}",
            ),
            event_urls=reader.event_urls(),
            account_timezone=reader.text("account_timezone"),
            deployment=reader.text("deployment") or "",
            coordination_conn_id=reader.text("coordination_conn_id"),
            campaign_link=reader.text("campaign_link") or DEFAULT_CAMPAIGN_LINK,
            address_book_link=reader.text("address_book_link") or DEFAULT_ADDRESS_BOOK_LINK,
        )

    def event_url(self, name: str) -> SecretUrl:
        """Return an event's hash URL.

        :raises InvalidRequest: when the connection has none of that name
        """
        if name not in self.event_urls:
            known = ", ".join(sorted(self.event_urls)) or "none"
            raise InvalidRequest(f"The connection's event_urls has no {name!r}; it has {known}.")
        return self.event_urls[name]

    @property
    def secrets(self) -> list[str]:
        """What must not show in logs beyond what Airflow hides by itself."""
        return [url.value for url in self.event_urls.values()]


class _Reader:
    def __init__(self, conn_id: str, extra: str | None) -> None:
        self._conn_id = conn_id
        try:
            values = json.loads(extra) if extra and extra.strip() else {}
        except ValueError:
            raise self.error("extra", "is not JSON") from None
        if not isinstance(values, dict):
            raise self.error("extra", "is not a JSON object")
        self._values = values

    def error(self, field_name: str, fault: str) -> InvalidRequest:
        return InvalidRequest(f"Connection {self._conn_id!r}: {field_name} {fault}.")

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or not str(value).strip():
            return None
        return str(value).strip()

    def positive(self, name: str, default: float) -> float:
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

    def event_urls(self) -> dict[str, SecretUrl]:
        value: Any = self._values.get("event_urls")
        if isinstance(value, str):
            if not value.strip():
                return {}
            try:
                value = json.loads(value)
            except ValueError:
                raise self.error("event_urls", "is not JSON; it is an object of names and URLs") from None
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(url, str) for url in value.values()):
            raise self.error("event_urls", "is not an object of names and URLs")
        urls = {str(name): url.strip() for name, url in value.items()}
        if wrong := sorted(name for name, url in urls.items() if not url.startswith(("https://", "http://"))):
            raise self.error("event_urls", f"has entries that are no URLs: {', '.join(wrong)}")
        return {name: SecretUrl(url) for name, url in urls.items()}


def _base_url(host: str | None, port: int | None, scheme: str | None) -> str | None:
    if host is None or not host.strip():
        return None
    url = host.strip().rstrip("/")
    if "://" not in url:
        url = f"{scheme if scheme in ('http', 'https') else 'https'}://{url}"
    if port and not url.rpartition("://")[2].rpartition(":")[2].isdigit():
        url = f"{url}:{port}"
    return url


__all__ = ["DEFAULT_ADDRESS_BOOK_LINK", "DEFAULT_CAMPAIGN_LINK", "DEFAULT_HOST", "Settings"]
