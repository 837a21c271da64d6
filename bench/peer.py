# SPDX-License-Identifier: Apache-2.0
"""The other end of a benchmark: takes contacts, counts how often each came, and can kill the sender in the middle."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_YES = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"result":true}'


class Peer:
    """Says yes to every add call. The emulator knows more, and takes longer than what is to be measured.

    :param rows: how many contacts there are; the number in an address, from 0, says which one it is
    :param latency: seconds until an answer
    """

    def __init__(self, rows: int, latency: float = 0.0) -> None:
        self.came = bytearray(rows)
        self.requests = 0
        self._latency = latency
        self._lock = threading.Lock()
        self._kill_at: int | None = None
        self._kill: Callable[[], None] = lambda: None
        self._after_effect = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kill_at(self, request: int, kill: Callable[[], None], *, after_effect: bool) -> None:
        """Kill the sender at a request, counted from 1.

        :param after_effect: whether that request is carried out before
        """
        self._kill_at, self._kill, self._after_effect = request, kill, after_effect

    @property
    def missing(self) -> int:
        """Contacts that never came."""
        return self.came.count(0)

    @property
    def again(self) -> int:
        """How often a contact came that had come before."""
        return sum(self.came) - (len(self.came) - self.missing)

    def _take(self, body: bytes) -> bool:
        """Take an add call, and return whether there is still somebody to answer."""
        with self._lock:
            self.requests += 1
            killed = self.requests == self._kill_at
            if not killed or self._after_effect:
                for contact in json.loads(body)["emails"]:
                    self.came[int(contact["email"].partition("@")[0])] += 1
            if killed:
                self._kill()
            return not killed

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not peer._take(body):
                    self.close_connection = True
                    return
                if peer._latency:
                    time.sleep(peer._latency)
                self.wfile.write(_YES)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


__all__ = ["Peer"]
