# SPDX-License-Identifier: Apache-2.0
"""How SendPulse says no, and how it hands out tokens.

Source: SendPulse API, "Introduction" and "Authorization"; the table of error codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.api.messages import Answer
from airflow_provider_sendpulse.api.service import IssuedToken, Problem, ProblemKind, Service
from airflow_provider_sendpulse.sendpulse import error_codes, wire

CREDENTIALS_ADVICE = (
    "Likely causes: the API ID and secret were mixed up or changed; the REST API is switched off in the account "
    "settings; this machine's address is not on the account's IP allow-list; a static API key was revoked."
)


_CONFLICT = 409

_ECHO = 422
"""The code that says no more than the HTTP status of the same number."""


def issue_token(client_id: str, client_secret: str) -> Call[IssuedToken]:
    """Exchange the API ID and secret for a token that lives about an hour.

    Source: SendPulse API, "Authorization".
    """

    def read(answer: Any) -> IssuedToken:
        data = wire.record(answer)
        token = data["access_token"]
        if not isinstance(token, str) or not token:
            raise ValueError("the token is empty or no text")
        return IssuedToken(token, wire.number_or(data.get("expires_in"), 3600.0))

    return Call(
        method="POST",
        path="/oauth/access_token",
        body=JsonBody({"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}),
        read=read,
        repeat=Repeat.ALWAYS,
        authorised=False,
    )


def find_problem(call: Call[Any], answer: Answer, body: Any) -> Problem | None:
    """Read a failure from an answer: success needs a 2xx status, and nothing in the body that says otherwise."""
    data: Mapping[str, Any] = body if isinstance(body, dict) else {}
    code = wire.integer_or(data.get("error_code"), 0) or None
    message = _message(data)
    if answer.status >= 500 or (answer.status < 300 and isinstance(body, ValueError)):
        return Problem(ProblemKind.BROKEN, code, message)
    refused_inside = data.get("is_error") is True or (
        not call.result_is_data and (data.get("result") is False or data.get("success") is False)
    )
    # Nobody documents the HTTP status of some refusals: a body that is nothing but an error is one, whatever the status.
    refused_inside = refused_inside or (
        code is not None and "message" in data and not {"id", "result", "success"} & data.keys()
    )
    if 200 <= answer.status < 300 and not refused_inside:
        return None
    if answer.status == 429 or code in error_codes.THROTTLED:
        return Problem(ProblemKind.THROTTLED, code, message)
    if code in error_codes.QUOTAS:
        return Problem(
            ProblemKind.QUOTA, code, message, retry_after=error_codes.QUOTAS[code], advice=error_codes.advice(code)
        )
    limited = error_codes.quota_by_text(message) if code == _ECHO else None
    if limited is not None:
        return Problem(ProblemKind.QUOTA, code, message, retry_after=limited[0], advice=limited[1])
    if answer.status == 401:
        return Problem(ProblemKind.CREDENTIALS, code, message)
    if (
        answer.status == _CONFLICT
        and code in (None, _CONFLICT)
        and call.reaches_people
        and call.repeat is Repeat.IF_NOT_EXECUTED
    ):
        # Not documented. With something that is there already, perhaps: no reason to believe that nothing was carried out.
        return Problem(ProblemKind.REPEATED, message=message)
    advice = error_codes.advice(code) or (error_codes.advice_by_text(message) if code == _ECHO else "")
    if answer.status == 403 and not advice:
        advice = "The account or its plan does not allow this. " + CREDENTIALS_ADVICE
    elif 300 <= answer.status < 400:
        advice = "The connection's host does not answer as the API: it redirects. Check the host."
    return Problem(
        ProblemKind.REFUSED,
        code,
        message or error_codes.meaning(code),
        advice=advice,
        due_to_a_row=error_codes.due_to_a_row(answer.status, code),
        is_too_large=error_codes.is_too_large(answer.status, message),
        most_items=error_codes.most_items(message),
    )


def _message(data: Mapping[str, Any]) -> str:
    for key in ("message", "error_description", "description", "error"):
        if isinstance(data.get(key), str) and data[key].strip():
            return str(data[key]).strip()
    return ""


SENDPULSE = Service(
    name="SendPulse",
    find_problem=find_problem,
    token_call=issue_token,
    credentials_advice=CREDENTIALS_ADVICE,
)

__all__ = ["CREDENTIALS_ADVICE", "SENDPULSE", "find_problem", "issue_token"]
