# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from typing import get_args

import httpx
import pytest
import requests

from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind
from airflow_provider_sendpulse.emulator.server import RunningEmulator

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
    ("fault", "told"),
    [
        ({}, "needs a kind"),
        ({"kind": "earthquake"}, "there is no fault of kind 'earthquake'; there are status, html, "),
        ({"kind": "status"}, "needs a status"),
        ({"kind": "status", "status": None}, "needs a status"),
        ({"kind": "status", "status": 99}, "'status' of a fault must be an HTTP status from 200 to 599, not 99"),
        ({"kind": "status", "status": "503"}, "'status'"),
        ({"kind": "status", "status": True}, "'status'"),
        ({"kind": "status", "status": 503, "error_code": "301"}, "'error_code'"),
        ({"kind": "status", "status": 503, "message": 1}, "'message'"),
        ({"kind": "status", "status": 503, "retry_after": []}, "'retry_after'"),
        ({"kind": "status", "status": 503, "after_effect": "yes"}, "'after_effect'"),
        ({"kind": "drop", "method": "FETCH"}, "'method' of a fault must be one of GET, POST, "),
        ({"kind": "drop", "path": "("}, "'path' of a fault must be a regular expression"),
        ({"kind": "drop", "path": 1}, "'path'"),
        (
            {"kind": "drop", "operation": "campaign.create"},
            "no operation 'campaign.create'; there are address_books.campaigns, ",
        ),
        ({"kind": "drop", "operation": 1}, "'operation'"),
        ({"kind": "drop", "after": -1}, "'after'"),
        ({"kind": "drop", "times": 0}, "'times' of a fault must be a whole number from 1, or null"),
        ({"kind": "drop", "reset": 1}, "'reset'"),
        ({"kind": "drop", "wrong": 1}, "a fault of kind 'drop' has no field 'wrong'; it has method, path, operation, "),
        ({"kind": "drop", "seconds": 1}, "a fault of kind 'drop' has no field 'seconds'"),
        ({"kind": "lose_answer", "after_effect": True}, "no field 'after_effect'"),
        ({"kind": "drop", "fired": 1}, "no field 'fired'"),
        ({"kind": "slow", "seconds": -1}, "'seconds'"),
        ({"kind": "slow", "seconds": "long"}, "'seconds'"),
        ({"kind": "wrong_type"}, "needs to know what a value becomes"),
        ({"kind": "wrong_type", "field": "id", "becomes": "bytes"}, "one of text, number, list, object, null, absent"),
        ({"kind": "wrong_type", "field": "", "becomes": "text"}, "'field'"),
        ({"kind": "wrong_type", "becomes": "absent"}, "only a field can be absent"),
        ({"kind": "unknown_status", "code": "99"}, "'code'"),
        ({"kind": "outage", "seconds": 0}, "an outage lasts more than 0 and at most 600 seconds"),
        ({"kind": "outage", "seconds": 601}, "an outage lasts"),
        ({"kind": "kill", "victim": "everybody"}, "'victim' of a fault must be one of client, parent"),
    ],
)
def test_impossible_faults_are_refused(api, emulator, fault, told):
    answer = api.send("POST", "/__emulator__/faults", fault)
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    with pytest.raises(ValueError, match=re.escape(told)):
        emulator.faults.add_from(fault)
    assert api.control("GET", "/faults") == []


def test_kinds_and_their_fields_are_listed(api):
    kinds = api.control("GET", "/fault-kinds")
    assert set(kinds) == set(get_args(FaultKind))
    assert kinds["wrong_type"] == ["method", "path", "operation", "after", "times", "field", "becomes"]
    # Every kind can be set up with every field that is listed for it.
    values = {
        "method": "GET", "path": "^/x$", "operation": "balance.read", "after": 1, "times": None, "after_effect": True,
        "status": 500, "retry_after": 1, "body": {}, "error_code": 1, "message": "m", "field": "id", "becomes": "null",
        "code": 98, "seconds": 0.5, "reset": True, "victim": "parent",
    }  # fmt: skip
    for kind, names in kinds.items():
        added = set_fault(api, kind=kind, **{name: values[name] for name in names})
        assert {name: added[name] for name in names} == {**{name: values[name] for name in names}, **(
            {"retry_after": "1"} if "retry_after" in names else {}
        )}  # fmt: skip


