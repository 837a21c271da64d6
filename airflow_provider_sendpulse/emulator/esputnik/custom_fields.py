# SPDX-License-Identifier: Apache-2.0
"""Additional fields of contacts (eSputnik API: address books)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ADDRESS_BOOK = 7200
TYPES = ("TEXTFIELD", "COMBOBOX", "CHECKBOXLIST", "TEXTAREA", "DATE", "NUMBER", "DATETIME", "DECIMAL", "TAGS")
_DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%y", "%d.%m.%Y")
_LONGEST = {"TEXTFIELD": 1000, "TEXTAREA": 5000}


@dataclass(frozen=True)
class CustomField:
    """One additional field."""

    id: int
    name: str
    key: str
    type: str
    group: str = "Personal"
    allowed_values: tuple[str, ...] = ()

    @property
    def profile_key(self) -> str:
        """The key of the group the field belongs to."""
        return re.sub(r"\W+", "_", self.group).upper()

    def check(self, value: str) -> str | None:
        """Return what is wrong with a value, None if it fits."""
        fits = True
        if self.type in _LONGEST:
            fits = len(value) <= _LONGEST[self.type]
        elif self.type == "NUMBER":
            fits = re.fullmatch(r"[+-]?\d+", value) is not None and -(2**31) <= int(value) < 2**31
        elif self.type == "DECIMAL":
            fits = re.fullmatch(r"[+-]?\d+(\.\d+)?", value) is not None
        elif self.type == "DATE":
            fits = any(_is_date(value, form) for form in _DATE_FORMATS)
        elif self.type == "DATETIME":
            fits = _is_date(value, "%Y-%m-%dT%H:%M")
        elif self.type == "COMBOBOX":
            fits = value in self.allowed_values
        elif self.type == "CHECKBOXLIST":
            fits = all(part.strip() in self.allowed_values for part in value.split(","))
        return None if fits else f"Value of field '{self.name}' has a wrong format"

    def as_dict(self) -> dict[str, Any]:
        """Return the field as the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "fieldKey": self.key,
            "description": {
                "type": self.type,
                "required": False,
                "readonly": False,
                "allowedValues": {"possibleValues": list(self.allowed_values)},
            },
        }


class CustomFields:
    """The additional fields of an account; it has a few from the start."""

    def __init__(self) -> None:
        self._fields: dict[int, CustomField] = {}
        self.create("Birthday", "BIRTHDAY", "DATE")
        self.create("Loyalty points", "POINTS", "NUMBER")
        self.create("City of the shop", "SHOP", "COMBOBOX", "Shop", ("Kyiv", "Lviv", "Odesa"))
        self.create("Note", "NOTE", "TEXTFIELD")

    def __iter__(self) -> Iterator[CustomField]:
        return iter(list(self._fields.values()))

    def create(
        self, name: str, key: str, kind: str, group: str = "Personal", allowed_values: tuple[str, ...] = ()
    ) -> CustomField:
        """Make a field."""
        if kind not in TYPES:
            raise ValueError(f"a field is one of {', '.join(TYPES)}")
        field = CustomField(30001 + len(self._fields), name, key, kind, group, allowed_values)
        self._fields[field.id] = field
        return field

    def get(self, field_id: int) -> CustomField | None:
        """Return the field with this id."""
        return self._fields.get(field_id)

    def by_keys(self, profile_key: str, key: str) -> CustomField | None:
        """Return the field that a column of a file names as ``profileKey.fieldKey``."""
        return next((field for field in self if (field.profile_key, field.key) == (profile_key, key)), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the address book as the API shows it."""
        groups: dict[str, dict[str, Any]] = {}
        for field in self:
            group = groups.setdefault(field.group, {"name": field.group, "profileKey": field.profile_key, "fields": []})
            group["fields"].append(field.as_dict())
        book = {"addressBookId": ADDRESS_BOOK, "name": "Contacts", "fieldGroups": list(groups.values())}
        return {"addressBook": [book]}


def _is_date(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only its form is of interest
    except ValueError:
        return False
    return True
