# SPDX-License-Identifier: Apache-2.0
"""A file of contacts at a URL with a password, for whoever fetches it."""

from __future__ import annotations

import base64
import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

LOGIN, PASSWORD = "login-of-files", "p%40ss-word-of-files"
CONTENT = "Email,First name\nada@example.com,Ada\nbob@example.com,Bob\n"


@contextlib.contextmanager
def served_file() -> Iterator[Callable[..., str]]:
    """Serve a file to whoever has the password; what is yielded sets its content and returns its URL."""
    expected = "Basic " + base64.b64encode(f"{LOGIN}:{unquote(PASSWORD)}".encode()).decode()

    class Files(http.server.BaseHTTPRequestHandler):
        content = CONTENT

        def do_GET(self) -> None:
            is_known = self.headers.get("Authorization") == expected
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(self.content.encode() if is_known else b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()

    def serve(content: str = CONTENT) -> str:
        Files.content = content
        return f"http://{LOGIN}:{PASSWORD}@127.0.0.1:{server.server_address[1]}/contacts.csv"

    try:
        yield serve
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


__all__ = ["CONTENT", "LOGIN", "PASSWORD", "served_file"]
