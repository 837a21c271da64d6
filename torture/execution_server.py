# SPDX-License-Identifier: Apache-2.0
"""The tests' Execution API over HTTP, so that it outlives the task processes that talk to it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from execution_api import ExecutionApi


class ExecutionServer:
    """Serves one DAG run's state; :attr:`api` is replaced for every run."""

    def __init__(self) -> None:
        self.api = ExecutionApi()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._lock = threading.Lock()

    def __enter__(self) -> ExecutionServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = httpx.Request(self.command, f"http://execution.invalid{self.path}", content=body)
                with server._lock:
                    answer = server.api.answer(request)
                self.send_response(answer.status_code)
                self.send_header("Content-Type", "application/json")
                if answer.status_code != 204:
                    self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                if answer.status_code != 204:
                    self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


class ForwardingApi(ExecutionApi):
    """What a task process talks to: it passes everything on to the server.

    :param url: the server's address
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        # Certificates take longer to load than all requests of a task, and none is asked for.
        self._client = httpx.Client(base_url=url, trust_env=False, verify=False)  # noqa: S501

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        answer = self._client.request(request.method, request.url.raw_path.decode(), content=request.content)
        return httpx.Response(answer.status_code, content=answer.content, headers={"Content-Type": "application/json"})


__all__ = ["ExecutionServer", "ForwardingApi"]
