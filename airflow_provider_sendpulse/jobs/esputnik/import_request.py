# SPDX-License-Identifier: Apache-2.0
"""What every batch of an import is sent with, and what tells its rows apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import StartedImport
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import Contacts
from airflow_provider_sendpulse.jobs.esputnik.recognition import Recognition
from airflow_provider_sendpulse.jobs.position import binding
from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What every batch is imported with.

    :param contacts: makes contacts of rows
    :param recognition: what tells them apart
    :raises InvalidRequest: for a segment to join and to leave, or an event key that the service does not take
    """

    contacts: Contacts
    recognition: Recognition
    group_names: Sequence[str] = ()
    group_names_exclude: Sequence[str] = ()
    restore_deleted: bool = False
    event_key_for_new_contacts: str | None = None

    def __post_init__(self) -> None:
        import_sessions.membership(
            self.contacts.custom_field_ids,
            self.group_names,
            self.group_names_exclude,
            self.restore_deleted,
            self.event_key_for_new_contacts,
        )

    def call(self, contacts: Sequence[Contact]) -> Call[StartedImport]:
        """Return the call that imports contacts."""
        return import_sessions.start(
            contacts,
            dedupe_on=self.recognition.dedupe_on,
            field_id=self.recognition.field_id,
            contact_fields=self.contacts.mapping.contact_fields,
            custom_field_ids=self.contacts.custom_field_ids,
            group_names=self.group_names,
            group_names_exclude=self.group_names_exclude,
            restore_deleted=self.restore_deleted,
            event_key_for_new_contacts=self.event_key_for_new_contacts,
        )

    def key(self, person: Person) -> Key:
        """Return what a row is recognised by.

        :raises InvalidRequest: when it cannot be imported
        """
        if not self.contacts.is_confirmed(person):
            raise InvalidRequest(
                "not confirmed, and an import makes contacts confirmed: EsputnikSubscribeContactOperator asks them first"
            )
        contact = self.contacts.contact(person)
        if self.contacts.mapping.external_customer_id and not contact.external_customer_id:
            raise InvalidRequest(
                "no external id, and writing none would take the contact's own away: import such rows with a mapping that "
                "does not name it"
            )
        key = self.recognition.key(contact)
        self.call([contact])
        return Key(key, key.partition(" ")[2])

    def binding(self, account: str, audience: Audience) -> str:
        """Return a text for all that makes the import of a row what it is."""
        parts: dict[str, Any] = {
            "account": account,
            "mapping": audience.mapping,
            "dedupe_on": str(self.recognition.dedupe_on),
            "field_id": self.recognition.field_id or 0,
            "fields": ",".join(map(str, self.contacts.custom_field_ids)),
            "join": "\n".join(self.group_names),
            "leave": "\n".join(self.group_names_exclude),
            "restore": self.restore_deleted,
            "event": self.event_key_for_new_contacts or "",
        }
        return binding(**parts)


__all__ = ["ImportRequest"]
