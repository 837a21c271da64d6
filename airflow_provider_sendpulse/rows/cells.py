# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a cell: what cannot be sent as text, and what stands for nobody."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

from airflow_provider_sendpulse.api.values import is_encodable, plain
from airflow_provider_sendpulse.exceptions import InvalidRequest

NONE = "None"
"""What a template makes of nothing."""

_NOTHING = frozenset({NONE.casefold(), "nan", "null"})


def stands_for_nothing(text: str) -> bool:
    """Whether a text is what templates and drivers make of nothing: as somebody's id it would be everybody's."""
    return text.strip().casefold() in _NOTHING


def bytes_fault(value: Any) -> str | None:
    """Return why a cell is no text when it holds bytes, whose text is that of a Python literal; else ``None``."""
    return "holds bytes: cast it to text" if isinstance(value, bytes | bytearray | memoryview) else None


def text_fault(value: Any) -> str | None:
    """Return why a cell cannot be sent as text, or ``None``: it is text that can be encoded, a number, or a date."""
    if fault := bytes_fault(value):
        return fault
    if value is None or isinstance(value, dt.time):
        return None
    if isinstance(value, str):
        return None if is_encodable(value) else "holds broken text"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | dt.date | UUID):
        return f"holds a {type(value).__name__}; it is text, a number or a date"
    if isinstance(value, float | Decimal) and not _is_finite(value):
        return "is not a number (NaN)"
    try:
        plain("", value)
    except InvalidRequest:
        return "is too long a number"
    return None


def id_fault(value: Any) -> str | None:
    """Return why a cell cannot be somebody's id, or ``None``, also where there is none."""
    if isinstance(value, str) and stands_for_nothing(value):
        return f"is the word {value.strip()!r}, which stands for nothing"
    return text_fault(value)


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


__all__ = ["NONE", "bytes_fault", "id_fault", "stands_for_nothing", "text_fault"]
