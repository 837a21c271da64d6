# SPDX-License-Identifier: Apache-2.0
"""Requests per second and per minute: the generic cell rate algorithm (GCRA) over a shared state.

A reservation moves the shared state forward and says how long to wait before sending; the waiting itself happens
without holding any lock, so requests of many processes are spread evenly and in order of their reservations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

State = dict[str, Any]

# A reservation further ahead than this is not plausible: the clock was set back, or the file is damaged.
_FURTHEST = 600.0

# Well below that, or the places behind a long pause would not be plausible either, and all be given away at once.
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, evenly spread.

    :param requests: how many
    :param seconds: the length of the window
    """

    requests: float
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds from one request to the next when the limit is used up."""
        return self.seconds / self.requests


def reservation(limits: tuple[Limit, ...], now: float) -> Callable[[State | None], tuple[State, float]]:
    """Return the change of the shared state that takes the next free place.

    The change answers with the new state and the seconds to wait before sending.
    """

    def take(state: State | None) -> tuple[State, float]:
        previous = _times(state, len(limits))
        paused = _time((state or {}).get("paused_until"))
        # The theoretical arrival time of every limit; one from far in the future is worth nothing.
        arrivals = [time if time - now <= _FURTHEST else now for time in previous]
        starts = max([now, *arrivals, paused if paused - now <= _FURTHEST else now])
        new: State = {"arrivals": [starts + limit.interval for limit in limits]}
        if paused > now:
            new["paused_until"] = paused
        return new, starts - now

    return take


def pause(until: float, now: float) -> Callable[[State | None], tuple[State, None]]:
    """Return the change that lets nobody send before ``until``: the service said that the account is over its limit."""

    def stop(state: State | None) -> tuple[State, None]:
        before = _time((state or {}).get("paused_until"))
        paused = max(before if before - now <= _FURTHEST else now, min(until, now + _LONGEST_PAUSE))
        return {**(state or {}), "paused_until": paused}, None

    return stop


def _times(state: State | None, count: int) -> list[float]:
    stored = (state or {}).get("arrivals")
    if not isinstance(stored, list):
        return [0.0] * count
    times = [_time(value) for value in stored]
    # Somebody calls the same account within another number of limits: the latest time holds for all of ours.
    return times if len(times) == count else [max(times, default=0.0)] * count


def _time(value: Any) -> float:
    # What a damaged file may hold: other types, NaN, a whole number that no float can hold.
    try:
        return float(value) if isinstance(value, int | float) and value == value else 0.0
    except OverflowError:
        return 0.0


__all__ = ["Limit", "State", "pause", "reservation"]
