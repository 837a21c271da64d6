# SPDX-License-Identifier: Apache-2.0
"""A log line every half minute."""

from __future__ import annotations

import logging

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.jobs.counts import Counts

log = logging.getLogger(__name__)

_EVERY = 30.0


class Progress:
    """Says how far a delivery is.

    :param clock: tells the time
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.now()

    def tell(self, counts: Counts) -> None:
        """Say it, if half a minute has passed since the last time."""
        now = self._clock.now()
        if now - self._last >= _EVERY:
            self._last = now
            log.info("So far: %s", counts)


__all__ = ["Progress"]
