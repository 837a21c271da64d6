# SPDX-License-Identifier: Apache-2.0
"""One process of a task: a leg in the worker, or a wait in the triggerer. It may be killed at any moment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import weekly_digest  # parsed once, by the process that all others are forked from
from task_runner import TaskRunner

from airflow_provider_sendpulse.triggers import sharing
from torture.execution_server import ForwardingApi

LOOK_EVERY = 0.02
"""Seconds between two looks at a status: the emulator moves with every look."""

WINDOW = 20.0
"""Seconds to look for a campaign whose creation is in doubt: the emulator lists it at once, SendPulse may need longer."""


@dataclass(frozen=True)
class Leg:
    """What a process is to do.

    :param environment: connections and where the shared records live
    """

    task_id: str
    try_number: int
    map_index: int
    execution_url: str
    environment: dict[str, str]
    deferral: dict[str, Any] | None = None


def work(leg: Leg, report: Connection) -> None:
    """Run a leg in the worker and report its state and error."""
    os.environ.update(leg.environment)
    operator = weekly_digest.create_campaign.dag.get_task(leg.task_id)
    for name, value in {"poke_interval": LOOK_EVERY, "poll_interval": LOOK_EVERY, "visibility_window": WINDOW}.items():
        if hasattr(operator, name):
            setattr(operator, name, value)
    api = ForwardingApi()
    api.url = leg.execution_url
    result = TaskRunner(api).leg(operator, try_number=leg.try_number, map_index=leg.map_index)
    report.send((result.state, str(result.error or "")))


def wait(leg: Leg, report: Connection) -> None:
    """Run a trigger and report its event."""
    os.environ.update(leg.environment)
    sharing.PACE = LOOK_EVERY
    report.send(TaskRunner().trigger_event(leg.deferral or {}))


__all__ = ["Leg", "wait", "work"]
