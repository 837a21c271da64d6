# SPDX-License-Identifier: Apache-2.0
"""Every call and every answer against SendPulse's own OpenAPI files, and what we knowingly do otherwise.

Where those files are not there the tests are skipped; where ``CI`` is set they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests
from contract_cases import CASES, REFUSALS, SHAPES, Case, World, calls
from contract_files import Contract, why_to_skip
from deviations import DEVIATIONS

from airflow_provider_sendpulse.api.call import Call, Host, SecretUrl

if reason := why_to_skip():
    pytest.skip(reason, allow_module_level=True)

ALL = [*CASES, *REFUSALS, *SHAPES]
KEY = {"Authorization": "Bearer sp_apikey_emulator"}


@dataclass(frozen=True)
class Exchange:
    """One request as it was sent, and its answer."""

    call: Call[Any]
    content_type: str
    body: bytes
    status: int
    answer: Any


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture(scope="session")
def exchanges(served_emulator: Any) -> dict[str, list[Exchange]]:
    """Every case, each in an account of its own."""
    made = {}
    with requests.Session() as session:
        session.trust_env = False
        for case in ALL:
            served_emulator.reset()
            world = World.of(served_emulator)
            served_emulator.configure(**dict(case.settings))
            made[str(case)] = [sent(session, served_emulator.url, call) for call in case.parts(world)]
    served_emulator.reset()
    return made


def sent(session: requests.Session, url: str, call: Call[Any]) -> Exchange:
    content_type, body = call.body.encode() if call.body is not None else ("", b"")
    headers = {**KEY, "Content-Type": content_type} if content_type else KEY
    whole = call.host.value if isinstance(call.host, SecretUrl) else url + call.target
    answer = session.request(call.method, whole, data=body, headers=headers, timeout=10)
    return Exchange(call, content_type, body, answer.status_code, answer.json())


def deviations(contract: Contract, exchange: Exchange) -> set[tuple[str, str]]:
    """Name what is not as the files say: the request, and the place in it or in its answer."""
    call = exchange.call
    name = f"{call.method} {call.path or '/events/id/{hash}/{user_id}'}"
    if isinstance(call.host, SecretUrl):
        return {(name, "path")}
    operation = contract.find(call.method, call.target)
    if operation is None:
        return {(name, "path")}
    found = operation.deviations_of_answer(exchange.status, exchange.answer)
    if exchange.status == 200:  # what is refused may be wrong
        found |= operation.deviations_of_request(call.target, exchange.content_type, exchange.body)
    return {(name, place) for place in found}


def test_every_call_has_a_case() -> None:
    assert sorted(set(calls()) - {case.call for case in CASES}) == []


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case, contract: Contract, exchanges: dict[str, list[Exchange]]) -> None:
    for exchange in exchanges[str(case)]:
        assert exchange.status == case.status, exchange.answer
        assert deviations(contract, exchange) <= DEVIATIONS.keys()
        if case.status == 200:
            exchange.call.read(exchange.answer)
        else:
            assert exchange.answer.keys() >= {"message", "error_code"}


def test_every_listed_deviation_still_is_one(contract: Contract, exchanges: dict[str, list[Exchange]]) -> None:
    found = {entry for made in exchanges.values() for exchange in made for entry in deviations(contract, exchange)}
    assert sorted(DEVIATIONS.keys() - found) == []


def test_every_deviation_has_a_reason() -> None:
    assert [entry for entry, reason in DEVIATIONS.items() if len(reason) < 20] == []


def test_only_events_go_to_another_host(exchanges: dict[str, list[Exchange]]) -> None:
    elsewhere = {name for name, made in exchanges.items() if any(exchange.call.host is not Host.API for exchange in made)}
    assert elsewhere == {"events.send", "events.send_to_url"}


def test_what_the_files_lack(contract: Contract) -> None:
    assert contract.borrowed == {("sendpulse-bulk-email.yaml", "Error")}


# The judge itself: a test that cannot fail says nothing.


@pytest.mark.parametrize(
    ("method", "target", "body", "places"),
    [
        ("GET", "/addressbooks?limit=101", b"", {"query limit"}),
        ("GET", "/addressbooks?limit=many&page=2", b"", {"query limit", "query page"}),
        ("GET", "/addressbooks/seven", b"", {"path id"}),
        ("POST", "/addressbooks", b"", {"request"}),
        ("POST", "/addressbooks", b"{}", {"request"}),
        ("POST", "/addressbooks", b'{"bookName": 7, "name": "a"}', {"request /bookName", "request /name"}),
        ("POST", "/addressbooks", b'{"bookName": "a"}', set()),
        ("POST", "/tags/pin/email", b'{"email": "a", "tags": [1, "2"]}', {"request /tags/*"}),
    ],
)
def test_what_a_wrong_request_is_told(contract: Contract, method: str, target: str, body: bytes, places: set[str]) -> None:
    operation = contract.find(method, target)
    assert operation is not None
    assert operation.deviations_of_request(target, "application/json" if body else "", body) == places


def test_what_a_wrong_answer_is_told(contract: Contract) -> None:
    operation = contract.find("GET", "/addressbooks/7")
    assert operation is not None
    assert operation.deviations_of_answer(200, [{"id": "7"}]) == {"answer /*/id"}
    assert operation.deviations_of_answer(200, {"id": 7}) == {"answer"}
    assert operation.deviations_of_answer(418, {}) == {"answer status 418"}
    assert contract.find("GET", "/nothing") is None
