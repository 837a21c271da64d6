# SPDX-License-Identifier: Apache-2.0
"""What happens around one call: budget, token, repeats, reading of failures. A generator; it does no I/O itself.

The order within one attempt matters. A place in the budget comes first, because waiting for it may outlive a token; the
authorisation header is then built anew for every attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from tenacity import RetryCallState, Retrying, stop_after_attempt, stop_after_delay, wait_exponential_jitter

from airflow_provider_sendpulse.api.account import Account, ClientCredentials, StaticKey
from airflow_provider_sendpulse.api.budget import pause, reservation
from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.api.messages import Answer, Executed, Request, TransportFailure
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.api.retry_after import retry_after
from airflow_provider_sendpulse.api.service import IssuedToken, Problem, ProblemKind
from airflow_provider_sendpulse.api.steps import Conversation, send, update, wait
from airflow_provider_sendpulse.api.token import Tokens
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try.

    :param attempts: requests in all, the first included
    :param seconds: from the first request on, no attempt begins after this
    :param longest_wait: a single wait longer than this is left to the caller, who may give its worker back meanwhile
    """

    attempts: int = 5
    seconds: float = 120.0
    longest_wait: float = 60.0


class _Attempts:
    """Counts attempts and asks tenacity how long to wait and when to stop."""

    def __init__(self, effort: Effort, now: Callable[[], float]) -> None:
        self._effort = effort
        self._now = now
        self._wait = wait_exponential_jitter(initial=0.5, max=effort.longest_wait, jitter=0.5)
        self._stop = stop_after_attempt(effort.attempts) | stop_after_delay(effort.seconds)
        self._state = RetryCallState(Retrying(), None, (), {})
        self._state.start_time = now()

    @property
    def count(self) -> int:
        return self._state.attempt_number

    def pause(self, asked: float | None = None) -> float | None:
        """Return the seconds until the next attempt, or ``None`` when there is to be none.

        :param asked: what the service asked for; the wait is never shorter than that
        """
        self._state.outcome_timestamp = self._now()
        seconds = max(self._wait(self._state), asked or 0.0)
        elapsed = self._state.outcome_timestamp - self._state.start_time
        if self._stop(self._state) or seconds > self._effort.longest_wait or elapsed + seconds > self._effort.seconds:
            return None
        self._state.attempt_number += 1
        return seconds


class Policy:
    """How one account is called.

    :param account: whose account
    :param now: the time, in seconds since the epoch
    :param effort: the bounds of repeating
    """

    def __init__(self, account: Account, now: Callable[[], float], effort: Effort = Effort()) -> None:
        self._account = account
        self._now = now
        self._effort = effort
        self._tokens: Tokens | None = None
        if isinstance(account.credentials, ClientCredentials):
            self._tokens = Tokens(account.credentials, account.token_key, self._fetch_token, now)

    def converse(self, call: Call[T], *, fresh_token: bool = False) -> Conversation[T]:
        """Carry out a call.

        :param call: what to ask
        :param fresh_token: fetch a new token for this call and leave the shared one alone
        :return: what ``call.read`` makes of the answer
        :raises AuthenticationFailed: the credentials are not accepted
        :raises Refused: the service said no
        :raises Throttled: a limit would need a longer wait than is reasonable here; nothing was carried out
        :raises ServiceUnavailable: the service could not be reached, or a repeatable call kept failing
        :raises AmbiguousOutcome: a call that must not be repeated may or may not have been carried out
        """
        return (yield from _Exchange(self, call, fresh_token).run())

    def _fetch_token(self) -> Conversation[IssuedToken]:
        credentials = cast("ClientCredentials", self._account.credentials)
        call = self._account.service.token_call(credentials.client_id, credentials.client_secret)
        return (yield from self.converse(call))


