# SPDX-License-Identifier: Apache-2.0
"""How eSputnik says no. Source: eSputnik API, "Status codes"; the bodies are as the vendor's own plugins read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, Repeat
from airflow_provider_sendpulse.api.messages import Answer
from airflow_provider_sendpulse.api.service import Problem, ProblemKind, Service
from airflow_provider_sendpulse.esputnik import wire

CREDENTIALS_ADVICE = (
    "Likely causes: the API key was mistyped or deleted; it was not used for 90 days, after which it is disabled; it "
    "belongs to an account on another host (esputnik.com, yespo.io)."
)

REPEATED = 409
"""The HTTP status of a request that repeats another within a minute."""

NOT_VALID = 400
"""The HTTP status of what cannot be carried out as it is, such as one wrong value among many rows."""

NOT_FOUND = 404

TOO_LARGE = 413

REPEAT_AFTER = 60.0
"""Seconds after which the same request is taken again."""

_ADVICE = {
    403: "The API key may lack the right to this method: its rights are set where the key was made.",
    NOT_FOUND: "Check the id; and the connection's host, which ends with /api.",
    405: "The connection's host does not answer as the API. Check it; it ends with /api.",
    415: "The connection's host does not answer as the API. Check it; it ends with /api.",
    419: "The period is too long: at most 90 days.",
}


def find_problem(call: Call[Any], answer: Answer, body: Any) -> Problem | None:
    """Read a failure from an answer.

    A 2xx status is success unless the body says that the request as a whole was refused. What became of single contacts,
    orders or recipients is data, which the calls hand over.
    """
    message = _message(answer, body)
    if answer.status >= 500:
        return Problem(ProblemKind.BROKEN, message=message)
    if 200 <= answer.status < 300:
        return _in_a_good_answer(call, answer, body)
    if answer.status == 429:
        return Problem(ProblemKind.THROTTLED, message=message)
    if answer.status == 401:
        return Problem(ProblemKind.CREDENTIALS, message=message)
    if answer.status == REPEATED:
        return _repeated(call, message)
    advice = _ADVICE.get(answer.status, "")
    if 300 <= answer.status < 400:
        advice = "The connection's host does not answer as the API: it redirects. Check the host."
    return Problem(
        ProblemKind.REFUSED,
        message=message,
        advice=advice,
        due_to_a_row=answer.status == NOT_VALID,
        is_too_large=answer.status == TOO_LARGE,
    )


def _in_a_good_answer(call: Call[Any], answer: Answer, body: Any) -> Problem | None:
    # Sentences come as JSON by their content type; a page comes from something else that stands in between.
    page = answer.headers.get("content-type", "").lower().startswith("text/html")
    if isinstance(body, ValueError) or (page and call.expect is Expect.TEXT):
        return Problem(ProblemKind.BROKEN)
    if not isinstance(body, dict):
        return None
    whole = body.get("errorMessage")
    if whole and not body.get("asyncSessionId"):
        return Problem(ProblemKind.REFUSED, message=wire.text(whole))
    if "valid" in body and not wire.truth_or(body["valid"], True):
        return Problem(ProblemKind.REFUSED, message=wire.text(body.get("message")))
    return None


def _repeated(call: Call[Any], message: str) -> Problem:
    said = "The same request was received less than a minute ago, and this one was not carried out."
    if call.reaches_people and call.repeat is Repeat.IF_NOT_EXECUTED:
        return Problem(ProblemKind.REPEATED, message=message, advice=f"{said} Look for what became of the first.")
    return Problem(ProblemKind.QUOTA, message=message, retry_after=REPEAT_AFTER, advice=f"{said} Try again after a minute.")


def _message(answer: Answer, body: Any) -> str:
    """Return the service's words: a member of the JSON body, or the body as it is."""
    data: Mapping[str, Any] = body if isinstance(body, dict) else {}
    for key in ("message", "errorMessage", "error"):
        if isinstance(data.get(key), str) and data[key].strip():
            return str(data[key]).strip()
    if isinstance(body, str):
        return body.strip()
    if data or "html" in answer.headers.get("content-type", "").lower():
        return ""
    return answer.text.strip()


ESPUTNIK = Service(name="eSputnik", find_problem=find_problem, credentials_advice=CREDENTIALS_ADVICE)

__all__ = [
    "CREDENTIALS_ADVICE",
    "ESPUTNIK",
    "NOT_FOUND",
    "NOT_VALID",
    "REPEATED",
    "REPEAT_AFTER",
    "TOO_LARGE",
    "find_problem",
]
