# SPDX-License-Identifier: Apache-2.0
"""Threads that carry out work for the one thread that hands it out and takes the results, in any order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Job, Result]):
    """A job that has ended: with a result, or with what it raised."""

    job: Job
    result: Result | None = None
    error: BaseException | None = None


class Crew(Protocol[Job, Result]):
    """Carries out jobs. All methods belong to the thread that made it."""

    def submit(self, job: Job) -> None:
        """Hand out a job."""
        ...

    def take(self, timeout: float | None = None) -> Done[Job, Result] | None:
        """Return a job that has ended, or ``None`` when none is under way, or none ends in time.

        :param timeout: seconds to wait, for one that is under way already; without it, as long as it takes
        """
        ...

    def dismiss(self) -> None:
        """Hand out nothing more. It does not wait for what is under way."""
        ...


class Alone(Generic[Job, Result]):
    """No crew: the one thread does the work itself, when it takes the result.

    :param work: carries out a job
    """

    def __init__(self, work: Callable[[Job], Result]) -> None:
        self._work = work
        self._jobs: list[Job] = []
        self._interrupted: Done[Job, Result] | None = None

    def submit(self, job: Job) -> None:
        """Hand out a job."""
        self._jobs.append(job)

    def take(self, timeout: float | None = None) -> Done[Job, Result] | None:
        """Carry out the oldest job; with a timeout, begin nothing.

        An interruption ends the work, and with it everything: it is raised, and only then what it ended can be taken.
        """
        if (interrupted := self._interrupted) is not None:
            self._interrupted = None
            return interrupted
        if not self._jobs or timeout is not None:
            return None
        job = self._jobs.pop(0)
        try:
            return Done(job, self._work(job))
        except Exception as error:
            return Done(job, error=error)
        except BaseException as error:
            self._interrupted = Done(job, error=error)
            raise

    def dismiss(self) -> None:
        """Forget what was not begun."""
        self._jobs.clear()


class Threads(Generic[Job, Result]):
    """A thread for each of so many jobs at a time.

    The threads are daemons: a process that is told to end does not wait for an answer.

    :param work: carries out a job
    :param size: how many jobs at a time
    """

    def __init__(self, work: Callable[[Job], Result], size: int) -> None:
        self._work = work
        self._size = size
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done[Job, Result]] = queue.SimpleQueue()
        self._threads = 0
        self._under_way = 0

    def submit(self, job: Job) -> None:
        """Hand out a job."""
        self._under_way += 1
        if self._threads < min(self._size, self._under_way):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"sendpulse-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def take(self, timeout: float | None = None) -> Done[Job, Result] | None:
        """Return a job that has ended."""
        if not self._under_way:
            return None
        try:
            done = self._done.get(timeout=timeout)
        except queue.Empty:
            return None
        self._under_way -= 1
        return done

    def dismiss(self) -> None:
        """Let every thread end after the job it is at."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                done: Done[Job, Result] = Done(job, self._work(job))
            except BaseException as error:  # whatever it is, the one who waits for the job has to know
                done = Done(job, error=error)
            self._done.put(done)
            del job, done  # until the next one comes, nothing is held


def crew(work: Callable[[Job], Result], size: int) -> Crew[Job, Result]:
    """Return who carries out so many jobs at a time."""
    return Alone(work) if size == 1 else Threads(work, size)


def drain(workers: Crew[Job, Result], seconds: float) -> Iterator[Done[Job, Result]]:
    """Wait for what is under way, but not for ever, and yield what has ended."""
    end = time.monotonic() + seconds
    while (done := workers.take(max(end - time.monotonic(), 0.0))) is not None:
        yield done


__all__ = ["Alone", "Crew", "Done", "Threads", "crew", "drain"]
