# SPDX-License-Identifier: Apache-2.0
"""Requests over the ``requests`` library, for code that may block."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.account import Timeouts
from airflow_provider_sendpulse.api.messages import Answer, Executed, Request, TransportFailure
from airflow_provider_sendpulse.api.quiet import quiet

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

_CHUNK = 65_536
_HTTP_1_1 = 11


class RequestsTransport:
    """Sends one request at a time in every thread; keeps connections open for repeatable calls.

    A session is not made for being shared, so every thread has its own.

    No redirects, no retries and no ``.netrc``; proxies and certificate bundles from the environment are honoured.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._kept = threading.local()
        self._sessions: list[Session] = []
        self._lock = threading.Lock()

    def send(self, request: Request) -> Answer | TransportFailure:
        """Send a request and read its answer whole."""
        session = self._new_session() if request.fresh_connection else self._kept_session()
        deadline = time.monotonic() + self._timeouts.total
        try:
            with (
                quiet(),
                session.request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    data=request.body,
                    timeout=(self._timeouts.connect, self._timeouts.total),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                return self._read(response, deadline)
        except Exception as error:  # whatever a library raises may hold the URL; and what was sent is in doubt
            return _failure(error)
        finally:
            if request.fresh_connection:
                session.close()

    def close(self) -> None:
        """Close the kept connections of all threads; a request that is under way ends first or fails."""
        with self._lock:
            sessions, self._sessions = self._sessions, []
            self._kept = threading.local()
        for session in sessions:
            session.close()

    def _read(self, response: Response, deadline: float) -> Answer | TransportFailure:
        # The library's read timeout is per chunk; bytes that trickle in could hold a worker for ever.
        body = bytearray()
        # iter_content would wait until a chunk is full; read1 hands over what has come.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if time.monotonic() > deadline:
                return TransportFailure(Executed.UNKNOWN, "the answer took too long")
        headers = {name.lower(): value for name, value in response.headers.items()}
        framed = "content-length" in headers or "transfer-encoding" in headers or response.status_code in {204, 304}
        if response.raw.version == _HTTP_1_1 and not body and not framed:
            # http.client takes a head that breaks off for a complete one, and so nothing for an empty answer.
            return TransportFailure(Executed.UNKNOWN, "the connection broke before the answer was complete")
        return Answer(response.status_code, headers, bytes(body))

    def _kept_session(self) -> Session:
        session: Session | None = getattr(self._kept, "session", None)
        if session is None:
            session = self._new_session()
            with self._lock:
                self._kept.session = session
                self._sessions.append(session)
        return session

    @staticmethod
    def _new_session() -> Session:
        import requests

        session = requests.Session()
        # Without an auth of its own the session would look into .netrc and replace our Authorization header.
        session.auth = _keep_headers
        # Also with allow_redirects=False it would read where a redirect leads, and fail where that is no URL.
        session.get_redirect_target = _nowhere  # type: ignore[method-assign]
        return session


def _keep_headers(prepared: PreparedRequest) -> PreparedRequest:
    return prepared


def _nowhere(resp: Response) -> None:
    return None


def _failure(error: Exception) -> TransportFailure:
    import requests
    from urllib3 import exceptions as urllib3

    if isinstance(error, requests.ConnectTimeout):
        return TransportFailure(Executed.NO, "connecting took too long")
    causes = _causes(error)
    if any(isinstance(cause, urllib3.NameResolutionError) for cause in causes):
        return TransportFailure(Executed.NO, "the host name could not be resolved")
    if any(isinstance(cause, urllib3.NewConnectionError) for cause in causes):
        return TransportFailure(Executed.NO, "the connection was refused or the host could not be reached")
    if any(type(cause).__name__ == "SSLCertVerificationError" for cause in causes):
        return TransportFailure(Executed.NO, "the host's certificate was not accepted")
    invalid = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema)
    if isinstance(error, invalid):
        return TransportFailure(Executed.NO, "the connection's host is not a valid URL")
    if isinstance(error, requests.Timeout | urllib3.TimeoutError):
        return TransportFailure(Executed.UNKNOWN, "no answer came in time")
    if isinstance(error, requests.RequestException | urllib3.HTTPError | OSError):
        return TransportFailure(Executed.UNKNOWN, "the connection broke before the answer was complete")
    return TransportFailure(Executed.UNKNOWN, f"sending it failed ({type(error).__name__})")


def _causes(error: BaseException) -> list[Any]:
    """Unwrap what requests and urllib3 pack into arguments, ``reason`` and explicit chains.

    Not ``__context__``: that may be an error the caller is just handling, about another request to another service.
    """
    found: list[Any] = []
    pending: list[Any] = [error]
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or cause in found:
            continue
        found.append(cause)
        pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
    return found


__all__ = ["RequestsTransport"]
