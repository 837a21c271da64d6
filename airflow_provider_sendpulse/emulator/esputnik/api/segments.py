# SPDX-License-Identifier: Apache-2.0
"""Segments and who is in them (eSputnik API: segments)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found
from airflow_provider_sendpulse.emulator.esputnik.segments import Segment
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped

MOST_IDS = 500


def list_all(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List the segments, those of a name if asked."""
    name, how = call.query.get("name", "").lower(), account.settings.esputnik_segment_name_match
    found = [segment for segment in account.segments if not name or _fits(segment.name.lower(), name, how)]
    return [segment.as_dict() for segment in call.part(found)]


def contacts(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List the contacts of a segment of any type."""
    members = account.segments.members(_segment(account, call))
    by_change = call.asked("orderByTs")
    members.sort(
        key=lambda contact: contact.version if by_change else contact.id, reverse=not call.asked("asc", default=True)
    )
    return [contact.full() for contact in call.part(members)]


def attach(account: Esputnik, call: Call) -> Sentence:
    """Put contacts into a static segment."""
    segment = _static(account, call)
    found = _contacts(account, call)
    if found is None:
        raise bad_request("contactIds or externalCustomerIds is required")
    for contact in found:
        contact.segments.add(segment.id)
    return Sentence("Contacts were attached")


def detach(account: Esputnik, call: Call) -> Sentence:
    """Take contacts out of a static segment: everybody, if nobody is named."""
    segment = _static(account, call)
    found = _contacts(account, call)
    for contact in account.segments.members(segment) if found is None else found:
        contact.segments.discard(segment.id)
    return Sentence("Contacts were detached")


def workflows(account: Esputnik, call: Call) -> list[dict[str, Any]]:
    """List the workflows; nothing runs them here."""
    name = call.query.get("name", "").lower()
    found = [workflow for workflow in account.workflows if name in workflow["name"].lower()]
    return [shaped(account.settings, workflow, "tags") for workflow in call.part(found)]


def _fits(name: str, wanted: str, how: str) -> bool:
    return name == wanted if how == "exact" else name.startswith(wanted) if how == "prefix" else wanted in name


def _segment(account: Esputnik, call: Call) -> Segment:
    segment = account.segments.get(call.path_int("segment_id"))
    if segment is None:
        raise not_found("Group", call.path_int("segment_id"))
    return segment


def _static(account: Esputnik, call: Call) -> Segment:
    segment = _segment(account, call)
    if segment.type != "Static":
        raise bad_request("Only contacts of a static group can be attached and detached")
    return segment


def _contacts(account: Esputnik, call: Call) -> list[Contact] | None:
    """Return the contacts that are named and known, None if none is named."""
    if call.body is None:
        return None
    ids = call.numbers("contactIds")
    own = [str(item) for item in call.items("externalCustomerIds")]
    if ids and own:
        raise bad_request("Either contactIds or externalCustomerIds, not both")
    if len(ids) + len(own) > MOST_IDS:
        raise bad_request(f"No more than {MOST_IDS} contacts at once")
    if not ids and not own:
        return None
    found = [account.contacts.get(number) for number in ids]
    found += [account.contacts.one("externalCustomerId", text) for text in own]
    return [contact for contact in found if contact is not None]


_GROUP = "/v1/group/{segment_id:int}/contacts"
ROUTES = [
    endpoint("GET", "/v1/groups", "segments.list", list_all),
    endpoint("GET", _GROUP, "segments.contacts", contacts),
    endpoint("POST", f"{_GROUP}/attach", "segments.attach", attach),
    endpoint("POST", f"{_GROUP}/detach", "segments.detach", detach),
    endpoint("GET", "/v1/workflows", "workflows.list", workflows),
]
