# SPDX-License-Identifier: Apache-2.0
"""A clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio

START = 1_800_000_000.0


class FakeClock:
    """Sleeping moves it, and nothing else does."""

    def __init__(self, start: float = START) -> None:
        self.time = start
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        assert len(self.sleeps) < 2000, "this goes on for ever"
        self.sleeps.append(seconds)
        self.time += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)
