# SPDX-License-Identifier: Apache-2.0
"""Arguments that several calls share."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call
from airflow_provider_sendpulse.emulator.contacts import clean_address, is_address
from airflow_provider_sendpulse.emulator.errors import invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.php_serialized import decoded
from airflow_provider_sendpulse.emulator.state import State

LANGUAGES = ("ru", "en", "ua", "tr", "es", "pt")


def email_entries(state: State, call: Call) -> Any:
    """Read the ``emails`` argument; older clients send it as a string, in JSON or as PHP serializes it."""
    entries = call.fields.get("emails")
    if isinstance(entries, str):
        if state.settings.strict_emails:
            raise wrong_type("emails", "array")
        try:
            entries = decoded(entries)
        except ValueError:
            raise wrong_type("emails", "array") from None
    return entries


def tag_ids(call: Call, *, required: bool = False) -> list[int]:
    """Read the ``tags`` argument, a list of whole numbers."""
    ids = call.fields.get("tags")
    if ids is None and not required:
        return []
    if ids is None:
        raise missing("tags")
    if not isinstance(ids, list) or any(isinstance(entry, bool) or not isinstance(entry, int) for entry in ids):
        raise wrong_type("tags", "array")
    return ids


def addresses(state: State, call: Call) -> list[str]:
    """Read the ``emails`` argument as a list of addresses."""
    entries = email_entries(state, call)
    if entries is None:
        raise missing("emails")
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise wrong_type("emails", "array")
    return [clean_address(entry) for entry in entries]


def flag(call: Call, name: str) -> bool:
    """Read a truth value of the body, false when it is not there."""
    value = call.fields.get(name, False)
    if not isinstance(value, bool):
        raise wrong_type(name, "boolean")
    return value


def address(call: Call) -> str:
    """Read the ``email`` argument."""
    email = call.text("email")
    if not is_address(email.strip()):
        raise invalid("Email is not valid", 17)
    return clean_address(email)
