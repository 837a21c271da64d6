# SPDX-License-Identifier: Apache-2.0
"""One call to the API: read, checked for its token, handled, answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_sendpulse.emulator import strict_json
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.errors import Refusal, invalid, missing, wrong_type
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.state import State

Encoding = Literal["json", "form", "multipart"]


@dataclass(frozen=True)
class Call:
    """What a client sent."""

    path_values: Mapping[str, Any]
    query: QueryParams
    body: Any
    encoding: Encoding
    origin: str = ""
    pairs: tuple[tuple[str, str], ...] = ()

    def path_int(self, name: str) -> int:
        """Read a number in the path."""
        return int(self.path_values[name])

    def path_text(self, name: str) -> str:
        """Read a text in the path, decoded."""
        return unquote(str(self.path_values[name]))

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object that was sent; empty for anything else, as the API reads only JSON."""
        return self.body if isinstance(self.body, dict) and self.encoding == "json" else {}

    def text(self, name: str) -> str:
        """Read a required string of the body."""
        value = self.fields.get(name)
        if value is None:
            raise missing(name)
        if not isinstance(value, str):
            raise wrong_type(name, "string")
        if not value.strip():
            raise missing(name)
        return value

    def repeated(self, name: str) -> list[str]:
        """Read a field of a form that may come several times, as ``name[]``, ``name[0]`` or ``name``."""
        return [value for field, value in self.pairs if field.partition("[")[0] == name]

    def page(self, *, least: int = 1) -> tuple[int, int]:
        """``limit`` (at most 100, the default) and ``offset`` of a list call; 0, where it is allowed, is the default."""
        return self._number("limit", 100, least, 100) or 100, self._number("offset", 0, 0, None)

    def flag(self, name: str) -> bool:
        """Read a boolean of the query string."""
        return self.query.get(name, "").lower() in ("1", "true")

    def order(self, default: str) -> str:
        """``order`` of a list call."""
        order = self.query.get("order") or default
        if order not in ("asc", "desc"):
            raise invalid("Argument order is invalid")
        return order

    def _number(self, name: str, default: int, least: int, most: int | None) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        try:
            number = int(text)
        except ValueError:
            raise wrong_type(name, "integer") from None
        if number < least:
            raise invalid(f"Argument {name} must be at least {least}")
        if most is not None and number > most:
            raise invalid(f"Argument {name} may not be greater than {most}")
        return number


Handler = Callable[[State, Call], Any]


def endpoint(
    method: str,
    path: str,
    operation: str,
    handler: Handler,
    *,
    needs_token: bool = True,
    is_limited: Callable[[State], bool] = lambda _: True,
) -> Route:
    """Make a route that lets a handler answer with JSON."""

    async def answer(request: Request) -> Response:
        emulator: Emulator = request.app.state.emulator
        try:
            call = await read_call(request, emulator.settings)
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.http_status)
        with emulator.lock:
            state = emulator.state
            try:
                state.settle()
                if needs_token:
                    state.tokens.check(request.headers.get("authorization"))
                if is_limited(state):
                    state.request_limits.check()
                content = handler(state, call)
            except Refusal as refusal:
                return JSONResponse(refusal.body(), refusal.http_status)
            # Rendered under the lock: a handler may answer with live objects.
            return JSONResponse(content)

    return Route(path, answer, methods=[method], name=operation)


async def read_call(request: Request, settings: Settings) -> Call:
    """Read a request; a body that is not JSON where JSON is due reads as none.

    Raises:
        Refusal: it is JSON that cannot be kept.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body: Any
    encoding: Encoding
    pairs: list[tuple[str, str]] = []
    if content_type == "multipart/form-data":
        encoding = "multipart"
        async with request.form() as form:
            pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        body = dict(pairs)
    elif content_type == "application/x-www-form-urlencoded":
        encoding = "form"
        pairs = parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
        body = dict(pairs)
    else:
        encoding = "json"
        try:
            body = strict_json.loads(await request.body() or b"null")
        except strict_json.CannotBeKept as error:
            raise Refusal(400, 400, f"Bad Request: {error}") from None
        except ValueError:
            body = None
    query = request.query_params
    if request.method == "GET" and isinstance(body, dict) and settings.get_parameters_in_body == "read":
        query = QueryParams([*_as_parameters(body), *query.multi_items()])
    origin = str(request.base_url).rstrip("/")
    return Call(request.path_params, query, body, encoding, origin, tuple(pairs))


def _as_parameters(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Bring the fields of a body into the form of a query string; what is null is not there."""
    pairs = [(name, item) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])]
    return [(name, str(int(value) if isinstance(value, bool) else value)) for name, value in pairs if value is not None]
