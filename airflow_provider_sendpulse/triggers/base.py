# SPDX-License-Identifier: Apache-2.0
"""Waiting in the triggerer: look, judge, sleep, until it is over or the deadline has passed."""

from __future__ import annotations

import asyncio
import random
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_sendpulse.exceptions import FinalFailure, ServiceError
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.jobs.polling import POLL_ERROR_WINDOW, Trouble
from airflow_provider_sendpulse.jobs.waiting import Decision, History, moment
from airflow_provider_sendpulse.triggers.events import ERROR, SEEN, TIMEOUT, WaitEvent
from airflow_provider_sendpulse.triggers.sharing import SharedHook, sharing

_LAST_LOOK = 60.0
"""Seconds that a look may take when the deadline is near or has passed."""


class PollingTrigger(BaseTrigger):
    """Asks for a status until it ends the wait. It only reads, so two triggerers may run the same one.

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse``
    :param poll_interval: seconds between two looks; up to a tenth more, so that many waits spread
    :param deadline: seconds since the epoch after which the wait is given up
    :param poll_error_window: seconds for which looks may fail before the wait is given up
    :param history: statuses seen before the wait came here, ``[code, seconds since the epoch]`` each
    """

    def __init__(
        self,
        *,
        sendpulse_conn_id: str,
        poll_interval: float,
        deadline: float,
        history: list[list[Any]] | None = None,
        poll_error_window: float = POLL_ERROR_WINDOW,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sendpulse_conn_id = sendpulse_conn_id
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.history = history or []
        self.poll_error_window = poll_error_window

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return what the subclass was made with, beyond the arguments of this class."""

    @abstractmethod
    async def look(self, hook: SendPulseHook) -> Decision:
        """Ask for the status once and judge it."""

    @property
    @abstractmethod
    def what(self) -> str:
        """What is waited for, for logs."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments: ids and numbers only, never a secret."""
        cls = type(self)
        return f"{cls.__module__}.{cls.__name__}", {
            "sendpulse_conn_id": self.sendpulse_conn_id,
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
            "history": self.history,
            "poll_error_window": self.poll_error_window,
            **self.arguments(),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait and yield one :class:`~airflow_provider_sendpulse.triggers.events.WaitEvent`."""
        async with sharing(self.sendpulse_conn_id) as shared:
            event = await self._wait(shared)
        yield TriggerEvent(event.payload())

    async def _wait(self, shared: SharedHook) -> WaitEvent:
        # A copy: what this instance was made with is what it is stored with.
        history = History([[*seen] for seen in self.history])
        trouble = Trouble(self.poll_error_window)
        while True:
            await shared.turn()
            try:
                # A look may be held up by the budget or by a token; the deadline is kept all the same.
                async with asyncio.timeout(max(self.deadline - time.time(), _LAST_LOOK)):
                    decision = await self.look(shared.hook)
            except TimeoutError:
                pass
            except FinalFailure as error:
                return _failed(error, history)
            except ServiceError as error:
                try:
                    trouble.met(self.what, error, time.time())
                except ServiceError:
                    return _failed(error, history)
            else:
                trouble.over()
                history.note(self.what, decision, time.time(), self.deadline)
                if decision.is_over:
                    return WaitEvent(SEEN, decision.code, history.seen)
            left = self.deadline - time.time()
            if left <= 0:
                code = history.seen[-1][0] if history.seen else None
                message = f"The deadline {moment(self.deadline)} has passed; seen last: {history.last}.{trouble}"
                return WaitEvent(TIMEOUT, code, history.seen, message=message)
            await asyncio.sleep(min(self.poll_interval * random.uniform(1.0, 1.1), left))


def _failed(error: ServiceError, history: History) -> WaitEvent:
    return WaitEvent(ERROR, history=history.seen, error=type(error).__name__, message=str(error))


__all__ = ["PollingTrigger"]
