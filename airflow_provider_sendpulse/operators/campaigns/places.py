# SPDX-License-Identifier: Apache-2.0
"""Waiting for a place: SendPulse takes a few campaigns an hour (error code 791)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_sendpulse.exceptions import DeadlinePassed, Throttled
from airflow_provider_sendpulse.jobs.waiting import moment
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.version_compat import AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

DEFERRAL_MARGIN = timedelta(minutes=10)
"""How much longer than a wait takes Airflow gives it: for a triggerer that does not run at all."""

_LAST_CALL = (30.0, 90.0)
"""Seconds before ``not_after`` at which a place is asked for a last time."""


def next_place(error: Throttled, now: float, not_after: datetime | None, deadline: float) -> float:
    """Return when to ask again for a place, in seconds since the epoch; at the latest shortly before ``not_after``.

    :param not_after: when a campaign is not wanted any more
    :param deadline: when to give up, in seconds since the epoch
    :raises Throttled: the error itself, when it is about another limit
    :raises AirflowSkipException: when no place is free before ``not_after``
    :raises DeadlinePassed: when none is free before the deadline
    """
    if error.error_code != ErrorCode.CAMPAIGNS_PER_HOUR.code:
        raise error
    # Not all who wait for a place come back at the same moment.
    free_at = now + (error.retry_after or 900.0) + random.uniform(0, 60)
    if not_after is not None and free_at > not_after.timestamp():
        # Nobody knows when a place is free: it may be sooner.
        free_at = not_after.timestamp() - random.uniform(*_LAST_CALL)
        if not_after.timestamp() - now <= max(_LAST_CALL):
            raise AirflowSkipException(
                f"SendPulse takes no more campaigns at the moment, and not_after is {not_after}: not created."
            ) from None
    if free_at > deadline:
        raise DeadlinePassed(
            f"SendPulse takes no campaign before {moment(free_at)}; the deadline is {moment(deadline)}. {error}"
        ) from None
    return free_at


def defer_until(operator: BaseOperator, free_at: float, now: float, method_name: str, deadline: float) -> None:
    """Let a task go on at a moment, without holding a worker."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    operator.defer(
        trigger=DateTimeTrigger(moment=datetime.fromtimestamp(free_at, tz=UTC)),
        method_name=method_name,
        # Where nothing outlives a deferral (below Airflow 3.3), each resumption would decide on a later one.
        kwargs={"deadline": deadline},
        timeout=timedelta(seconds=max(free_at - now, 0.0)) + DEFERRAL_MARGIN,
    )


__all__ = ["DEFERRAL_MARGIN", "defer_until", "next_place"]
