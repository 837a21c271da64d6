# SPDX-License-Identifier: Apache-2.0
"""Airflow's cluster policy for the torture, copied to where Airflow looks for it: the examples, only in a hurry."""

from __future__ import annotations

import importlib
import json
import os
from datetime import timedelta
from typing import Any

from airflow_provider_sendpulse.esputnik import service

# What the examples import. The scheduler imports it once, and all tasks are forked from there.
for module in (
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.sqlite.hooks.sqlite",
    "airflow_provider_sendpulse.operators.address_books",
    "airflow_provider_sendpulse.operators.campaigns",
    "airflow_provider_sendpulse.operators.contacts",
    "airflow_provider_sendpulse.operators.esputnik.activity",
    "airflow_provider_sendpulse.operators.esputnik.broadcasts",
    "airflow_provider_sendpulse.operators.esputnik.events",
    "airflow_provider_sendpulse.operators.esputnik.imports",
    "airflow_provider_sendpulse.operators.esputnik.segments",
    "airflow_provider_sendpulse.operators.events",
    "airflow_provider_sendpulse.sensors.address_books",
    "airflow_provider_sendpulse.sensors.campaigns",
    "airflow_provider_sendpulse.sensors.esputnik.balance",
):
    importlib.import_module(module)

HASTE = {
    "retry_delay": timedelta(seconds=1),
    "poke_interval": 0.5,
    "poll_interval": 0.5,
    # The emulator lists a mailing soon, so less than the two minutes that are right for the services says as much.
    "visibility_window": 20.0,
}
CHANGES = json.loads(os.environ.get("TORTURE_CHANGES", "{}"))
"""What the tasks of a DAG have that have it at all, such as small batches."""

# The emulator refuses a repeat for a second, and not for a minute.
service.REPEAT_AFTER = 1.5


def task_policy(task: Any) -> None:
    """Shorten what a task waits for."""
    for name, value in {**HASTE, **CHANGES.get(task.dag_id, {})}.items():
        if hasattr(task, name):
            setattr(task, name, value)
