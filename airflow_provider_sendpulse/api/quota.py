# SPDX-License-Identifier: Apache-2.0
"""Small quotas of an account, such as 20 test messages an hour: counted before they are used, and never waited for.

All quotas of an account are in one record, by name, as the times at which each unit was taken. The record is shared as the
request budget is: among the tasks of a host, or of all hosts that share a coordination connection.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.shared import Record, Store, update


class Quota:
    """One quota, as seen by one who uses it.

    :param store: where the record is
    :param key: name of the record
    :param name: what is counted
    :param limit: how many of it in how many seconds
    :param clock: the time, and a way to wait a moment
    """

    def __init__(self, store: Store, key: str, name: str, limit: Limit, clock: Clock) -> None:
        self._store = store
        self._key = key
        self._name = name
        self._limit = limit
        self._clock = clock
        self._taken: list[float] = []

    def take(self, count: int) -> float:
        """Take so many, all or none.

        :param count: at most as many as the limit has
        :return: 0 when they are taken, else the seconds until so many are free
        """
        now = self._clock.now()

        def take(record: Record | None) -> tuple[Record | None, float]:
            used = self._used(record, now)
            too_many = len(used) + count - int(self._limit.requests)
            if too_many > 0:
                return None, max(used[too_many - 1] + self._limit.seconds - now, 1.0)
            return self._with(record, [*used, *[now] * count]), 0.0

        left = update(self._store, self._key, take, self._clock)
        if left == 0:
            self._taken += [now] * count
        return left

    def give_back(self) -> None:
        """Give back what this object has taken, because it was certainly not used."""
        now = self._clock.now()

        def give_back(record: Record | None) -> tuple[Record, None]:
            used = self._used(record, now)
            for time in self._taken:
                if time in used:
                    used.remove(time)
            return self._with(record, used), None

        update(self._store, self._key, give_back, self._clock)
        self._taken = []

    def _used(self, record: Record | None, now: float) -> list[float]:
        stored = (record or {}).get(self._name)
        times = stored if isinstance(stored, list) else []
        # One from the future is not plausible: a clock was set back, or the record is damaged.
        window = self._limit.seconds
        return sorted(time for time in times if isinstance(time, int | float) and now - window < time <= now + window)

    def _with(self, record: Record | None, used: list[float]) -> dict[str, Any]:
        return {**(record or {}), self._name: used}


__all__ = ["Quota"]
