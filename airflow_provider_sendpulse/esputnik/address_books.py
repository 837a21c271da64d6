# SPDX-License-Identifier: Apache-2.0
"""The address book, which the API calls catalog as well: the additional fields that contacts have.

Source: eSputnik API, "Get additional fields".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.esputnik import wire


@dataclass(frozen=True, slots=True)
class AdditionalField:
    """An additional field.

    :param type: such as ``TEXTFIELD`` or ``DATE``, always in capitals
    :param key: its key, unique in its group
    """

    id: int
    name: str
    key: str = ""
    type: str = ""
    required: bool = False
    readonly: bool = False
    possible_values: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Additional fields that stand together."""

    name: str
    profile_key: str = ""
    fields: tuple[AdditionalField, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AddressBook:
    """A set of additional fields."""

    id: int
    name: str
    groups: tuple[FieldGroup, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def fields(self) -> tuple[AdditionalField, ...]:
        """The additional fields of all groups."""
        return tuple(item for group in self.groups for item in group.fields)


def read() -> Call[list[AddressBook]]:
    """Return the account's address books; usually there is one."""
    return Call(
        method="GET",
        path="/v1/addressbooks",
        read=lambda answer: wire.listed(_book)(wire.record(answer)["addressBook"]),
        repeat=Repeat.ALWAYS,
    )


def _book(data: Mapping[str, Any]) -> AddressBook:
    return AddressBook(
        id=wire.integer(data["addressBookId"]),
        name=wire.text(data.get("name")),
        groups=tuple(wire.listed(_group)(data.get("fieldGroups"))),
        extra=wire.rest(data, "addressBookId", "name", "fieldGroups"),
    )


def _group(data: Mapping[str, Any]) -> FieldGroup:
    return FieldGroup(
        name=wire.text(data.get("name")),
        profile_key=wire.text(data.get("profileKey")),
        fields=tuple(wire.listed(_field)(data.get("fields"))),
        extra=wire.rest(data, "name", "profileKey", "fields"),
    )


def _field(data: Mapping[str, Any]) -> AdditionalField:
    description = wire.record(data.get("description") or {})
    allowed = wire.record(description.get("allowedValues") or {})
    return AdditionalField(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        key=wire.text(data.get("fieldKey")),
        type=wire.text(description.get("type")).upper(),
        required=wire.truth_or(description.get("required"), False),
        readonly=wire.truth_or(description.get("readonly"), False),
        possible_values=tuple(wire.text(item) for item in wire.as_list(allowed.get("possibleValues"))),
        extra={
            **wire.rest(data, "id", "name", "fieldKey", "description"),
            **wire.rest(description, "type", "required", "readonly", "allowedValues"),
            **wire.rest(allowed, "possibleValues"),
        },
    )


__all__ = ["AdditionalField", "AddressBook", "FieldGroup", "read"]
