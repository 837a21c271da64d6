# SPDX-License-Identifier: Apache-2.0
"""What the tries of a task share: in Airflow's task state store where there is one (3.3), and as little as possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.jobs.intent import GuessedRecord, MailingRecord, StoredRecord
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, Ledger, LostLedger, MemoryLedger
from airflow_provider_sendpulse.version_compat import never_expire


def task_ledger(context: Any, name: str) -> Ledger:
    """Return the ledger that the tries of this task share.

    Below Airflow 3.3 nothing tells a retry what the first try has sent: every row is in doubt then.
    """
    store = context.get("task_state_store")
    if store is not None:
        return KeyValueLedger(store.get, _putting(store), name)
    return LostLedger() if context["ti"].try_number > 1 else MemoryLedger()


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
