# SPDX-License-Identifier: Apache-2.0
"""Being the only one who looks for a campaign and creates it: two who do so at once would both find nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TypeVar

from airflow_provider_sendpulse.api.call import Call, PagedCall, SplitCall
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.lease import Holder, Lease
from airflow_provider_sendpulse.exceptions import ServiceUnavailable
from airflow_provider_sendpulse.jobs.sending import Sender

T = TypeVar("T")
Item = TypeVar("Item")

log = logging.getLogger(__name__)

HOLD = 600.0
"""Seconds for which the right is held without being renewed, beyond the time in which a campaign may not be listed: longer
than a request may be held back by the budget and repeated."""

_RENEW_AFTER = 60.0


class Right:
    """The right to create the campaign of one mailing.

    It keeps others from creating, and never is a reason to believe that nothing was created.

    :param lease: what is shared with others; without one, nobody else is there
    :param seconds: for how long it is held without being renewed
    """

    def __init__(self, lease: Lease | None, clock: Clock, seconds: float) -> None:
        self._lease = lease
        self._clock = clock
        self._seconds = seconds
        self._renewed_at = 0.0

    def take(self) -> float:
        """Take the right; return 0, or the seconds for which somebody else has it if that one does nothing more."""
        self._renewed_at = self._clock.now()
        return 0.0 if self._lease is None else self._lease.take(self._seconds)

    def keep(self) -> None:
        """Renew the right from time to time, while it is this one's."""
        if self._lease is not None and self._clock.now() - self._renewed_at > _RENEW_AFTER:
            self._renewed_at = self._clock.now()
            self._lease.renew(self._seconds)

    def is_held(self) -> bool:
        """Renew the right directly before it is used; ``False`` when it was lost.

        :raises ServiceUnavailable: when a later try of this task has it: this one is not to do anything any more
        """
        if self._lease is None:
            return True
        self._renewed_at = self._clock.now()
        holder = self._lease.renew(self._seconds)
        if holder is Holder.ANOTHER_TRY:
            raise ServiceUnavailable("Another try of this task has taken over; this one creates nothing.")
        return holder is Holder.ME

    def leave(self, seconds: float) -> None:
        """End the right now, or in so many seconds where others might not see yet what was done with it."""
        if self._lease is None:
            return
        if seconds > 0:
            self._lease.renew(seconds)
        else:
            self._lease.release()


class Renewing:
    """A sender that renews a right along the way."""

    def __init__(self, sender: Sender, right: Right) -> None:
        self._sender = sender
        self._right = right

    def send(self, call: Call[T] | SplitCall[T]) -> T:
        """Carry out a call."""
        self._right.keep()
        return self._sender.send(call)

    def pages(self, call: PagedCall[Item]) -> Iterator[Item]:
        """Carry out a listing page by page and yield its items."""
        return call.items(self.send)


__all__ = ["HOLD", "Renewing", "Right"]
