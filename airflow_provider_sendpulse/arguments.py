# SPDX-License-Identifier: Apache-2.0
"""Arguments after rendering: a template makes text of everything, native rendering makes numbers of text."""

from __future__ import annotations

import ast
import enum
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypeVar

from airflow_provider_sendpulse.exceptions import InvalidRequest

T = TypeVar("T")


class _NotGiven(enum.Enum):
    # An enumeration has one of it also where an operator was copied.
    NOT_GIVEN = enum.auto()


NotGiven: TypeAlias = Literal[_NotGiven.NOT_GIVEN]
NOT_GIVEN: Final = _NotGiven.NOT_GIVEN
"""The default of an argument where it matters whether somebody gave one: ``None`` is what a mapped task may be given."""


def given(value: T | NotGiven) -> T | None:
    """Return an argument, or ``None`` where there is none."""
    return None if value is NOT_GIVEN else value


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


def texts(value: Any, name: str) -> list[str]:
    """Return words from one, several, or the text of either, which a template makes of them.

    :raises InvalidRequest: for anything else
    """
    if isinstance(value, str):
        value = value.strip()
        if value.startswith("["):
            try:
                value = ast.literal_eval(value)
            except (SyntaxError, ValueError):
                raise InvalidRequest(f"{name} is {value!r}, which is not a list of words.") from None
        else:
            value = value.split(",")
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise InvalidRequest(f"{name} is {value!r}, which is not a list of words.")
    return [item.strip() for item in value if item.strip()]


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


def amount(value: Any, name: str) -> float:
    """Return a number of 0 or more, with or without a fraction.

    :raises InvalidRequest: when it is none; the message says what it is instead
    """
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InvalidRequest(f"{name} is {value!r}, which is not a number of 0 or more.")
    return number


def optional_amount(value: Any, name: str) -> float | None:
    """Return a number of 0 or more, or ``None`` where there is none."""
    return None if value is None or value in ("", "None") else amount(value, name)


def one_of(value: str, name: str, *allowed: str) -> str:
    """Return a choice.

    :raises InvalidRequest: for any other
    """
    if value not in allowed:
        raise InvalidRequest(f"{name} is {value!r}; it is one of {', '.join(allowed)}.")
    return value


__all__ = [
    "NOT_GIVEN",
    "NotGiven",
    "amount",
    "given",
    "one_of",
    "optional_amount",
    "optional_number",
    "seconds",
    "texts",
    "whole_number",
    "whole_numbers",
]
