# SPDX-License-Identifier: Apache-2.0
"""How often an account may call (SendPulse API: limits)."""

from __future__ import annotations

from collections import deque

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import REQUEST_LIMIT_CODE, Refusal, invalid
from airflow_provider_sendpulse.emulator.settings import Settings


class RequestLimits:
    """Requests per second and per minute, counted over sliding windows. Refused requests do not count."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._accepted: deque[float] = deque()

    def check(self) -> None:
        """Count one request, or refuse it."""
        now = self._clock.ticks()
        while self._accepted and self._accepted[0] <= now - 60:
            self._accepted.popleft()
        status = self._settings.http_status_request_limit
        per_second = self._settings.requests_per_second
        # Only as many of the newest entries as the limit allows can lie in the last second.
        if per_second is not None and len(self._accepted) >= per_second:
            oldest = self._accepted[-per_second] if per_second else now
            if oldest > now - 1:
                raise Refusal(status, REQUEST_LIMIT_CODE, "Too many requests per second")
        per_minute = self._settings.requests_per_minute
        if per_minute is not None and len(self._accepted) >= per_minute:
            raise Refusal(429, 429, "Too many requests per minute")
        self._accepted.append(now)


class TestLimit:
    """Messages of ``send_test_only`` in a sliding hour."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sent: deque[float] = deque()

    def take(self, messages: int) -> None:
        """Count messages, or refuse all of them."""
        now = self._clock.now().timestamp()
        while self._sent and self._sent[0] <= now - 3600:
            self._sent.popleft()
        limit = self._settings.test_messages_per_hour
        if limit is not None and len(self._sent) + messages > limit:
            raise invalid("The limit of test messages is reached")
        self._sent.extend([now] * messages)


class CampaignLimit:
    """Campaigns created through the API in a sliding window, by default 4 an hour."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._created: deque[float] = deque()

    def check(self) -> None:
        """Refuse when the window is full."""
        limit = self._settings.campaigns_per_window
        start = self._clock.now().timestamp() - self._settings.campaign_window_seconds
        while self._created and self._created[0] <= start:
            self._created.popleft()
        if limit is not None and len(self._created) >= limit:
            raise Refusal(
                self._settings.http_status_campaign_limit,
                791,
                "The limit of campaigns created through the API is reached",
            )

    def count(self) -> None:
        """Remember one campaign."""
        self._created.append(self._clock.now().timestamp())

    @property
    def used(self) -> int:
        """How many campaigns count in the current window."""
        start = self._clock.now().timestamp() - self._settings.campaign_window_seconds
        return sum(moment > start for moment in self._created)
