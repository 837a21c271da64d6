# SPDX-License-Identifier: Apache-2.0
"""What happens around one call: budget, token, repeats, reading of failures. A generator; it does no I/O itself.

The order within one attempt matters. The token comes first: places in the budget taken while another process fetches it
would all fall due at once when it is there. Then a place in the budget; waiting for that may outlive the token, so the
token is looked at again, and the authorisation header is built anew for every attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from tenacity import RetryCallState, Retrying, stop_after_attempt, stop_after_delay, wait_exponential, wait_random

from airflow_provider_sendpulse.api.account import Account, ClientCredentials
from airflow_provider_sendpulse.api.budget import reservation, throttled
from airflow_provider_sendpulse.api.call import Call, Expect, Repeat, SecretUrl
from airflow_provider_sendpulse.api.messages import Answer, Executed, Request, TransportFailure
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.api.retry_after import retry_after
from airflow_provider_sendpulse.api.service import IssuedToken, Problem, ProblemKind
from airflow_provider_sendpulse.api.steps import Conversation, send, update, wait
from airflow_provider_sendpulse.api.token import Tokens
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    InvalidRequest,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)

T = TypeVar("T")

log = logging.getLogger(__name__)

_JITTER = 0.5


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
        # Together never longer than the longest wait, so that the jitter alone does not end the attempts.
        longest = max(effort.longest_wait - _JITTER, 0.0)
        self._wait = wait_exponential(multiplier=0.5, max=longest) + wait_random(0, _JITTER)
        self._stop = stop_after_attempt(effort.attempts) | stop_after_delay(effort.seconds)
        self._state = RetryCallState(Retrying(), None, (), {})
        self._state.start_time = now()

    @property
    def count(self) -> int:
        return self._state.attempt_number

    @property
    def give_up_at(self) -> float:
        return self._state.start_time + self._effort.seconds

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
        :raises InvalidRequest: the call cannot be put on the wire; nothing was sent
        :raises AuthenticationFailed: the credentials are not accepted
        :raises Refused: the service said no
        :raises Throttled: a limit would need a longer wait than is reasonable here; nothing was carried out
        :raises ServiceUnavailable: the service could not be reached, or a repeatable call kept failing
        :raises AmbiguousOutcome: a call that must not be repeated may or may not have been carried out
        """
        return (yield from _Exchange(self, call, fresh_token).run())

    def _fetch_token(self) -> Conversation[IssuedToken]:
        credentials = cast("ClientCredentials", self._account.credentials)
        token_call = self._account.service.token_call
        if token_call is None:
            raise TypeError("the service hands out no tokens")
        return (yield from self.converse(token_call(credentials.client_id, credentials.client_secret)))


