# SPDX-License-Identifier: Apache-2.0
"""What the tries of a task share: in Airflow's task state store where there is one (3.3), and as little as possible."""

from __future__ import annotations

from functools import partial
from typing import Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.jobs.intent import GuessedRecord, MailingRecord, StoredRecord
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger, Ledger, LostLedger, MemoryLedger
from airflow_provider_sendpulse.jobs.message_record import GuessedMessageRecord, MessageRecord, StoredMessageRecord
from airflow_provider_sendpulse.jobs.position import MemoryPosition, PositionStore
from airflow_provider_sendpulse.jobs.sender_activation import CodeRequests
from airflow_provider_sendpulse.version_compat import never_expire

_POSITION = "position"
_IMPORT_SESSIONS = "import sessions"
_FILE_IMPORT = "file import"
_EDIT = "campaign edit"
_CODE_REQUESTED = "activation code requested"


def task_ledger(context: Any, name: str) -> Ledger:
    """Return the ledger that the tries of this task share.

    Below Airflow 3.3 nothing tells a retry what the first try has sent: every row is in doubt then.
    """
    store = context.get("task_state_store")
    if store is not None:
        return KeyValueLedger(store.get, partial(_keep, store), name)
    return LostLedger() if context["ti"].try_number > 1 else MemoryLedger()


def mailing_record(context: Any, name: str) -> MailingRecord:
    """Return what the tries of this task know of the campaign they create.

    :param name: tells the mailings of one task apart, such as the marker's digest
    """
    store = context.get("task_state_store")
    if store is not None:
        return StoredRecord(store.get, partial(_keep, store), name)
    return GuessedRecord(context["ti"].try_number, SystemClock().now())


def message_record(context: Any, name: str) -> MessageRecord:
    """Return what the tries of this task know of the message they send.

    :param name: tells the messages of one task apart
    """
    store = context.get("task_state_store")
    if store is not None:
        return StoredMessageRecord(store.get, partial(_keep, store), name)
    return GuessedMessageRecord(context["ti"].try_number, SystemClock().now())


def task_position(context: Any) -> PositionStore:
    """Return the position that the tries of this task share; below Airflow 3.3 it ends with the try."""
    store = context.get("task_state_store")
    return MemoryPosition() if store is None else TaskPosition(store)


def task_import_sessions(context: Any) -> PositionStore:
    """Return where the tries of this task keep the import sessions that they have started; as :func:`task_position`."""
    store = context.get("task_state_store")
    return MemoryPosition() if store is None else TaskPosition(store, _IMPORT_SESSIONS)


def task_file_import(context: Any) -> PositionStore:
    """Return where the tries of this task keep the import of a file that they have begun; as :func:`task_position`."""
    store = context.get("task_state_store")
    return MemoryPosition() if store is None else TaskPosition(store, _FILE_IMPORT)


def task_edit(context: Any) -> PositionStore:
    """Return where the tries of this task keep which edit of a campaign they have made; as :func:`task_position`."""
    store = context.get("task_state_store")
    return MemoryPosition() if store is None else TaskPosition(store, _EDIT)


def task_code_requests(context: Any) -> CodeRequests:
    """Return whether the tries of this task have asked for an activation code.

    Below Airflow 3.3 a retry cannot know what the first try has done: it counts as having asked.
    """
    return TaskCodeRequests(context.get("task_state_store"), context["ti"].try_number)


class TaskCodeRequests:
    """A mark under one key of the task state store, or the number of the try where there is none."""

    def __init__(self, store: Any, try_number: int) -> None:
        self._store = store
        self._made = store is None and try_number > 1

    def were_made(self) -> bool:
        """Whether this try or an earlier one may have asked for a code."""
        return self._made or (self._store is not None and bool(self._store.get(_CODE_REQUESTED)))

    def note(self) -> None:
        """Remember that this one is about to."""
        self._made = True
        if self._store is not None:
            _keep(self._store, _CODE_REQUESTED, True)

    def forget(self) -> None:
        """Remember that it was not carried out after all."""
        self._made = False
        if self._store is not None:
            self._store.delete(_CODE_REQUESTED)


class TaskPosition:
    """A position, or another small value, under one key of the task state store, kept for good."""

    def __init__(self, store: Any, key: str = _POSITION) -> None:
        self._store = store
        self._key = key

    def read(self) -> Any:
        """Return what was written last, or ``None``."""
        return self._store.get(self._key)

    def write(self, value: dict[str, Any]) -> None:
        """Keep a value."""
        _keep(self._store, self._key, value)

    def delete(self) -> None:
        """Forget it."""
        self._store.delete(self._key)


def _keep(store: Any, key: str, value: Any) -> None:
    store.set(key, value, retention=never_expire())


__all__ = [
    "TaskCodeRequests",
    "TaskPosition",
    "mailing_record",
    "message_record",
    "task_code_requests",
    "task_edit",
    "task_file_import",
    "task_import_sessions",
    "task_ledger",
    "task_position",
]
