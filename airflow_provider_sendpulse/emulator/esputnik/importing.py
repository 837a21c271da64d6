# SPDX-License-Identifier: Apache-2.0
"""What an import does once its turn has come (eSputnik API: bulk add)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.contact_data import ContactData, write_imported
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts
from airflow_provider_sendpulse.emulator.esputnik.dedupe import DedupeRule, match
from airflow_provider_sendpulse.emulator.esputnik.events import Events
from airflow_provider_sendpulse.emulator.esputnik.segments import Segments


@dataclass(frozen=True)
class ImportPlan:
    """What an import call says beside its contacts.

    Attributes:
        names: members to write, None for all of them.
        field_ids: additional fields to write.
        join: names of segments to put the contacts into.
        leave: names of segments to take them out of.
        event_type: the event that every new contact causes, empty for none.
    """

    rule: DedupeRule
    names: frozenset[str] | None = None
    field_ids: frozenset[int] = frozenset()
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    event_type: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON, for assertions."""
        return {
            "dedupeOn": self.rule.on,
            "fieldId": self.rule.field_id,
            "restoreDeleted": self.rule.restore_deleted,
            "contactFields": None if self.names is None else sorted(self.names),
            "customFieldsIDs": sorted(self.field_ids),
            "groupNames": list(self.join),
            "groupNamesExclude": list(self.leave),
            "eventKeyForNewContacts": self.event_type,
        }


class Importing:
    """Writes imported contacts into an account."""

    def __init__(self, contacts: Contacts, segments: Segments, events: Events) -> None:
        self._contacts = contacts
        self._segments = segments
        self._events = events

    def carry_out(self, plan: ImportPlan, people: list[ContactData], at: datetime) -> list[dict[str, Any]]:
        """Add and update contacts, and return the mapping from what identifies them to their ids."""
        join = {segment.id for segment in self._segments.named(list(plan.join), at)}
        leave = {segment.id for segment in self._segments if segment.name in plan.leave and segment.type == "Static"}
        mapping = []
        for data in people:
            contact = self._write(plan, data, at)
            if contact is None:
                continue
            contact.segments -= leave
            contact.segments |= join
            mapping.append({"dedupeValue": plan.rule.value(data) or data.external_id, "contactId": contact.id})
        return mapping

    def _write(self, plan: ImportPlan, data: ContactData, at: datetime) -> Contact | None:
        found = match(self._contacts, data, plan.rule)
        if found.is_skipped:
            return None
        keys = set(plan.rule.keys)
        if data.external_id:
            keys.add("externalCustomerId")
        contact = found.contact or self._contacts.create("contact import", at)
        if data.external_id:
            contact.values["externalCustomerId"] = data.external_id
        contact.is_deleted = False
        # Who is imported counts as confirmed, whoever they were.
        contact.is_confirmed = True
        is_new = found.contact is None
        write_imported(contact, data, plan.names, plan.field_ids, frozenset(keys), is_new=is_new)
        self._contacts.changed(contact, at)
        if is_new and plan.event_type:
            self._events.imported(contact, plan.event_type, at)
        return contact
