# SPDX-License-Identifier: Apache-2.0
"""A contact as a call describes it: read, checked, and written to a contact (eSputnik API: contact)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.esputnik.contacts import ADDRESS, CHANNELS, VALUES, Contact
from airflow_provider_sendpulse.emulator.esputnik.custom_fields import CustomFields

LONGEST_NAME = 40
_NAME = re.compile(r"[^\W\d_]?[\w'’ʼ`. -]*")


class InvalidContact(ValueError):
    """A contact cannot be taken as it is described."""


@dataclass(frozen=True)
class ContactData:
    """What a call says of a contact.

    Attributes:
        values: members with one value each that the call names; None takes a value away.
        channels: the channels by type.
        fields: values of additional fields by id.
        address_book_id: the catalog, None if the call does not say it.
        id: the contact's id, where the call names it.
    """

    values: dict[str, Any]
    channels: dict[str, list[dict[str, Any]]]
    fields: dict[int, str]
    address_book_id: int | None = None
    id: int | None = None

    @property
    def external_id(self) -> str:
        """The caller's own id, empty if there is none."""
        return str(self.values.get("externalCustomerId") or "")

    def keys(self, kind: str) -> list[str]:
        """Return the values of the channels of one type."""
        return [str(channel["value"]) for channel in self.channels.get(kind, [])]


def read_contact(entry: Any, fields: CustomFields, *, needs_channel: bool = True) -> ContactData:
    """Read one contact; members that nobody knows are left out without a word.

    :raises InvalidContact: it has no channel, or a value is not one
    """
    if not isinstance(entry, dict):
        raise InvalidContact("Contact must be an object")
    channels = _channels(entry.get("channels"))
    if needs_channel and not channels:
        raise InvalidContact("Contact must have at least one channel")
    address = entry.get("address")
    if address is not None and not isinstance(address, dict):
        raise InvalidContact("Address must be an object")
    given = {name: value for name, value in entry.items() if name not in ADDRESS}
    given |= {name: value for name, value in (address or {}).items() if name in ADDRESS}
    values = {name: _value(name, given[name]) for name in VALUES if name in given}
    return ContactData(
        values,
        channels,
        _fields(entry.get("fields"), fields),
        _number(entry.get("addressBookId")),
        _number(entry.get("id")),
    )


def write_given(contact: Contact, data: ContactData, *, keep_channels: bool) -> None:
    """Write what a call on one contact says, and nothing else.

    :param keep_channels: leave channels of types that the contact has as they are
    """
    for name, value in data.values.items():
        _set(contact, name, value)
    for kind, channels in data.channels.items():
        if not (keep_channels and contact.channels.get(kind)):
            contact.channels[kind] = [dict(channel) for channel in channels]
    _write_fields(contact, data, lambda _: True)
    if data.address_book_id is not None:
        contact.address_book_id = data.address_book_id


def write_imported(
    contact: Contact,
    data: ContactData,
    names: frozenset[str] | None,
    field_ids: frozenset[int],
    keys: frozenset[str],
    *,
    is_new: bool,
) -> None:
    """Write a contact of an import: a member that is written and has no data is emptied.

    :param names: members to write, None for all of them
    :param field_ids: additional fields to write
    :param keys: members that contacts are found by; they stay as they are once they have a value
    :param is_new: the contact has just been made, and gets what it will be found by in any case
    """
    for name in VALUES:
        is_own = name in keys and name in contact.values
        if (names is None or name in names) and not is_own:
            _set(contact, name, data.values.get(name))
    for kind in ("email", "sms", "mobilepush", "webpush"):
        is_own = kind in keys and bool(contact.channels.get(kind))
        if (names is None or kind in names or (is_new and kind in keys)) and not is_own:
            contact.channels[kind] = [dict(channel) for channel in data.channels.get(kind, [])]
            if not contact.channels[kind]:
                del contact.channels[kind]
    for kind, channels in data.channels.items():
        # Channels that no list can name are only ever added.
        if kind not in ("email", "sms", "mobilepush", "webpush"):
            contact.channels[kind] = [dict(channel) for channel in channels]
    for number in field_ids - data.fields.keys():
        contact.fields.pop(number, None)
    _write_fields(contact, data, lambda number: number in field_ids or (is_new and f"field:{number}" in keys))


def _write_fields(contact: Contact, data: ContactData, is_written: Callable[[int], bool]) -> None:
    for number, value in data.fields.items():
        if is_written(number):
            contact.fields[number] = value


def _set(contact: Contact, name: str, value: Any) -> None:
    if value is None:
        contact.values.pop(name, None)
    else:
        contact.values[name] = value


def _channels(entries: Any) -> dict[str, list[dict[str, Any]]]:
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise InvalidContact("Channels must be an array")
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("type") not in CHANNELS:
            raise InvalidContact(f"Channel type must be one of {', '.join(CHANNELS)}")
        kind, value = entry["type"], entry.get("value")
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if kind == "email" and not is_address(text):
            raise InvalidContact(f"{text} is not valid email")
        if kind in ("sms", "viber") and not is_phone_number(text):
            raise InvalidContact(f"{text} is not valid phone number")
        if not text:
            raise InvalidContact("Channel has no value")
        more = {name: item for name, item in entry.items() if name in ("device", "webPushSubscription")}
        found.setdefault(kind, []).append({"type": kind, "value": text, **more})
    if any(len(channels) > 2 for channels in found.values()):
        raise InvalidContact("Contact may not have more than 2 channels of one type")
    return found


def is_phone_number(text: str) -> bool:
    """Whether a text is a telephone number in international form; the sign and spaces do not matter."""
    return re.fullmatch(r"\+?[\d ()-]+", text) is not None and 9 <= len(re.sub(r"\D", "", text)) <= 15


def _value(name: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if name == "ordersInfo":
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidContact(f"{name} must be a string")
    text = str(value)
    if name in ("firstName", "lastName"):
        _check_name(name, text)
    return text


def _check_name(name: str, text: str) -> None:
    words = text.split()
    is_too_long = name == "firstName" and (
        sum(len(word) > 3 for word in words) > 3 or sum(len(word) <= 3 for word in words) > 3
    )
    if (
        len(text) > LONGEST_NAME
        or is_too_long
        or not any(letter.isalpha() for letter in text)
        or sum(letter.isdigit() for letter in text) > 3
        or _NAME.fullmatch(text) is None
    ):
        raise InvalidContact(f"{name} is not valid")


def _fields(entries: Any, known: CustomFields) -> dict[int, str]:
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise InvalidContact("Fields must be an array")
    found = {}
    for entry in entries:
        number = _number(entry.get("id")) if isinstance(entry, dict) else None
        if number is None:
            raise InvalidContact("Field must have a numeric id")
        field, value = known.get(number), entry.get("value")
        if field is None or value is None or value == "":
            continue
        if isinstance(value, bool | dict | list):
            raise InvalidContact(f"Value of field '{field.name}' must be a string")
        text = str(value)
        problem = field.check(text)
        if problem is not None:
            raise InvalidContact(problem)
        found[field.id] = text
    return found


def _number(value: Any) -> int | None:
    """Read a whole number, which may be written as text."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
