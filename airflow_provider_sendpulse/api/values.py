# SPDX-License-Identifier: Apache-2.0
"""Values on their way out: what a database hands over, as JSON."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest

# Python writes out no whole number beyond 4300 digits, and no service reads one beyond a float's.
_TOO_LONG = 10**308


def spaced(value: dt.datetime) -> str:
    """Write a date with time as ``YYYY-MM-DD HH:MM:SS``; its time zone is left out."""
    # Not strftime, which writes the year 990 with three digits.
    return value.replace(tzinfo=None).isoformat(" ", "seconds")


def plain(name: str, value: Any, moment: Callable[[dt.datetime], str] = spaced) -> Any:
    """Return a value as JSON holds it: numbers that are finite, text that can be encoded, dates as text.

    :param name: whose value it is, for messages, such as ``variable 'Name'``
    :param moment: writes a date with time
    :raises InvalidRequest: for a value that JSON cannot hold
    """
    if isinstance(value, str):
        return _text(name, value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float | Decimal):
        if not _is_finite(value):
            raise InvalidRequest(f"The {name} is not a finite number.")
        if isinstance(value, float) or value != value.to_integral_value():
            return float(value)
        value = int(value)
    if isinstance(value, int):
        if abs(value) >= _TOO_LONG:
            raise InvalidRequest(f"The {name} is too long a number.")
        return value
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(name, item, moment) for item in value]
    if isinstance(value, Mapping):
        return {_text(name, str(key)): plain(name, item, moment) for key, item in value.items()}
    raise InvalidRequest(f"The {name} holds a {type(value).__name__}, which cannot be sent.")


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except ValueError:  # a signalling NaN
        return False


def _text(name: str, value: str) -> str:
    if not is_encodable(value):
        raise InvalidRequest(f"The {name} holds broken text.")
    return value


def is_encodable(text: str) -> bool:
    """Whether text can be sent: not when it holds half of a surrogate pair, as is left over when text was cut."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


__all__ = ["is_encodable", "plain", "spaced"]
