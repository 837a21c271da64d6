# SPDX-License-Identifier: Apache-2.0
"""Reading answers that are not of one mind about types: numbers as text, one thing as a list, nothing as ``[]``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from airflow_provider_sendpulse.exceptions import InvalidRequest

T = TypeVar("T")
Item = TypeVar("Item")


def record(value: Any) -> Mapping[str, Any]:
    """Return a JSON object; some services write an empty one as ``[]``."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def only(value: Any) -> Mapping[str, Any]:
    """Return the one object of an answer that is either that object or a list holding it.

    :raises LookupError: when the list is empty
    """
    if isinstance(value, list):
        if not value:
            raise LookupError("the list is empty")
        value = value[0]
    return record(value)


def listed(read: Callable[[Mapping[str, Any]], T]) -> Callable[[Any], list[T]]:
    """Return a reader of a list of objects, each read by ``read``."""

    def read_list(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {type(value).__name__}")
        return [read(record(item)) for item in value]

    return read_list


def integer(value: Any) -> int:
    """Return a whole number that may be written as text."""
    if isinstance(value, bool) or value is None:
        raise TypeError("expected a number")
    try:
        return int(value)
    except OverflowError:  # JSON as Python reads it knows infinity
        raise ValueError("expected a number that ends") from None


def number(value: Any) -> float:
    """Return a number that may be written as text."""
    if isinstance(value, bool) or value is None:
        raise TypeError("expected a number")
    try:
        found = float(value)
    except OverflowError:
        raise ValueError("expected a number that a float holds") from None
    if not math.isfinite(found):
        raise ValueError("expected a number that ends")
    return found


def integer_or(value: Any, default: int) -> int:
    """Return a whole number, or ``default`` where there is none that can be read."""
    try:
        return integer(value)
    except (TypeError, ValueError):
        return default


def number_or(value: Any, default: float) -> float:
    """Return a number that may be written as text, or ``default`` where there is none that can be read."""
    try:
        return number(value)
    except (TypeError, ValueError):
        return default


def text(value: Any) -> str:
    """Return text; ``null`` is empty and a number is written out."""
    return "" if value is None else str(value)


def many(items: Sequence[Item]) -> list[Item]:
    """Return a list of addresses or ids to send.

    :raises InvalidRequest: when it is one text, or empty
    """
    if isinstance(items, str):
        raise InvalidRequest("A single text was given where a list is needed.")
    if not items:
        raise InvalidRequest("The list is empty.")
    return [*items]


def texts(value: Any) -> list[str]:
    """Return a list of texts."""
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return [text(item) for item in value]


def rest(data: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """Return what an answer holds beyond the known keys."""
    return {key: value for key, value in data.items() if key not in known}


__all__ = [
    "integer",
    "integer_or",
    "listed",
    "many",
    "number",
    "number_or",
    "only",
    "record",
    "rest",
    "text",
    "texts",
]
