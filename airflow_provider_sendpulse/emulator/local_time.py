# SPDX-License-Identifier: Apache-2.0
"""Dates as SendPulse writes them: without a zone, in the account's time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

FORMAT = "%Y-%m-%d %H:%M:%S"


def read_local(text: str, time_zone: str) -> datetime:
    """Return the moment meant by a date of the account, in UTC.

    Raises:
        ValueError: the text has another form.
    """
    return datetime.strptime(text, FORMAT).replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def write_local(moment: datetime, time_zone: str) -> str:
    """Return a moment as the account sees it."""
    return moment.astimezone(ZoneInfo(time_zone)).strftime(FORMAT)
