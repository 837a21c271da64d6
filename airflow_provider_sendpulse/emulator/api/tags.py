# SPDX-License-Identifier: Apache-2.0
"""Tags (SendPulse API: tags). Every write is only acknowledged, and made later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_sendpulse.emulator.api.arguments import address, tag_ids
from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.contacts import is_phone
from airflow_provider_sendpulse.emulator.errors import invalid, plan_refuses
from airflow_provider_sendpulse.emulator.state import State

VERSION = "2.7.3"


def list_all(state: State, _: Call) -> dict[str, Any]:
    """Show all tags; the API has no pages for them."""
    _check_plan(state)
    state.tags.note_read()
    tags = [{"id": tag.id, "name": tag.name, "color": tag.color} for tag in state.tags]
    return {"tags": tags, "user_id": state.settings.user_id, "version": VERSION}


def create(state: State, call: Call) -> dict[str, Any]:
    """Ask for a tag."""
    name, color = call.text("name"), call.text("color")
    return _acknowledge(state, lambda: state.tags.create(name, color))


def update(state: State, call: Call) -> dict[str, Any]:
    """Ask for another name and color of a tag."""
    tag_id, name, color = call.path_int("tag_id"), call.text("name"), call.text("color")
    return _acknowledge(state, lambda: state.tags.update(tag_id, name, color))


def delete(state: State, call: Call) -> dict[str, Any]:
    """Ask for the end of a tag."""
    tag_id = call.path_int("tag_id")
    return _acknowledge(state, lambda: state.tags.delete(tag_id))


def pin_email(state: State, call: Call) -> dict[str, Any]:
    """Ask to put tags on an address."""
    contact, ids = address(call), tag_ids(call, required=True)
    return _acknowledge(state, lambda: state.tags.pin(contact, ids))


def unpin_email(state: State, call: Call) -> dict[str, Any]:
    """Ask to take tags off an address."""
    contact, ids = address(call), tag_ids(call, required=True)
    return _acknowledge(state, lambda: state.tags.unpin(contact, ids))


def pin_phone(state: State, call: Call) -> dict[str, Any]:
    """Ask to put tags on a telephone number."""
    contact, ids = _phone(call), tag_ids(call, required=True)
    return _acknowledge(state, lambda: state.tags.pin(contact, ids))


def unpin_phone(state: State, call: Call) -> dict[str, Any]:
    """Ask to take tags off a telephone number."""
    contact, ids = _phone(call), tag_ids(call, required=True)
    return _acknowledge(state, lambda: state.tags.unpin(contact, ids))


def _acknowledge(state: State, change: Callable[[], None]) -> dict[str, Any]:
    _check_plan(state)
    return {
        "code": "request_sended_to_queue",
        "description": "Request sended to queue",
        "failure": False,
        "success": True,
        "http_code": 200,
        "queue_id": state.tags.queue(change),
        "user_id": state.settings.user_id,
        "version": VERSION,
    }


def _check_plan(state: State) -> None:
    if not state.settings.plan_has_tags:
        raise plan_refuses()


def _phone(call: Call) -> str:
    phone = call.text("phone")
    if not is_phone(phone):
        raise invalid("Phone is not valid")
    return phone


ROUTES = [
    endpoint("GET", "/tags", "tags.list", list_all),
    endpoint("POST", "/tags", "tags.create", create),
    endpoint("PUT", "/tags/{tag_id:int}", "tags.update", update),
    endpoint("DELETE", "/tags/{tag_id:int}", "tags.delete", delete),
    endpoint("POST", "/tags/pin/email", "tags.pin_email", pin_email),
    endpoint("POST", "/tags/unpin/email", "tags.unpin_email", unpin_email),
    endpoint("POST", "/tags/pin/phone", "tags.pin_phone", pin_phone),
    endpoint("POST", "/tags/unpin/phone", "tags.unpin_phone", unpin_phone),
]
