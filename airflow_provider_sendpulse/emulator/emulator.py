# SPDX-License-Identifier: Apache-2.0
"""One emulated account with its clock, its faults and its log."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.faults import Faults
from airflow_provider_sendpulse.emulator.request_log import RequestLog
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.webhook_delivery import NotLoopback, deliver


class Server(Protocol):
    """What serves an emulator."""

    def refuse_connections(self, seconds: float, spare: Any = None) -> None:
        """End all connections but one and refuse new ones for a while. In the server's own thread only."""
        ...


class Emulator:
    """What the HTTP side and the tests share. Hold :attr:`lock` to change several things as one.

    Attributes:
        server: what serves it, once something does.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._initial = settings or Settings()
        self.lock = threading.RLock()
        self.clock = Clock()
        self.settings = Settings()
        self.settings.copy_from(self._initial)
        self.faults = Faults(_operations)
        self.server: Server | None = None
        self._is_pushing = False
        self.requests = RequestLog()
        self._set_clock()
        self.state = State(self.settings, self.clock)

    def reset(self, *, keep_settings: bool = False) -> None:
        """Forget everything; settings return to those given at the start, unless they are to be kept."""
        with self.lock:
            if not keep_settings:
                self.settings.copy_from(self._initial)
            self.faults.clear()
            self.requests = RequestLog()
            self.clock.run()
            self._set_clock()
            self.state = State(self.settings, self.clock)

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        """Change settings while running; what was due under the old ones happens first."""
        with self.lock:
            self.state.settle()
            self.settings.update(changes)
            if "clock" in changes or "clock_start" in changes:
                self._set_clock()

    def advance(self, seconds: float) -> None:
        """Push the clock forward, let everything happen that falls into that time, and push what webhooks tell of it.

        Without the lock, as whoever receives the pushes may call the emulator.
        """
        self.move_clock(seconds)
        self.push_webhooks()

    def move_clock(self, seconds: float) -> None:
        """Push the clock forward and let everything happen that falls into that time; the pushes wait."""
        with self.lock:
            self.state.settle()
            self.clock.advance(seconds)
            self.state.settle()

    def push_webhooks(self) -> None:
        """Send the batches that are due, one after another. What another thread is sending is left to it."""
        with self.lock:
            if self._is_pushing:
                return
            self._is_pushing = True
        try:
            while self._push_one():
                pass
        except BaseException:
            self._is_pushing = False
            raise

    def _push_one(self) -> bool:
        with self.lock:
            state = self.state
            state.settle()
            push = state.webhooks.next_push(self.clock.now())
            # Under the same lock as the look: nothing can become due in between and be left lying.
            self._is_pushing = push is not None
            timeout = self.settings.webhook_timeout_seconds
        if push is None:
            return False
        status, error, is_final = None, "", False
        try:
            status = deliver(push.url, push.events, timeout)
        except NotLoopback as refused:
            error, is_final = str(refused), True
        except (OSError, ValueError) as failed:
            error = f"{type(failed).__name__}: {failed}"
        with self.lock:
            state.webhooks.pushed(push, status, error, final=is_final)
        return True

    def _set_clock(self) -> None:
        if self.settings.clock == "manual":
            start = self.settings.clock_start
            self.clock.stop(datetime.fromisoformat(start) if start else None)
        else:
            self.clock.run()


def _operations() -> frozenset[str]:
    # Late, because the API's routes are made for an emulator.
    from airflow_provider_sendpulse.emulator.api.routes import ROUTES
    from airflow_provider_sendpulse.emulator.esputnik.api.routes import ROUTES as ESPUTNIK_ROUTES

    return frozenset({"unknown", *(route.name for route in (*ROUTES, *ESPUTNIK_ROUTES))})
