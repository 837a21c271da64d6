# SPDX-License-Identifier: Apache-2.0
"""Requests per second and per minute: the generic cell rate algorithm (GCRA) over a shared state.

A reservation moves the shared state forward and says how long to wait before sending; the waiting itself happens
without holding any lock, so requests of many processes are spread evenly and in order of their reservations.

The service's word counts more than the configured limits: when it says that there were too many requests, the rate is
halved, for everybody who shares the state, and recovers evenly within a minute.
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

SLOWEST = 1 / 8
"""The rate is never lowered below this part of the limits."""

RECOVERY = 60.0
"""Seconds from the end of a pause until the rate is the whole limit again; it rises evenly."""

ONE_REFUSAL = 1.0
"""Seconds within which refusals count as one: what was on its way is refused together."""

# A lowered rate must not reach the implausible: slow limits are stretched no further than to this interval, in seconds.
_LONGEST_STRETCH = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, evenly spread.

    :param requests: how many
    :param seconds: the length of the window
    :param burst: how many of them may go at once after a pause; the others are spread so that no window holds more
    """

    requests: float
    seconds: float
    burst: int = 1

    @property
    def interval(self) -> float:
        """Seconds from one request to the next when the limit is used up."""
        return self.seconds / (self.requests - self.burst + 1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits that some endpoints of a service have to themselves; they do not draw on the account's common budget.

    :param name: the same for all calls that share the allowance
    """

    name: str
    limits: tuple[Limit, ...]


def reservation(limits: tuple[Limit, ...], now: float) -> Callable[[State | None], tuple[State, float]]:
    """Return the change of the shared state that takes the next free place.

    The change answers with the new state and the seconds to wait before sending.
    """

    def take(state: State | None) -> tuple[State, float]:
        previous = _times(state, len(limits))
        paused = _time((state or {}).get("paused_until"))
        # The theoretical arrival time of every limit; one from far in the future is worth nothing.
        arrivals = [time if time - now <= _FURTHEST else now for time in previous]
        # After a refusal nothing goes at once: the tolerance is what the service has just objected to.
        ahead = [0.0 if _part(state, now, now) < 1 else (limit.burst - 1) * limit.interval for limit in limits]
        due = [arrival - tolerance for arrival, tolerance in zip(arrivals, ahead, strict=True)]
        starts = max([now, *due, paused if paused - now <= _FURTHEST else now])
        # Not the part of this moment: a place far down the queue falls due when the rate has recovered.
        part = _part(state, starts, now)
        new: State = {
            "arrivals": [
                max(starts, arrival) + _stretched(limit.interval, part)
                for limit, arrival in zip(limits, arrivals, strict=True)
            ]
        }
        if paused > now:
            new["paused_until"] = paused
        if state is not None and _part(state, now, now) < 1:
            new["slowed"] = state["slowed"]
        return new, starts - now

    return take


def throttled(until: float, now: float) -> Callable[[State | None], tuple[State, float | None]]:
    """Return the change for an answer that says that the account is over its limit.

    Nobody sends before ``until``, and the rate is halved from then on; it recovers within :data:`RECOVERY`. The change
    answers with the part of the limits that is left (0.5 is half of them) if it lowered the rate, else with ``None``.
    """

    def slow(state: State | None) -> tuple[State, float | None]:
        before = _time((state or {}).get("paused_until"))
        paused = max(before if before - now <= _FURTHEST else now, min(until, now + _LONGEST_PAUSE))
        part = _part(state, now, now)
        at = _time(_slowed(state).get("at"))
        lowered = part
        if abs(now - at) >= ONE_REFUSAL:
            lowered, at = max(SLOWEST, part / 2), now
        slowed = {"part": lowered, "at": at, "since": max(paused, now)}
        return {**(state or {}), "paused_until": paused, "slowed": slowed}, lowered if lowered < part else None

    return slow


def _part(state: State | None, when: float, now: float) -> float:
    """Return the part of the limits that may be used at a moment: 1 but after refusals."""
    slowed = _slowed(state)
    part, since = _time(slowed.get("part")), _time(slowed.get("since"))
    if not SLOWEST <= part < 1 or since - now > _FURTHEST:
        return 1.0
    return min(1.0, part + (1 - part) * max(when - since, 0.0) / RECOVERY)


def _stretched(interval: float, part: float) -> float:
    return max(interval, min(interval / part, _LONGEST_STRETCH))


def _slowed(state: State | None) -> State:
    slowed = (state or {}).get("slowed")
    return slowed if isinstance(slowed, dict) else {}


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


__all__ = ["ONE_REFUSAL", "RECOVERY", "SLOWEST", "Allowance", "Limit", "State", "reservation", "throttled"]
