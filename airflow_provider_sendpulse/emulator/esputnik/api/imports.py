# SPDX-License-Identifier: Apache-2.0
"""Imports: in one call, or from a file at a URL, and how far they are (eSputnik API: bulk add, upload, import status)."""

from __future__ import annotations

import uuid
from typing import Any, cast, get_args

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contact_data import ContactData, InvalidContact, read_contact
from airflow_provider_sendpulse.emulator.esputnik.contacts import VALUES
from airflow_provider_sendpulse.emulator.esputnik.dates import write_date
from airflow_provider_sendpulse.emulator.esputnik.dedupe import DedupeOn, DedupeRule
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found
from airflow_provider_sendpulse.emulator.esputnik.files import FileRefused, fetch, read_file, without_login
from airflow_provider_sendpulse.emulator.esputnik.importing import ImportPlan
from airflow_provider_sendpulse.emulator.esputnik.names import read_name
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped
from airflow_provider_sendpulse.emulator.settings import ImportOutcome

MOST_CONTACTS = 3000
WRITABLE = frozenset({*VALUES, "email", "sms", "mobilepush", "webpush"})
_FILE_RULES = ("email", "sms", "email_or_sms", "id")


def add(account: Esputnik, call: Call) -> dict[str, Any]:
    """Accept up to 3000 contacts, to be added or updated later."""
    entries = call.items("contacts")
    if not entries:
        raise bad_request("contacts is required")
    if len(entries) > MOST_CONTACTS:
        raise bad_request(f"contacts may not have more than {MOST_CONTACTS} items")
    plan = _plan(account, call, _rule(account, call, get_args(DedupeOn)))
    people, failed = [], []
    for entry in entries:
        try:
            people.append(_person(account, entry, plan.rule))
        except InvalidContact as error:
            failed.append({**(entry if isinstance(entry, dict) else {}), "error": str(error)})
    outcome = _next_outcome(account)
    if outcome == "REFUSED":
        return {"id": 0, "errorMessage": "Contacts cannot be imported now"}
    session = account.imports.start(plan, people, outcome)
    answer: dict[str, Any] = {"id": 0, "asyncSessionId": session.id}
    if failed:
        answer["failedContacts"] = failed
    return shaped(account.settings, answer, "failedContacts")


def status(account: Esputnik, call: Call) -> dict[str, Any]:
    """Tell how far an import is."""
    settings, number = account.settings, call.path_text("session_id")
    session = account.imports.get(number)
    if session is None:
        if settings.esputnik_unknown_session == "not_found":
            raise not_found("Import session", number)
        unknown = {"status": "ERROR", "description": "Unknown import session"}
        return unknown if settings.esputnik_unknown_session == "error" else {}
    account.imports.note_read(session)
    answer: dict[str, Any] = {
        "status": session.status,
        "timestamp": write_date(session.entered_at, settings.time_zone, "%Y-%m-%dT%H:%M:%S%z"),
    }
    if session.description:
        answer["description"] = session.description
    if session.status == "FINISHED":
        answer["mapping"] = session.mapping
    return shaped(settings, answer, *(("mapping",) if settings.esputnik_collapse_mapping else ()))


def fetch_file(call: Call) -> bytes | FileRefused:
    """Fetch the file that an upload names, before the account is asked anything."""
    try:
        return fetch(call.text("link"))
    except FileRefused as refused:
        return refused


def upload(account: Esputnik, call: Call) -> dict[str, Any]:
    """Accept a file of contacts, to be added or updated later."""
    rule = _rule(account, call, _FILE_RULES)
    number = str(uuid.uuid4())
    try:
        if isinstance(call.prepared, FileRefused):
            raise call.prepared
        table = read_file(call.prepared, account.fields)
    except FileRefused as refused:
        return {"message": str(refused), "fileId": number, "valid": False}
    plan = _plan(account, call, rule, names=table.names, field_ids=table.field_ids)
    people = [person for person in table.people if rule.value(person)]
    session = account.imports.start(plan, people, _next_outcome(account), without_login(call.text("link")))
    return {"message": "File has been accepted", "importId": session.id, "fileId": number, "valid": True}


def _person(account: Esputnik, entry: Any, rule: DedupeRule) -> ContactData:
    data = read_contact(entry, account.fields)
    if not data.external_id and not rule.value(data):
        raise InvalidContact(f"Contact has no value of {rule.on}")
    return data


def _rule(account: Esputnik, call: Call, known: tuple[str, ...]) -> DedupeRule:
    on = call.text("dedupeOn")
    if on not in known:
        raise bad_request(f"dedupeOn must be one of {', '.join(known)}")
    field_id = call.fields.get("fieldId")
    if on == "fieldId" and (not str(field_id).isdecimal() or account.fields.get(int(str(field_id))) is None):
        raise bad_request("fieldId must be the id of an additional field")
    return DedupeRule(
        cast(DedupeOn, on),
        int(str(field_id)) if on == "fieldId" else None,
        call.flag("restoreDeleted"),
        account.settings.esputnik_external_id == "only",
    )


def _plan(
    account: Esputnik,
    call: Call,
    rule: DedupeRule,
    *,
    names: frozenset[str] | None = None,
    field_ids: frozenset[int] = frozenset(),
) -> ImportPlan:
    event_type = call.optional_text("eventKeyForNewContacts")
    if event_type:
        read_name("eventKeyForNewContacts", event_type)
    if names is None:
        listed = call.texts("contactFields")
        if not WRITABLE.issuperset(listed):
            raise bad_request(f"contactFields may have {', '.join(sorted(WRITABLE))}")
        names = frozenset(listed) if call.fields.get("contactFields") is not None else None
        field_ids = frozenset(call.numbers("customFieldsIDs"))
    return ImportPlan(
        rule, names, field_ids, tuple(call.texts("groupNames")), tuple(call.texts("groupNamesExclude")), event_type
    )


def _next_outcome(account: Esputnik) -> ImportOutcome:
    outcomes = account.settings.esputnik_next_import_outcomes
    return outcomes.pop(0) if outcomes else "FINISHED"


ROUTES = [
    endpoint("POST", "/v1/contacts", "contacts.import", add),
    endpoint("POST", "/v1/contacts/upload", "contacts.upload", upload, prepare=fetch_file),
    endpoint("GET", "/v1/importstatus/{session_id}", "imports.read", status),
]
