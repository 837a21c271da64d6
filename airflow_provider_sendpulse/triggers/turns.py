# SPDX-License-Identifier: Apache-2.0
"""Taking turns: whoever comes waits until it is theirs, and two turns are never nearer than a pace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """The turns of one event loop.

    :param pace: answers with the seconds between two turns
    """

    def __init__(self, pace: Callable[[], float]) -> None:
        self._pace = pace
        self._next_at = 0.0
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._ordinary: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, *, urgent: bool = False) -> None:
        """Wait for a turn: at once when the last one is long enough ago.

        :param urgent: go before those who have nothing under way yet
        """
        loop = asyncio.get_running_loop()
        if self._timer is None and loop.time() >= self._next_at:
            self._next_at = loop.time() + self._pace()
            return
        turn = loop.create_future()
        (self._urgent if urgent else self._ordinary).append(turn)
        self._wake()
        await turn

    def _wake(self) -> None:
        if self._timer is None and (self._urgent or self._ordinary):
            self._timer = asyncio.get_running_loop().call_at(self._next_at, self._give)

    def _give(self) -> None:
        self._timer = None
        while self._urgent or self._ordinary:
            turn = (self._urgent or self._ordinary).popleft()
            if not turn.done():  # a wait that was cancelled takes no turn
                # From now, not from when it was due: a loop that was held up has nothing to catch up on.
                self._next_at = asyncio.get_running_loop().time() + self._pace()
                turn.set_result(None)
                break
        self._wake()


__all__ = ["Turns"]
