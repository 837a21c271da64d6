# SPDX-License-Identifier: Apache-2.0
"""OAuth client credentials: one token for all processes of a host, renewed before it expires.

The shared record holds the token encrypted with a key derived from the client secret, and at most one *lease*: who is
fetching a token at the moment, and until when others believe that. Whoever meets a lease waits for its outcome, so
fifty processes that start together make one token call.
"""

from __future__ import annotations

import base64
import json
import math
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.account import ClientCredentials
from airflow_provider_sendpulse.api.service import IssuedToken
from airflow_provider_sendpulse.api.shared import Record
from airflow_provider_sendpulse.api.steps import Conversation, mask, update, wait
from airflow_provider_sendpulse.exceptions import ServiceUnavailable

RENEW_BEFORE = 120.0
"""Seconds before its expiry from which on a token is renewed; a tenth of its lifetime when that is less."""

UNUSABLE_BEFORE = 5.0
"""Seconds before its expiry from which on a token is no longer sent."""

LEASE = 45.0
"""Seconds for which others wait for a process that is fetching a token."""


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    expires_at: float
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Leased:
    """This process is to fetch the token."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """Another process is fetching the token."""


class Tokens:
    """The shared token of one account.

    :param credentials: client id and secret
    :param key: name of the shared record
    :param fetch: a conversation that makes the token call
    :param now: the time, in seconds since the epoch
    """

    def __init__(
        self,
        credentials: ClientCredentials,
        key: str,
        fetch: Callable[[], Conversation[IssuedToken]],
        now: Callable[[], float],
    ) -> None:
        self._key = key
        self._fetch = fetch
        self._now = now
        self._secret = credentials.client_secret
        self._owner = uuid.uuid4().hex

    def current(self, rejected: str | None = None, give_up_at: float = math.inf) -> Conversation[tuple[str, bool]]:
        """Return a token to send, and whether it was fetched just now.

        :param rejected: a token that the service has just answered with 401. If the shared record holds another one by
            now, that one is returned; otherwise a new one is fetched.
        :param give_up_at: seconds since the epoch until which to wait for others who are fetching a token
        :raises ServiceError: as the token call does
        :raises ServiceUnavailable: when the others got none by then
        """
        while True:
            found = yield from update(self._key, self._look(rejected))
            if isinstance(found, _Token):
                yield from mask(found.value)
                return found.value, False
            if isinstance(found, _Leased):
                return (yield from self._renew()), True
            if self._now() >= give_up_at:
                raise ServiceUnavailable(
                    "Other processes are trying to get a token for the same account and have none yet. Check that the "
                    "service is up and that this machine can reach it."
                )
            # Not a fixed beat, so that those who wait do not all come back at once.
            yield from wait(random.uniform(0.05, 0.2))

    def fresh(self) -> Conversation[str]:
        """Return a token fetched now, past any shared one: for a connection test, which must judge the credentials."""
        issued = yield from self._fetch()
        yield from mask(issued.value)
        return issued.value

    def _renew(self) -> Conversation[str]:
        try:
            issued = yield from self._fetch()
        except BaseException:
            yield from update(self._key, self._release)
            raise
        yield from mask(issued.value)
        yield from update(self._key, self._keep(issued))
        return issued.value

    def _look(self, rejected: str | None) -> Callable[[Record | None], tuple[Record | None, _Token | _Leased | _Taken]]:
        def look(record: Record | None) -> tuple[Record | None, _Token | _Leased | _Taken]:
            now = self._now()
            token = self._open(record)
            usable = token is not None and token.value != rejected and now < token.expires_at - UNUSABLE_BEFORE
            if usable and token is not None and now < token.renew_at:
                return None, token
            until = _lease(record).get("until")
            if isinstance(until, int | float) and now < until <= now + LEASE:
                # While somebody renews it, the old token does as long as it lives.
                return None, token if usable and token is not None else _Taken()
            return {**(record or {}), "lease": {"owner": self._owner, "until": now + LEASE}}, _Leased()

        return look

    def _release(self, record: Record | None) -> tuple[Record | None, None]:
        if _lease(record).get("owner") != self._owner:
            return None, None
        return {**(record or {}), "lease": None}, None

    def _keep(self, issued: IssuedToken) -> Callable[[Record | None], tuple[Record | None, None]]:
        def keep(record: Record | None) -> tuple[Record | None, None]:
            now = self._now()
            text = json.dumps(
                {
                    "value": issued.value,
                    "expires_at": now + issued.lifetime,
                    "renew_at": now + issued.lifetime - min(RENEW_BEFORE, issued.lifetime / 10),
                }
            )
            return {"token": self._cipher().encrypt(text.encode()).decode()}, None

        return keep

    def _open(self, record: Record | None) -> _Token | None:
        from cryptography.fernet import InvalidToken

        try:
            stored: Any = json.loads(self._cipher().decrypt(str((record or {})["token"]).encode()))
            return _Token(str(stored["value"]), float(stored["expires_at"]), float(stored["renew_at"]))
        except (KeyError, TypeError, ValueError, InvalidToken):
            return None

    def _cipher(self) -> Any:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"airflow-provider-sendpulse token record")
        return Fernet(base64.urlsafe_b64encode(derive.derive(self._secret.encode())))


def _lease(record: Record | None) -> Record:
    lease = (record or {}).get("lease")
    return lease if isinstance(lease, dict) else {}


__all__ = ["LEASE", "RENEW_BEFORE", "UNUSABLE_BEFORE", "Tokens"]
