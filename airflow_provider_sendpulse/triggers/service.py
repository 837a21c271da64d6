# SPDX-License-Identifier: Apache-2.0
"""Triggers that wait: what they are made with and stored as. The waiting itself is in ``polling``.

The triggerer imports these modules inside its event loop, which holds up every other trigger, so they import nothing
heavy. Whatever a wait needs beyond them is loaded in a thread when the first one begins.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_sendpulse.triggers.loading import loaded

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.service import ServiceHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class PollingTrigger(BaseTrigger):
    """Asks for a status, or for figures, until what it sees ends the wait.

    It only reads, so two triggerers may run the same one.

    :param poll_interval: seconds between two looks; up to a tenth more, so that many waits spread
    :param deadline: seconds since the epoch after which the wait is given up
    :param poll_error_window: seconds for which looks may fail before the wait is given up; half an hour by default
    :param history: statuses seen before the wait came here, ``[code, seconds since the epoch]`` each
    """

    def __init__(
        self,
        *,
        poll_interval: float,
        deadline: float,
        history: list[list[Any]] | None = None,
        poll_error_window: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.history = history or []
        self.poll_error_window = poll_error_window

    @abstractmethod
    def connection(self) -> dict[str, str]:
        """Return the id of the connection, under the name of its argument."""

    @abstractmethod
    def make_hook(self) -> ServiceHook[Any]:
        """Return a hook of the connection; its modules are loaded by then."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Return what the subclass was made with, beyond the arguments of this class."""

    @abstractmethod
    async def look(self, hook: Any) -> Decision:
        """Ask for the status once and judge it."""

    @property
    @abstractmethod
    def what(self) -> str:
        """What is waited for, for logs."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments: ids and numbers only, never a secret."""
        cls = type(self)
        return f"{cls.__module__}.{cls.__name__}", {
            **self.connection(),
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
            "history": self.history,
            "poll_error_window": self.poll_error_window,
            **self.arguments(),
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait and yield one :class:`~airflow_provider_sendpulse.triggers.events.WaitEvent`."""
        await loaded()
        from airflow_provider_sendpulse.triggers.polling import wait_until_over

        event = await wait_until_over(self)
        yield TriggerEvent(event.payload())


__all__ = ["PollingTrigger"]