class _Exchange(Generic[T]):
    """The attempts of one call."""

    def __init__(self, policy: Policy, call: Call[T], fresh_token: bool) -> None:
        self._account = policy._account
        self._tokens = policy._tokens
        self._now = policy._now
        self._call = call
        self._budget_key, self._limits = policy._account.budget_of(call)
        self._fresh_token = fresh_token
        self._attempts = _Attempts(policy._effort, policy._now)
        self._token: str | None = None
        self._rejected: list[str] = []
        self._renewed = False
        self._in_doubt = False

    def run(self) -> Conversation[T]:
        while True:
            yield from self._authorise()
            reserved = yield from update(self._budget_key, reservation(self._limits, self._now()))
            if reserved > 0:
                yield from wait(reserved)
                yield from self._authorise()
            reply = yield from send(self._request())
            if isinstance(reply, TransportFailure):
                yield from self._after_silence(reply)
                continue
            reply = reply.without(self._account.credentials.secrets)
            if reply.status in self._call.accepted:
                log.info("%s: the same request was accepted a moment ago", self._operation)
                return self._call.accepted[reply.status]
            problem, result, reason = self._read(reply)
            if problem is not None and self._in_doubt and self._is_done(reply, problem):
                return cast("T", None)
            if problem is not None:
                yield from self._after_problem(reply, problem)
                continue
            if reason is not None:
                yield from self._after_silence(TransportFailure(Executed.UNKNOWN, reason), reply)
                continue
            return cast("T", result)

    def _is_done(self, answer: Answer, problem: Problem) -> bool:
        return problem.error_code in self._call.done_on_repeat or answer.status in self._call.gone_on_repeat

    def _read(self, answer: Answer) -> tuple[Problem | None, T | None, str | None]:
        """Return what is wrong, or the result, or why the answer cannot be read.

        Whatever reading raises ends here: the request was sent, so it must not look like a failure that Airflow may
        retry, and what the error says may be personal.
        """
        try:
            try:
                body = answer.json()
            except ValueError as error:
                body = answer.text if self._call.expect is Expect.TEXT else error
            problem = self._account.service.find_problem(self._call, answer, body)
            if problem is not None and problem.kind is ProblemKind.REFUSED and problem.error_code in self._call.empty_on:
                problem, body = None, []
            return problem, None if problem is not None else self._call.read(body), None
        except ServiceError:
            raise
        except Exception as error:
            return None, None, f"the answer is not of the documented shape ({type(error).__name__})"

    def _request(self) -> Request:
        headers = {"Accept": "application/json", "User-Agent": self._account.user_agent}
        if self._call.authorised:
            headers["Authorization"] = self._account.credentials.authorization(self._token)
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise InvalidRequest(
                f"{self._operation} was not sent: the connection's key or the service's token holds a line break or "
                "another character that no HTTP header may hold. Enter the key again.",
                operation=self._call.operation,
            )
        content: bytes | None = None
        wrong: str | None = None
        url = ""
        try:
            url = self._account.url(self._call.host, self._call.target)
            if self._call.body is not None:
                headers["Content-Type"], content = self._call.body.encode()
        except (TypeError, ValueError) as error:
            wrong = type(error).__name__
        if wrong is not None:  # raised out here, because the error may hold the whole body
            raise InvalidRequest(
                f"{self._operation} was not sent: its path, query or body cannot be encoded ({wrong}). Check for empty "
                "values, NaN, broken text and types that JSON does not know.",
                operation=self._call.operation,
            )
        return Request(
            method=self._call.method,
            url=url,
            headers=headers,
            body=content,
            fresh_connection=self._call.repeat is Repeat.IF_NOT_EXECUTED,
        )

    def _authorise(self) -> Conversation[None]:
        if not self._call.authorised or self._tokens is None:
            return
        if self._fresh_token:
            self._token = self._token or (yield from self._tokens.fresh())
        else:
            rejected = self._rejected[-1] if self._rejected else None
            self._token, fetched = yield from self._tokens.current(rejected, self._attempts.give_up_at)
            self._renewed = self._renewed or (fetched and rejected is not None)

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
        self._in_doubt = self._in_doubt or failure.executed is Executed.UNKNOWN
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
        """Wait, renew, or give up with the service's words."""
        if problem.kind is ProblemKind.CREDENTIALS:
            self._renew_or_fail(answer, problem)
        elif problem.kind is ProblemKind.BROKEN:
            reason = f"the service answered HTTP {answer.status}"
            yield from self._after_silence(TransportFailure(Executed.UNKNOWN, reason), answer)
        elif problem.kind is ProblemKind.REPEATED:
            raise self._error(AmbiguousOutcome, answer, problem, "was received before", was_received=True)
        elif problem.kind is ProblemKind.THROTTLED:
            asked = retry_after(answer.headers, self._now()) or problem.retry_after
            pause_for = self._attempts.pause(asked)
            # The limit is the account's, so everybody who calls it waits, and goes on more slowly.
            now = self._now()
            lowered = yield from update(self._budget_key, throttled(now + (pause_for or 0.0), now))
            if lowered is not None:
                log.warning("%s: too many requests; going on at %.0f %% of the rate.", self._operation, lowered * 100)
            if pause_for is None:
                raise self._error(Throttled, answer, problem, "was throttled", retry_after=asked)
            log.warning("%s: %s; again in %.1f s", self._operation, self._said(answer, problem), pause_for)
            yield from wait(pause_for)
        elif problem.kind is ProblemKind.QUOTA:
            asked = retry_after(answer.headers, self._now()) or problem.retry_after
            raise self._error(Throttled, answer, problem, "was refused for now", retry_after=asked)
        else:
            raise self._error(
                Refused,
                answer,
                problem,
                "was refused",
                due_to_a_row=problem.due_to_a_row,
                is_too_large=problem.is_too_large,
                most_items=problem.most_items,
            )

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

    def _error(self, kind: type[ServiceError], answer: Answer, problem: Problem, verb: str, **details: Any) -> ServiceError:
        advice = problem.advice
        if kind is AuthenticationFailed and not advice:
            advice = self._account.service.credentials_advice
        return kind(
            f"{self._operation} {verb}: {self._said(answer, problem)}.{' ' + advice if advice else ''}",
            operation=self._call.operation,
            status=answer.status,
            error_code=problem.error_code,
            service_message=self._redact(problem.message),
            **details,
        )

    def _said(self, answer: Answer, problem: Problem) -> str:
        code = "" if problem.error_code is None else f", error_code {problem.error_code}"
        words = f", “{self._redact(problem.message)}”" if problem.message else ""
        return f"HTTP {answer.status}{code}{words}"

    def _redact(self, message: str) -> str:
        """Hide also what no pattern can know: secrets of this account and this call, should the service repeat them."""
        own = [*self._account.credentials.secrets, *self._call.secrets]
        if isinstance(self._call.host, SecretUrl):
            own += [self._call.host.value, self._call.host.value.rstrip("/").rpartition("/")[2]]
        return redact(message, secrets=[*own, self._token or "", *self._rejected], private=self._call.private)


__all__ = ["Effort", "Policy"]
