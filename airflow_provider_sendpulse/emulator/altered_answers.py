# SPDX-License-Identifier: Apache-2.0
"""True answers with something in them that no client expects: another type, or a status that nobody documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from airflow_provider_sendpulse.emulator.faults import Fault

_STATUS_FIELDS = frozenset({"status", "task_status", "emailStatus", "activityStatus"})
_ABSENT = object()


class NothingToAlter(Exception):
    """The answer has no field of the name that a fault was told to alter."""


def altered(fault: Fault, body: bytes) -> bytes:
    """Return the body of a successful answer as the fault changes it.

    An empty list or object stays as it is: there is nothing in it yet.

    :raises NothingToAlter: the answer has content, but no such field
    """
    try:
        content = json.loads(body)
    except ValueError:
        raise NothingToAlter("this answer is no JSON") from None
    if fault.kind == "unknown_status":
        # A status that is a word becomes another word.
        return _rewritten(content, _STATUS_FIELDS, lambda old: f"UNKNOWN_{fault.code}" if _is_word(old) else fault.code)
    becomes = str(fault.becomes)
    if fault.field is None:
        return json.dumps(_become(content, becomes)).encode()
    return _rewritten(content, frozenset({fault.field}), lambda value: _become(value, becomes))


def _rewritten(content: Any, names: frozenset[str], change: Callable[[Any], Any]) -> bytes:
    count = 0

    def rewrite(value: Any) -> Any:
        nonlocal count
        if isinstance(value, list):
            return [rewrite(item) for item in value]
        if not isinstance(value, dict):
            return value
        rewritten = {}
        for name, item in value.items():
            count += name in names
            new = change(item) if name in names else rewrite(item)
            if new is not _ABSENT:
                rewritten[name] = new
        return rewritten

    result = rewrite(content)
    if count == 0 and content:
        raise NothingToAlter(f"there is no {' or '.join(sorted(names))} in this answer")
    return json.dumps(result).encode()


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.isupper()


def _become(value: Any, becomes: str) -> Any:
    if becomes == "text":
        return value if isinstance(value, str) else json.dumps(value)
    if becomes == "number":
        return 7 if isinstance(value, str) or not isinstance(value, int | float) else value + 0.5
    return {"list": [value], "object": {"value": value}, "null": None, "absent": _ABSENT}[becomes]
