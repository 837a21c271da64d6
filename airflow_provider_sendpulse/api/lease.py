# SPDX-License-Identifier: Apache-2.0
"""The right to do something alone, for a while, among all processes that share the records of an account.

All leases of an account are in one record, by name, with their owners, who are hashed. One that is not renewed expires, so
whoever dies with it blocks nobody for long; and the next try of the same task, which is the same owner, need not wait.
"""

from __future__ import annotations

import enum
import hashlib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.shared import Record, Store, update

R = TypeVar("R")

LONGEST = 7200.0
"""Seconds ahead beyond which an expiry is not plausible: a clock was set back, or the record is damaged."""


class Holder(enum.Enum):
    """Who has a lease."""

    ME = "me"
    """This object."""

    ANOTHER_TRY = "another try"
    """The same owner, who took it after this object did."""

    ANOTHER = "another"
    """Another owner."""

    NOBODY = "nobody"
    """It was let go, or it has expired."""


class Lease:
    """One lease, as seen by one try of one owner.

    :param store: where the record is
    :param key: name of the record
    :param name: what is to be done alone
    :param owner: who does it; the same for all tries of one task
    :param clock: the time, and a way to wait a moment
    """

    def __init__(self, store: Store, key: str, name: str, owner: str, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._name = name
        self._owner = hashlib.sha256(owner.encode()).hexdigest()[:32]
        self._try = uuid.uuid4().hex
        self._clock = clock

    def take(self, seconds: float) -> float:
        """Take the lease if it is free, has expired, or belongs to another try of the same owner.

        :param seconds: for how long; at most :data:`LONGEST`
        :return: 0 when it is taken, else the seconds until it expires if its holder does nothing more
        """

        def take(leases: dict[str, Any], now: float) -> tuple[bool, float]:
            there = leases.get(self._name)
            if there is not None and there["owner"] != self._owner:
                return False, float(there["until"]) - now
            leases[self._name] = self._entry(now + seconds)
            return True, 0.0

        return self._change(take)

    def renew(self, seconds: float) -> Holder:
        """Keep the lease for so many seconds from now, if it is still this object's; tell whose it is."""

        def renew(leases: dict[str, Any], now: float) -> tuple[bool, Holder]:
            there = leases.get(self._name)
            if there is None:
                return False, Holder.NOBODY
            if there["owner"] != self._owner:
                return False, Holder.ANOTHER
            if there["try"] != self._try:
                return False, Holder.ANOTHER_TRY
            leases[self._name] = self._entry(now + seconds)
            return True, Holder.ME

        return self._change(renew)

    def release(self) -> None:
        """Let go of the lease if it is still this object's."""

        def release(leases: dict[str, Any], now: float) -> tuple[bool, None]:
            mine = leases.get(self._name, {}).get("try") == self._try
            if mine:
                del leases[self._name]
            return mine, None

        self._change(release)

    def _entry(self, until: float) -> dict[str, Any]:
        return {"owner": self._owner, "try": self._try, "until": until}

    def _change(self, change: Callable[[dict[str, Any], float], tuple[bool, R]]) -> R:
        """Change the leases that have not expired; ``change`` answers with whether it did, and a result."""

        def changed(record: Record | None) -> tuple[Record | None, R]:
            now = self._clock.now()
            leases = _alive(record, now)
            is_changed, result = change(leases, now)
            return {"leases": leases} if is_changed else None, result

        return update(self._store, self._key, changed, self._clock)


def _alive(record: Record | None, now: float) -> dict[str, Any]:
    stored = (record or {}).get("leases")
    if not isinstance(stored, dict):
        return {}
    return {name: entry for name, entry in stored.items() if isinstance(entry, dict) and _is_alive(entry, now)}


def _is_alive(entry: dict[str, Any], now: float) -> bool:
    until = entry.get("until")
    if not isinstance(until, int | float) or not now < until <= now + LONGEST:
        return False
    return isinstance(entry.get("owner"), str) and isinstance(entry.get("try"), str)


__all__ = ["LONGEST", "Holder", "Lease"]
