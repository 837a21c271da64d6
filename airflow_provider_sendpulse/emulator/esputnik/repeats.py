# SPDX-License-Identifier: Apache-2.0
"""Requests that are the same as one of the last minute (eSputnik API: 409)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.errors import usual
from airflow_provider_sendpulse.emulator.settings import Settings


class Repeats:
    """Remembers requests that were carried out. The same is: key, method, path and body."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._seen: dict[str, datetime] = {}

    def check(self, *parts: str | bytes) -> str:
        """Refuse a request that was carried out a moment ago, or return what to remember it by."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.encode() if isinstance(part, str) else part)
            digest.update(b"\0")
        mark, seconds = digest.hexdigest(), self._settings.esputnik_repeat_seconds
        last = self._seen.get(mark)
        if seconds is not None and last is not None and self._clock.now() < last + timedelta(seconds=seconds):
            raise usual(409)
        return mark

    def remember(self, mark: str) -> None:
        """Note that a request was carried out."""
        self._seen[mark] = self._clock.now()
