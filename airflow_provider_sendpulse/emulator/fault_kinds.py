# SPDX-License-Identifier: Apache-2.0
"""Which failures there are, and which fields say more about each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

FaultKind = Literal[
    "status",
    "html",
    "drop",
    "lose_answer",
    "cut_head",
    "cut_answer",
    "truncate",
    "is_error",
    "result_false",
    "wrong_type",
    "unknown_status",
    "slow",
    "slow_bytes",
    "revoke_tokens",
    "outage",
    "kill",
]
Victim = Literal["client", "parent"]
Becomes = Literal["text", "number", "list", "object", "null", "absent"]

LONGEST_OUTAGE = 600.0
"""Seconds after which an emulator that refuses connections comes back at the latest."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

MATCHING = frozenset({"method", "path", "operation", "after", "times"})
"""Fields that every kind has: they say which calls it meets."""

_REFUSAL = frozenset({"status", "retry_after", "error_code", "message", "after_effect"})

OWN: Mapping[str, frozenset[str]] = {
    "status": _REFUSAL | {"body"},
    "html": frozenset({"status", "retry_after", "after_effect"}),
    "drop": frozenset({"reset"}),
    "lose_answer": frozenset({"reset"}),
    "cut_head": frozenset({"reset"}),
    "cut_answer": frozenset({"reset"}),
    "truncate": frozenset(),
    "is_error": _REFUSAL,
    "result_false": _REFUSAL - {"error_code"},
    "wrong_type": frozenset({"field", "becomes"}),
    "unknown_status": frozenset({"code"}),
    "slow": frozenset({"seconds", "after_effect"}),
    "slow_bytes": frozenset({"seconds"}),
    "revoke_tokens": frozenset(),
    "outage": frozenset({"seconds"}),
    "kill": frozenset({"victim", "after_effect"}),
}
"""Fields that say more about a failure, by its kind."""

# Kinds that by their nature come after the work is done.
ALWAYS_AFTER_EFFECT = frozenset(
    {"lose_answer", "cut_head", "cut_answer", "truncate", "slow_bytes", "wrong_type", "unknown_status", "outage"}
)


class InvalidFault(ValueError):
    """A fault cannot be set up as asked."""


def check(kind: str, how: Mapping[str, Any], operations: frozenset[str]) -> None:
    """Check a description of a fault.

    :param operations: names of the API's operations
    :raises InvalidFault: the kind does not exist, it has no such field, or a value does not fit; nothing is corrected in
        silence, because a fault that meets no call makes a test pass for the wrong reason
    """
    if kind not in OWN:
        raise InvalidFault(f"there is no fault of kind {kind!r}; there are {', '.join(OWN)}")
    for name, value in how.items():
        if name not in MATCHING | OWN[kind]:
            raise InvalidFault(f"a fault of kind {kind!r} has no field {name!r}; it has {', '.join(fields_of(kind))}")
        fits, meant = _VALUES[name]
        if not fits(value):
            raise InvalidFault(f"field {name!r} of a fault must be {meant}, not {value!r}")
    operation = how.get("operation")
    if operation is not None and operation not in operations:
        raise InvalidFault(f"there is no operation {operation!r}; there are {', '.join(sorted(operations))}")
    if kind == "status" and how.get("status") is None:
        raise InvalidFault("a fault of kind 'status' needs a status")
    if kind == "wrong_type" and how.get("becomes") is None:
        raise InvalidFault("a fault of kind 'wrong_type' needs to know what a value becomes")
    if kind == "wrong_type" and how["becomes"] == "absent" and how.get("field") is None:
        raise InvalidFault("only a field can be absent; for an answer without a body use kind 'status' with body ''")
    if kind == "outage" and not 0 < how.get("seconds", 1.0) <= LONGEST_OUTAGE:
        raise InvalidFault(f"an outage lasts more than 0 and at most {LONGEST_OUTAGE:.0f} seconds")


def fields_of(kind: str) -> list[str]:
    """Return the names of all fields that a fault of this kind can have."""
    return [name for name in _VALUES if name in MATCHING | OWN[kind]]


def _is_whole(value: Any, least: int | None = None, most: int | None = None) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value or "")
    except (re.error, TypeError):
        return False
    return _is_text_or_none(value)


def _is_method(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.upper() in METHODS)


def _is_header(value: Any) -> bool:
    return _is_text_or_none(value) or (isinstance(value, int | float) and not isinstance(value, bool))


_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "method": (_is_method, f"one of {', '.join(METHODS)}"),
    "path": (_is_pattern, "a regular expression"),
    "operation": (_is_text_or_none, "the name of an operation"),
    "after": (lambda value: _is_whole(value, 0), "a whole number from 0"),
    "times": (lambda value: value is None or _is_whole(value, 1), "a whole number from 1, or null"),
    "after_effect": (_is_bool, "true or false"),
    "status": (lambda value: value is None or _is_whole(value, 200, 599), "an HTTP status from 200 to 599"),
    "retry_after": (_is_header, "the value of a Retry-After header"),
    "body": (lambda _: True, "JSON"),
    "error_code": (lambda value: value is None or _is_whole(value), "a whole number"),
    "message": (_is_text_or_none, "text"),
    "field": (lambda value: value is None or (isinstance(value, str) and value != ""), "the name of a field"),
    "becomes": (lambda value: value in get_args(Becomes), f"one of {', '.join(get_args(Becomes))}"),
    "code": (_is_whole, "a status code"),
    "seconds": (_is_duration, "a number of seconds"),
    "reset": (_is_bool, "true or false"),
    "victim": (lambda value: value in get_args(Victim), f"one of {', '.join(get_args(Victim))}"),
}
