# SPDX-License-Identifier: Apache-2.0
"""What tells one mailing from another, and dates, as operators take them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.schedule import parse_send_date
from airflow_provider_sendpulse.operators.base import plain_text


def mailing_marker(context: Any, deployment: str, mailing_key: Any, edition: int | str) -> Marker:
    """Return by what a campaign is recognised.

    :param mailing_key: what makes it this one; the task itself when ``None``
    """
    key = task_identity(context) if mailing_key is None else plain_text(mailing_key)
    if not key.strip():
        raise InvalidRequest("mailing_key is empty.")
    return Marker.of(deployment=deployment, mailing_key=key, edition=edition)


def task_identity(context: Any) -> str:
    """Return what all tries of one task instance have in common, and no other task has."""
    ti = context["ti"]
    map_index = -1 if ti.map_index is None else ti.map_index
    return "\0".join((ti.dag_id, ti.run_id, ti.task_id, str(map_index)))


def optional_date(value: dt.datetime | str | None, name: str = "send_date") -> dt.datetime | None:
    """Return an aware date from an argument, or ``None`` where there is none."""
    return None if value is None or value in ("", "None") else parse_send_date(value, name)


__all__ = ["mailing_marker", "optional_date", "task_identity"]
