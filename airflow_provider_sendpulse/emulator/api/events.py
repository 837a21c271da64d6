# SPDX-License-Identifier: Apache-2.0
"""Events for Automation 360 (SendPulse API: events)."""

from __future__ import annotations

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.state import State


def by_name(state: State, call: Call) -> dict[str, bool]:
    """Take an event under its name."""
    # The JSON call of the API; a form is read only behind a hash.
    body = call.body if call.encoding == "json" else None
    state.flows.receive(state.events.receive(body, call.encoding, name=call.path_text("name")))
    return {"result": True}


def by_hash(state: State, call: Call) -> dict[str, bool]:
    """Take an event under its secret address, which is all the authorisation it needs."""
    event = state.events.receive(
        call.body,
        call.encoding,
        event_hash=call.path_text("hash"),
        user_id=call.path_text("user_id"),
    )
    state.flows.receive(event)
    return {"result": True}


ROUTES = [
    endpoint("POST", "/events/name/{name}", "events.send", by_name),
    endpoint(
        "POST",
        "/events/id/{hash}/{user_id}",
        "events.send_by_hash",
        by_hash,
        needs_token=False,
        is_limited=lambda state: state.settings.events_by_hash_use_request_limit,
    ),
]
