# SPDX-License-Identifier: Apache-2.0
"""The token call (SendPulse API: authorization)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.state import State


def issue(state: State, call: Call) -> dict[str, Any]:
    """Exchange an id and a secret for a token. Only a JSON body is read."""
    return state.tokens.issue(call.body if call.encoding == "json" else None)


ROUTES = [
    endpoint(
        "POST",
        "/oauth/access_token",
        "tokens.issue",
        issue,
        needs_token=False,
        # Before the call is answered there is no account whose requests could be counted.
        is_limited=lambda _: False,
    )
]