def raw(api, path):
    """What arrives over one connection until it ends, and how it ends."""
    host, port = api.url.removeprefix("http://").split(":")
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {api.headers['Authorization']}\r\n\r\n"
    received = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request.encode())
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                return received.decode(), "reset"
            if not part:
                return received.decode(), "closed"
            received += part


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("kind", ["drop", "lose_answer", "cut_head", "cut_answer"])
def test_where_a_connection_breaks(api, kind, reset):
    """Before the headers, in them, or behind them and before the end of the body."""
    set_fault(api, kind=kind, reset=reset)
    received, end = raw(api, "/balance")
    assert end == ("reset" if reset else "closed")
    head, found, body = received.partition("\r\n\r\n")
    if kind in ("drop", "lose_answer"):
        assert received == ""
    elif kind == "cut_head":
        assert received == "HTTP/1.1 200 OK\r\nContent-Ty"
    else:
        assert head.startswith("HTTP/1.1 200 OK")
        assert found
        promised = int(re.search(r"(?i)content-length: (\d+)", head)[1])
        assert 0 < len(body) < promised


def test_a_head_that_breaks_off_comes_after_the_effect(api, emulator):
    set_fault(api, kind="cut_head", method="POST")
    with pytest.raises(httpx.RemoteProtocolError), httpx.Client(trust_env=False) as client:
        client.post(f"{api.url}/addressbooks", json=BOOK, headers=api.headers)
    assert names(emulator) == ["B"]


@pytest.mark.parametrize(
    ("field", "becomes", "expected"),
    [
        ("id", "text", {"id": "1001"}),
        ("id", "number", {"id": 1001.5}),
        ("id", "list", {"id": [1001]}),
        ("id", "object", {"id": {"value": 1001}}),
        ("id", "null", {"id": None}),
        ("id", "absent", {}),
        (None, "text", '{"id": 1001}'),
        (None, "number", 7),
        (None, "list", [{"id": 1001}]),
        (None, "object", {"value": {"id": 1001}}),
        (None, "null", None),
    ],
)
def test_wrong_types(api, emulator, field, becomes, expected):
    set_fault(api, kind="wrong_type", field=field, becomes=becomes, operation="address_books.create")
    assert api.post("/addressbooks", BOOK) == expected
    assert names(emulator) == ["B"]


def test_wrong_types_wherever_the_field_stands(api):
    book = api.book(2)
    campaign = api.campaign(book)["id"]
    set_fault(api, kind="wrong_type", field="status", becomes="text", times=2)
    assert [contact["status"] for contact in api.get(f"/addressbooks/{book}/emails")] == ["1", "1"]
    assert api.get(f"/campaigns/{campaign}")["status"] == "13"
    set_fault(api, kind="wrong_type", field="list_id", becomes="list")
    assert api.get(f"/campaigns/{campaign}")["message"]["list_id"] == [book]


def test_a_field_that_is_not_there_is_no_silent_success(api):
    fault = set_fault(api, kind="wrong_type", field="statos", becomes="text", path="/balance")["id"]
    answer = api.send("GET", "/balance")
    assert answer.status_code == 500
    assert answer.json()["message"] == f"Fault {fault} of the emulator: there is no statos in this answer"


def test_what_is_empty_or_refused_has_nothing_to_alter(api):
    set_fault(api, kind="wrong_type", field="id", becomes="text", times=2)
    assert api.get("/addressbooks") == []
    assert api.refused("GET", "/addressbooks/1") == (404, 213)


