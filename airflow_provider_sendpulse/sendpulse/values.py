# SPDX-License-Identifier: Apache-2.0
"""Values of variables on their way out: what a database hands over, as JSON that SendPulse accepts."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.exceptions import InvalidRequest


def contact_variable(name: str, value: Any) -> str | int | float:
    """Return the value of a contact's variable: text, a number, or a date as ``YYYY-MM-DD``.

    A date becomes ``YYYY-MM-DD``, a date with time ``YYYY-MM-DD HH:MM:SS`` (text for SendPulse: cast to a date for a
    date variable), a truth value 1 or 0.

    Source: SendPulse email service manual, "Update variables for a contact".

    :raises InvalidRequest: for a value that none of the three types holds
    """
    found = plain(f"variable {name!r}", value)
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, str | int | float):
        return found
    raise InvalidRequest(f"The variable {name!r} cannot hold a {type(value).__name__}: send text, a number or a date.")


def event_variable(name: str, value: Any) -> Any:
    """Return the value of an event's variable with its JSON type: lists and objects too.

    Source: SendPulse knowledge base, "How to send an event to Automation 360".

    :raises InvalidRequest: for a value that JSON cannot hold
    """
    return plain(f"variable {name!r}", value)


__all__ = ["contact_variable", "event_variable"]
