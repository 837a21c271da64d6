# SPDX-License-Identifier: Apache-2.0
"""Who sends the requests that reach the emulator: seen while the sender waits for its answer."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from airflow_provider_sendpulse.emulator.request_log import RequestLog, RequestRecord

# What Airflow calls the process of a task, with the id of the task instance.
_TITLE = re.compile(r"^airflow worker -- ([0-9a-f-]{36})\s*$")


@dataclass(frozen=True)
class Sender:
    """The process behind a request.

    :param parent: the process that has started it
    :param component: which part of Airflow it belongs to
    :param task_instance: id of the task instance that it runs, if it runs one
    """

    process: psutil.Process
    parent: psutil.Process | None
    component: str | None
    task_instance: str | None


class WitnessedRequests(RequestLog):
    """A request log that notes the sender of every request, by the request's number.

    :param component_of: returns the part of Airflow that has begun a session
    """

    def __init__(self, component_of: Callable[[int], str | None]) -> None:
        super().__init__()
        self._component_of = component_of
        self.senders: dict[int, Sender] = {}

    def open(self, record: RequestRecord) -> RequestRecord:
        """Note a request that has just arrived, and who waits for its answer."""
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if (sender := self._sender(record.client_port)) is not None:
                self.senders[self.total + 1] = sender
        return super().open(record)

    def _sender(self, port: int | None) -> Sender | None:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid is not None:
                process = psutil.Process(connection.pid)
                title = _TITLE.match(" ".join(process.cmdline()))
                return Sender(
                    process=process,
                    parent=process.parent(),
                    component=self._component_of(os.getsid(process.pid)),
                    task_instance=title[1] if title else None,
                )
        return None


def is_over(process: psutil.Process) -> bool:
    """Whether a process has ended, collected by its parent or not."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


__all__ = ["Sender", "WitnessedRequests", "is_over"]
