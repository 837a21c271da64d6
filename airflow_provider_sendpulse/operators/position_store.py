# SPDX-License-Identifier: Apache-2.0
"""Where the tries of a task keep how far they have got: in Airflow's task state store, where there is one (3.3)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.jobs.position import MemoryPosition, PositionStore
from airflow_provider_sendpulse.version_compat import never_expire

_KEY = "position"


class TaskPosition:
    """A position under one key of the task state store, kept for good."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def read(self) -> Any:
        """Return what was written last, or ``None``."""
        return self._store.get(_KEY)

    def write(self, value: dict[str, Any]) -> None:
        """Keep a value."""
        self._store.set(_KEY, value, retention=never_expire())

    def delete(self) -> None:
        """Forget it."""
        self._store.delete(_KEY)


def task_position(context: Any) -> PositionStore:
    """Return the position that the tries of this task share; below Airflow 3.3 it ends with the try."""
    store = context.get("task_state_store")
    return MemoryPosition() if store is None else TaskPosition(store)


__all__ = ["TaskPosition", "task_position"]
