# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx
import pytest
import requests

BOOK = {"bookName": "B"}


def set_fault(api, **fault):
    return api.control("POST", "/faults", fault)


def names(emulator):
    return [book.name for book in emulator.state.books]


def test_status_a_number_of_times(api):
    set_fault(api, kind="status", status=503, path="^/balance$", times=2)
    statuses = [api.send("GET", "/balance").status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


@pytest.mark.parametrize("header", ["30", "-5", "99999999", "Wed, 21 Oct 2037 07:28:00 GMT", "soon"])
def test_retry_after_is_sent_as_given(api, header):
    set_fault(api, kind="status", status=429, retry_after=header)
    answer = api.send("GET", "/balance")
    assert answer.headers["Retry-After"] == header
    assert answer.json()["error_code"] == 2020202020


def test_no_retry_after_unless_asked(api):
    set_fault(api, kind="status", status=429)
    assert "Retry-After" not in api.send("GET", "/balance").headers


def test_matching_by_method_path_operation_and_count(api):
    set_fault(api, kind="status", status=500, method="post", path="/addressbooks", after=1)
    set_fault(api, kind="status", status=502, operation="balance.read", times=None)
    api.get("/addressbooks")
    api.post("/addressbooks", {"bookName": "1"})
    assert api.send("POST", "/addressbooks", {"bookName": "2"}).status_code == 500
    api.post("/addressbooks", {"bookName": "2"})
    assert [api.send("GET", "/balance").status_code for _ in range(3)] == [502] * 3
    api.get("/senders")
    assert [fault["fired"] for fault in api.control("GET", "/faults")] == [1, 3]


@pytest.mark.parametrize(("kind", "is_carried_out"), [("drop", False), ("lose_answer", True)])
@pytest.mark.parametrize("reset", [False, True])
def test_lost_connections(api, emulator, kind, is_carried_out, reset):
    set_fault(api, kind=kind, method="POST", path="/addressbooks", reset=reset)
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        api.send("POST", "/addressbooks", BOOK)
    expected = "Connection reset by peer" if reset else "without response"
    assert expected in str(caught.value)
    assert names(emulator) == (["B"] if is_carried_out else [])
    (record,) = emulator.requests.records("address_books.create")
    assert record.status is None
    assert record.handled_status == (200 if is_carried_out else None)
    api.get("/addressbooks")


@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_lost_answer_as_httpx_sees_it(api, emulator, reset, error):
    emulator.faults.add("lose_answer", reset=reset)
    with httpx.Client(trust_env=False) as client, pytest.raises(error):
        client.post(f"{api.url}/addressbooks", json=BOOK, headers=api.headers)
    assert names(emulator) == ["B"]


def test_cut_answer(api, emulator):
    set_fault(api, kind="cut_answer")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        api.send("POST", "/addressbooks", BOOK)
    assert names(emulator) == ["B"]


@pytest.mark.parametrize("status", [500, 502, 200])
def test_html_page(api, emulator, status):
    set_fault(api, kind="html", status=status)
    answer = api.send("POST", "/addressbooks", BOOK)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html>" in answer.text
    assert names(emulator) == []


def test_failures_can_follow_the_effect(api, emulator):
    set_fault(api, kind="status", status=504, after_effect=True)
    assert api.send("POST", "/addressbooks", BOOK).status_code == 504
    assert names(emulator) == ["B"]


def test_truncated_json(api, emulator):
    set_fault(api, kind="truncate")
    answer = api.send("POST", "/addressbooks", BOOK)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert names(emulator) == ["B"]


def test_refusals_hidden_in_200(api, emulator):
    set_fault(api, kind="is_error", error_code=303, message="Nope")
    set_fault(api, kind="result_false")
    answers = [api.send("POST", "/addressbooks", BOOK) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {"is_error": True, "error_code": 303, "message": "Nope"}
    assert answers[1].json() == {"result": False}
    assert names(emulator) == []


def test_own_body(api):
    set_fault(api, kind="status", status=422, body={"message": "Custom", "error_code": 711})
    set_fault(api, kind="status", status=200, body="[1, 2")
    assert api.refused("GET", "/balance") == (422, 711)
    assert api.send("GET", "/balance").text == "[1, 2"


def test_slow_answer_still_has_its_effect(api, emulator):
    set_fault(api, kind="slow", seconds=0.6)
    with pytest.raises(requests.exceptions.ReadTimeout):
        api.send("POST", "/addressbooks", BOOK, timeout=0.05)
    assert names(emulator) == []
    deadline = time.monotonic() + 5
    while not names(emulator) and time.monotonic() < deadline:
        api.get("/balance")
    assert names(emulator) == ["B"]


def test_slow_bytes_arrive_whole(api):
    set_fault(api, kind="slow_bytes", seconds=0.1)
    started = time.monotonic()
    assert api.get("/balance")["currency"] == "USD"
    assert time.monotonic() - started >= 0.09


def test_tokens_end_early(api, emulator):
    body = {
        "grant_type": "client_credentials",
        "client_id": "emulator-id",
        "client_secret": "emulator-secret",
    }
    token = api.post("/oauth/access_token", body)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    set_fault(api, kind="revoke_tokens", path="/senders")
    assert api.send("GET", "/balance", headers=headers).status_code == 200
    assert api.send("GET", "/senders", headers=headers).status_code == 401
    assert api.send("GET", "/balance", headers=headers).status_code == 401
    token = api.post("/oauth/access_token", body)["access_token"]
    assert api.control("POST", "/tokens/revoke") == {"revoked": 1}
    assert api.send("GET", "/balance", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_unauthorized_a_number_of_times(api):
    set_fault(api, kind="status", status=401, path="/balance")
    answer = api.send("GET", "/balance")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized!", "error_code": 401})
    assert api.send("GET", "/balance").status_code == 200


def test_token_endpoint_fails(api):
    set_fault(api, kind="html", status=502, path="/oauth/access_token")
    assert api.send("POST", "/oauth/access_token", {}).status_code == 502


def test_faults_are_removed(api):
    first = set_fault(api, kind="status", status=500, times=None)["id"]
    assert api.send("GET", "/balance").status_code == 500
    assert api.control("DELETE", f"/faults/{first}") == {"done": True}
    api.get("/balance")
    set_fault(api, kind="status", status=500)
    api.control("DELETE", "/faults")
    api.get("/balance")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "earthquake"},
        {"kind": "status"},
        {"kind": "drop", "path": "("},
        {"kind": "drop", "wrong": 1},
        {"kind": "status", "status": 99},
    ],
)
def test_impossible_faults_are_refused(api, fault):
    answer = api.send("POST", "/__emulator__/faults", fault)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert api.control("GET", "/faults") == []


@pytest.mark.parametrize("after_effect", [False, True])
def test_client_is_killed(api, emulator, after_effect):
    emulator.faults.add("kill", operation="address_books.create", after_effect=after_effect)
    program = (
        "import sys, httpx; httpx.post(sys.argv[1], json={'bookName': 'Killed'}, headers={'Authorization': sys.argv[2]})"
    )
    authorization = f"Bearer {emulator.settings.api_keys[0]}"
    ended = subprocess.run([sys.executable, "-c", program, f"{emulator.url}/addressbooks", authorization], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(emulator.state.books) == after_effect


def test_parent_of_the_client_is_killed(api, emulator):
    emulator.faults.add("kill", operation="address_books.list", victim="parent")
    program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys, httpx;"
        'httpx.get(sys.argv[1], headers={"Authorization": sys.argv[2]})\', *sys.argv[1:]], stderr=-3)'
    )
    authorization = f"Bearer {emulator.settings.api_keys[0]}"
    ended = subprocess.run([sys.executable, "-c", program, f"{emulator.url}/addressbooks", authorization], check=False)
    assert ended.returncode == -signal.SIGKILL
