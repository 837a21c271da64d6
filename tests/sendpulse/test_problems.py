# SPDX-License-Identifier: Apache-2.0
"""How SendPulse says no: every documented shape, with every status that could carry it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.call import Call, Repeat, as_is
from airflow_provider_sendpulse.api.messages import Answer
from airflow_provider_sendpulse.api.service import ProblemKind
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    Refused,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.sendpulse import address_books, error_codes
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.service import find_problem

CALL = Call(method="POST", path="/x", read=as_is)
SENDING = replace(CALL, reaches_people=True)
DATA_CALL = Call(method="GET", path="/x", read=as_is, result_is_data=True)
NOT_JSON = ValueError("no JSON")

BROKEN, REFUSED, THROTTLED = ProblemKind.BROKEN, ProblemKind.REFUSED, ProblemKind.THROTTLED
QUOTA, CREDENTIALS = ProblemKind.QUOTA, ProblemKind.CREDENTIALS


def kind(status, body, call=CALL):
    problem = find_problem(call, Answer(status, {}, b""), body)
    return None if problem is None else problem.kind


def problem(status, body):
    found = find_problem(CALL, Answer(status, {}, b""), body)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # Success.
        (200, {"result": True}, None),
        (200, {"id": 7}, None),
        (200, [], None),
        (200, [{"result": False}], None),
        (200, None, None),
        (201, {"result": True}, None),
        (204, None, None),
        (200, {"is_error": False, "error_code": 0, "result": True}, None),
        # Success in HTTP, refusal inside.
        (200, {"is_error": True, "error_code": 301, "message": "m"}, REFUSED),
        (200, {"result": False}, REFUSED),
        (200, {"result": False, "message": "m"}, REFUSED),
        (200, {"success": False, "description": "m"}, REFUSED),
        (201, {"success": False}, REFUSED),
        (200, {"is_error": True, "error_code": 791}, QUOTA),
        (200, {"result": False, "error_code": 711}, QUOTA),
        (200, {"is_error": True, "error_code": 2020202020}, THROTTLED),
        # Codes in the body that look like HTTP statuses are not.
        (200, {"is_error": True, "error_code": 401}, REFUSED),
        (200, {"is_error": True, "error_code": 429}, REFUSED),
        (200, {"is_error": True, "error_code": 502}, REFUSED),
        (422, {"message": "Email address not found", "error_code": 502}, REFUSED),
        (422, {"message": "m", "error_code": 503}, REFUSED),
        (422, {"message": "m", "error_code": 550}, REFUSED),
        (404, {"message": "m", "error_code": 401}, REFUSED),
        (422, {"message": "m", "error_code": 422}, REFUSED),
        # The usual body with each status.
        (400, {"message": "m", "error_code": 8}, REFUSED),
        (403, {"message": "m", "error_code": 3030303030}, REFUSED),
        (403, {"message": "m", "error_code": 403}, REFUSED),
        (404, {"message": "m", "error_code": 213}, REFUSED),
        (409, {}, REFUSED),
        (418, NOT_JSON, REFUSED),
        (404, NOT_JSON, REFUSED),
        (422, None, REFUSED),
        (422, [], REFUSED),
        # Limits.
        (429, {"message": "m", "error_code": 2020202020}, THROTTLED),
        (429, {"message": "m", "error_code": 429}, THROTTLED),
        (429, NOT_JSON, THROTTLED),
        (429, None, THROTTLED),
        (422, {"error_code": 2020202020}, THROTTLED),
        (422, {"error_code": "2020202020"}, THROTTLED),
        (403, {"error_code": 2020202020}, THROTTLED),
        (401, {"error_code": 2020202020}, THROTTLED),
        (422, {"error_code": 791}, QUOTA),
        (400, {"error_code": "791"}, QUOTA),
        (403, {"error_code": 711}, QUOTA),
        (422, {"error_code": 1004}, QUOTA),
        (422, {"message": "Sending from your account is currently limited. Please try later.", "error_code": 422}, QUOTA),
        (422, {"message": " Sending quota or bandwidth exceeded", "error_code": "422"}, QUOTA),
        (422, {"message": "Sending quota or bandwidth exceeded", "error_code": 703}, REFUSED),
        (422, {"message": "Sending quota or bandwidth exceeded"}, REFUSED),
        (422, {"message": "Sender is not valid", "error_code": 422}, REFUSED),
        # Credentials.
        (401, {"message": "Unauthorized!", "error_code": 401}, CREDENTIALS),
        (401, {"error": "invalid_client", "error_description": "m", "message": "m", "error_code": 1}, CREDENTIALS),
        (401, NOT_JSON, CREDENTIALS),
        (401, None, CREDENTIALS),
        # The service or a gateway failed.
        (500, {"message": "m", "error_code": 791}, BROKEN),
        (500, NOT_JSON, BROKEN),
        (502, NOT_JSON, BROKEN),
        (503, {"result": True}, BROKEN),
        (504, None, BROKEN),
        (599, [], BROKEN),
        (200, NOT_JSON, BROKEN),
        # Redirects are not followed.
        (301, NOT_JSON, REFUSED),
        (302, {"result": True}, REFUSED),
        (307, None, REFUSED),
        (308, [], REFUSED),
    ],
)
def test_kind(status, body, expected):
    assert kind(status, body) is expected


@pytest.mark.parametrize(
    ("body", "call", "expected"),
    [
        (NOT_JSON, SENDING, ProblemKind.REPEATED),
        ({"message": "Conflict", "error_code": 409}, SENDING, ProblemKind.REPEATED),
        ({"message": "m", "error_code": 703}, SENDING, REFUSED),
        (NOT_JSON, replace(SENDING, repeat=Repeat.ALWAYS), REFUSED),
        (NOT_JSON, CALL, REFUSED),
    ],
)
def test_a_conflict_may_be_with_what_was_sent_before(body, call, expected):
    assert kind(409, body, call) is expected


@pytest.mark.parametrize("key", ["result", "success"])
def test_a_false_result_may_be_data(key):
    assert kind(200, {key: False}, DATA_CALL) is None
    assert kind(200, {key: False, "is_error": True}, DATA_CALL) is REFUSED
    assert kind(422, {key: False}, DATA_CALL) is REFUSED


@pytest.mark.parametrize(("code", "seconds"), [(791, 900.0), (711, 900.0), (1004, 900.0)])
def test_long_limits_tell_how_long(code, seconds):
    found = problem(422, {"error_code": code})
    assert (found.retry_after, found.advice) == (seconds, error_codes.advice(code))
    assert found.advice


@pytest.mark.parametrize(
    ("value", "expected"),
    [(213, 213), ("213", 213), (213.0, 213), (0, None), (None, None), ("", None), ("x", None), (True, None), ([1], None)],
)
def test_the_code(value, expected):
    assert problem(422, {"error_code": value, "message": "m"}).error_code == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"message": " m ", "error": "e"}, "m"),
        ({"error_description": "d", "error": "e"}, "d"),
        ({"description": "d"}, "d"),
        ({"error": "e"}, "e"),
        ({"message": "", "error": "e"}, "e"),
        ({"message": {"email": "wrong"}, "error": "e"}, "e"),
        ({"error_code": 213}, "Address book not found"),
        ({"error_code": 213, "message": "Book not found"}, "Book not found"),
        ({}, ""),
    ],
)
def test_the_words(body, expected):
    assert problem(422, body).message == expected


@pytest.mark.parametrize("member", [member for member in ErrorCode if member.advice], ids=lambda member: member.name)
def test_advice_comes_with_its_code(member):
    assert problem(422, {"error_code": member.code}).advice == member.advice


def test_advice_for_what_no_code_explains():
    assert "IP allow-list" in problem(403, NOT_JSON).advice
    assert problem(403, {"error_code": 3030303030}).advice == "Change the plan in the account settings."
    assert "redirects" in problem(302, NOT_JSON).advice
    assert problem(422, {"error_code": 123456}).advice == ""


@given(
    st.integers(200, 599),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from([10**400, "1" * 5000]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["error_code", "message", "error", "is_error", "result", "success"]), inner)
        ),
    ),
)
def test_nothing_in_an_answer_breaks_the_reading(status, body):
    found = find_problem(CALL, Answer(status, {}, b""), body)
    if status >= 300:
        assert found is not None


# What a caller meets, through a socket.


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        ({"kind": "is_error"}, Refused, 1),
        ({"kind": "result_false"}, Refused, 1),
        ({"kind": "status", "status": 302}, Refused, 1),
        ({"kind": "status", "status": 403, "error_code": 3030303030}, Refused, 1),
        ({"kind": "status", "status": 422, "error_code": 502}, Refused, 1),
        ({"kind": "status", "status": 422, "error_code": 791}, Throttled, 1),
        ({"kind": "status", "status": 422, "body": {"error_code": "711"}}, Throttled, 1),
        ({"kind": "status", "status": 429}, Throttled, 5),
        ({"kind": "status", "status": 422, "error_code": 2020202020}, Throttled, 5),
        ({"kind": "status", "status": 401}, AuthenticationFailed, 2),
        ({"kind": "status", "status": 503}, AmbiguousOutcome, 1),
        ({"kind": "html"}, AmbiguousOutcome, 1),
        ({"kind": "html", "status": 200}, AmbiguousOutcome, 1),
        ({"kind": "truncate"}, AmbiguousOutcome, 1),
        ({"kind": "cut_answer"}, AmbiguousOutcome, 1),
        ({"kind": "lose_answer"}, AmbiguousOutcome, 1),
        ({"kind": "lose_answer", "reset": True}, AmbiguousOutcome, 1),
        ({"kind": "drop"}, AmbiguousOutcome, 1),
        ({"kind": "status", "status": 200, "body": {}}, AmbiguousOutcome, 1),
        ({"kind": "status", "status": 200, "body": "[]"}, AmbiguousOutcome, 1),
        ({"kind": "status", "status": 200, "body": ""}, AmbiguousOutcome, 1),
    ],
    ids=str,
)
def test_failures_of_a_call_that_is_not_repeated(either, emulator, fault, error, requests):
    emulator.faults.add(**fault, times=None, operation="address_books.create")
    with pytest.raises(error) as caught:
        either.send(address_books.create("Readers"))
    assert type(caught.value) is error
    assert emulator.requests.counts()["address_books.create"] == requests
    assert caught.value.operation == "POST /addressbooks"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "html"},
        {"kind": "html", "status": 200},
        {"kind": "truncate"},
        {"kind": "cut_answer"},
        {"kind": "lose_answer"},
        {"kind": "drop", "reset": True},
        {"kind": "status", "status": 200, "body": "{}"},
    ],
    ids=str,
)
def test_failures_of_a_read(either, emulator, fault):
    emulator.faults.add(**fault, times=4, operation="address_books.list")
    assert either.send(address_books.list()) == []
    emulator.faults.add(**fault, times=None, operation="address_books.list")
    with pytest.raises(ServiceUnavailable):
        either.send(address_books.list())
    assert emulator.requests.counts()["address_books.list"] == 10


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (422, 17, True),
        (404, 299, True),
        (200, 21356, True),
        (422, 301, True),
        (422, 422, True),
        (422, None, True),
        (400, None, True),
        (422, 906, False),
        (422, 4711, True),
        (404, 213, False),
        (422, 213, False),
        (403, 3030303030, False),
        (403, None, False),
        (404, None, False),
        (413, None, False),
        (200, None, False),
        (422, 1003, False),
        (422, 707, False),
        (None, None, False),
    ],
)
def test_which_refusals_can_be_due_to_a_row(status, code, expected):
    assert error_codes.due_to_a_row(status, code) is expected


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("Argument emails may not have more than 100 items", 100),
        ("Limit is exceeded. Max count: 50", 50),
        ("limit is exceeded. max count 7", 7),
        ("Argument limit may not be greater than 100", None),
        ("", None),
        (None, None),
    ],
)
def test_how_many_items_a_request_may_hold(text, most):
    assert error_codes.most_items(text) == most
    assert error_codes.is_too_large(422, text) is (most is not None)
    assert error_codes.is_too_large(413, text)
