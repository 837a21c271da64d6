# SPDX-License-Identifier: Apache-2.0
"""Dates, as operators of campaigns take them."""

from __future__ import annotations

import datetime as dt

from airflow_provider_sendpulse.jobs.schedule import parse_send_date


def optional_date(value: dt.datetime | str | None, name: str = "send_date") -> dt.datetime | None:
    """Return an aware date from an argument, or ``None`` where there is none."""
    return None if value is None or value in ("", "None") else parse_send_date(value, name)


__all__ = ["optional_date"]
