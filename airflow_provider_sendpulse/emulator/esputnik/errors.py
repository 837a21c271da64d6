# SPDX-License-Identifier: Apache-2.0
"""Refusals of eSputnik: mostly a sentence that claims to be JSON (eSputnik API: status codes)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from starlette.responses import JSONResponse, Response

ErrorBodies = Literal["text", "json"]

MEDIA_TYPE = "application/json;charset=UTF-8"
# Statuses whose body is JSON whatever the switch says.
_ALWAYS_JSON = frozenset({401, 405, 415})


class EsputnikRefusal(Exception):
    """A call that eSputnik turns down."""

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.message = message

    def response(self, bodies: ErrorBodies) -> Response:
        """Return the answer, its text alone or in JSON."""
        if bodies == "json" or self.http_status in _ALWAYS_JSON:
            content = {"status": self.http_status, "message": self.message}
            return JSONResponse(content, self.http_status, media_type=MEDIA_TYPE)
        return Response(self.message, self.http_status, media_type=MEDIA_TYPE)


def usual(status: int) -> EsputnikRefusal:
    """Return the refusal that a status usually comes with."""
    texts = {
        401: "Unauthorized: the API key is wrong or disabled",
        409: "Duplicated request: the same request came less than a minute ago",
        429: "Too many requests",
    }
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return EsputnikRefusal(status, texts.get(status, phrase))


def bad_request(message: str) -> EsputnikRefusal:
    """Refuse: something in the request is missing or malformed."""
    return EsputnikRefusal(400, message)


def not_found(what: str, name: object) -> EsputnikRefusal:
    """Refuse: nothing has this id."""
    return EsputnikRefusal(404, f"{what} with id='{name}' not found")
