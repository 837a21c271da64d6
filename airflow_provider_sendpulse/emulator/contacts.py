# SPDX-License-Identifier: Apache-2.0
"""Contacts and their variables (SendPulse API: mailing lists)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, malformed_contacts, missing, wrong_type
from airflow_provider_sendpulse.emulator.statuses import NEW_CONTACT

VARIABLE_TYPES = ("string", "number", "date")
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PHONE = re.compile(r"\+?[0-9 ()-]{7,20}")


@dataclass
class Contact:
    """One address in one book.

    Attributes:
        written: the address as it was when it was added.
    """

    email: str
    added_at: datetime
    status: int = NEW_CONTACT
    variables: dict[str, Any] = field(default_factory=dict)
    phone: str = ""
    source: str = "panel"
    written: str = ""

    def shown(self, case: str) -> str:
        """Return the address as answers have it: in lower case, or as it was written (``keep``)."""
        return self.written if case == "keep" and self.written else self.email


@dataclass(frozen=True)
class NewContact:
    """One entry of an add call, checked."""

    email: str
    variables: dict[str, Any]
    phone: str | None = None
    written: str = ""


def is_address(text: object) -> bool:
    """Whether the text looks like an e-mail address."""
    return isinstance(text, str) and len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def is_phone(text: object) -> bool:
    """Whether the text looks like a telephone number."""
    return isinstance(text, str | int) and _PHONE.fullmatch(str(text)) is not None


def clean_address(text: str) -> str:
    """Bring an address into the form under which it is kept: case makes no difference."""
    return text.strip().lower()


def type_of(value: Any) -> str:
    """Return the type a variable gets from its first value. Text that looks like a date stays text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if is_number else "string"


def check_value(value: Any, variable_type: str) -> None:
    """Refuse a value that its variable's type cannot hold."""
    if isinstance(value, dict | list):
        raise invalid("Variable value wrong format")
    if variable_type == "number":
        try:
            float(value)
        except (TypeError, ValueError):
            raise invalid("Variable value wrong format") from None
    elif variable_type == "date":
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise invalid("Variable value wrong format")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise invalid("Variable value wrong format") from None


def check_number_of_contacts(count: int, most: int | None, how: str) -> None:
    """Refuse more contacts than one add call takes.

    No limit is documented; the texts are those of the calls that have one, the HTTP status is what a server in front of
    the API would say of a large body.
    """
    if most is None or count <= most:
        return
    if how == "http":
        raise Refusal(413, 413, "Request Entity Too Large")
    raise invalid(f"Argument emails may not have more than {most} items" if how == "items" else f"{_EXCEEDED} {most}")


_EXCEEDED = "Limit is exceeded. Max count:"


def read_new_contacts(entries: Any, *, lists_allowed: bool) -> list[NewContact]:
    """Read the ``emails`` of an add call: addresses, or objects with an address and variables.

    Addresses that are no addresses are left out without a word, as the answer has no place for them.
    """
    if entries is None:
        raise missing("emails")
    if isinstance(entries, dict):
        # One object in place of a list is a known mistake, and has its own code.
        raise malformed_contacts()
    if not isinstance(entries, list):
        raise wrong_type("emails", "array")
    if not entries:
        raise missing("emails")
    contacts = [_read_new_contact(entry, lists_allowed=lists_allowed) for entry in entries]
    return [contact for contact in contacts if is_address(contact.email)]


def _read_new_contact(entry: Any, *, lists_allowed: bool) -> NewContact:
    if isinstance(entry, str):
        return NewContact(clean_address(entry), {}, written=entry.strip())
    if not isinstance(entry, dict) or not isinstance(entry.get("email"), str):
        raise malformed_contacts()
    variables = entry.get("variables")
    if isinstance(variables, list) and (not variables or lists_allowed):
        variables = {item["name"]: item.get("value") for item in variables if isinstance(item, dict)}
    if variables is None:
        variables = {}
    if not isinstance(variables, dict):
        raise malformed_contacts()
    values = {str(name): value for name, value in variables.items() if name.lower() != "phone"}
    phone = next((value for name, value in variables.items() if name.lower() == "phone"), None)
    email = entry["email"]
    return NewContact(clean_address(email), values, None if phone is None else str(phone), email.strip())
