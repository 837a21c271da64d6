# SPDX-License-Identifier: Apache-2.0
"""What stands before the API: tidy paths, the request log, and failures on request."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_sendpulse.emulator import strict_json
from airflow_provider_sendpulse.emulator.altered_answers import NothingToAlter, altered
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.failing_answers import answer_of
from airflow_provider_sendpulse.emulator.faults import Fault
from airflow_provider_sendpulse.emulator.killing import kill_client
from airflow_provider_sendpulse.emulator.request_log import RequestRecord

CONTROL_PREFIX = "/__emulator__"
PAGES_PREFIX = "/ui"
_SLOW_PIECES = 20
# Their bodies carry a secret: the account's own, or that of the server a file lies on.
_SECRET = frozenset({"tokens.issue", "esputnik.contacts.upload"})


@dataclass
class Answer:
    """An answer held back until it is clear whether the client shall get it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        """Take the place of the connection while the call is carried out."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        """Send the answer in one piece."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class Gateway:
    """Passes requests on to the application, after whatever stands in their way."""

    def __init__(self, app: ASGIApp, emulator: Emulator, routes: list[BaseRoute]) -> None:
        self._app = app
        self._emulator = emulator
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = tidy_path(scope.get("raw_path") or scope["path"].encode())
        # Routes see the path still encoded, so that a slash inside a value stays part of the value.
        scope = {**scope, "path": path}
        if not is_api_path(path):
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        record = self._open_record(scope, path, body)
        with self._emulator.lock:
            fault = self._emulator.faults.meet(scope["method"], path, record.operation)
        record.fault = fault.id if fault is not None else None
        if fault is None:
            answer = await self._carry_out(scope, body, record)
            record.status = answer.status
            await answer.send(send)
        else:
            await self._fail(fault, _Exchange(scope, receive, send, body, record))

    async def _fail(self, fault: Fault, exchange: _Exchange) -> None:
        if fault.kind == "revoke_tokens":
            with self._emulator.lock:
                self._emulator.state.tokens.revoke_all()
                self._emulator.state.esputnik.keys.revoke_tokens()
        if fault.kind == "slow" and not fault.after_effect:
            await asyncio.sleep(fault.seconds)
        answer = Answer()
        if fault.after_effect or fault.kind in ("slow", "revoke_tokens"):
            answer = await self._carry_out(exchange.scope, exchange.body, exchange.record)
        if fault.kind == "kill":
            kill_client(exchange.record.client_port, fault.victim)
        if fault.kind in ("drop", "lose_answer", "kill"):
            await exchange.drop(reset=fault.reset)
        elif fault.kind == "cut_head":
            await exchange.cut_head(answer, reset=fault.reset)
        elif fault.kind == "cut_answer":
            await exchange.cut(answer, reset=fault.reset)
        elif fault.kind == "slow_bytes":
            await exchange.dribble(answer, fault.seconds)
        elif fault.kind == "truncate":
            await exchange.reply(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        elif fault.kind in ("wrong_type", "unknown_status"):
            await self._alter(fault, answer, exchange)
        elif fault.kind == "outage":
            self._go_away(fault.seconds, exchange)
            await exchange.reply(answer.status, [*answer.headers, (b"connection", b"close")], answer.body)
        elif fault.kind in ("slow", "revoke_tokens"):
            if fault.after_effect and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            await exchange.reply(answer.status, answer.headers, answer.body)
        else:
            await exchange.respond(answer_of(fault, exchange.record.operation))

    async def _alter(self, fault: Fault, answer: Answer, exchange: _Exchange) -> None:
        if answer.status >= 300:  # a refusal is what it is
            await exchange.reply(answer.status, answer.headers, answer.body)
            return
        try:
            body = altered(fault, answer.body)
        except NothingToAlter as nothing:
            message = f"Fault {fault.id} of the emulator: {nothing}"
            await exchange.respond(JSONResponse({"message": message, "error_code": 500}, 500))
        else:
            await exchange.reply(answer.status, answer.headers, body)

    def _go_away(self, seconds: float, exchange: _Exchange) -> None:
        if self._emulator.server is None:
            raise RuntimeError("connections can only be refused under the emulator's own server")
        self._emulator.server.refuse_connections(seconds, spare=exchange.transport)

    async def _carry_out(self, scope: Scope, body: bytes, record: RequestRecord) -> Answer:
        answer = Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive, answer.collect)
        record.handled_status = answer.status
        return answer

    def _open_record(self, scope: Scope, path: str, body: bytes) -> RequestRecord:
        client = scope.get("client")
        operation = self._operation(scope)
        with self._emulator.lock:
            clock = self._emulator.clock
            return self._emulator.requests.open(
                RequestRecord(
                    number=0,
                    time=clock.now(),
                    ticks=clock.ticks(),
                    method=scope["method"],
                    path=path,
                    query=scope["query_string"].decode("latin-1"),
                    operation=operation,
                    client_port=client[1] if client else None,
                    body=None if operation in _SECRET else _readable(body),
                )
            )

    def _operation(self, scope: Scope) -> str:
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return route.name
        return "unknown"


@dataclass
class _Exchange:
    """One request and the ways to leave it badly."""

    scope: Scope
    receive: Receive
    send: Send
    body: bytes
    record: RequestRecord

    async def respond(self, response: Response) -> None:
        """Send an answer that the API never made."""
        await self.reply(response.status_code, response.raw_headers, bytes(response.body))

    async def reply(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send an answer whose length is told correctly."""
        self.record.status = status
        await Answer(status, _with_length(headers, len(body)), body).send(self.send)

    @property
    def transport(self) -> Any:
        """The connection itself."""
        transport = self.scope.get("state", {}).get("transport")
        if transport is None:
            raise RuntimeError("connections can only be broken under the emulator's own server")
        return transport

    async def drop(self, *, reset: bool) -> None:
        """Close the connection without a further byte."""
        transport = self.transport
        if reset:
            # Lingering for zero seconds makes the kernel send RST in place of FIN.
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        # The server must learn of the end before this call returns, or it would answer 500 itself.
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def cut_head(self, answer: Answer, *, reset: bool) -> None:
        """Send the beginning of the headers and hang up."""
        self.transport.write(f"HTTP/1.1 {answer.status} OK\r\nContent-Ty".encode())
        await self.drop(reset=reset)

    async def cut(self, answer: Answer, *, reset: bool) -> None:
        """Promise a whole answer, send half of it and hang up."""
        headers = _with_length(answer.headers, len(answer.body))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        half = answer.body[: len(answer.body) // 2]
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        await self.drop(reset=reset)

    async def dribble(self, answer: Answer, seconds: float) -> None:
        """Send the answer in small pieces."""
        self.record.status = answer.status
        headers = _with_length(answer.headers, len(answer.body))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        size = max(1, -(-len(answer.body) // _SLOW_PIECES))
        pieces = [answer.body[start : start + size] for start in range(0, len(answer.body), size)]
        for piece in pieces:
            await asyncio.sleep(seconds / len(pieces))
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})


def tidy_path(raw_path: bytes) -> str:
    """Return a path without doubled or trailing slashes, its values still encoded."""
    path = re.sub(r"/{2,}", "/", raw_path.decode("latin-1").partition("?")[0])
    return path.rstrip("/") or "/"


def is_api_path(path: str) -> bool:
    """Whether a path belongs to a service rather than to the emulator itself."""
    own = (CONTROL_PREFIX, PAGES_PREFIX)
    return path not in ("/", "/favicon.ico", *own) and not path.startswith(tuple(f"{name}/" for name in own))


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return strict_json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]
