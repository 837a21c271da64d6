# SPDX-License-Identifier: Apache-2.0
"""Whose account of which service is called, and within which bounds."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, Host, SecretUrl
from airflow_provider_sendpulse.api.service import Service


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth client credentials; they are exchanged for tokens that expire."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)

    @property
    def identity(self) -> str:
        """What tells one account from another that has no name."""
        return self.client_id

    @property
    def secrets(self) -> list[str]:
        """What must not show, should the service repeat it."""
        return [self.client_secret, self.client_id]

    def authorization(self, token: str | None) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {token}"


@dataclass(frozen=True, slots=True)
class StaticKey:
    """A key that is sent as it is and does not expire; a refusal cannot be cured by renewing it."""

    key: str = field(repr=False)

    @property
    def identity(self) -> str:
        """What tells one account from another that has no name."""
        return self.key

    @property
    def secrets(self) -> list[str]:
        """What must not show, should the service repeat it."""
        return [self.key]

    def authorization(self, token: str | None = None) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Bearer {self.key}"


@dataclass(frozen=True, slots=True)
class BasicKey:
    """A key that is sent as the password of HTTP Basic and does not expire; the service takes any user name."""

    key: str = field(repr=False)
    user: str = field(default="user", repr=False)

    @property
    def identity(self) -> str:
        """What tells one account from another that has no name."""
        return self.key

    @property
    def secrets(self) -> list[str]:
        """What must not show, should the service repeat it."""
        return [self.key, self._pair]

    def authorization(self, token: str | None = None) -> str:
        """Return the value of the ``Authorization`` header."""
        return f"Basic {self._pair}"

    @property
    def _pair(self) -> str:
        return base64.b64encode(f"{self.user}:{self.key}".encode()).decode()


Credentials = ClientCredentials | StaticKey | BasicKey


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one request, in seconds.

    :param connect: until the connection stands
    :param total: until the answer is complete
    """

    connect: float = 10.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a service and how to call it.

    :param api_url: base URL of the API, without a trailing slash
    :param events_url: base URL of the host that takes events
    :param limits: the request budget, shared by everything that uses this account
    :param ceiling: limits that no call exceeds, not even one whose endpoint has an allowance of its own
    :param name: tells it from other accounts of the service, whatever its credentials; these do so where it is empty
    """

    service: Service
    credentials: Credentials
    api_url: str
    events_url: str
    limits: tuple[Limit, ...]
    timeouts: Timeouts = Timeouts()
    user_agent: str = "airflow-provider-sendpulse"
    ceiling: tuple[Limit, ...] = ()
    name: str = ""

    @property
    def identity(self) -> str:
        """What tells it from other accounts of the service; it may hold a secret."""
        return f"named\0{self.name}" if self.name else self.credentials.identity

    def url(self, host: Host | SecretUrl, target: str) -> str:
        """Return the complete URL of a call."""
        if isinstance(host, SecretUrl):
            return host.value
        base = self.api_url if host is Host.API else self.events_url
        return f"{base}{target}"

    @property
    def budget_key(self) -> str:
        """Name of the shared budget: every process that calls this account on this address has the same."""
        return "budget-" + self._digest(self.identity)

    def budget_of(self, call: Call[Any]) -> tuple[str, tuple[Limit, ...]]:
        """Return the name of the shared budget that a call draws on, and its limits."""
        if call.allowance is None:
            return self.budget_key, self.limits
        return (
            "budget-" + self._digest(self.identity, call.allowance.name),
            (*call.allowance.limits, *self.ceiling),
        )

    @property
    def token_key(self) -> str:
        """Name of the shared token; it depends on the secret too, so a changed secret never meets an old token."""
        if not isinstance(self.credentials, ClientCredentials):
            raise TypeError("a static key is not exchanged for tokens")
        return "token-" + self._digest(self.credentials.client_id, self.credentials.client_secret)

    @property
    def leases_key(self) -> str:
        """Name of the shared record of who does what alone on this account."""
        return "leases-" + self._digest(self.identity)

    @property
    def quotas_key(self) -> str:
        """Name of the shared record of what was used up of the account's small quotas."""
        return "quotas-" + self._digest(self.identity)

    def _digest(self, *parts: str) -> str:
        text = "\0".join((self.service.name, self.api_url, *parts))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


__all__ = ["Account", "BasicKey", "ClientCredentials", "Credentials", "StaticKey", "Timeouts"]
