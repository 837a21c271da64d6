# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection of type ``esputnik``, read and checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from airflow_provider_sendpulse.api.account import Account, BasicKey, Timeouts
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.esputnik import ESPUTNIK
from airflow_provider_sendpulse.esputnik.limits import SHARED
from airflow_provider_sendpulse.hooks.settings import USER_AGENT, Reader, Settings

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_HOST = "https://esputnik.com/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class EsputnikSettings(Settings):
    """What a connection says.

    :param account_timezone: the time zone of the organisation, in which the dates of broadcasts are
    """

    account_timezone: str | None = None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Read a connection.

        :raises InvalidRequest: when something in it cannot be meant; the message names the connection and the field
        """
        reader = Reader(connection)
        key = reader.password("the API key")
        if ":" in reader.login:
            raise reader.error("login", "holds a colon, which HTTP Basic does not allow; it may be empty")
        fastest = Limit(reader.positive("requests_per_second", SHARED.requests), 1.0)
        api_url = reader.host(DEFAULT_HOST)
        return cls(
            account=Account(
                service=ESPUTNIK,
                credentials=BasicKey(key, reader.login) if reader.login else BasicKey(key),
                api_url=api_url,
                events_url=api_url,
                limits=(fastest,),
                # Only what somebody says: events alone may go faster than everything else together.
                ceiling=(fastest,) if reader.text("requests_per_second") else (),
                timeouts=Timeouts(total=reader.positive("timeout", 60.0)),
                user_agent=USER_AGENT,
                name=reader.text("account") or "",
            ),
            deployment=reader.text("deployment") or "",
            coordination_conn_id=reader.text("coordination_conn_id"),
            account_timezone=reader.text("account_timezone"),
        )

    @property
    def secrets(self) -> list[str]:
        """What must not show in logs beyond what Airflow hides by itself: the key as the header holds it."""
        return self.account.credentials.secrets


__all__ = ["DEFAULT_HOST", "EsputnikSettings"]
