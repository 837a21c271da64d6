# SPDX-License-Identifier: Apache-2.0
"""How often each call may be made (eSputnik API: rate limits)."""

from __future__ import annotations

from collections import deque
from typing import Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.errors import usual
from airflow_provider_sendpulse.emulator.settings import Settings

Limit = Literal[
    "shared",
    "contact_searches",
    "events",
    "events_v2",
    "past_events",
    "past_events_v2",
    "past_event_deletions",
    "contact_messages",
    "email_reads",
    "message_reads",
]


class RateLimits:
    """Requests over sliding windows, one for each limit. Refused requests do not count."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._accepted: dict[tuple[Limit, float], deque[float]] = {}

    def check(self, limit: Limit) -> None:
        """Count one request, or refuse it."""
        if not self._settings.esputnik_limits:
            return
        now = self._clock.ticks()
        windows = []
        for seconds, most in self._rules(limit):
            window = self._accepted.setdefault((limit, seconds), deque())
            while window and window[0] <= now - seconds:
                window.popleft()
            if most is not None and len(window) >= most:
                raise usual(429)
            windows.append(window)
        for window in windows:
            window.append(now)

    def _rules(self, limit: Limit) -> list[tuple[float, int | None]]:
        settings = self._settings
        match limit:
            case "contact_searches":
                return [(1, settings.esputnik_searches_per_second)]
            case "events" | "events_v2":
                return [(1, settings.esputnik_events_per_second)]
            case "past_events" | "past_events_v2":
                return [(1, settings.esputnik_past_events_per_second)]
            case "past_event_deletions":
                return [(1, settings.esputnik_past_event_deletions_per_second)]
            case "contact_messages":
                return [(1, settings.esputnik_contact_messages_per_second)]
            case "email_reads":
                return [
                    (1, settings.esputnik_email_reads_per_second),
                    (3600, settings.esputnik_message_reads_per_hour),
                ]
            case "message_reads":
                return [(3600, settings.esputnik_message_reads_per_hour)]
            case "shared":
                return [(1, settings.esputnik_requests_per_second)]
