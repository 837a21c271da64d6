# SPDX-License-Identifier: Apache-2.0
"""One harness for both clients, a clock that only moves when asked to, and a peer on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
import responses
from fake_clock import FakeClock
from hypothesis import settings
from told import told
from urllib3 import exceptions as urllib3

from airflow_provider_sendpulse.api.account import Account
from airflow_provider_sendpulse.api.call import Call, PagedCall
from airflow_provider_sendpulse.api.client import AsyncClient, Client
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport
from airflow_provider_sendpulse.api.policy import Effort
from airflow_provider_sendpulse.api.shared import MemoryStore, Store

# A slow machine is no failure, and a test leaves nothing in the work tree.
settings.register_profile("api", deadline=None, database=None)
settings.load_profile("api")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"api_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FAKES = load("fakes")


@dataclass
class Received:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def target(self) -> str:
        return re.sub(r"^https?://[^/]+", "", self.url)

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Reply:
    status: int = 200
    json: Any = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if self.body is not None else json.dumps(self.json).encode()


@dataclass
class Fault:
    """No answer: ``refused``, ``connect timeout``, ``reset`` or ``read timeout``."""

    name: str


class Driver:
    """A client of either kind with the same blocking face."""

    def __init__(self, client: Client | AsyncClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def send(self, call: Call[Any], **options: Any) -> Any:
        if isinstance(self.client, Client):
            return self.client.send(call, **options)
        return self._runner.run(self.client.send(call, **options))

    def pages(self, call: PagedCall[Any]) -> list[Any]:
        if isinstance(self.client, Client):
            return list(self.client.pages(call))
        client = self.client

        async def collect() -> list[Any]:
            return [item async for item in client.pages(call)]

        return self._runner.run(collect())

    def first(self, call: PagedCall[Any]) -> Any:
        """Return the first item and leave the others alone."""
        if isinstance(self.client, Client):
            return next(self.client.pages(call))
        client = self.client

        async def begin() -> Any:
            items = client.pages(call)
            item = await anext(items)
            await items.aclose()  # type: ignore[attr-defined]
            return item

        return self._runner.run(begin())

    def close(self) -> None:
        if isinstance(self.client, Client):
            self.client.close()
        else:
            self._runner.run(self.client.aclose())


class Lab:
    """Both clients against a scripted service.

    The token endpoint hands out ``token-1``, ``token-2``, … unless ``token_replies`` holds something else.
    """

    reply = Reply
    fault = Fault

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = FakeClock()
        self.store: Store = MemoryStore()
        self.received: list[Received] = []
        self.replies: list[Any] = []
        self.token_replies: list[Any] = []
        self.token_calls: list[Received] = []
        self.lifetime = 3600.0
        self.masked: list[str] = []
        self.unexpected: list[str] = []
        self.account: Callable[..., Account] = FAKES.account
        self._runner = asyncio.Runner()
        self._drivers: list[Driver] = []
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)

    def answer(self, *replies: Any) -> None:
        """Answer the following calls with these, in this order; a function receives the request."""
        self.replies += replies

    def client(
        self,
        account: Account | None = None,
        *,
        effort: Effort = Effort(),
        store: Store | None = None,
        clock: Any = None,
        real: bool = False,
    ) -> Driver:
        """Build a client; ``real`` ones use the network."""
        account = account or self.account()
        options: dict[str, Any] = {
            "store": store or self.store,
            "clock": clock or self.clock,
            "effort": effort,
        }
        client: Client | AsyncClient
        if self.kind == "requests":
            client = Client(account, mask=self.masked.append, **options)
        else:
            transport = None if real else HttpxTransport(account.timeouts, httpx.MockTransport(self._httpx))
            client = AsyncClient(account, mask=self._amask, transport=transport, **options)
        if not real:
            self._start_mock()
        driver = Driver(client, self._runner)
        self._drivers.append(driver)
        return driver

    def send(self, call: Call[Any], **options: Any) -> Any:
        return self.client(**options).send(call)

    def close(self) -> None:
        for driver in self._drivers:
            driver.close()
        self._runner.close()
        with contextlib.suppress(RuntimeError):
            self._mock.stop(allow_assert=False)

    async def _amask(self, secret: str) -> None:
        self.masked.append(secret)

    def _start_mock(self) -> None:
        if self.kind == "requests" and not self._mock.registered():
            self._mock.start()
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                self._mock.add_callback(method, re.compile(".*"), self._requests)

    def _decide(self, request: Received) -> Reply | Fault:
        if request.target == FAKES.TOKEN_PATH:
            self.token_calls.append(request)
            if self.token_replies:
                reply = self.token_replies.pop(0)
            else:
                reply = Reply(json={"access_token": f"token-{len(self.token_calls)}", "expires_in": self.lifetime})
        else:
            self.received.append(request)
            if not self.replies:
                self.unexpected.append(f"{request.method} {request.target}")
                return Reply(422, {"message": "unexpected"})
            reply = self.replies.pop(0)
        return reply(request) if callable(reply) else reply

    def _requests(self, request: requests.PreparedRequest) -> Any:
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        url = str(request.url)
        reply = self._decide(Received(str(request.method), url, headers, content, self.clock.now()))
        if isinstance(reply, Fault):
            # As the libraries build them: with the URL, and so with whatever is in it.
            unreachable = urllib3.NewConnectionError(None, f"refused: {url}")  # type: ignore[arg-type]
            faults: dict[str, Exception] = {
                "refused": requests.ConnectionError(
                    urllib3.MaxRetryError(None, url, unreachable),
                    request=request,  # type: ignore[arg-type]
                ),
                "connect timeout": requests.ConnectTimeout(f"connecting to {url}", request=request),
                "reset": requests.ConnectionError(
                    urllib3.ProtocolError(f"aborted {url} {content!r}", ConnectionResetError(104)), request=request
                ),
                "read timeout": requests.ReadTimeout(f"{url} {headers}", request=request),
            }
            return faults[reply.name]
        return reply.status, reply.headers, reply.content

    def _httpx(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        reply = self._decide(Received(request.method, url, dict(request.headers), request.content, self.clock.now()))
        if isinstance(reply, Fault):
            faults: dict[str, Exception] = {
                "refused": httpx.ConnectError(f"refused: {url}", request=request),
                "connect timeout": httpx.ConnectTimeout(f"connecting to {url}", request=request),
                "reset": httpx.ReadError(f"aborted {url} {request.content!r}", request=request),
                "read timeout": httpx.ReadTimeout(f"{url} {request.headers}", request=request),
            }
            raise faults[reply.name]
        return httpx.Response(reply.status, headers=reply.headers, content=reply.content)


class Peer:
    """A server on a real socket that does as it is told; counts connections and keeps the requests it was sent."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[SimpleNamespace] = []
        self.behave: Callable[[socket.socket, SimpleNamespace], bool] = answer_json({"result": True})
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        self.ended.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            with contextlib.suppress(OSError), connection.makefile("rb") as stream:
                while (request := self._read(stream, number)) is not None:
                    with self._lock:
                        self.requests.append(request)
                    if not self.behave(connection, request):
                        return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    @staticmethod
    def _read(stream: Any, number: int) -> SimpleNamespace | None:
        first = stream.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        return SimpleNamespace(
            method=first[0], target=first[1], headers=headers, body=body, connection=number, at=time.monotonic()
        )


def answer_json(value: Any, status: str = "200 OK", headers: str = "") -> Callable[..., bool]:
    content = json.dumps(value).encode()

    def behave(connection: socket.socket, request: SimpleNamespace) -> bool:
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + content)
        return True

    return behave


def reset(connection: socket.socket, request: SimpleNamespace) -> bool:
    # With nothing to linger for, closing sends RST.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


@pytest.fixture(params=["requests", "httpx"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    lab = Lab(request.param)
    yield lab
    lab.close()
    assert not lab.unexpected
    assert not lab.replies, "fewer requests than expected"


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    return SimpleNamespace(
        FakeClock=FakeClock,
        Lab=Lab,
        answer_json=answer_json,
        reset=reset,
        leaks=told,
        fakes=FAKES,
        folder=Path(__file__).parent,
    )
