# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection of type ``sendpulse``, read and checked in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_sendpulse.api.account import Account, ClientCredentials, StaticKey, Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import SecretUrl
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks.settings import USER_AGENT, Reader, Settings, base_url
from airflow_provider_sendpulse.sendpulse import SENDPULSE

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_HOST = "https://api.sendpulse.com"
DEFAULT_CAMPAIGN_LINK = "https://login.sendpulse.com/emailservice/campaigns/{id}"
DEFAULT_ADDRESS_BOOK_LINK = "https://login.sendpulse.com/emailservice/addressbooks/{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPulseSettings(Settings):
    """What a connection says.

    :param event_urls: name to hash URL; credentials
    :param account_timezone: the time zone set in the SendPulse account
    :param campaign_link: pattern of a campaign's page in the dashboard, with ``{id}``
    :param address_book_link: pattern of an address book's page in the dashboard, with ``{id}``
    """

    event_urls: Mapping[str, SecretUrl] = field(default_factory=dict)
    account_timezone: str | None = None
    campaign_link: str = DEFAULT_CAMPAIGN_LINK
    address_book_link: str = DEFAULT_ADDRESS_BOOK_LINK

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Read a connection.

        :raises InvalidRequest: when something in it cannot be meant; the message names the connection and the field
        """
        reader = Reader(connection)
        secret = reader.password("the API secret, or a static API key when login is empty")
        api_url = reader.host(DEFAULT_HOST)
        return cls(
            account=Account(
                service=SENDPULSE,
                credentials=ClientCredentials(reader.login, secret) if reader.login else StaticKey(secret),
                api_url=api_url,
                events_url=base_url(reader.text("events_host")) or api_url,
                limits=(
                    Limit(reader.positive("requests_per_second", 8.0), 1.0),
                    Limit(reader.positive("requests_per_minute", 1000.0), 60.0),
                ),
                timeouts=Timeouts(total=reader.positive("timeout", 60.0)),
                user_agent=USER_AGENT,
                name=reader.text("account") or "",
            ),
            event_urls=_event_urls(reader),
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


def _event_urls(reader: Reader) -> dict[str, SecretUrl]:
    value: Any = reader.values.get("event_urls")
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = json.loads(value)
        except ValueError:
            raise reader.error("event_urls", "is not JSON; it is an object of names and URLs") from None
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(url, str) for url in value.values()):
        raise reader.error("event_urls", "is not an object of names and URLs")
    urls = {str(name): url.strip() for name, url in value.items()}
    if wrong := sorted(name for name, url in urls.items() if not url.startswith(("https://", "http://"))):
        raise reader.error("event_urls", f"has entries that are no URLs: {', '.join(wrong)}")
    return {name: SecretUrl(url) for name, url in urls.items()}


__all__ = ["DEFAULT_ADDRESS_BOOK_LINK", "DEFAULT_CAMPAIGN_LINK", "DEFAULT_HOST", "SendPulseSettings"]
