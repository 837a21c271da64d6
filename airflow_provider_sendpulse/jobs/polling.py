# SPDX-License-Identifier: Apache-2.0
"""Waiting in the worker: look, judge, sleep, until it is over or the deadline has passed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import DeadlinePassed, FinalFailure, ServiceError
from airflow_provider_sendpulse.jobs.waiting import Decision, History, moment

log = logging.getLogger(__name__)


def wait_until_over(
    what: str,
    look: Callable[[], Decision],
    *,
    poll_interval: float,
    deadline: float,
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
    :raises FinalFailure: when asking fails for good
    """
    trouble = ""
    while True:
        try:
            decision = look()
        except FinalFailure:
            raise
        except ServiceError as error:
            trouble = f" The last look failed: {error}"
            log.warning("%s: %s Looking again.", what, error)
        else:
            trouble = ""
            history.note(what, decision, clock.now())
            if decision.is_over:
                return decision
        left = deadline - clock.now()
        if left <= 0:
            last = history.seen[-1][0] if history.seen else "never seen"
            raise DeadlinePassed(f"{what}: the deadline {moment(deadline)} has passed; last status {last}.{trouble}")
        clock.sleep(min(poll_interval, left))


__all__ = ["wait_until_over"]
