# SPDX-License-Identifier: Apache-2.0
"""Many contacts at once. Source: eSputnik API, "Add/update contacts" and "Get contacts import status".

An import is carried out in minutes, as a session of its own, and several may overtake one another: no contact belongs into
two that are under way. New contacts are confirmed at once; a form for opting in calls for
:func:`~airflow_provider_sendpulse.esputnik.contacts.subscribe` instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.contact_data import Contact, contact
from airflow_provider_sendpulse.esputnik.keys import event_type_key
from airflow_provider_sendpulse.esputnik.statuses import ImportStatus
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_CONTACTS = 3000
"""Contacts that one import can hold."""

CONTACT_FIELDS = frozenset(
    {
        "firstName",
        "lastName",
        "contactKey",
        "ordersInfo",
        "languageCode",
        "timeZone",
        "email",
        "sms",
        "mobilepush",
        "webpush",
        "address",
        "town",
        "region",
        "postcode",
        "externalCustomerId",
    }
)
"""What ``contact_fields`` can name."""


class DedupeOn(StrEnum):
    """What tells whether two contacts are the same; it is itself never updated.

    A contact that carries an external id is looked for by that first, whatever is named here.
    """

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    EMAIL_OR_SMS = "email_or_sms"
    ID = "id"
    EXTERNAL_CUSTOMER_ID = "externalCustomerId"
    FIELD_ID = "fieldId"


@dataclass(frozen=True, slots=True)
class FailedContact:
    """A contact that an import refused at once. Neither it nor the reason shows in a ``repr``."""

    contact: Contact = field(repr=False)
    error: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartedImport:
    """What the service made of an import.

    :param session_id: to ask for its status with; ``None`` when every contact was refused at once
    :param failed: contacts that are not in the session
    :param error_message: what the service said of the import as a whole, though it took it; without what is known of people
    """

    session_id: str | None
    failed: tuple[FailedContact, ...] = ()
    error_message: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which contact a key belongs to.

    :param dedupe_value: what contacts were told apart by
    """

    dedupe_value: str = field(repr=False)
    contact_id: int


