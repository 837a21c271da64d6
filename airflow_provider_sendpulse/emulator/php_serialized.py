# SPDX-License-Identifier: Apache-2.0
"""Values as PHP's ``serialize()`` writes them: how SendPulse's older clients put lists into a field."""

from __future__ import annotations

import math
from typing import Any

from airflow_provider_sendpulse.emulator import strict_json


def decoded(text: str) -> Any:
    """Return what a string holds, in JSON or serialized by PHP.

    Raises:
        ValueError: it holds neither.
    """
    try:
        return strict_json.loads(text)
    except ValueError:
        return loads(text)


def loads(text: str) -> Any:
    """Read a value; an array whose keys count from nought becomes a list, any other an object.

    Raises:
        ValueError: it is not such a value, or holds objects or references.
    """
    data = text.encode()
    try:
        value, end = _value(data, 0)
    except (IndexError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("the value ends too early, or holds no text") from error
    if end != len(data):
        raise ValueError("something follows the value")
    return value


def _value(data: bytes, start: int) -> tuple[Any, int]:
    kind = data[start : start + 2]
    if kind == b"N;":
        return None, start + 2
    if kind in (b"i:", b"d:", b"b:"):
        end = data.index(b";", start)
        text = data[start + 2 : end]
        number = float(text) if kind == b"d:" else int(text)
        if not math.isfinite(float(text)):
            raise ValueError("a number is beyond all bounds")
        return (bool(number) if kind == b"b:" else number), end + 1
    if kind == b"s:":
        colon = data.index(b":", start + 2)
        begin = colon + 2
        end = begin + int(data[start + 2 : colon])
        if data[colon + 1 : begin] != b'"' or data[end : end + 2] != b'";':
            raise ValueError("a text is not as long as it says")
        return data[begin:end].decode(), end + 2
    if kind == b"a:":
        return _array(data, start)
    raise ValueError("a value is of an unknown kind")


def _array(data: bytes, start: int) -> tuple[Any, int]:
    colon = data.index(b":", start + 2)
    count, position = int(data[start + 2 : colon]), colon + 2
    if data[colon + 1 : position] != b"{":
        raise ValueError("an array does not open")
    items: dict[Any, Any] = {}
    for _ in range(count):
        key, position = _value(data, position)
        items[key], position = _value(data, position)
    if data[position : position + 1] != b"}":
        raise ValueError("an array does not close")
    if list(items) == list(range(len(items))):
        return list(items.values()), position + 1
    return {str(key): value for key, value in items.items()}, position + 1
