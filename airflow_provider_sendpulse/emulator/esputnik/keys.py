# SPDX-License-Identifier: Apache-2.0
"""API keys and bearer tokens (eSputnik API: authorization)."""

from __future__ import annotations

import base64
import binascii
import secrets

from airflow_provider_sendpulse.emulator.esputnik.errors import usual
from airflow_provider_sendpulse.emulator.settings import Settings


class Keys:
    """Who may call. The user name means nothing; the key is the password."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens: set[str] = set()

    def issue(self) -> str:
        """Return a new bearer token, which serves for events only."""
        token = secrets.token_urlsafe(32)
        self._tokens.add(token)
        return token

    def revoke_tokens(self) -> None:
        """Make every bearer token invalid at once."""
        self._tokens.clear()

    def check(self, authorization: str | None, *, takes_token: bool) -> str:
        """Let a call pass only with a key, or where tokens are taken with one of those, and return what it came with."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and takes_token and credential.strip() in self._tokens:
            return credential.strip()
        key = _password(credential) if scheme.lower() == "basic" else None
        settings = self._settings
        if key is None or key not in settings.esputnik_keys or key in settings.esputnik_disabled_keys:
            raise usual(401)
        return key


def _password(credential: str) -> str | None:
    try:
        text = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    _, colon, password = text.partition(":")
    return password if colon else None
