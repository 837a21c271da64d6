# SPDX-License-Identifier: Apache-2.0
"""Waiting in the worker: look, judge, sleep, until it is over or the deadline has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import DeadlinePassed, FinalFailure, ServiceError
from airflow_provider_sendpulse.jobs.waiting import Decision, History, moment

log = logging.getLogger(__name__)

POLL_ERROR_WINDOW = 1800.0
"""Seconds for which looks may fail before a wait is given up."""


class Trouble:
    """Looks that fail in passing: tolerated for a while, because they say nothing about what is waited for.

    :param window: seconds from the first failed look to giving up
    """

    def __init__(self, window: float = POLL_ERROR_WINDOW) -> None:
        self._window = window
        self._since: float | None = None
        self._last: ServiceError | None = None

    def over(self) -> None:
        """Forget failures: a look succeeded."""
        self._since = self._last = None

    def met(self, what: str, error: ServiceError, now: float) -> None:
        """Note a failed look.

        :raises ServiceError: that failure, when looks have failed for too long
        """
        self._since = now if self._since is None else self._since
        self._last = error
        if now - self._since > self._window:
            log.error("%s: no look has succeeded for %.0f s.", what, now - self._since)
            raise error
        log.warning("%s: %s Looking again.", what, error)

    def __str__(self) -> str:
        return f" The last look failed: {self._last}" if self._last else ""


def wait_until_over(
    what: str,
    look: Callable[[], Decision],
    *,
    poll_interval: float,
    deadline: float,
    poll_error_window: float = POLL_ERROR_WINDOW,
    clock: Clock,
    history: History,
) -> Decision:
    """Look until a decision is final.

    :param what: what is waited for, for logs
    :param look: asks for the status once and judges it
    :param poll_interval: seconds between two looks
    :param deadline: seconds since the epoch after which the wait is given up
    :param history: takes the statuses as they are seen
    :raises DeadlinePassed: when it is not over by then
    :param poll_error_window: seconds for which looks may fail
    :raises FinalFailure: when asking fails for good
    :raises ServiceError: when looks have failed for longer than that
    """
    trouble = Trouble(poll_error_window)
    while True:
        try:
            decision = look()
        except FinalFailure:
            raise
        except ServiceError as error:
            trouble.met(what, error, clock.now())
        else:
            trouble.over()
            history.note(what, decision, clock.now(), deadline)
            if decision.is_over:
                return decision
        left = deadline - clock.now()
        if left <= 0:
            last = history.seen[-1][0] if history.seen else "never seen"
            raise DeadlinePassed(f"{what}: the deadline {moment(deadline)} has passed; last status {last}.{trouble}")
        clock.sleep(min(poll_interval, left))


__all__ = ["wait_until_over"]
