# SPDX-License-Identifier: Apache-2.0
"""The control API of the eSputnik account: what people do there, and calls cannot."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from airflow_provider_sendpulse.emulator.control import command
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.contact_data import read_contact, write_given


def add_contacts(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, list[int]]:
    """Make contacts that are there at once, in segments if wished."""
    account, now = emulator.state.esputnik, emulator.clock.now()
    people = [read_contact(entry, account.fields) for entry in fields["contacts"]]
    segments = {segment.id for segment in account.segments.named(list(fields.get("segments", [])), now)}
    ids = []
    for data in people:
        contact = account.contacts.create("panel", now, is_confirmed=bool(fields.get("confirmed", True)))
        write_given(contact, data, keep_channels=False)
        contact.segments |= segments
        account.contacts.changed(contact, now)
        ids.append(contact.id)
    return {"ids": ids}


def confirm(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, bool]:
    """Click the link of a double opt-in."""
    contact = emulator.state.esputnik.contacts.get(int(fields["contact_id"]))
    if contact is None:
        return {"done": False}
    contact.is_confirmed = True
    return {"done": True}


def add_segment(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Make a segment of any type, with contacts in it if wished."""
    account = emulator.state.esputnik
    people = [account.contacts.get(int(number)) for number in fields.get("contact_ids", [])]
    if None in people:
        raise ValueError("one of contact_ids is no contact")
    segment = account.segments.create(str(fields["name"]), emulator.clock.now(), fields.get("type", "Static"))
    for contact in people:
        if contact is not None:
            contact.segments.add(segment.id)
    return {"id": segment.id}


def add_field(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Make an additional field."""
    field = emulator.state.esputnik.fields.create(
        str(fields["name"]),
        str(fields["key"]),
        str(fields.get("type", "TEXTFIELD")),
        str(fields.get("group", "Personal")),
        tuple(str(value) for value in fields.get("allowed_values", [])),
    )
    return {"id": field.id}


def add_message(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Prepare a message for any channel; it needs nothing but a name."""
    content = dict(fields)
    kind = str(content.pop("kind", "email"))
    content["name"] = str(fields["name"])
    return {"id": emulator.state.esputnik.messages.create(kind, content).id}


def add_workflow(emulator: Emulator, _: Request, fields: dict[str, Any]) -> dict[str, int]:
    """Add a workflow to the list; nothing runs it."""
    workflows = emulator.state.esputnik.workflows
    status = "active" if fields.get("active", True) else "inactive"
    tags = [str(tag) for tag in fields.get("tags", [])]
    workflows.append({"id": 41001 + len(workflows), "name": str(fields["name"]), "status": status, "tags": tags})
    return {"id": 41000 + len(workflows)}


ROUTES = [
    command("POST", "/esputnik/contacts", add_contacts),
    command("POST", "/esputnik/confirmations", confirm),
    command("POST", "/esputnik/segments", add_segment),
    command("POST", "/esputnik/fields", add_field),
    command("POST", "/esputnik/messages", add_message),
    command("POST", "/esputnik/workflows", add_workflow),
]
