# SPDX-License-Identifier: Apache-2.0
"""Values of additional fields and of events on their way out. Source: eSputnik API, "Formats of additional fields"."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import InvalidRequest


def moment(value: dt.datetime) -> str:
    """Write a date with time as ``YYYY-MM-DDTHH:MM``; its time zone is left out."""
    return value.replace(tzinfo=None).isoformat("T", "minutes")


def field_value(field_id: int, value: Any) -> str:
    """Return the value of an additional field, which is text: a date ``YYYY-MM-DD``, a date with time with its minutes.

    :raises InvalidRequest: for a value that no text stands for
    """
    name = f"additional field {field_id}"
    found = plain(name, value, moment)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str | int | float):
        return str(found)
    raise InvalidRequest(f"The {name} cannot hold a {type(value).__name__}: send text, a number or a date.")


def parameter(name: str, value: Any) -> Any:
    """Return the value of an event's parameter with its JSON type: lists and objects too.

    :raises InvalidRequest: for a value that JSON cannot hold
    """
    return plain(f"parameter {name!r}", value, moment)


def parameter_text(name: str, value: Any) -> str:
    """Return the value of an event's parameter as text: lists and objects become JSON text.

    :raises InvalidRequest: for a value that JSON cannot hold
    """
    found = parameter(name, value)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def date_text(value: dt.date | str) -> str:
    """Return a date or a date with time as eSputnik reads it; text stays as it is."""
    if isinstance(value, dt.datetime):
        return moment(value)
    return value if isinstance(value, str) else value.isoformat()


__all__ = ["date_text", "field_value", "moment", "parameter", "parameter_text"]