class _Exchange(Generic[T]):
    """The attempts of one call."""

    def __init__(self, policy: Policy, call: Call[T], fresh_token: bool) -> None:
        self._account = policy._account
        self._tokens = policy._tokens
        self._now = policy._now
        self._call = call
        self._fresh_token = fresh_token
        self._attempts = _Attempts(policy._effort, policy._now)
        self._token: str | None = None
        self._rejected: list[str] = []
        self._renewed = False

    def run(self) -> Conversation[T]:
        while True:
            reserved = yield from update(self._account.budget_key, reservation(self._account.limits, self._now()))
            yield from wait(reserved)
            request = yield from self._request()
            reply = yield from send(request)
            if isinstance(reply, TransportFailure):
                yield from self._after_silence(reply)
                continue
            try:
                body = reply.json()
            except ValueError as error:
                body = error
            problem = self._account.service.find_problem(self._call, reply, body)
            if problem is not None:
                yield from self._after_problem(reply, problem)
                continue
            try:
                return self._call.read(body)
            except (LookupError, TypeError, ValueError) as error:
                reason = f"the answer is not of the documented shape ({type(error).__name__})"
                yield from self._after_silence(TransportFailure(Executed.UNKNOWN, reason), reply)

    def _request(self) -> Conversation[Request]:
        headers = {"Accept": "application/json", "User-Agent": self._account.user_agent}
        if self._call.authorised:
            headers["Authorization"] = f"Bearer {(yield from self._bearer())}"
        content: bytes | None = None
        if self._call.body is not None:
            headers["Content-Type"], content = self._call.body.encode()
        return Request(
            method=self._call.method,
            url=self._account.url(self._call.host, self._call.target),
            headers=headers,
            body=content,
            fresh_connection=self._call.repeat is Repeat.IF_NOT_EXECUTED,
        )

    def _bearer(self) -> Conversation[str]:
        if self._tokens is None:
            self._token = cast("StaticKey", self._account.credentials).key
        elif self._fresh_token:
            self._token = self._token or (yield from self._tokens.fresh())
        else:
            rejected = self._rejected[-1] if self._rejected else None
            self._token, fetched = yield from self._tokens.current(rejected)
            self._renewed = fetched and rejected is not None
        return self._token

    def _after_silence(self, failure: TransportFailure, answer: Answer | None = None) -> Conversation[None]:
        """Nothing usable came back: repeat where that is safe."""
        status = answer.status if answer else None
        if failure.executed is Executed.UNKNOWN and self._call.repeat is Repeat.IF_NOT_EXECUTED:
            raise AmbiguousOutcome(
                f"{self._operation} was sent, and no usable answer came back: {failure.reason}. It may have been "
                "carried out, so it is not repeated. Look in the service's dashboard before doing it again.",
                operation=self._call.operation,
                status=status,
            )
        pause_for = self._attempts.pause(retry_after(answer.headers, self._now()) if answer else None)
        if pause_for is None:
            raise ServiceUnavailable(
                f"{self._operation} failed {self._attempts.count} times, the last time because {failure.reason}. "
                "Check that the service is up and that this machine can reach it.",
                operation=self._call.operation,
                status=status,
            )
        log.warning("%s: %s; again in %.1f s", self._operation, failure.reason, pause_for)
        yield from wait(pause_for)

    def _after_problem(self, answer: Answer, problem: Problem) -> Conversation[None]:
        """The service said something other than yes: wait, renew, or give up with its words."""
        if problem.kind is ProblemKind.CREDENTIALS:
            self._renew_or_fail(answer, problem)
        elif problem.kind is ProblemKind.BROKEN:
            reason = f"the service answered HTTP {answer.status}"
            yield from self._after_silence(TransportFailure(Executed.UNKNOWN, reason), answer)
        elif problem.kind is ProblemKind.THROTTLED:
            asked = retry_after(answer.headers, self._now()) or problem.retry_after
            pause_for = self._attempts.pause(asked)
            if pause_for is None:
                raise self._error(Throttled, answer, problem, "was throttled", retry_after=asked)
            log.warning("%s: %s; again in %.1f s", self._operation, _said(answer, problem), pause_for)
            # The limit is the account's, so everybody who calls it waits.
            now = self._now()
            yield from update(self._account.budget_key, pause(now + pause_for, now))
            yield from wait(pause_for)
        elif problem.kind is ProblemKind.QUOTA:
            asked = retry_after(answer.headers, self._now()) or problem.retry_after
            raise self._error(Throttled, answer, problem, "was refused for now", retry_after=asked)
        else:
            raise self._error(Refused, answer, problem, "was refused")

    def _renew_or_fail(self, answer: Answer, problem: Problem) -> None:
        """After a 401, let the next attempt use another token: the shared one if it is new, else one renewed, once."""
        renewable = self._call.authorised and self._tokens is not None and not self._fresh_token
        # At most three tokens are tried: the one at hand, the one that somebody else put in its place, a renewed one.
        if renewable and self._token is not None and not self._renewed and len(self._rejected) < 2:
            self._rejected.append(self._token)
            log.info("%s: the token was not accepted; renewing it", self._operation)
            return
        raise self._error(AuthenticationFailed, answer, problem, "was not authorised")

    @property
    def _operation(self) -> str:
        return f"{self._account.service.name}: {self._call.operation}"

    def _error(
        self, kind: type[ServiceError], answer: Answer, problem: Problem, verb: str, **details: Any
    ) -> ServiceError:
        advice = problem.advice
        if kind is AuthenticationFailed and not advice:
            advice = self._account.service.credentials_advice
        return kind(
            f"{self._operation} {verb}: {_said(answer, problem)}.{' ' + advice if advice else ''}",
            operation=self._call.operation,
            status=answer.status,
            error_code=problem.error_code,
            service_message=redact(problem.message),
            **details,
        )


def _said(answer: Answer, problem: Problem) -> str:
    code = "" if problem.error_code is None else f", error_code {problem.error_code}"
    words = f", “{redact(problem.message)}”" if problem.message else ""
    return f"HTTP {answer.status}{code}{words}"


__all__ = ["Effort", "Policy"]
