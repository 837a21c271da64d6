# SPDX-License-Identifier: Apache-2.0
"""Serving the emulator: in a thread for tests, or as a process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_provider_sendpulse.emulator.application import build_application
from airflow_provider_sendpulse.emulator.emulator import Emulator
from airflow_provider_sendpulse.emulator.esputnik.api.call import PREFIX
from airflow_provider_sendpulse.emulator.fault_kinds import LONGEST_OUTAGE, InvalidFault
from airflow_provider_sendpulse.emulator.faults import Faults
from airflow_provider_sendpulse.emulator.outage import Outage, bind
from airflow_provider_sendpulse.emulator.request_log import RequestLog
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.state import State

START_TIMEOUT = 10.0
_TICK = 0.25


class DroppableProtocol(H11Protocol):
    """HTTP that lets the application reach its connection, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hand the connection to the application along with each request."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """A server that tells when it accepts connections."""

    def __init__(self, emulator: Emulator) -> None:
        config = uvicorn.Config(
            build_application(emulator),
            http=DroppableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self.ready = threading.Event()
        self.outage = Outage(self._transports, self._stop_listening, self._listen_again)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._address = ("", 0)
        self._ticking: asyncio.Task[None] | None = None
        self._emulator = emulator
        emulator.server = self

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self._address = (sockets or [])[0].getsockname()[:2]
        self._ticking = self.loop.create_task(self._push_webhooks())
        self.ready.set()
        self.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, also in the middle of an outage."""
        self.outage.forget()
        if self._ticking is not None:
            self._ticking.cancel()
        await super().shutdown(sockets)

    def refuse_connections(self, seconds: float, spare: Any = None) -> None:
        """End all connections but one and refuse new ones for a while. In the server's own thread only.

        Raises:
            InvalidFault: that is no time to be away for.
        """
        if not 0 < seconds <= LONGEST_OUTAGE:
            raise InvalidFault(f"an outage lasts more than 0 and at most {LONGEST_OUTAGE:.0f} seconds")
        self.outage.begin(self._address, seconds, spare)

    def announce(self) -> None:
        """Do nothing: whoever runs a thread waits for :attr:`ready`."""

    async def _push_webhooks(self) -> None:
        """On a real clock, look now and then whether webhooks are due; a manual one pushes them as it moves."""
        while True:
            await asyncio.sleep(_TICK)
            if not self._emulator.clock.is_manual and len(self._emulator.state.webhooks):
                await asyncio.to_thread(self._emulator.push_webhooks)

    def _transports(self) -> list[Any]:
        return [connection.transport for connection in self.server_state.connections]

    def _stop_listening(self) -> None:
        for server in self.servers:
            server.close()

    async def _listen_again(self, bound: socket.socket) -> None:
        await super().startup([bound])


def url_of(listener: socket.socket) -> str:
    """Return the address at which a socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class RunningEmulator:
    """An emulator served by a thread on a free port of this machine.

    Use it as a context manager, for one test or for a whole session with :meth:`reset` between the tests::

        with RunningEmulator(Settings(clock="manual")) as emulator:
            requests.get(f"{emulator.url}/addressbooks", ...)
    """

    def __init__(self, settings: Settings | None = None, **changes: Any) -> None:
        # A copy: whoever gave the settings may go on to use them for another emulator.
        own = Settings()
        own.copy_from(settings or Settings())
        own.update(changes)
        self.emulator = Emulator(own)
        self._listener: socket.socket | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        self.esputnik_url = ""

    @property
    def esputnik_key(self) -> str:
        """The API key of the eSputnik account; any user name goes with it."""
        return self.settings.esputnik_keys[0]

    @property
    def state(self) -> State:
        """The account, live; hold ``emulator.lock`` to change it while clients are at work."""
        with self.emulator.lock:
            self.emulator.state.settle()
            return self.emulator.state

    @property
    def settings(self) -> Settings:
        """The settings, live; :meth:`configure` changes them with checks."""
        return self.emulator.settings

    @property
    def faults(self) -> Faults:
        """The faults, live."""
        return self.emulator.faults

    @property
    def requests(self) -> RequestLog:
        """The request log, live."""
        return self.emulator.requests

    def configure(self, **changes: Any) -> None:
        """Change settings."""
        self.emulator.change_settings(changes)

    def advance(self, seconds: float) -> None:
        """Push the clock forward."""
        self.emulator.advance(seconds)

    def reset(self) -> None:
        """Forget everything, return to the settings of the start, and take connections again."""
        if self._server is not None:
            self._in_its_thread(self._server.outage.end())
        self.emulator.reset()

    def refuse_connections(self, seconds: float) -> None:
        """Be away: end all connections and refuse new ones for some seconds, then be back on the same port."""
        if self._server is None:
            raise RuntimeError("the emulator does not serve yet")

        async def begin(server: Server) -> None:
            server.refuse_connections(seconds)

        self._in_its_thread(begin(self._server))

    def inbox(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return the messages that were mailed, as their readers see them, oldest first.

        :param to: only those to this address
        """
        with self.emulator.lock:
            now = self.emulator.clock.now()
            return [message.as_dict(now) for message in self.state.mailbox if to in (None, message.to)]

    def start(self) -> RunningEmulator:
        """Begin to serve."""
        self._listener = bind("127.0.0.1", 0)
        self.url = url_of(self._listener)
        self.esputnik_url = f"{self.url}{PREFIX}"
        self._server = Server(self.emulator)
        self._thread = threading.Thread(target=self._serve, name="sendpulse-emulator", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_TIMEOUT):
            raise RuntimeError("the emulator did not start")
        return self

    def stop(self) -> None:
        """End serving, and every connection with it."""
        if self._server is None or self._thread is None or self._listener is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self._server = self._thread = self._listener = None

    def __enter__(self) -> RunningEmulator:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _in_its_thread(self, work: Coroutine[Any, Any, None]) -> None:
        if self._server is None or self._server.loop is None:
            raise RuntimeError("the emulator does not serve yet")
        asyncio.run_coroutine_threadsafe(work, self._server.loop).result(START_TIMEOUT)

    def _serve(self) -> None:
        if self._server is not None and self._listener is not None:
            asyncio.run(self._server.serve(sockets=[self._listener]))
