# SPDX-License-Identifier: Apache-2.0
"""Waiting in the triggerer: look, judge, sleep, until it is over or the deadline has passed."""

from __future__ import annotations

import asyncio
import random
import time

from airflow_provider_sendpulse.exceptions import FinalFailure, ServiceError
from airflow_provider_sendpulse.jobs.polling import POLL_ERROR_WINDOW, Trouble
from airflow_provider_sendpulse.jobs.waiting import History, moment
from airflow_provider_sendpulse.triggers.events import ERROR, SEEN, TIMEOUT, WaitEvent
from airflow_provider_sendpulse.triggers.service import PollingTrigger
from airflow_provider_sendpulse.triggers.sharing import SharedHook, sharing

_LAST_LOOK = 60.0
"""Seconds that a look may take when the deadline is near or has passed."""


async def wait_until_over(trigger: PollingTrigger) -> WaitEvent:
    """Look until a status ends the wait, asking for it fails for good, or the deadline has passed."""
    async with sharing(trigger) as shared:
        return await _wait(trigger, shared)


async def _wait(trigger: PollingTrigger, shared: SharedHook) -> WaitEvent:
    history = History([[*seen] for seen in trigger.history])
    window = trigger.poll_error_window
    trouble = Trouble(POLL_ERROR_WINDOW if window is None else window)
    while True:
        await shared.turn()
        try:
            # A look may be held up by the budget or by a token; the deadline is kept all the same.
            async with asyncio.timeout(max(trigger.deadline - time.time(), _LAST_LOOK)):
                decision = await trigger.look(shared.hook)
        except TimeoutError:
            pass
        except FinalFailure as error:
            return _failed(error, history)
        except ServiceError as error:
            try:
                trouble.met(trigger.what, error, time.time())
            except ServiceError:
                return _failed(error, history)
        else:
            trouble.over()
            history.note(trigger.what, decision, time.time(), trigger.deadline)
            if decision.is_over:
                figures = None if decision.figures is None else dict(decision.figures)
                return WaitEvent(SEEN, decision.code, history.seen, figures=figures)
        left = trigger.deadline - time.time()
        if left <= 0:
            code = history.seen[-1][0] if history.seen else None
            message = f"The deadline {moment(trigger.deadline)} has passed; seen last: {history.last}.{trouble}"
            return WaitEvent(TIMEOUT, code, history.seen, message=message)
        await asyncio.sleep(min(trigger.poll_interval * random.uniform(1.0, 1.1), left))


def _failed(error: ServiceError, history: History) -> WaitEvent:
    return WaitEvent(ERROR, history=history.seen, error=type(error).__name__, message=str(error))


__all__ = ["wait_until_over"]
