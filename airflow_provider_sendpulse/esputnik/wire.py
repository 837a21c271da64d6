# SPDX-License-Identifier: Apache-2.0
"""Reading eSputnik's answers: a list of one thing is that thing alone, and numbers and truth values may be text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from airflow_provider_sendpulse.api.wire import (
    integer,
    integer_or,
    many,
    number,
    number_or,
    record,
    rest,
    text,
)
from airflow_provider_sendpulse.exceptions import InvalidRequest

T = TypeVar("T")

UNREADABLE = "UNREADABLE"
"""Stands for a status that is none."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}|[0-9]{1,3}")


def as_list(value: Any) -> list[Any]:
    """Return a list that may be absent, or collapsed to its one element."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def listed(read: Callable[[Mapping[str, Any]], T]) -> Callable[[Any], list[T]]:
    """Return a reader of a list of objects that may be collapsed, each read by ``read``."""

    def read_list(value: Any) -> list[T]:
        return [read(record(item)) for item in as_list(value)]

    return read_list


def page_of(read: Callable[[Mapping[str, Any]], T]) -> Callable[[Any], list[T]]:
    """Return a reader of an answer that is a list as a whole, which is not collapsed; nothing at all is no such list."""
    read_list = listed(read)

    def read_page(value: Any) -> list[T]:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {type(value).__name__}")
        return read_list(value)

    return read_page


def truth(value: Any) -> bool:
    """Return a truth value that may be written as text."""
    if isinstance(value, bool):
        return value
    written = str(value).strip().lower()
    if written not in ("true", "false"):
        raise ValueError("expected true or false")
    return written == "true"


def truth_or(value: Any, default: bool) -> bool:
    """Return a truth value, or ``default`` where there is none that can be read."""
    try:
        return truth(value)
    except ValueError:
        return default


def word(value: Any) -> str:
    """Return a status: a word, which may be one that nobody documents; empty where there is none.

    Statuses are counted, logged and handed on. So what is no word, and may be a sentence about somebody, is
    :data:`UNREADABLE`.
    """
    found = text(value)
    return found if not found or _WORD.fullmatch(found) else UNREADABLE


def text_or_none(value: Any) -> str | None:
    """Return text, or ``None`` where there is none."""
    return text(value) or None


def joined(ids: Sequence[int] | Sequence[str]) -> str:
    """Return ids as one value of a query, which is a list with commas.

    :raises InvalidRequest: when it is one text, or empty, or an id holds a comma
    """
    texts = [str(item) for item in many(ids)]
    if any("," in item for item in texts):
        raise InvalidRequest("An id holds a comma, and the service takes ids joined by commas.")
    return ",".join(texts)


def present(**members: Any) -> dict[str, Any]:
    """Return the members of a body that are not ``None``."""
    return {name: value for name, value in members.items() if value is not None}


__all__ = [
    "UNREADABLE",
    "as_list",
    "integer",
    "integer_or",
    "joined",
    "listed",
    "many",
    "number",
    "number_or",
    "page_of",
    "present",
    "record",
    "rest",
    "text",
    "text_or_none",
    "truth",
    "truth_or",
    "word",
]
