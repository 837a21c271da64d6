# SPDX-License-Identifier: Apache-2.0
"""Faults of the emulator by what they leave known of a call."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.exceptions import AuthenticationFailed, Refused, ServiceError, Throttled

DOUBT: dict[str, tuple[dict[str, Any], bool]] = {
    "closed": ({"kind": "drop"}, False),
    "reset": ({"kind": "drop", "reset": True}, False),
    "lost": ({"kind": "lose_answer"}, True),
    "lost by reset": ({"kind": "lose_answer", "reset": True}, True),
    "in the head": ({"kind": "cut_head"}, True),
    "in the head by reset": ({"kind": "cut_head", "reset": True}, True),
    "in the body": ({"kind": "cut_answer"}, True),
    "in the body by reset": ({"kind": "cut_answer", "reset": True}, True),
    "half a JSON": ({"kind": "truncate"}, True),
    "error page": ({"kind": "html"}, False),
    "error page after all": ({"kind": "html", "status": 504, "after_effect": True}, True),
    "page instead of JSON": ({"kind": "html", "status": 200}, False),
    "server error": ({"kind": "status", "status": 500}, False),
    "server error after all": ({"kind": "status", "status": 503, "after_effect": True, "retry_after": "1"}, True),
    "all is an object": ({"kind": "wrong_type", "becomes": "object"}, True),
    "all is text": ({"kind": "wrong_type", "becomes": "text"}, True),
    "all is a number": ({"kind": "wrong_type", "becomes": "number"}, True),
    "all is nothing": ({"kind": "wrong_type", "becomes": "null"}, True),
    "the id is a list": ({"kind": "wrong_type", "field": "id", "becomes": "list"}, True),
    "the id is an object": ({"kind": "wrong_type", "field": "id", "becomes": "object"}, True),
    "the id is nothing": ({"kind": "wrong_type", "field": "id", "becomes": "null"}, True),
    "the id is not there": ({"kind": "wrong_type", "field": "id", "becomes": "absent"}, True),
    "silence": ({"kind": "slow", "seconds": 20.0}, False),
    "silence after all": ({"kind": "slow", "seconds": 20.0, "after_effect": True}, True),
    "a trickle": ({"kind": "slow_bytes", "seconds": 20.0}, True),
}
"""Faults that leave it open whether the call was carried out, and whether it was."""

REFUSALS: dict[str, tuple[dict[str, Any], type[ServiceError], int]] = {
    "error in a 200": ({"kind": "is_error", "error_code": 301, "message": "Wrong parameters"}, Refused, 1),
    "false in a 200": ({"kind": "result_false", "message": "Nope"}, Refused, 1),
    "limit in a 200": ({"kind": "is_error", "error_code": 2020202020}, Throttled, 5),
    "refused": ({"kind": "status", "status": 422, "error_code": 301}, Refused, 1),
    "401 for ever": ({"kind": "status", "status": 401}, AuthenticationFailed, 2),
    "429 for ever": ({"kind": "status", "status": 429}, Throttled, 5),
}
"""Faults that say no, with the error and the number of requests."""

PASSING: dict[str, tuple[dict[str, Any], int]] = {
    "401 once": ({"kind": "status", "status": 401}, 2),
    "tokens end": ({"kind": "revoke_tokens"}, 2),
    "429 once": ({"kind": "status", "status": 429}, 1),
    "limit once": ({"kind": "is_error", "error_code": 2020202020}, 1),
}
"""Faults after which every call is repeated, because nothing was carried out, with the number of tokens."""

__all__ = ["DOUBT", "PASSING", "REFUSALS"]
