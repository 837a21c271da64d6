# SPDX-License-Identifier: Apache-2.0
"""A log line every half minute."""

from __future__ import annotations

import logging
import math

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.jobs.counts import Counts, Outcome

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between two lines."""

_ALWAYS_SAID = {Outcome.ACCEPTED: "sent", Outcome.REJECTED: "rejected"}
_SAID = {
    Outcome.INVALID: "invalid",
    Outcome.IN_DOUBT: "in doubt",
    Outcome.SKIPPED: "skipped",
    Outcome.DUPLICATE: "duplicate",
}


class Progress:
    """Says how far a delivery is: ``batch 120/300 · 60,000 sent · 14 rejected · 7.9 req/s · ETA 4 min``.

    :param clock: tells the time
    :param noun: what a request holds: a batch, an event
    :param rows: rows that there will be, where that is known; without it the line has no total and no ETA
    :param per_request: rows that one request holds at most; may be changed on the way
    """

    def __init__(self, clock: Clock, noun: str = "request", rows: int | None = None, per_request: int = 1) -> None:
        self.per_request = per_request
        self._clock = clock
        self._noun = noun
        self._rows = rows
        self._requests = 0
        self._since = clock.now()
        self._requests_then = 0
        self._settled_then = 0

    def tell(self, counts: Counts) -> None:
        """Count a request that is done, and say how far it is if half a minute has passed since the last time."""
        self._requests += 1
        now = self._clock.now()
        seconds = now - self._since
        if seconds < EVERY:
            if seconds < 0:  # somebody has set the clock back
                self._since = now
            return
        log.info("%s", self._line(counts, seconds))
        self._since, self._requests_then, self._settled_then = now, self._requests, counts.settled

    def _line(self, counts: Counts, seconds: float) -> str:
        parts = [f"{self._noun} {self._requests:,}"]
        parts += [f"{getattr(counts, outcome.value):,} {word}" for outcome, word in _ALWAYS_SAID.items()]
        parts += [f"{count:,} {word}" for outcome, word in _SAID.items() if (count := getattr(counts, outcome.value))]
        parts.append(f"{(self._requests - self._requests_then) / seconds:.1f} req/s")
        if self._rows is not None:
            left = max(0, self._rows - counts.settled)
            parts[0] += f"/{self._requests + math.ceil(left / max(1, self.per_request)):,}"
            if settled := counts.settled - self._settled_then:
                parts.append(f"ETA {_duration(left * seconds / settled)}")
        return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


__all__ = ["EVERY", "Progress"]
