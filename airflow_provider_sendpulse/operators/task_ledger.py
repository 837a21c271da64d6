# SPDX-License-Identifier: Apache-2.0
"""The ledger of a task: in Airflow's task state store where there is one (3.3)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.exceptions import DeliveryFailed
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, Ledger, MemoryLedger
from airflow_provider_sendpulse.version_compat import never_expire


def task_ledger(context: Any, name: str) -> Ledger:
    """Return the ledger that the tries of this task share.

    :raises DeliveryFailed: on a retry below Airflow 3.3, where nothing tells what the first try has sent
    """
    store = context.get("task_state_store")
    if store is None:
        if context["ti"].try_number > 1:
            raise DeliveryFailed(
                "An earlier try of this task may have sent some rows already, and below Airflow 3.3 nothing tells which "
                "ones: nothing is sent again. Give the task retries=0, and clear it only when no row was sent."
            )
        return MemoryLedger()
    retention = never_expire()
    return KeyValueLedger(
        get=store.get,
        put=lambda key, value: store.set(key, value, retention=retention),
        name=name,
    )


__all__ = ["task_ledger"]
