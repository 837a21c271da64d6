# SPDX-License-Identifier: Apache-2.0
"""Access tokens and static keys (SendPulse API: authorization)."""

from __future__ import annotations

import base64
import json
import secrets
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import ClientRejected, Refusal, unauthorized
from airflow_provider_sendpulse.emulator.settings import Settings


class Tokens:
    """The tokens issued so far. Their number shows whether clients cache them."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._expiry: dict[str, datetime] = {}
        self._recent_issues: deque[datetime] = deque()
        self.issued = 0

    def issue(self, request: Any) -> dict[str, Any]:
        """Answer the token call, or refuse it."""
        settings = self._settings
        if not isinstance(request, dict) or (
            request.get("grant_type") != "client_credentials"
            or request.get("client_id") != settings.client_id
            or request.get("client_secret") != settings.client_secret
        ):
            raise ClientRejected
        self._check_issue_limit()
        if settings.token_issue_revokes_previous:
            self._expiry.clear()
        token = self._new_token()
        self._expiry[token] = self._clock.now() + timedelta(seconds=settings.token_lifetime_seconds)
        self.issued += 1
        return {"access_token": token, "token_type": "Bearer", "expires_in": settings.token_lifetime_seconds}

    def check(self, authorization: str | None) -> None:
        """Let a call pass only with a valid token or a static key."""
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized()
        credential = credential.strip()
        if credential in self._settings.api_keys:
            return
        expiry = self._expiry.get(credential)
        if expiry is None or expiry <= self._clock.now():
            raise unauthorized()

    def revoke_all(self) -> int:
        """Make every token issued so far invalid before its time."""
        count = len(self._expiry)
        self._expiry.clear()
        return count

    def valid_count(self) -> int:
        """How many tokens would be accepted now."""
        now = self._clock.now()
        return sum(expiry > now for expiry in self._expiry.values())

    def _check_issue_limit(self) -> None:
        limit = self._settings.token_issues_per_minute
        now = self._clock.now()
        while self._recent_issues and self._recent_issues[0] <= now - timedelta(minutes=1):
            self._recent_issues.popleft()
        if limit is not None and len(self._recent_issues) >= limit:
            raise Refusal(429, 429, "Too many token requests")
        self._recent_issues.append(now)

    def _new_token(self) -> str:
        if self._settings.token_shape == "opaque":
            return secrets.token_hex(20)
        header = json.dumps({"typ": "JWT", "alg": "RS256"}).encode()
        claims = json.dumps({"aud": self._settings.client_id, "jti": secrets.token_hex(40)}).encode()
        parts = (header, claims, secrets.token_bytes(512))
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
