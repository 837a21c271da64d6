# SPDX-License-Identifier: Apache-2.0
"""Arguments after rendering: a template makes text of everything, native rendering makes numbers of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest


def whole_number(value: Any, name: str) -> int:
    """Return an id or a count.

    :raises InvalidRequest: when it is none; the message says what it is instead
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip())
    if value is None or value in ("", "None"):
        raise InvalidRequest(f"{name} is empty. Does the task it comes from return something?")
    raise InvalidRequest(f"{name} is {value!r}, which is not a whole number.")


def optional_number(value: Any, name: str) -> int | None:
    """Return an id or a count, or ``None`` where there is none."""
    return None if value is None or value in ("", "None") else whole_number(value, name)


def whole_numbers(value: Any, name: str) -> list[int]:
    """Return ids from one, several, or the text of either."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise InvalidRequest(f"{name} is {value!r}, which is not a list of whole numbers.") from None
    if isinstance(value, str) and "," in value:
        value = value.split(",")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [whole_number(item, name) for item in value]
    return [whole_number(value, name)]


def number(value: Any, name: str) -> float:
    """Return a number that need not be whole.

    :raises InvalidRequest: when it is none
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{name} is {value!r}, which is not a number.") from None


def seconds(value: float | timedelta, name: str) -> float:
    """Return a length of time in seconds.

    :raises InvalidRequest: unless it is above 0
    """
    try:
        number = value.total_seconds() if isinstance(value, timedelta) else float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise InvalidRequest(f"{name} is {value!r}; it is a number of seconds above 0, or a timedelta.")
    return number


def one_of(value: str, name: str, *allowed: str) -> str:
    """Return a choice.

    :raises InvalidRequest: for any other
    """
    if value not in allowed:
        raise InvalidRequest(f"{name} is {value!r}; it is one of {', '.join(allowed)}.")
    return value


__all__ = ["number", "one_of", "optional_number", "seconds", "whole_number", "whole_numbers"]
