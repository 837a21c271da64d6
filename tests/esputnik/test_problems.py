# SPDX-License-Identifier: Apache-2.0
"""How eSputnik says no: JSON, plain text, and refusals inside a 200."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Call, Expect, Repeat, as_is
from airflow_provider_sendpulse.api.messages import Answer
from airflow_provider_sendpulse.api.service import ProblemKind
from airflow_provider_sendpulse.esputnik.contacts import Contact
from airflow_provider_sendpulse.esputnik.service import find_problem
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, ServiceUnavailable, Throttled

CALL = Call(method="POST", path="/x", read=as_is)
TEXT = replace(CALL, expect=Expect.TEXT)
SENDING = replace(CALL, reaches_people=True)
NOT_JSON = ValueError("no JSON")

BROKEN, REFUSED, THROTTLED = ProblemKind.BROKEN, ProblemKind.REFUSED, ProblemKind.THROTTLED
QUOTA, CREDENTIALS, REPEATED = ProblemKind.QUOTA, ProblemKind.CREDENTIALS, ProblemKind.REPEATED


def found(status, body, call=CALL, content=b"", kind="application/json"):
    return find_problem(call, Answer(status, {"content-type": kind}, content), body)


@pytest.mark.parametrize(
    ("status", "body", "call", "expected"),
    [
        (200, {"id": 7}, CALL, None),
        (200, [], CALL, None),
        (200, None, CALL, None),
        (200, "Contacts were detached", TEXT, None),
        (200, None, TEXT, None),
        (200, {"asyncSessionId": "s", "errorMessage": "some"}, CALL, None),
        (200, {"errorMessage": ""}, CALL, None),
        (200, {"failedContacts": [{"error": "x"}], "asyncSessionId": "s"}, CALL, None),
        (200, {"results": {"status": "ERROR"}}, CALL, None),
        (200, {"importId": "1", "valid": "true"}, CALL, None),
        (200, NOT_JSON, CALL, BROKEN),
        (200, {"errorMessage": "no"}, CALL, REFUSED),
        (200, {"importId": "", "valid": False, "message": "no"}, CALL, REFUSED),
        (200, {"importId": "", "valid": "false", "message": "no"}, CALL, REFUSED),
        (400, NOT_JSON, CALL, REFUSED),
        (400, {"message": "m"}, CALL, REFUSED),
        (401, {"status": 401}, CALL, CREDENTIALS),
        (403, None, CALL, REFUSED),
        (404, None, CALL, REFUSED),
        (405, NOT_JSON, CALL, REFUSED),
        (409, NOT_JSON, CALL, QUOTA),
        (409, NOT_JSON, SENDING, REPEATED),
        (409, NOT_JSON, replace(SENDING, repeat=Repeat.ALWAYS), QUOTA),
        (415, None, CALL, REFUSED),
        (419, None, CALL, REFUSED),
        (429, NOT_JSON, CALL, THROTTLED),
        (302, NOT_JSON, CALL, REFUSED),
        (500, NOT_JSON, CALL, BROKEN),
        (503, {"message": "m"}, CALL, BROKEN),
    ],
)
def test_kinds(status, body, call, expected):
    problem = found(status, body, call)
    assert (problem and problem.kind) == expected


def test_a_page_with_200_is_no_answer_where_text_is_expected():
    problem = found(200, "<html>", TEXT, kind="text/html; charset=utf-8")
    assert problem is not None
    assert problem.kind is BROKEN


@pytest.mark.parametrize(
    ("body", "content", "kind", "message"),
    [
        ({"message": " m "}, b"{}", "application/json", "m"),
        ({"error": "e"}, b"{}", "application/json", "e"),
        ({"status": 400}, b'{"status": 400}', "application/json", ""),
        (NOT_JSON, b" Wrong channel ", "application/json", "Wrong channel"),
        ("Wrong channel", b'"Wrong channel"', "application/json", "Wrong channel"),
        (NOT_JSON, b"<html>", "text/html", ""),
        (None, b"", "application/json", ""),
    ],
)
def test_the_services_words(body, content, kind, message):
    problem = found(400, body, content=content, kind=kind)
    assert problem is not None
    assert problem.message == message


@pytest.mark.parametrize(
    ("status", "advice"),
    [(403, "rights"), (404, "Check the id"), (405, "host"), (409, "after a minute"), (419, "90 days"), (302, "redirects")],
)
def test_advice(status, advice):
    problem = found(status, None)
    assert problem is not None
    assert advice in problem.advice


def test_a_repeated_import_is_left_for_a_minute(either, emulator):
    emulator.faults.add("status", operation="esputnik.contacts.import", status=409, times=1)
    call = es.import_sessions.start([Contact.reached(email="a@example.com")], dedupe_on="email", contact_fields=["email"])
    with pytest.raises(Throttled) as caught:
        either.send(call)
    assert caught.value.retry_after == 60.0
    assert len(emulator.requests.records("esputnik.contacts.import")) == 1


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "drop"}, {"kind": "html"}])
def test_reads_are_repeated(either, emulator, fault):
    emulator.faults.add(**fault, operation="esputnik.account.read", times=1)
    assert either.send(es.account.info()).organisation_name
    emulator.faults.add("drop", operation="esputnik.account.read", times=None)
    with pytest.raises(ServiceUnavailable):
        either.send(es.account.info())


def test_a_host_without_its_path(emulator):
    from emulated_account import connected, esputnik_account

    client = connected(emulator, whose=esputnik_account(emulator, api_url=emulator.url))
    with pytest.raises(Refused, match="ends with /api"):
        client.send(es.account.info())
    client.close()


def test_a_repeated_broadcast_is_in_doubt(either, emulator):
    emulator.faults.add("status", operation="esputnik.broadcasts.create", status=409, times=1)
    with pytest.raises(AmbiguousOutcome, match=r"received before: HTTP 409.* Look for what became of the first") as caught:
        either.send(es.broadcasts.create(1, [1], title="News"))
    assert caught.value.was_received
    assert len(emulator.requests.records("esputnik.broadcasts.create")) == 1
