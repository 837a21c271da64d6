# SPDX-License-Identifier: Apache-2.0
"""The contacts of an account, found by any of their keys (eSputnik API: contact)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CHANNELS = ("email", "sms", "viber", "mobilepush", "webpush", "appinbox", "widget", "inapp")
ADDRESS = ("region", "town", "address", "postcode")
VALUES = (
    "firstName",
    "lastName",
    "contactKey",
    "ordersInfo",
    "languageCode",
    "timeZone",
    "externalCustomerId",
    *ADDRESS,
)
"""Members of a contact with one value each; those of its address are counted here too."""

FIRST_CONTACT = 500000001


@dataclass
class Contact:
    """One contact.

    Attributes:
        values: members with one value each, by the API's name; those without a value are not in it.
        channels: by type, each with ``type`` and ``value`` and what else it came with.
        fields: values of additional fields, by the field's id.
        segments: ids of the static segments the contact is in.
        source: how it came: ``subscription form``, ``contact import``, ``API``, ``single message``, ``orders``, ``panel``.
        is_confirmed: whether its e-mail address may get bulk mail.
        version: grows with every change of any contact.
    """

    id: int
    source: str
    created_at: datetime
    updated_at: datetime
    is_confirmed: bool = True
    is_deleted: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fields: dict[int, str] = field(default_factory=dict)
    segments: set[int] = field(default_factory=set)
    subscriptions: set[str] = field(default_factory=set)
    address_book_id: int | None = None
    version: int = 0

    @property
    def email(self) -> str:
        """The first e-mail address, empty if there is none."""
        return self.channel("email")

    @property
    def phone(self) -> str:
        """The first telephone number, empty if there is none."""
        return self.channel("sms")

    @property
    def external_id(self) -> str:
        """The caller's own id, empty if there is none."""
        return str(self.values.get("externalCustomerId", ""))

    def channel(self, kind: str) -> str:
        """Return the value of the first channel of a type, empty if there is none."""
        return next((str(channel["value"]) for channel in self.channels.get(kind, [])), "")

    def basic(self) -> dict[str, Any]:
        """Return the contact as a search shows it."""
        shown: dict[str, Any] = {name: self.values[name] for name in ("firstName", "lastName") if name in self.values}
        shown["channels"] = [dict(channel) for channels in self.channels.values() for channel in channels]
        shown["fields"] = [{"id": number, "value": value} for number, value in self.fields.items()]
        if self.address_book_id is not None:
            shown["addressBookId"] = self.address_book_id
        return {**shown, "id": self.id}

    def full(self) -> dict[str, Any]:
        """Return the contact as a read shows it, without its segments."""
        address = {name: self.values[name] for name in ADDRESS if name in self.values}
        others = {name: value for name, value in self.values.items() if name not in ADDRESS}
        return {**self.basic(), **others, **({"address": address} if address else {})}

    def as_dict(self) -> dict[str, Any]:
        """Return all that is known of the contact, for assertions."""
        return {
            **self.full(),
            "source": self.source,
            "confirmed": self.is_confirmed,
            "deleted": self.is_deleted,
            "segments": sorted(self.segments),
            "subscriptions": sorted(self.subscriptions),
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class Contacts:
    """All contacts, deleted ones included. Say :meth:`changed` after every change of one."""

    def __init__(self) -> None:
        self._contacts: dict[int, Contact] = {}
        self._by_key: dict[tuple[str, str], dict[int, None]] = {}
        self._keys: dict[int, set[tuple[str, str]]] = {}
        self._last_id = FIRST_CONTACT - 1
        self._version = 0

    def __iter__(self) -> Iterator[Contact]:
        """Go through the contacts that are not deleted."""
        return iter([contact for contact in self._contacts.values() if not contact.is_deleted])

    def __len__(self) -> int:
        return sum(not contact.is_deleted for contact in self._contacts.values())

    def create(self, source: str, at: datetime, *, is_confirmed: bool = True) -> Contact:
        """Make a contact that has nothing yet."""
        self._last_id += 1
        contact = Contact(self._last_id, source, at, at, is_confirmed)
        self._contacts[contact.id] = contact
        self.changed(contact, at)
        return contact

    def changed(self, contact: Contact, at: datetime) -> None:
        """Note that a contact was changed, so that it is found by its new keys."""
        contact.updated_at = at
        self._version += 1
        contact.version = self._version
        keys = _keys(contact)
        for key in self._keys.get(contact.id, set()) - keys:
            self._by_key[key].pop(contact.id, None)
        for key in keys:
            self._by_key.setdefault(key, {})[contact.id] = None
        self._keys[contact.id] = keys

    def erase(self, contact: Contact) -> None:
        """Remove every trace of a contact."""
        for key in self._keys.pop(contact.id, set()):
            self._by_key[key].pop(contact.id, None)
        self._contacts.pop(contact.id, None)

    def get(self, contact_id: int, *, or_deleted: bool = False) -> Contact | None:
        """Return the contact with this id."""
        contact = self._contacts.get(contact_id)
        return None if contact is None or (contact.is_deleted and not or_deleted) else contact

    def find(self, kind: str, value: object, *, deleted: bool = False) -> list[Contact]:
        """Return the contacts with a key, the one that was changed last first.

        :param kind: a type of channel, ``externalCustomerId``, or ``field:`` with the id of an additional field
        :param deleted: those that are deleted instead of those that are not
        """
        ids = self._by_key.get((kind, normal(kind, value)), {})
        found = [contact for contact in (self._contacts[number] for number in ids) if contact.is_deleted == deleted]
        return sorted(found, key=lambda contact: contact.version, reverse=True)

    def one(self, kind: str, value: object) -> Contact | None:
        """Return the contact with a key that was changed last."""
        return next(iter(self.find(kind, value)), None)

    def everybody(self) -> list[Contact]:
        """Return all contacts, deleted ones included."""
        return list(self._contacts.values())


def normal(kind: str, value: object) -> str:
    """Return the form in which a key is compared."""
    text = str(value).strip()
    if kind == "email":
        return text.lower()
    return re.sub(r"\D", "", text) if kind in ("sms", "viber") else text


def _keys(contact: Contact) -> set[tuple[str, str]]:
    keys = {(kind, normal(kind, channel["value"])) for kind, channels in contact.channels.items() for channel in channels}
    if contact.external_id:
        keys.add(("externalCustomerId", normal("externalCustomerId", contact.external_id)))
    return keys | {(f"field:{number}", normal("field", value)) for number, value in contact.fields.items()}
