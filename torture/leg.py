# SPDX-License-Identifier: Apache-2.0
"""One process of a task: a leg in the worker, or a wait in the triggerer. It may be killed at any moment."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from examples import dags_of
from task_runner import TaskRunner

from airflow_provider_sendpulse.esputnik import service
from airflow_provider_sendpulse.triggers import sharing
from torture.execution_server import ForwardingApi

# What tasks import while they run. The process that all others are forked from imports it once.
for module in (
    "airflow.providers.sqlite.hooks.sqlite",
    "airflow.sdk.definitions.connection",
    "airflow.sdk.execution_time.cache",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "jinja2.ext",
    "requests",
):
    importlib.import_module(module)

FILES = (
    "weekly_digest",
    "esputnik_audience",
    "esputnik_broadcast",
    "esputnik_contacts",
    "esputnik_messages",
    "sendpulse_to_esputnik",
)
DAGS: Mapping[str, Any] = {dag_id: dag for file in FILES for dag_id, dag in dags_of(file).items()}
"""The examples, parsed once as well."""

LOOK_EVERY = 0.02
"""Seconds between two looks at a status: the emulator moves with every look."""

WINDOW = 20.0
"""Seconds to look for a mailing whose creation is in doubt: the emulator lists it soon, the services may need longer."""

REPEAT_AFTER = 1.5
"""Seconds to wait where eSputnik refuses a request that repeats another: the emulator does so for a second."""


@dataclass(frozen=True)
class Leg:
    """What a process is to do.

    :param environment: connections and where the shared records live
    :param changes: what the task has, if it has it at all
    """

    dag_id: str
    task_id: str
    try_number: int
    map_index: int
    execution_url: str
    environment: Mapping[str, str]
    changes: Mapping[str, Any] = field(default_factory=dict)
    deferral: Mapping[str, Any] | None = None


def work(leg: Leg, report: Connection) -> None:
    """Run a leg in the worker and report its state and error."""
    os.environ.update(leg.environment)
    service.REPEAT_AFTER = REPEAT_AFTER
    operator = DAGS[leg.dag_id].get_task(leg.task_id)
    haste = {"poke_interval": LOOK_EVERY, "poll_interval": LOOK_EVERY, "visibility_window": WINDOW}
    for name, value in {**haste, **leg.changes}.items():
        if hasattr(operator, name):
            setattr(operator, name, value)
    result = TaskRunner(ForwardingApi(leg.execution_url)).leg(operator, try_number=leg.try_number, map_index=leg.map_index)
    report.send((result.state, str(result.error or "")))


def wait(leg: Leg, report: Connection) -> None:
    """Run a trigger and report its event."""
    os.environ.update(leg.environment)
    sharing.PACE = LOOK_EVERY
    report.send(TaskRunner().trigger_event(dict(leg.deferral or {})))


__all__ = ["DAGS", "Leg", "wait", "work"]
