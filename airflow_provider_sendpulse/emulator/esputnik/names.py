# SPDX-License-Identifier: Apache-2.0
"""Names of events and forms, and what may not stand in them (eSputnik API: limits)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request

LONGEST_NAME = 100
_FORBIDDEN = frozenset("<>;'’‘\"“”`\\/|^?!,")


def read_name(member: str, value: Any, longest: int = LONGEST_NAME) -> str:
    """Return a name, or refuse it."""
    if not isinstance(value, str) or not value.strip():
        raise bad_request(f"{member} is required")
    if len(value) > longest:
        raise bad_request(f"{member} may not be longer than {longest} characters")
    if _FORBIDDEN & set(value):
        raise bad_request(f"{member} contains forbidden characters")
    return value
