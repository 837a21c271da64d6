# SPDX-License-Identifier: Apache-2.0
"""The hook and the faults: what may be repeated is, what must not be is not, and the end is told clearly.

Over real sockets, with both HTTP libraries, through the fixtures that users have. Waits of the client pass at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from client_faults import DOUBT, PASSING, REFUSALS
from told import told

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.account import Timeouts
from airflow_provider_sendpulse.api.call import Call, PagedCall
from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

pytest_plugins = ["airflow_provider_sendpulse.emulator.pytest_plugin"]

SECRET = "canary5ecret0123456789"
READ, WRITE, ONCE = "address_books.list", "address_books.rename", "address_books.create"


class Driver:
    """A hook whose coroutines can be called like its functions."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.hook = SendPulseHook()
        self._runner = asyncio.Runner()

    def send(self, call: Call[Any]) -> Any:
        return self.hook.send(call) if self.kind == "requests" else self._runner.run(self.hook.asend(call))

    def close(self) -> None:
        self.hook.close()
        self._runner.run(self.hook.aclose())
        self._runner.close()

    def be_impatient(self) -> None:
        settings = self.hook.settings
        self.hook._settings = replace(settings, account=replace(settings.account, timeouts=Timeouts(0.5, 0.3)))


@pytest.fixture(params=["requests", "httpx"])
def driver(request: pytest.FixtureRequest, sendpulse_connection: Any, sendpulse_emulator: Any) -> Iterator[Driver]:
    sendpulse_emulator.configure(client_secret=SECRET)
    sendpulse_connection(password=SECRET)
    driver = Driver(request.param)
    yield driver
    driver.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the client, which pass at once."""
    waits: list[float] = []

    async def asleep(_: Any, seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: waits.append(seconds))
    monkeypatch.setattr(SystemClock, "asleep", asleep)
    return waits


def call(operation: str) -> Call[Any] | PagedCall[Any]:
    return {READ: sp.address_books.list(), WRITE: sp.address_books.rename(1001, "New"), ONCE: sp.address_books.create("B")}[
        operation
    ]


def count(emulator: Any, operation: str) -> int:
    return int(emulator.requests.counts().get(operation, 0))


def check_words(error: ServiceError, emulator: Any, operation: str) -> None:
    """An error says what was asked and what to do, and nothing that is not for everybody."""
    words = told(error)
    assert (
        error.operation
        == {READ: "GET /addressbooks", WRITE: "PUT /addressbooks/1001", ONCE: "POST /addressbooks"}[operation]
    )
    assert str(error).startswith(f"SendPulse: {error.operation} ")
    assert len(str(error)) > 40
    for secret in (SECRET, emulator.url, "Bearer ", *emulator.state.tokens._expiry):
        assert secret not in words


@pytest.mark.parametrize("name", DOUBT)
def test_a_read_is_repeated_in_doubt(driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str) -> None:
    fault, _ = DOUBT[name]
    if fault["kind"].startswith("slow"):
        driver.be_impatient()
    sendpulse_emulator.state.books.create("Old")
    added = sendpulse_emulator.faults.add(**fault, operation=READ)
    assert [book.name for book in driver.send(call(READ))] == ["Old"]
    assert added.fired == 1
    assert count(sendpulse_emulator, READ) == 2
    assert len(waits) == 1


@pytest.mark.parametrize(
    "name", ["closed", "lost", "in the head", "in the body by reset", "half a JSON", "server error after all"]
)
def test_a_write_that_sets_a_state_is_repeated_in_doubt(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str
) -> None:
    book = sendpulse_emulator.state.books.create("Old")
    sendpulse_emulator.faults.add(**DOUBT[name][0], operation=WRITE)
    driver.send(call(WRITE))
    assert (book.name, count(sendpulse_emulator, WRITE)) == ("New", 2)


@pytest.mark.parametrize("name", DOUBT)
def test_what_must_not_be_repeated_is_not(driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str) -> None:
    fault, is_carried_out = DOUBT[name]
    if fault["kind"].startswith("slow"):
        driver.be_impatient()
    sendpulse_emulator.faults.add(**fault, operation=ONCE)
    with pytest.raises(AmbiguousOutcome, match="may have been carried out, so it is not repeated") as caught:
        driver.send(call(ONCE))
    assert count(sendpulse_emulator, ONCE) == 1
    assert waits == []
    assert len(sendpulse_emulator.state.books) == is_carried_out
    check_words(caught.value, sendpulse_emulator, ONCE)


@pytest.mark.parametrize("name", ["closed", "lost by reset", "in the head", "half a JSON", "error page", "all is text"])
def test_a_read_that_keeps_failing_ends(driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str) -> None:
    sendpulse_emulator.state.books.create("Old")
    sendpulse_emulator.faults.add(**DOUBT[name][0], operation=READ, times=None)
    with pytest.raises(ServiceUnavailable, match="failed 5 times, the last time because") as caught:
        driver.send(call(READ))
    assert count(sendpulse_emulator, READ) == 5
    assert all(0 < wait < 10 for wait in waits)
    check_words(caught.value, sendpulse_emulator, READ)


@pytest.mark.parametrize("operation", [READ, ONCE])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told(driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str, operation: str) -> None:
    fault, error, requests = REFUSALS[name]
    sendpulse_emulator.faults.add(**fault, operation=operation, times=None)
    with pytest.raises(error) as caught:
        driver.send(call(operation))
    assert type(caught.value) is error
    assert count(sendpulse_emulator, operation) == requests
    assert len(sendpulse_emulator.state.books) == 0
    assert fault.get("message", "") in str(caught.value)
    check_words(caught.value, sendpulse_emulator, operation)


@pytest.mark.parametrize("operation", [READ, ONCE])
@pytest.mark.parametrize("name", PASSING)
def test_what_was_not_carried_out_is_repeated(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str, operation: str
) -> None:
    fault, tokens = PASSING[name]
    sendpulse_emulator.faults.add(**fault, operation=operation)
    driver.send(call(operation))
    assert count(sendpulse_emulator, operation) == 2
    assert sendpulse_emulator.state.tokens.issued == tokens
    assert len(sendpulse_emulator.state.books) == (operation == ONCE)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7.0, 7.0),
        ("0", 0.0, 1.5),
        ("-5", 0.0, 1.5),
        ("1.5", 1.5, 1.5),
        ("soon", 0.0, 1.5),
        ("", 0.0, 1.5),
        ("nan", 0.0, 1.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, 1.5),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 0.0, 1.5),
    ],
)
@pytest.mark.parametrize("operation", [READ, ONCE])
def test_retry_after_that_can_be_kept(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], operation: str, header: str, least: float, most: float
) -> None:
    sendpulse_emulator.faults.add("status", status=429, retry_after=header, operation=operation)
    driver.send(call(operation))
    assert count(sendpulse_emulator, operation) == 2
    # The pause of the whole account is a wait of its own, of the same length.
    assert len(waits) in (1, 2)
    assert all(least - 0.2 <= wait <= most for wait in waits), waits
    assert max(waits) >= least


@pytest.mark.parametrize("header", ["99999999", "1e308", "inf", "3600", "Wed, 21 Oct 2037 07:28:00 GMT"])
@pytest.mark.parametrize("operation", [READ, ONCE])
def test_retry_after_that_is_absurd(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], operation: str, header: str
) -> None:
    sendpulse_emulator.faults.add("status", status=429, retry_after=header, operation=operation)
    with pytest.raises(Throttled) as caught:
        driver.send(call(operation))
    assert caught.value.retry_after == 3600.0
    assert count(sendpulse_emulator, operation) == 1
    assert waits == []
    check_words(caught.value, sendpulse_emulator, operation)


def test_numbers_may_be_text(driver: Driver, sendpulse_emulator: Any, waits: list[float]) -> None:
    faults = sendpulse_emulator.faults
    for operation, field in ((ONCE, "id"), (READ, "id"), (READ, "status"), (READ, "all_email_qty")):
        faults.add("wrong_type", field=field, becomes="text", operation=operation)
    assert driver.send(call(ONCE)) == 1001
    for _ in range(3):
        (book,) = driver.send(call(READ))
        assert (book.id, book.status, book.all_email_qty) == (1001, 0, 0)
    assert waits == []


def test_what_nobody_needs_may_be_missing(driver: Driver, sendpulse_emulator: Any, waits: list[float]) -> None:
    sendpulse_emulator.state.books.create("Old")
    for becomes in ("null", "absent", "list", "object"):
        sendpulse_emulator.faults.add("wrong_type", field="active_email_qty", becomes=becomes, operation=READ)
        (book,) = driver.send(call(READ))
        assert book.active_email_qty == 0
    assert waits == []


@pytest.mark.parametrize("code", [99, -1, 10**9])
def test_a_status_nobody_documents_is_read_as_it_is(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], code: int
) -> None:
    sendpulse_emulator.state.books.create("Old")
    sendpulse_emulator.faults.add("unknown_status", code=code, operation=READ)
    assert [book.status for book in driver.send(call(READ))] == [code]
    assert waits == []


def test_a_list_may_be_stale(driver: Driver, sendpulse_emulator: Any, waits: list[float]) -> None:
    sendpulse_emulator.configure(book_visibility_reads=1)
    driver.send(call(ONCE))
    assert [len(driver.send(call(READ))) for _ in range(2)] == [0, 1]


TOKEN_FAULTS: dict[str, tuple[dict[str, Any], type[ServiceError], int]] = {
    "server error": ({"kind": "status", "status": 500}, ServiceUnavailable, 5),
    "error page": ({"kind": "html"}, ServiceUnavailable, 5),
    "closed": ({"kind": "drop"}, ServiceUnavailable, 5),
    "lost": ({"kind": "lose_answer", "reset": True}, ServiceUnavailable, 5),
    "half a head": ({"kind": "cut_head"}, ServiceUnavailable, 5),
    "half a body": ({"kind": "cut_answer"}, ServiceUnavailable, 5),
    "throttled": ({"kind": "status", "status": 429}, Throttled, 5),
    "throttled for long": ({"kind": "status", "status": 429, "retry_after": "9999"}, Throttled, 1),
    "unauthorised": ({"kind": "status", "status": 401}, AuthenticationFailed, 1),
    "refused": ({"kind": "is_error"}, Refused, 1),
    "no token": ({"kind": "wrong_type", "field": "access_token", "becomes": "absent"}, ServiceUnavailable, 5),
    "the token is nothing": ({"kind": "wrong_type", "field": "access_token", "becomes": "null"}, ServiceUnavailable, 5),
    "the token is a list": ({"kind": "wrong_type", "field": "access_token", "becomes": "list"}, ServiceUnavailable, 5),
    "the token is a number": ({"kind": "wrong_type", "field": "access_token", "becomes": "object"}, ServiceUnavailable, 5),
    "all is a list": ({"kind": "wrong_type", "becomes": "list"}, ServiceUnavailable, 5),
}


@pytest.mark.parametrize("operation", [READ, ONCE])
@pytest.mark.parametrize("name", TOKEN_FAULTS)
def test_the_token_endpoint_fails(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str, operation: str
) -> None:
    fault, error, requests = TOKEN_FAULTS[name]
    sendpulse_emulator.faults.add(**fault, operation="tokens.issue", times=None)
    with pytest.raises(error) as caught:
        driver.send(call(operation))
    assert type(caught.value) is error
    assert count(sendpulse_emulator, "tokens.issue") == requests
    assert count(sendpulse_emulator, operation) == 0  # without a token nothing is sent, so nothing is in doubt
    assert "POST /oauth/access_token" in str(caught.value)
    words = told(caught.value)
    assert not any(secret in words for secret in (SECRET, *sendpulse_emulator.state.tokens._expiry))
    # Whoever comes next is not kept waiting for a token that nobody is fetching any more.
    sendpulse_emulator.faults.clear()
    waits.clear()
    driver.send(call(operation))
    assert count(sendpulse_emulator, operation) == 1


@pytest.mark.parametrize("operation", [READ, ONCE])
@pytest.mark.parametrize("name", [name for name, (_, error, _) in TOKEN_FAULTS.items() if error is ServiceUnavailable])
def test_the_token_endpoint_fails_once(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], name: str, operation: str
) -> None:
    sendpulse_emulator.faults.add(**TOKEN_FAULTS[name][0], operation="tokens.issue")
    driver.send(call(operation))
    assert (count(sendpulse_emulator, "tokens.issue"), count(sendpulse_emulator, operation)) == (2, 1)


@pytest.mark.parametrize("lifetime", ["list", "object", "null", "absent", "text"])
def test_a_token_whose_lifetime_cannot_be_read(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], lifetime: str
) -> None:
    sendpulse_emulator.faults.add("wrong_type", field="expires_in", becomes=lifetime, operation="tokens.issue")
    driver.send(call(READ))
    driver.send(call(READ))
    assert count(sendpulse_emulator, "tokens.issue") == 1


@pytest.mark.parametrize("operation", [READ, ONCE])
def test_a_service_that_is_away_is_waited_for(
    driver: Driver, sendpulse_emulator: Any, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens: nothing was carried out, so everything may be repeated. These waits are real ones."""
    driver.send(sp.balance.read())
    monkeypatch.setattr(random, "uniform", lambda low, high: high)  # the longest waits: the first is of a second
    sendpulse_emulator.refuse_connections(0.5)
    driver.send(call(operation))
    assert count(sendpulse_emulator, operation) == 1
    assert len(sendpulse_emulator.state.books) == (operation == ONCE)


@pytest.mark.parametrize("operation", [READ, ONCE])
def test_a_service_that_stays_away_is_told(
    driver: Driver, sendpulse_emulator: Any, waits: list[float], operation: str
) -> None:
    sendpulse_emulator.faults.add("outage", operation="balance.read", seconds=500)
    driver.send(sp.balance.read())  # answered, and then nobody is there
    with pytest.raises(ServiceUnavailable, match=r"failed 5 times.*(refused|could not be reached)") as caught:
        driver.send(call(operation))
    check_words(caught.value, sendpulse_emulator, operation)
    sendpulse_emulator.reset()
    sendpulse_emulator.configure(client_secret=SECRET)
    assert count(sendpulse_emulator, operation) == 0


def test_every_kind_of_fault_is_met() -> None:
    met = {"kill", "unknown_status", "outage"}  # the first by make torture, the others above
    met |= {fault["kind"] for fault, _ in DOUBT.values()}
    met |= {fault["kind"] for fault, _, _ in REFUSALS.values()}
    met |= {fault["kind"] for fault, _ in PASSING.values()}
    assert met == set(get_args(FaultKind))
