# SPDX-License-Identifier: Apache-2.0
"""Values of variables on their way out: what a database hands over, as JSON that SendPulse accepts."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest

# Python writes out no whole number beyond 4300 digits, and no SendPulse reads one beyond a float's.
_TOO_LONG = 10**308


def contact_variable(name: str, value: Any) -> str | int | float:
    """Return the value of a contact's variable: text, a number, or a date as ``YYYY-MM-DD``.

    A date becomes ``YYYY-MM-DD``, a date with time ``YYYY-MM-DD HH:MM:SS`` (text for SendPulse: cast to a date for a
    date variable), a truth value 1 or 0.

    Source: SendPulse email service manual, "Update variables for a contact".

    :raises InvalidRequest: for a value that none of the three types holds
    """
    plain = _plain(name, value)
    if isinstance(plain, bool):
        return int(plain)
    if isinstance(plain, str | int | float):
        return plain
    raise InvalidRequest(f"The variable {name!r} cannot hold a {type(value).__name__}: send text, a number or a date.")


def event_variable(name: str, value: Any) -> Any:
    """Return the value of an event's variable with its JSON type: lists and objects too.

    Source: SendPulse knowledge base, "How to send an event to Automation 360".

    :raises InvalidRequest: for a value that JSON cannot hold
    """
    return _plain(name, value)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _text(name, value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) >= _TOO_LONG:
            raise InvalidRequest(f"The variable {name!r} is too long a number.")
        return value
    if isinstance(value, float | Decimal):
        if not _is_finite(value):
            raise InvalidRequest(f"The variable {name!r} is not a finite number.")
        return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        # Not strftime, which writes the year 990 with three digits.
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        return {_text(name, str(key)): _plain(name, item) for key, item in value.items()}
    raise InvalidRequest(f"The variable {name!r} holds a {type(value).__name__}, which cannot be sent.")


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except ValueError:  # a signalling NaN
        return False


def _text(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as left over when text was cut
        raise InvalidRequest(f"The variable {name!r} holds broken text.") from None
    return value


__all__ = ["contact_variable", "event_variable"]
