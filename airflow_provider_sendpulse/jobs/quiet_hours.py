# SPDX-License-Identifier: Apache-2.0
"""Hours of the day in which nobody is to be disturbed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.pausing import Paused


class QuietNow(Paused):
    """Sending stops here, until the quiet hours end.

    :param until: when they end, in seconds since the epoch
    """

    def __init__(self, until: float) -> None:
        super().__init__("quiet hours")
        self.until = until


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day, by the clocks of a time zone.

    :param begin: the first quiet moment of the day
    :param end: the first moment that is not quiet any more; before ``begin`` when midnight is among them
    """

    begin: dt.time
    end: dt.time
    zone: dt.tzinfo

    @classmethod
    def of(cls, hours: Any, zone: str | dt.tzinfo) -> Self:
        """Read two times of day, such as ``("21:00", "08:00")``.

        :param zone: a time zone, or its IANA name
        :raises InvalidRequest: for anything that cannot be meant
        """
        if not isinstance(hours, Sequence) or isinstance(hours, str) or len(hours) != 2:
            raise InvalidRequest(f'quiet_hours is {hours!r}; it is two times of day, such as ("21:00", "08:00").')
        begin, end = (_time(value) for value in hours)
        if begin == end:
            raise InvalidRequest("quiet_hours begin and end at the same time.")
        if isinstance(zone, str):
            try:
                zone = ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise InvalidRequest(f"quiet_hours_timezone {zone!r} is not the name of a time zone.") from None
        return cls(begin, end, zone)

    def until(self, now: float) -> float | None:
        """Return when the quiet hours end, in seconds since the epoch, or ``None`` when it is not quiet.

        :param now: seconds since the epoch
        """
        if not self._is_quiet(now):
            return None
        today = self._local(now).date()
        # Where clocks are set back, a time comes twice; where they are set forward, one of the two is before the end.
        ends = [
            dt.datetime.combine(today + dt.timedelta(days=days), self.end, self.zone).replace(fold=fold).timestamp()
            for days in (0, 1)
            for fold in (0, 1)
        ]
        return min(end for end in ends if end > now and not self._is_quiet(end))

    def require_awake(self, now: float) -> None:
        """Check that it is not quiet.

        :raises QuietNow: when it is
        """
        until = self.until(now)
        if until is not None:
            raise QuietNow(until)

    def _is_quiet(self, moment: float) -> bool:
        clock = self._local(moment).time()
        return self.begin <= clock < self.end if self.begin < self.end else not self.end <= clock < self.begin

    def _local(self, moment: float) -> dt.datetime:
        return dt.datetime.fromtimestamp(moment, dt.UTC).astimezone(self.zone)


def _time(value: Any) -> dt.time:
    if isinstance(value, dt.time):
        time = value
    else:
        try:
            time = dt.time.fromisoformat(str(value).strip())
        except ValueError:
            raise InvalidRequest(f"quiet_hours holds {value!r}, which is not a time of day such as 21:00.") from None
    if time.tzinfo is not None:
        raise InvalidRequest("quiet_hours has a time with a zone of its own; set quiet_hours_timezone.")
    return time


__all__ = ["QuietHours", "QuietNow"]
