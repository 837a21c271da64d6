# SPDX-License-Identifier: Apache-2.0
"""All ways in which a call fails, with a service that repeats what it was sent, as services do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Fault = dict[str, Any]

ECHO = "<what the service repeats>"
"""Stands in a fault's body for that."""

OF_ANY_SERVICE: dict[str, Fault] = {
    "refused": {"kind": "status", "status": 422},
    "unavailable": {"kind": "status", "status": 503},
    "throttled": {"kind": "status", "status": 429},
    "throttled for long": {"kind": "status", "status": 429, "retry_after": "99999999"},
    "unauthorised": {"kind": "status", "status": 401},
    "unauthorised once": {"kind": "status", "status": 401, "times": 1},
    "redirected": {"kind": "status", "status": 302},
    "error in a 200": {"kind": "is_error"},
    "false in a 200": {"kind": "result_false"},
    "closed": {"kind": "drop"},
    "lost": {"kind": "lose_answer", "reset": True},
    "half a head": {"kind": "cut_head"},
    "half an answer": {"kind": "cut_answer"},
    "half a JSON": {"kind": "truncate"},
    "html": {"kind": "html", "status": 200},
    "wrong type": {"kind": "wrong_type", "becomes": "object"},
    "wrong field": {"kind": "wrong_type", "field": "id", "becomes": "list"},
    "unknown status": {"kind": "unknown_status", "times": 2},
    # So late that it is carried out in no other test.
    "late": {"kind": "slow", "seconds": 3600},
    "trickling": {"kind": "slow_bytes", "seconds": 0.05},
    "token ended": {"kind": "revoke_tokens", "times": 1},
    "away": {"kind": "outage", "seconds": 500},
}

OF_A_TOKEN: dict[str, Fault] = {
    "token refused": {"kind": "status", "status": 400, "operation": "tokens.issue"},
    "token unauthorised": {"kind": "status", "status": 401, "operation": "tokens.issue"},
    "token unavailable": {"kind": "status", "status": 500, "operation": "tokens.issue"},
    "token lost": {"kind": "lose_answer", "operation": "tokens.issue"},
    "token cut": {"kind": "truncate", "operation": "tokens.issue"},
    "token of a wrong type": {
        "kind": "wrong_type",
        "field": "access_token",
        "becomes": "list",
        "operation": "tokens.issue",
    },
}


def _said(status: int, body: Any) -> Fault:
    return {"kind": "status", "status": status, "body": body}


OF_ESPUTNIK: dict[str, Fault] = {
    "not valid": {"kind": "status", "status": 400},
    "forbidden": {"kind": "status", "status": 403},
    "not found": {"kind": "status", "status": 404},
    "repeated": {"kind": "status", "status": 409},
    "too large": {"kind": "status", "status": 413},
    "period too long": {"kind": "status", "status": 419},
    "message in JSON": _said(400, {"status": 400, "message": ECHO}),
    "errorMessage in JSON": _said(400, {"errorMessage": ECHO}),
    "error in JSON": _said(400, {"error": ECHO}),
    "a list in JSON": _said(400, [{"error": ECHO}]),
    "text in a 200": _said(200, ECHO),
    "errorMessage in a 200": _said(200, {"errorMessage": ECHO}),
    "not valid in a 200": _said(200, {"valid": False, "message": ECHO}),
    "many words in a 200": _said(200, {"errorMessage": f"{ECHO} " * 40}),
}
"""What eSputnik says no with, whatever was asked; the error may come in a good answer."""

OF_AN_OPERATION: dict[str, dict[str, Fault]] = {
    "contacts.import": {
        "a contact that failed": _said(
            200, {"asyncSessionId": "s-1", "failedContacts": {"firstName": ECHO, "error": ECHO, "channels": []}}
        ),
        "contacts that failed": _said(
            200,
            {
                "failedContacts": [
                    {"channels": {"type": "email", "value": ECHO}, "lastName": ECHO, "error": ECHO},
                    {"externalCustomerId": ECHO, "error": ECHO},
                ]
            },
        ),
        "taken with an errorMessage": _said(200, {"asyncSessionId": "s-1", "errorMessage": ECHO}),
    },
    "imports.read": {
        "a session in error": _said(200, {"status": "ERROR", "description": ECHO}),
        "a session in error with a mapping": _said(
            200, {"status": "ERROR", "description": ECHO, "mapping": {"dedupeValue": ECHO, "contactId": "7"}}
        ),
        "a session at an unknown status": {**_said(200, {"status": ECHO, "description": ECHO}), "times": 2},
    },
    "contacts.subscribe": {"an unknown emailStatus": _said(200, {"id": "7", "emailStatus": ECHO, "isNew": ECHO})},
    "contacts.upload": {"taken with a message": _said(200, {"valid": "true", "importId": "i-1", "message": ECHO})},
    "messages.smartsend": {
        "a recipient that failed": _said(200, {"results": {"locator": ECHO, "status": "ERROR", "message": ECHO}}),
        "recipients that failed": _said(
            200, {"results": [{"locator": ECHO, "status": "ERROR", "message": ECHO}, {"status": "ERROR", "message": ECHO}]}
        ),
    },
    "messages.status": {
        "an unknown status of a message": {
            **_said(200, {"results": {"requestId": "r-1", "status": ECHO, "failed": ECHO}}),
            "times": 2,
        },
    },
    "orders.add": {
        "an order that failed": _said(
            200, {"failedOrders": {"order": {"externalOrderId": "1", "email": ECHO}, "error": ECHO}}
        ),
        "orders that failed": _said(
            200, {"failedOrders": [{"order": {"externalOrderId": "1"}, "error": ECHO}, {"order": ECHO, "error": ECHO}]}
        ),
    },
    "broadcasts.create": {
        "another title": _said(200, {"broadcastId": "810001", "title": ECHO, "messageId": "1", "groupId": 1}),
    },
}
"""What eSputnik says of a part of what it was sent, by operation."""


def failures_of(operation: str) -> dict[str, Fault]:
    """Return all failures that a call of eSputnik can meet, by name."""
    return {**OF_ANY_SERVICE, **OF_ESPUTNIK, **OF_AN_OPERATION.get(operation.removeprefix("esputnik."), {})}


def set_failure(emulator: Any, fault: Fault, echo: str, **where: Any) -> Any:
    """Set a failure up and return it.

    :param echo: what the service repeats
    :param where: the calls that it meets, unless it says so itself
    """
    how = {"times": 40, **fault}
    if "operation" not in how:
        how |= where
    if "body" in how:
        how["body"] = _replaced(how["body"], lambda text: text.replace(ECHO, echo))
    elif how["kind"] in ("status", "is_error", "result_false"):
        how["message"] = echo
    return emulator.faults.add(**how)


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


__all__ = ["ECHO", "OF_ANY_SERVICE", "OF_AN_OPERATION", "OF_A_TOKEN", "OF_ESPUTNIK", "Fault", "failures_of", "set_failure"]
