# SPDX-License-Identifier: Apache-2.0
"""What makes a mailing or a message this one, for all tries of a task."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.operators.base import plain_text


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


__all__ = ["marker_of", "task_identity"]
