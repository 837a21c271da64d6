# SPDX-License-Identifier: Apache-2.0
"""One call to eSputnik: admitted, read, handled, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_sendpulse.emulator import strict_json
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.errors import MEDIA_TYPE, EsputnikRefusal, bad_request
from airflow_provider_sendpulse.emulator.esputnik.limits import Limit

PREFIX = "/esputnik/api"
MOST_ROWS = 500


@dataclass(frozen=True)
class Call:
    """What a client sent.

    Attributes:
        body: the JSON that was sent, None without a body.
        size: bytes of the body.
        prepared: what was done for the call before it was handled.
    """

    path_values: Mapping[str, Any]
    query: QueryParams
    body: Any
    size: int
    prepared: Any = None

    def path_int(self, name: str) -> int:
        """Read a number in the path."""
        return int(self.path_values[name])

    def path_text(self, name: str) -> str:
        """Read a text in the path, decoded."""
        return unquote(str(self.path_values[name]))

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        if not isinstance(self.body, dict):
            raise bad_request("Request body must be a JSON object")
        return self.body

    def text(self, name: str) -> str:
        """Read a required text of the body."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise bad_request(f"{name} is required")
        return value

    def optional_text(self, name: str) -> str:
        """Read a text of the body, empty if it is not there."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise bad_request(f"{name} must be a string")
        return value or ""

    def texts(self, name: str) -> list[str]:
        """Read a list of texts of the body, empty if it is not there."""
        return [str(item) for item in self.items(name) if isinstance(item, str) or _refuse_item(name)]

    def numbers(self, name: str) -> list[int]:
        """Read a list of whole numbers of the body, empty if it is not there; they may be written as text."""
        return [_number(name, item) for item in self.items(name)]

    def items(self, name: str) -> list[Any]:
        """Read a list of the body, empty if it is not there."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad_request(f"{name} must be an array")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Read a truth value of the body."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise bad_request(f"{name} must be true or false")
        return value

    def asked(self, name: str, *, default: bool = False) -> bool:
        """Read a truth value of the query string."""
        text = self.query.get(name)
        return default if text is None else text.lower() == "true"

    def number(self, name: str, default: int, least: int, most: int | None = None) -> int:
        """Read a number of the query string, or refuse it."""
        text = self.query.get(name)
        if text is None:
            return default
        number = int(text) if text.isdecimal() else None
        if number is None or number < least or (most is not None and number > most):
            raise bad_request(f"{name} must be a number from {least}{'' if most is None else f' to {most}'}")
        return number

    def part(self, rows: list[Any], default: int = MOST_ROWS, most: int = MOST_ROWS) -> list[Any]:
        """Return the rows that ``startindex``, which begins with 1, and ``maxrows`` ask for."""
        start = self.number("startindex", 1, 1) - 1
        return rows[start : start + self.number("maxrows", default, 1, most)]


@dataclass(frozen=True)
class Sentence:
    """An answer that is text and claims to be JSON."""

    text: str = ""


@dataclass(frozen=True)
class Listed:
    """An answer that tells how much there is in all."""

    content: list[Any]
    total: int


Handler = Callable[[Esputnik, Call], Any]


def endpoint(
    method: str,
    path: str,
    operation: str,
    handler: Handler,
    *,
    limit: Limit = "shared",
    takes_token: bool = False,
    refuses_repeats: bool = False,
    prepare: Callable[[Call], Any] | None = None,
) -> Route:
    """Make a route that lets a handler answer.

    :param takes_token: a bearer token will do
    :param refuses_repeats: the same request within a minute is refused with 409
    :param prepare: work that takes time, done in a thread while other calls go on; the handler finds what it returns
    """

    async def answer(request: Request) -> Response:
        emulator: Emulator = request.app.state.emulator
        body = await request.body()
        settings = emulator.settings
        try:
            with emulator.lock:
                emulator.state.settle()
                account = emulator.state.esputnik
                key = account.keys.check(request.headers.get("authorization"), takes_token=takes_token)
                account.limits.check(limit)
                call = _read(request, body)
            if prepare is not None:
                call = replace(call, prepared=await asyncio.to_thread(prepare, call))
            with emulator.lock:
                mark = account.repeats.check(key, method, request.url.path, body) if refuses_repeats else None
                content = handler(account, call)
                if mark is not None:
                    account.repeats.remember(mark)
                # Rendered under the lock: a handler may answer with live objects.
                return _rendered(account, content)
        except EsputnikRefusal as refusal:
            response = refusal.response(settings.esputnik_error_bodies)
            if refusal.http_status == 429 and settings.esputnik_retry_after is not None:
                response.headers["Retry-After"] = str(settings.esputnik_retry_after)
            if refusal.http_status == 401:
                response.headers["WWW-Authenticate"] = 'Basic realm="eSputnik"'
            return response

    return Route(PREFIX + path, answer, methods=[method], name=f"esputnik.{operation}")


def _read(request: Request, body: bytes) -> Call:
    content: Any = None
    if body:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise EsputnikRefusal(415, "Unsupported Media Type")
        try:
            content = strict_json.loads(body)
        except strict_json.CannotBeKept as error:
            raise bad_request(f"Request body is {error}") from None
        except ValueError:
            raise bad_request("Request body is not JSON") from None
    return Call(request.path_params, request.query_params, content, len(body))


def _rendered(account: Esputnik, content: Any) -> Response:
    if isinstance(content, Sentence):
        return Response(content.text, media_type=MEDIA_TYPE)
    headers = {}
    if isinstance(content, Listed):
        how = account.settings.esputnik_total_count
        if how != "absent":
            headers["TotalCount"] = str(content.total if how == "exact" else 2)
        content = content.content
    return JSONResponse(content, media_type=MEDIA_TYPE, headers=headers)


def _number(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f"{name} must be numbers")
    return value


def _refuse_item(name: str) -> bool:
    raise bad_request(f"{name} must be strings")
