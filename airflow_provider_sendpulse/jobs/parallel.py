# SPDX-License-Identifier: Apache-2.0
"""Calls in threads, a few at once; what comes of them is handed back to the one thread that asked."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Parallel(Generic[Item, Result]):
    """Does something with items, several at once.

    Only what ``work`` touches must bear threads. A thread that hangs does not keep the process from ending.

    :param work: what to do with an item; raises as it likes
    :param threads: at most so many at once; with one, the work is done in the calling thread
    """

    def __init__(self, work: Callable[[Item], Result], threads: int) -> None:
        self._work = work
        self._threads = threads
        self._started = 0
        self._todo: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Item, Result | BaseException]] = queue.SimpleQueue()
        self.in_flight = 0

    def submit(self, item: Item) -> None:
        """Begin with an item."""
        self.in_flight += 1
        if self._threads == 1:
            self._carry_out(item, self._done.put)
            return
        if self._started < min(self._threads, self.in_flight):
            self._started += 1
            threading.Thread(target=self._run, name=f"sendpulse-{self._started}", daemon=True).start()
        self._todo.put(item)

    def next(self, timeout: float | None = None) -> tuple[Item, Result | BaseException]:
        """Wait for the next item that is done, in any order, and return it with its result or what was raised.

        :raises TimeoutError: when none is done in time
        """
        try:
            done = self._done.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        self.in_flight -= 1
        return done

    def drain(self, seconds: float) -> list[tuple[Item, Result | BaseException]]:
        """Wait for all that is under way, but not for ever, and return what was done."""
        done = []
        end = time.monotonic() + seconds
        while self.in_flight:
            try:
                done.append(self.next(max(end - time.monotonic(), 0.0)))
            except TimeoutError:
                break
        return done

    def close(self) -> None:
        """Let the threads end when they are done."""
        for _ in range(self._started):
            self._todo.put(None)
        self._started = 0

    def __enter__(self) -> Self:
        """Return it; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the threads end when they are done."""
        self.close()

    def _run(self) -> None:
        while (item := self._todo.get()) is not None:
            self._carry_out(item, self._done.put)

    def _carry_out(self, item: Item, done: Callable[[tuple[Item, Result | BaseException]], None]) -> None:
        outcome: Result | BaseException
        try:
            outcome = self._work(item)
        except BaseException as error:
            outcome = error
        done((item, outcome))


__all__ = ["Parallel"]
