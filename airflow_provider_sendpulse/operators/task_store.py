# SPDX-License-Identifier: Apache-2.0
"""What the tries of a task share: in Airflow's task state store where there is one (3.3), and as little as possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.exceptions import DeliveryFailed
from airflow_provider_sendpulse.jobs.intent import GuessedRecord, MailingRecord, StoredRecord
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, Ledger, MemoryLedger
from airflow_provider_sendpulse.version_compat import never_expire


def task_ledger(context: Any, name: str) -> Ledger:
    """Return the ledger that the tries of this task share.

    :raises DeliveryFailed: on a retry below Airflow 3.3, where nothing tells what the first try has sent
    """
    store = context.get("task_state_store")
    if store is not None:
        return KeyValueLedger(store.get, _putting(store), name)
    if context["ti"].try_number > 1:
        raise DeliveryFailed(
            "An earlier try of this task may have sent some rows already, and below Airflow 3.3 nothing tells which ones: "
            "nothing is sent again. Trigger a new run if no row was sent; give the task retries=0."
        )
    return MemoryLedger()


def mailing_record(context: Any, name: str) -> MailingRecord:
    """Return what the tries of this task know of the campaign they create.

    :param name: tells the mailings of one task apart, such as the marker's digest
    """
    store = context.get("task_state_store")
    if store is not None:
        return StoredRecord(store.get, _putting(store), name)
    return GuessedRecord(context["ti"].try_number, SystemClock().now())


def _putting(store: Any) -> Callable[[str, Any], None]:
    retention = never_expire()

    def put(key: str, value: Any) -> None:
        store.set(key, value, retention=retention)

    return put


__all__ = ["mailing_record", "task_ledger"]
