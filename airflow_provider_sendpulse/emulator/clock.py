# SPDX-License-Identifier: Apache-2.0
"""The emulator's own time, real or set by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time; can be pushed forward, and stopped so that only pushes move it."""

    def __init__(self) -> None:
        self._frozen_at: datetime | None = None
        self._pushed = timedelta()
        self._ticks_pushed = 0.0

    @property
    def is_manual(self) -> bool:
        """Whether only :meth:`advance` moves this clock."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """Return the current moment, in UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self._pushed

    def ticks(self) -> float:
        """Seconds for request limits: they pass for real even on a manual clock, and pushes count too.

        A manual clock that also stopped the limits would refuse the eleventh request for ever. Setting the clock
        leaves them alone, as a window that lies in the future would refuse just as long.
        """
        return time.monotonic() + self._ticks_pushed

    def advance(self, seconds: float) -> None:
        """Push the clock forward."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._pushed += timedelta(seconds=seconds)
        self._ticks_pushed += seconds

    def stop(self, at: datetime | None = None) -> None:
        """Make the clock manual, from the given moment or from now."""
        start = at or self.now()
        self._frozen_at = start.astimezone(UTC)
        self._pushed = timedelta()

    def run(self) -> None:
        """Follow the machine's clock again, forgetting every push."""
        self._frozen_at = None
        self._pushed = timedelta()
