# SPDX-License-Identifier: Apache-2.0
"""Records that processes on many hosts share, and what becomes of them while that is not possible.

The store of a coordination connection is asked first. When it cannot be reached, this host's own records take its place,
so that work goes on: less well coordinated, and one warning says so. It is tried again from time to time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from airflow_provider_sendpulse.api.shared import Busy, Change, Store, host_store
from airflow_provider_sendpulse.api.unreachable import Unreachable

R = TypeVar("R")

log = logging.getLogger(__name__)

RETRY_AFTER = 30.0
"""Seconds after which a store that could not be reached is tried again."""

PATIENCE = 5.0
"""Seconds after which a store that has not answered counts as not reached, whatever its driver is doing."""


class Address(Protocol):
    """Where a store is; equal for the same store, and fit to be a key."""

    def open(self) -> Store:
        """Return the store; nothing is asked of it yet."""
        ...

    def __hash__(self) -> int:
        """Equal addresses have equal values."""
        ...


class CoordinationStore:
    """A store that others reach too, with this host's own in reserve.

    :param far: the store that is shared between hosts
    :param near: what takes its place while it cannot be reached; by default the files of this user on this host
    :param now: seconds that only go forward
    """

    remote = True

    def __init__(
        self, far: Store, near: Callable[[], Store] = host_store, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._far = far
        self._near = near
        self._now = now
        self._away_until: float | None = None
        self._has_warned = False

    def try_update(self, key: str, change: Change[R]) -> R:
        """Change one record, in the shared store if it can be reached and on this host if not.

        :raises Busy: when somebody else is changing it
        """
        away_until = self._away_until
        if away_until is not None:
            if self._now() < away_until:
                return self._near().try_update(key, change)
            # Only one tries; the other threads go on as before meanwhile.
            self._away_until = self._now() + RETRY_AFTER
        try:
            result = _within(PATIENCE, lambda: self._far.try_update(key, change))
        except Unreachable as error:
            self._is_away(error)
            return self._near().try_update(key, change)
        except Busy:
            self._is_back()
            raise
        self._is_back()
        return result

    def check(self) -> str | None:
        """Ask the shared store for nothing much, and return why it cannot be used, if so."""
        try:
            _within(PATIENCE, lambda: self._far.try_update("check", lambda record: (None, None)))
        except Unreachable as error:
            return str(error)
        return None

    def _is_back(self) -> None:
        if self._away_until is not None:
            self._away_until = None
            log.info("The coordination store answers again: token and request budget are shared between hosts.")

    def _is_away(self, error: Unreachable) -> None:
        self._away_until = self._now() + RETRY_AFTER
        level = logging.INFO if self._has_warned else logging.WARNING
        self._has_warned = True
        log.log(
            level,
            "The coordination store cannot be reached (%s): until it answers again, this host keeps a token and counts "
            "requests of its own, so all hosts together may send faster than requests_per_second. Work goes on.",
            error,
        )


_stores: dict[tuple[int, Address], CoordinationStore] = {}


def coordination_store(address: Address) -> CoordinationStore:
    """Return this process's one store of an address, so that its connections are shared and its warning is given once.

    :raises ImportError: when what it needs is not installed
    """
    key = (os.getpid(), address)
    store = _stores.get(key)
    if store is None:
        # Of two threads that come first at once, both get the same one.
        store = _stores.setdefault(key, CoordinationStore(address.open()))
    return store


def _within(seconds: float, work: Callable[[], R]) -> R:
    """Do what may hang, and stop waiting for it after a while.

    Timeouts of drivers do not bound everything: names are looked up, a server stops while its connections stand.
    """
    results: list[R] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    # A daemon, so that one that hangs does not keep the process from ending.
    thread = threading.Thread(target=run, name="sendpulse-coordination", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise Unreachable(f"no answer within {seconds:g} s")
    return results[0]


__all__ = ["PATIENCE", "RETRY_AFTER", "Address", "CoordinationStore", "coordination_store"]
