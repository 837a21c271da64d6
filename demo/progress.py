# SPDX-License-Identifier: Apache-2.0
"""What a person sees while the demo runs, and where its time went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Prints a line for each thing that happens, with the seconds since the start.

    :param started: when the whole began, in seconds since the epoch
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self.phases: dict[str, float] = {}

    def say(self, who: str, what: str) -> None:
        """Print one line."""
        print(f"{self.elapsed:6.1f} s  {who:<9} {what}", flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.time() - self._started

    def note(self, name: str, seconds: float) -> None:
        """Add to the time of a phase."""
        self.phases[name] = self.phases.get(name, 0.0) + seconds

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.note(name, time.monotonic() - begun)


__all__ = ["Progress"]
