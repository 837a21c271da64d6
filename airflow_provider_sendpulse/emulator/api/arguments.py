# SPDX-License-Identifier: Apache-2.0
"""Arguments that several calls share."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call
from airflow_provider_sendpulse.emulator.contacts import clean_address, is_address
from airflow_provider_sendpulse.emulator.errors import invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.state import State


def email_entries(state: State, call: Call) -> Any:
    """Read the ``emails`` argument; older clients send it as JSON inside a string."""
    entries = call.fields.get("emails")
    if isinstance(entries, str):
        if state.settings.strict_emails:
            raise wrong_type("emails", "array")
        try:
            entries = json.loads(entries)
        except ValueError:
            raise wrong_type("emails", "array") from None
    return entries


def addresses(state: State, call: Call) -> list[str]:
    """Read the ``emails`` argument as a list of addresses."""
    entries = email_entries(state, call)
    if entries is None:
        raise missing("emails")
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise wrong_type("emails", "array")
    return [clean_address(entry) for entry in entries]


def address(call: Call) -> str:
    """Read the ``email`` argument."""
    email = call.text("email")
    if not is_address(email.strip()):
        raise invalid("Email is not valid", 17)
    return clean_address(email)