@dataclass(frozen=True, slots=True)
class ImportSession:
    """How far an import is.

    :param status: see :class:`~airflow_provider_sendpulse.esputnik.statuses.ImportStatus`; empty when the service
        says nothing of the session, as if it did not know it
    :param timestamp: when it got that status, ISO 8601
    :param mapping: the contacts that were added or updated; those that were skipped are absent
    """

    status: str
    timestamp: str = ""
    description: str = field(default="", repr=False)
    mapping: tuple[Mapped, ...] = field(default=(), repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def known_status(self) -> ImportStatus | None:
        """The documented status, or ``None``."""
        return ImportStatus.of(self.status)


def start(
    contacts: Sequence[Contact],
    *,
    dedupe_on: DedupeOn | str,
    contact_fields: Sequence[str],
    custom_field_ids: Sequence[int] = (),
    group_names: Sequence[str] = (),
    group_names_exclude: Sequence[str] = (),
    restore_deleted: bool = False,
    event_key_for_new_contacts: str | None = None,
    field_id: int | None = None,
) -> Call[StartedImport]:
    """Add contacts, or update those that are there already; 1 to :data:`MOST_CONTACTS`.

    A repeat does the contacts no harm, but is a session of its own, which the first one may overtake: so this is not
    repeated by itself, and whoever does waits until whatever has come of the first is over.

    :param contact_fields: the members to write, of :data:`CONTACT_FIELDS`. One that is named and that a contact lacks is
        cleared, and without this list the service would clear all that is absent: so it has to be said
    :param custom_field_ids: the additional fields to write; others stay as they are
    :param group_names: names of static segments that the contacts join
    :param group_names_exclude: names of segments that they leave
    :param restore_deleted: bring back contacts that were deleted; otherwise they are skipped
    :param event_key_for_new_contacts: type of an event to emit for every new contact
    :param field_id: the additional field that tells contacts apart, for :attr:`DedupeOn.FIELD_ID`
    :raises InvalidRequest: for no or too many contacts, a member or a key that the service does not know
    """
    if not 1 <= len(contacts) <= MOST_CONTACTS:
        raise InvalidRequest(f"An import holds 1 to {MOST_CONTACTS} contacts, not {len(contacts)}.")
    key = dedupe_key(dedupe_on, field_id)
    if unknown := sorted(set(contact_fields) - CONTACT_FIELDS):
        raise InvalidRequest(f"contact_fields names {', '.join(unknown)}, which eSputnik would silently ignore.")
    body = {
        "contacts": [item.body() for item in contacts],
        "dedupeOn": str(key),
        "contactFields": [*contact_fields],
        **wire.present(fieldId=field_id),
        **membership(custom_field_ids, group_names, group_names_exclude, restore_deleted, event_key_for_new_contacts),
    }
    private = tuple(value for item in contacts for value in item.private)
    return Call(
        method="POST",
        path="/v1/contacts",
        body=JsonBody(body),
        read=lambda answer: _started(answer, private),
        reaches_people=event_key_for_new_contacts is not None,
        private=private,
    )


def read(session_id: str) -> Call[ImportSession]:
    """Return how far an import is."""
    return Call(
        method="GET",
        path="/v1/importstatus/{session}",
        values={"session": session_id},
        read=_session,
        repeat=Repeat.ALWAYS,
    )


def dedupe_key(dedupe_on: DedupeOn | str, field_id: int | None = None) -> DedupeOn:
    """Return what tells contacts apart.

    :raises InvalidRequest: when the service does not know it, or the field's id is missing or too much
    """
    if dedupe_on not in [*DedupeOn]:
        raise InvalidRequest(f"dedupe_on is {dedupe_on!r}; eSputnik knows {', '.join(DedupeOn)}.")
    key = DedupeOn(dedupe_on)
    if (key is DedupeOn.FIELD_ID) != (field_id is not None):
        raise InvalidRequest(f"field_id belongs to dedupe_on={str(DedupeOn.FIELD_ID)!r}, and to nothing else.")
    return key


def membership(
    custom_field_ids: Sequence[int],
    group_names: Sequence[str],
    group_names_exclude: Sequence[str],
    restore_deleted: bool,
    event_key_for_new_contacts: str | None,
) -> dict[str, Any]:
    """Return the members of the body that are the same for contacts and for a file of them.

    :raises InvalidRequest: for an event key that the service does not take, or a segment to join and to leave
    """
    event_key = event_key_for_new_contacts
    if both := sorted({*group_names} & {*group_names_exclude}):
        raise InvalidRequest(f"Contacts cannot join and leave one segment: {', '.join(both)}.")
    if not isinstance(restore_deleted, bool):
        raise InvalidRequest(f"restore_deleted is {restore_deleted!r}; it is True or False.")
    return {
        "restoreDeleted": restore_deleted,
        **wire.present(
            customFieldsIDs=[*custom_field_ids] or None,
            groupNames=[*group_names] or None,
            groupNamesExclude=[*group_names_exclude] or None,
            eventKeyForNewContacts=None if event_key is None else event_type_key(event_key),
        ),
    }


def _started(answer: Any, private: tuple[str, ...]) -> StartedImport:
    data = wire.record(answer)
    started = StartedImport(
        session_id=wire.text_or_none(data.get("asyncSessionId")),
        failed=tuple(wire.listed(_failed)(data.get("failedContacts"))),
        error_message=redact(wire.text(data.get("errorMessage")), private=private),
        extra=wire.rest(data, "asyncSessionId", "failedContacts", "errorMessage"),
    )
    if started.session_id is None and not started.failed:
        raise LookupError("neither a session nor a failed contact")
    return started


def _failed(data: Mapping[str, Any]) -> FailedContact:
    return FailedContact(contact(wire.rest(data, "error")), wire.text(data.get("error")))


def _session(answer: Any) -> ImportSession:
    data = wire.record(answer)
    return ImportSession(
        status=wire.word(data.get("status")),
        timestamp=wire.text(data.get("timestamp")),
        description=wire.text(data.get("description")),
        mapping=tuple(wire.listed(_mapped)(data.get("mapping"))),
        extra=wire.rest(data, "status", "timestamp", "description", "mapping"),
    )


def _mapped(data: Mapping[str, Any]) -> Mapped:
    return Mapped(wire.text(data.get("dedupeValue")), wire.integer(data["contactId"]))


__all__ = [
    "CONTACT_FIELDS",
    "MOST_CONTACTS",
    "DedupeOn",
    "FailedContact",
    "ImportSession",
    "Mapped",
    "StartedImport",
    "dedupe_key",
    "membership",
    "read",
    "start",
]