def test_unknown_status(api):
    book = api.book(1)
    campaign = api.campaign(book)["id"]
    set_fault(api, kind="unknown_status", times=4)
    assert api.get(f"/campaigns/{campaign}")["status"] == 99
    assert [item["status"] for item in api.get("/campaigns")] == [99]
    assert [item["status"] for item in api.get(f"/addressbooks/{book}")] == [99]
    assert [item["task_status"] for item in api.get(f"/addressbooks/{book}/campaigns")] == [99]
    assert api.get(f"/campaigns/{campaign}")["status"] == 13
    set_fault(api, kind="unknown_status", code=-1)
    assert api.get(f"/campaigns/{campaign}")["status"] == -1


def test_a_status_nobody_documents_can_be_an_outcome(api, emulator):
    emulator.configure(next_campaign_outcomes=[[1, 99]])
    campaign = api.campaign(api.book(1))["id"]
    emulator.advance(60)
    assert api.get(f"/campaigns/{campaign}")["status"] == 99


def test_lists_of_books_can_be_stale(api, emulator):
    emulator.configure(book_visibility_reads=1)
    api.post("/addressbooks", BOOK)
    assert [len(api.get("/addressbooks")) for _ in range(3)] == [0, 1, 1]
    emulator.configure(book_visibility_reads=0, book_visibility_seconds=30)
    api.post("/addressbooks", {"bookName": "C"})
    assert len(api.get("/addressbooks")) == 1
    assert api.refused("POST", "/addressbooks", {"bookName": "C"}) == (422, 203)
    emulator.advance(30)
    assert len(api.get("/addressbooks")) == 2


def test_lists_of_campaigns_can_be_stale(api, emulator):
    emulator.configure(campaign_visibility_reads=1)
    campaign = api.campaign(api.book(1))["id"]
    assert [len(api.get("/campaigns")) for _ in range(3)] == [0, 1, 1]
    assert api.get(f"/campaigns/{campaign}")["id"] == campaign


def is_refused(api):
    host, port = api.url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def until_back(api):
    deadline = time.monotonic() + 10
    while is_refused(api):
        assert time.monotonic() < deadline


@pytest.fixture
def kept(api):
    """A client whose connection is kept, as those of workers are."""
    with httpx.Client(trust_env=False, base_url=api.url, headers=api.headers) as client:
        assert client.get("/balance").status_code == 200
        yield client


@pytest.mark.parametrize("how", ["fault", "control", "python"])
def test_connections_are_refused_for_a_while(api, emulator, kept, how):
    if how == "fault":
        set_fault(api, kind="outage", seconds=0.3, operation="address_books.create")
        began = time.monotonic()
        assert api.send("POST", "/addressbooks", BOOK).status_code == 200  # this call is still answered
    elif how == "control":
        began = time.monotonic()
        assert api.control("POST", "/outage", {"seconds": 0.3}) == {"done": True}
    else:
        began = time.monotonic()
        emulator.refuse_connections(0.3)
    assert is_refused(api) or time.monotonic() - began >= 0.3
    with pytest.raises(httpx.TransportError):
        kept.get("/balance")  # the connections that there were have ended as well
    until_back(api)
    assert time.monotonic() - began >= 0.25
    assert kept.get("/balance").status_code == 200
    assert names(emulator) == (["B"] if how == "fault" else [])


def test_a_reset_ends_an_outage(api, emulator):
    emulator.refuse_connections(500)
    assert is_refused(api)
    emulator.reset()
    assert not is_refused(api)
    api.get("/balance")


def test_an_outage_can_be_made_shorter(api, emulator):
    emulator.refuse_connections(500)
    emulator.refuse_connections(0.05)
    until_back(api)
    api.get("/balance")


def test_an_emulator_can_be_stopped_while_it_is_away():
    with RunningEmulator() as running:
        running.refuse_connections(500)
    with RunningEmulator() as again:
        assert requests.get(f"{again.url}/__emulator__/state", timeout=5).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"seconds": 0}, {"seconds": 601}, {"seconds": "long"}, {"seconds": None}, []])
def test_impossible_outages_are_refused(api, fields):
    answer = api.send("POST", "/__emulator__/outage", fields)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert not is_refused(api)


def test_nothing_is_refused_before_it_serves():
    with pytest.raises(RuntimeError):
        RunningEmulator().refuse_connections(1)


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
