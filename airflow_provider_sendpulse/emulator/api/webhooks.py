# SPDX-License-Identifier: Apache-2.0
"""Managing webhooks, by form or JSON (SendPulse API: webhooks)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.errors import invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.webhook_events import ACTIONS
from airflow_provider_sendpulse.emulator.webhooks import Subscription


def list_all(state: State, _: Call) -> dict[str, Any]:
    """Show every row; there are no pages."""
    return _enveloped(state, [_row(state, item) for item in state.webhooks])


def read(state: State, call: Call) -> dict[str, Any]:
    """Show one row."""
    return _enveloped(state, _row(state, state.webhooks.find(call.path_int("webhook_id"))))


def create(state: State, call: Call) -> dict[str, Any]:
    """Subscribe a URL to events: a row for each."""
    url, actions = _url(call), _actions(call)
    if actions is None:
        raise missing("actions")
    return _enveloped(state, [_row(state, item) for item in state.webhooks.subscribe(url, actions)])


def update(state: State, call: Call) -> dict[str, Any]:
    """Give a row another URL, and another event where the settings read one here."""
    found = state.webhooks.find(call.path_int("webhook_id"))
    url, actions = _url(call), _actions(call)
    if actions is not None and state.settings.webhook_update_actions == "replace":
        found.action = actions[0]
    found.url = state.webhooks.stored(url)
    return _enveloped(state, [True])


def delete(state: State, call: Call) -> dict[str, Any]:
    """End a row."""
    state.webhooks.remove(call.path_int("webhook_id"))
    return _enveloped(state, [True])


def _url(call: Call) -> str:
    url = _fields(call).get("url")
    if not url:
        raise missing("url")
    if not isinstance(url, str):
        raise wrong_type("url", "string")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise invalid("Argument url is invalid") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid("Argument url is invalid")
    return url


def _actions(call: Call) -> list[str] | None:
    actions = _fields(call).get("actions") if call.encoding == "json" else call.repeated("actions")
    if actions is None or actions == []:
        return None
    if not isinstance(actions, list) or not all(isinstance(action, str) for action in actions):
        raise wrong_type("actions", "array")
    if not set(actions) <= set(ACTIONS):
        raise invalid("Argument actions is invalid")
    return list(dict.fromkeys(actions))


def _fields(call: Call) -> dict[str, Any]:
    return call.body if isinstance(call.body, dict) else {}


def _row(state: State, item: Subscription) -> dict[str, Any]:
    return {"id": item.id, "user_id": state.settings.user_id, "url": item.url, "action": item.action}


def _enveloped(state: State, data: Any) -> dict[str, Any]:
    if state.settings.webhook_envelope == "nested":
        return {"data": {"result": True, "data": data}}
    return {"success": True, "data": data}


_ONE = "/v2/email-service/webhook/{webhook_id:int}"
ROUTES = [
    endpoint("GET", "/v2/email-service/webhook", "webhooks.list", list_all),
    endpoint("POST", "/v2/email-service/webhook", "webhooks.create", create),
    endpoint("GET", _ONE, "webhooks.read", read),
    endpoint("PUT", _ONE, "webhooks.update", update),
    endpoint("DELETE", _ONE, "webhooks.delete", delete),
]
