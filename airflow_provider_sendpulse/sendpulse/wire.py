# SPDX-License-Identifier: Apache-2.0
"""Reading SendPulse's answers: what all services have in common, and how this one confirms and writes variables."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.api.wire import (
    integer,
    integer_or,
    listed,
    many,
    number,
    number_or,
    only,
    record,
    rest,
    text,
    texts,
)


def confirmed(value: Any) -> None:
    """Read ``{"result": true}``; anything that does not say so is not a confirmation."""
    answer = record(value)
    if answer.get("result") is not True and answer.get("success") is not True:
        raise ValueError("the answer does not say that it was done")


def variables(value: Any) -> dict[str, Any]:
    """Return a contact's variables, name to value, from an object, ``[]``, or a list of name and value."""
    if not value:
        return {}
    if isinstance(value, list):
        return {text(item["name"]): item.get("value") for item in map(record, value)}
    return dict(record(value))


__all__ = [
    "confirmed",
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
    "variables",
]
