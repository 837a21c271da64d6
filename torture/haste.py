# SPDX-License-Identifier: Apache-2.0
"""Airflow's cluster policy for the torture, copied to where Airflow looks for it: the example as it is, only in a hurry."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

# What the example imports. The scheduler imports it once, and all tasks are forked from there.
for module in (
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.sqlite.hooks.sqlite",
    "airflow_provider_sendpulse.operators.address_books",
    "airflow_provider_sendpulse.operators.campaigns",
    "airflow_provider_sendpulse.operators.contacts",
    "airflow_provider_sendpulse.operators.events",
    "airflow_provider_sendpulse.sensors.address_books",
    "airflow_provider_sendpulse.sensors.campaigns",
):
    importlib.import_module(module)

HASTE = {
    "retry_delay": timedelta(seconds=1),
    "poke_interval": 0.5,
    # The emulator lists a campaign at once, so less than the two minutes that are right for SendPulse says as much.
    "visibility_window": 20.0,
}


def task_policy(task: Any) -> None:
    """Shorten what a task waits for."""
    for name, value in HASTE.items():
        if hasattr(task, name):
            setattr(task, name, value)
