# SPDX-License-Identifier: Apache-2.0
"""What makes a mailing or a message this one, for all tries of a task, and how far back one like it is looked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.operators.base import plain_text

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


def task_identity(context: Any) -> str:
    """Return what all tries of one task instance have in common, and no other task has."""
    ti = context["ti"]
    map_index = -1 if ti.map_index is None else ti.map_index
    return "\0".join((ti.dag_id, ti.run_id, ti.task_id, str(map_index)))


def marker_of(context: Any, deployment: str, key: Any, edition: int | str, name: str) -> Marker:
    """Return what stands for a mailing or a message.

    :param key: as its author says; the task's identity where that says nothing
    :param name: what the key is called in messages
    :raises InvalidRequest: for an empty key
    """
    text = task_identity(context) if key is None else plain_text(key)
    if not text.strip():
        raise InvalidRequest(f"{name} is empty.")
    return Marker.of(deployment=deployment, mailing_key=text, edition=edition)


def earliest_creation(context: Any, look_back: timedelta | None, key: Any) -> datetime:
    """Return the date before which nothing with a marker can have been created.

    :param look_back: how long before the run; any time where there is a key, which joins runs, and a month without
    :param key: as its author says
    """
    if look_back is None and key is not None:
        return _EVER
    started: datetime = context["dag_run"].run_after
    return started - (look_back or timedelta(days=30))


__all__ = ["earliest_creation", "marker_of", "task_identity"]
