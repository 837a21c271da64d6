# SPDX-License-Identifier: Apache-2.0
"""Being away: for a while connections are refused, and then the server is back on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Restart = Callable[[socket.socket], Awaitable[None]]


class Outage:
    """Ends a server's connections and lets it refuse new ones. For the server's own thread only.

    :param connections: answers with the transports of all open connections
    :param stop_listening: closes the listening socket
    :param restart: lets the server accept connections on a socket that is bound
    """

    def __init__(
        self, connections: Callable[[], Iterable[Any]], stop_listening: Callable[[], None], restart: Restart
    ) -> None:
        self._connections = connections
        self._stop_listening = stop_listening
        self._restart = restart
        self._bound: socket.socket | None = None
        self._end: asyncio.Task[None] | None = None

    def begin(self, address: tuple[str, int], seconds: float, spare: Any = None) -> None:
        """Refuse connections from now on.

        :param address: where the server listens
        :param seconds: how long; a second outage during the first one replaces what is left of it
        :param spare: the connection over which an answer is still to be sent; it must close itself
        """
        if self._end is not None:
            self._end.cancel()
        if self._bound is None:
            self._stop_listening()
            # Bound and not listening: whoever connects is refused, and nobody else is given the port meanwhile.
            self._bound = bind(*address)
        for connection in list(self._connections()):
            if connection is not spare:
                connection.abort()
        self._end = asyncio.get_running_loop().create_task(self._later(seconds))

    async def end(self) -> None:
        """Be back now."""
        if self._end is not None and self._end is not asyncio.current_task():
            self._end.cancel()
        self._end = None
        if self._bound is not None:
            bound, self._bound = self._bound, None
            await self._restart(bound)

    def forget(self) -> None:
        """Never come back: the server is being shut down."""
        if self._end is not None:
            self._end.cancel()
        if self._bound is not None:
            self._bound.close()
            self._bound = None

    async def _later(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)
            await self.end()


def bind(host: str, port: int) -> socket.socket:
    """Open a socket bound to an address; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio switches Nagle's delay off for such sockets only.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
