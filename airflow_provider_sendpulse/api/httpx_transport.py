# SPDX-License-Identifier: Apache-2.0
"""Requests over ``httpx``, for coroutines."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import TYPE_CHECKING

from airflow_provider_sendpulse.api.account import Timeouts
from airflow_provider_sendpulse.api.messages import Answer, Executed, Request, TransportFailure
from airflow_provider_sendpulse.api.quiet import quiet

if TYPE_CHECKING:
    import httpx


class HttpxTransport:
    """Sends requests without blocking the event loop; belongs to the loop it is first used in.

    No redirects, no retries and no ``.netrc``; proxies from the environment are honoured.

    :param handler: replaces the network, for tests
    """

    def __init__(self, timeouts: Timeouts, handler: httpx.AsyncBaseTransport | None = None) -> None:
        self._timeouts = timeouts
        self._handler = handler
        self._kept: httpx.AsyncClient | None = None

    async def send(self, request: Request) -> Answer | TransportFailure:
        """Send a request and read its answer whole."""
        try:
            with quiet():
                async with asyncio.timeout(self._timeouts.connect + self._timeouts.total):
                    return await self._exchange(request)
        except TimeoutError:
            return TransportFailure(Executed.UNKNOWN, "the answer took too long")
        except Exception as error:  # whatever a library raises may hold the URL; and what was sent is in doubt
            return _failure(error)

    async def _exchange(self, request: Request) -> Answer:
        if request.fresh_connection:
            async with self._client() as client:
                return await _exchange(client, request)
        if self._kept is None:
            self._kept = self._client()
        return await _exchange(self._kept, request)

    async def aclose(self) -> None:
        """Close kept connections."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            await kept.aclose()

    def _client(self) -> httpx.AsyncClient:
        import httpx

        timeout = httpx.Timeout(self._timeouts.total, connect=self._timeouts.connect)
        if self._handler is not None:
            return httpx.AsyncClient(timeout=timeout, transport=self._handler)
        return httpx.AsyncClient(timeout=timeout, verify=_tls())


def prepare() -> None:
    """Do what would make the first request block the event loop. It takes tenths of a second: for a thread."""
    import anyio

    _tls()
    # The connection pool uses anyio, which imports its part for asyncio when something is used for the first time.
    anyio.run(anyio.sleep, 0)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context of this process: making one blocks the event loop for tens of milliseconds."""
    import httpx

    return httpx.create_ssl_context()


async def _exchange(client: httpx.AsyncClient, request: Request) -> Answer:
    response = await client.request(
        request.method, request.url, headers=dict(request.headers), content=request.body, follow_redirects=False
    )
    return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, response.content)


def _failure(error: Exception) -> TransportFailure:
    import httpx

    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return TransportFailure(Executed.NO, "connecting took too long")
    if isinstance(error, httpx.ConnectError):
        if _is_certificate_error(error):
            return TransportFailure(Executed.NO, "the host's certificate was not accepted")
        return TransportFailure(Executed.NO, "the connection was refused or the host could not be reached")
    if isinstance(error, httpx.ProxyError):
        return TransportFailure(Executed.NO, "the proxy did not let the connection through")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return TransportFailure(Executed.NO, "the connection's host is not a valid URL")
    if isinstance(error, httpx.TimeoutException):
        return TransportFailure(Executed.UNKNOWN, "no answer came in time")
    if isinstance(error, httpx.HTTPError | OSError):
        return TransportFailure(Executed.UNKNOWN, "the connection broke before the answer was complete")
    return TransportFailure(Executed.UNKNOWN, f"sending it failed ({type(error).__name__})")


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


__all__ = ["HttpxTransport", "prepare"]
