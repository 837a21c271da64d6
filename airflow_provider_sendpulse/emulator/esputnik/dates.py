# SPDX-License-Identifier: Apache-2.0
"""Dates of eSputnik: ISO 8601 without a zone, in the time of the organisation (eSputnik API: dates)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")


def read_date(text: str, time_zone: str) -> datetime:
    """Return the moment a date means, in UTC.

    :raises ValueError: the text has another form
    """
    if _DATE.fullmatch(text) is None:
        raise ValueError(f"no date: {text}")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)


def read_end(text: str, time_zone: str) -> datetime:
    """Return the end of a period in UTC; a date without a time includes its whole day.

    :raises ValueError: the text has another form
    """
    moment = read_date(text, time_zone)
    return moment if "T" in text else moment + timedelta(days=1)


def write_date(moment: datetime, time_zone: str, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
    """Return a moment as the organisation sees it."""
    return moment.astimezone(ZoneInfo(time_zone)).strftime(form)
