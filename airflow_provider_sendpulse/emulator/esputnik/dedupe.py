# SPDX-License-Identifier: Apache-2.0
"""Which contact an imported one is (eSputnik API: matching rules)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airflow_provider_sendpulse.emulator.esputnik.contact_data import ContactData
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts

DedupeOn = Literal["email", "sms", "push", "webpush", "email_or_sms", "id", "externalCustomerId", "fieldId"]


@dataclass(frozen=True)
class DedupeRule:
    """How the contacts of an import are found.

    Attributes:
        on: what identifies them.
        field_id: the additional field, where that identifies them.
        restore_deleted: whether deleted contacts come back; they are left out otherwise.
        external_id_only: whether an unknown ``externalCustomerId`` makes a new contact whatever ``on`` says.
    """

    on: DedupeOn
    field_id: int | None = None
    restore_deleted: bool = False
    external_id_only: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys to look at, in the order in which they are tried. The id is none of them."""
        return {
            "email": ("email",),
            "sms": ("sms",),
            "push": ("mobilepush", "webpush"),
            "webpush": ("webpush",),
            "email_or_sms": ("sms", "email"),
            "id": (),
            "externalCustomerId": ("externalCustomerId",),
            "fieldId": (f"field:{self.field_id}",),
        }[self.on]

    def value(self, data: ContactData) -> str:
        """Return what identifies a contact, empty if it says nothing of it."""
        if self.on == "id":
            return "" if data.id is None else str(data.id)
        found = (value for key in self.keys for value in _values(data, key))
        return next(found, "")


@dataclass(frozen=True)
class Match:
    """What was found: a contact to update, or none; without one a new contact is made unless it is skipped."""

    contact: Contact | None = None
    is_skipped: bool = False


NEW = Match()
SKIPPED = Match(is_skipped=True)


def match(contacts: Contacts, data: ContactData, rule: DedupeRule) -> Match:
    """Find the contact that data of an import belongs to."""
    if not data.external_id:
        return _first(_sharing(contacts, data, rule), _sharing(contacts, data, rule, deleted=True), rule)
    known = contacts.find("externalCustomerId", data.external_id)
    gone = contacts.find("externalCustomerId", data.external_id, deleted=True)
    if known or gone:
        return _first(known, gone, rule)
    if rule.external_id_only or rule.on == "externalCustomerId":
        return NEW
    sharing = _sharing(contacts, data, rule)
    free = [contact for contact in sharing if not contact.external_id]
    if sharing and not free:
        return NEW  # all of them are somebody else
    gone = [contact for contact in _sharing(contacts, data, rule, deleted=True) if not contact.external_id]
    return _first(free, gone, rule)


def _first(known: list[Contact], gone: list[Contact], rule: DedupeRule) -> Match:
    if known:
        return Match(known[0])
    if gone:
        return Match(gone[0]) if rule.restore_deleted else SKIPPED
    return SKIPPED if rule.on == "id" else NEW


def _sharing(contacts: Contacts, data: ContactData, rule: DedupeRule, *, deleted: bool = False) -> list[Contact]:
    """Return the contacts with the same key, the one that was changed last first."""
    if rule.on == "id":
        contact = contacts.get(data.id or 0, or_deleted=True)
        return [contact] if contact is not None and contact.is_deleted == deleted else []
    for key in rule.keys:
        found = [contact for value in _values(data, key) for contact in contacts.find(key, value, deleted=deleted)]
        if found:
            return found
    return []


def _values(data: ContactData, key: str) -> list[str]:
    if key == "externalCustomerId":
        return [data.external_id] if data.external_id else []
    if key.startswith("field:"):
        number = int(key.removeprefix("field:"))
        return [data.fields[number]] if number in data.fields else []
    return data.keys(key)
