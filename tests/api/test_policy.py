# SPDX-License-Identifier: Apache-2.0
"""One table of cases for both clients: repeats, tokens, limits and failures."""

from __future__ import annotations

import email.utils
import itertools
import json
import logging
from dataclasses import replace

import pytest

from airflow_provider_sendpulse.api.account import StaticKey
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, FormBody, Host, JsonBody, Repeat, SecretUrl, as_is, nothing
from airflow_provider_sendpulse.api.messages import Request
from airflow_provider_sendpulse.api.policy import Effort, Policy
from airflow_provider_sendpulse.api.shared import MemoryStore
from airflow_provider_sendpulse.api.steps import Mask, Send, Update
from airflow_provider_sendpulse.api.token import LEASE
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    AuthenticationFailed,
    FinalFailure,
    InvalidRequest,
    Refused,
    ServiceUnavailable,
    Throttled,
)

READ = Call.raw("GET", "/books")
WRITE = Call.raw("POST", "/campaigns", json_body={"name": "Осень"})
UPSERT = Call.raw("POST", "/contacts", json_body={"emails": []}, repeat=Repeat.ALWAYS)
STATIC = StaticKey("a-static-key-of-some-length")
FINE = {"result": True, "id": 7}
INVALID_CLIENT = {"error": "invalid_client", "message": "Client authentication failed.", "error_code": 1}
UNAUTHORISED = {"message": "Unauthorized!", "error_code": 401}
UNLIMITED = (Limit(1e9, 1),)
# What leaves the outcome of a sent request open: with it, the status that the failure then names.
DOUBTFUL = {
    "reset": None,
    "read timeout": None,
    "500": 500,
    "502 in HTML": 502,
    "HTML with 200": 200,
    "truncated JSON": 200,
    "other shape": 200,
}


def doubtful(lab, name):
    page = {"content-type": "text/html"}
    return {
        "reset": lab.fault("reset"),
        "read timeout": lab.fault("read timeout"),
        "500": lab.reply(500, {"message": "Whoops"}),
        "502 in HTML": lab.reply(502, body=b"<html>Bad Gateway</html>", headers=page),
        "HTML with 200": lab.reply(200, body=b"<html>Maintenance</html>", headers=page),
        "truncated JSON": lab.reply(200, body=b'{"result": tr'),
        "other shape": lab.reply(200, ["a list"]),
    }[name]


def shaped(call):
    return call.reading(lambda answer: answer["id"])


def test_success(lab):
    lab.answer(lab.reply(json=FINE))
    assert lab.send(READ) == FINE
    (request,) = lab.received
    assert (request.method, request.url) == ("GET", "https://api.invalid/books")
    assert request.bearer == "token-1"
    assert request.headers["accept"] == "application/json"
    assert request.body == b""
    assert lab.masked[0] == "token-1"
    (token_call,) = lab.token_calls
    assert json.loads(token_call.body) == {"client_id": "the-client-id", "client_secret": "the-client-secret"}


def asked(policy, call, store):
    """The steps of a call up to its request."""
    conversation = policy.converse(call)
    steps = [conversation.send(None)]
    while not isinstance(steps[-1], Send):
        step = steps[-1]
        assert isinstance(step, Update | Mask)
        reply = store.try_update(step.key, step.change) if isinstance(step, Update) else None
        steps.append(conversation.send(reply))
    conversation.close()
    return steps


@pytest.mark.parametrize(
    ("call", "is_fresh"), [(READ, False), (UPSERT, False), (WRITE, True)], ids=["read", "upsert", "write"]
)
def test_only_what_must_not_be_repeated_needs_a_fresh_connection(tools, call, is_fresh):
    policy = Policy(tools.fakes.account(credentials=STATIC), lambda: 0.0)
    assert asked(policy, call, MemoryStore())[-1].request.fresh_connection is is_fresh


def test_what_one_request_asks_for(lab):
    """The shared token and the budget once each: every look takes a lock that all processes of a host share."""
    whose = lab.account()
    lab.answer(lab.reply(json=FINE))
    lab.send(READ)
    lab.clock.time += 60
    token, mask, budget, sending = asked(Policy(whose, lab.clock.now), READ, lab.store)
    assert (token.key, mask.secret, budget.key) == (whose.token_key, "token-1", whose.budget_key)
    assert sending.request == Request(
        method="GET",
        url="https://api.invalid/books",
        headers={
            "Accept": "application/json",
            "User-Agent": "airflow-provider-sendpulse/test",
            "Authorization": "Bearer token-1",
        },
        body=None,
        fresh_connection=False,
    )
    lab.clock.time += 60
    assert "Content-Type" in asked(Policy(whose, lab.clock.now), WRITE, lab.store)[-1].request.headers


def test_own_user_agent_on_every_request(lab):
    lab.answer(lab.reply(json=FINE))
    lab.send(READ, account=lab.account(user_agent="airflow-provider-sendpulse/1.2.3"))
    assert {request.headers["user-agent"] for request in lab.token_calls + lab.received} == {
        "airflow-provider-sendpulse/1.2.3"
    }


def test_json_body_is_compact_and_keeps_its_letters(lab):
    lab.answer(lab.reply(json=FINE))
    lab.send(WRITE)
    assert lab.received[0].body == '{"name":"Осень"}'.encode()
    assert lab.received[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("multipart", "content_type", "part"),
    [
        (False, "application/x-www-form-urlencoded", b"name=%D0%9E%D1%81%D0%B5%D0%BD%D1%8C"),
        (True, "multipart/form-data; boundary=", 'name="name"\r\n\r\nОсень\r\n'.encode()),
    ],
)
def test_form_bodies(lab, multipart, content_type, part):
    lab.answer(lab.reply(json=FINE))
    lab.send(Call(method="POST", path="/x", read=as_is, body=FormBody({"name": "Осень"}, multipart=multipart)))
    assert lab.received[0].headers["content-type"].startswith(content_type)
    assert part in lab.received[0].body


def test_an_empty_answer_is_none(lab):
    lab.answer(lab.reply(204, body=b""))
    assert lab.send(Call(method="DELETE", path="/books/{id}", values={"id": 7}, read=as_is)) is None


def test_calls_without_authorisation_fetch_no_token(lab):
    lab.answer(lab.reply(json=FINE))
    lab.send(Call(method="GET", path="/open", read=as_is, authorised=False))
    assert "authorization" not in lab.received[0].headers
    assert not lab.token_calls


def test_hosts(lab):
    lab.answer(*[lab.reply(json=FINE)] * 2)
    client = lab.client()
    client.send(Call(method="POST", path="/events/name/x", read=as_is, host=Host.EVENTS))
    client.send(Call(method="POST", path="", read=as_is, host=SecretUrl("https://events.invalid/events/id/abc/1")))
    assert [request.url for request in lab.received] == [
        "https://events.invalid/events/name/x",
        "https://events.invalid/events/id/abc/1",
    ]


# --- refused


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_final_and_tells_everything(lab, status, call):
    lab.answer(lab.reply(status, {"message": "Book of ivan@example.com not found", "error_code": 213}))
    with pytest.raises(Refused) as caught:
        lab.send(call)
    error = caught.value
    assert (error.status, error.error_code, error.operation) == (status, 213, f"{call.method} {call.path}")
    assert error.service_message == "Book of <address> not found"
    assert str(error) == (
        f"Service: {call.method} {call.path} was refused: HTTP {status}, error_code 213, “Book of <address> not found”."
    )
    assert isinstance(error, FinalFailure)


@pytest.mark.parametrize(
    "body", [{"is_error": True, "error_code": 301, "message": "wrong"}, {"result": False}], ids=["is_error", "result"]
)
def test_a_refusal_with_200(lab, body):
    lab.answer(lab.reply(200, body))
    with pytest.raises(Refused) as caught:
        lab.send(WRITE)
    assert caught.value.status == 200
    assert caught.value.error_code == body.get("error_code")


def test_result_false_may_be_data(lab):
    lab.answer(lab.reply(200, {"result": False}))
    assert lab.send(Call(method="GET", path="/cost", read=as_is, result_is_data=True)) == {"result": False}


@pytest.mark.parametrize("location", ["https://elsewhere.invalid/", "http://[", "ht!tp://\xff", ""])
def test_redirects_are_not_followed(lab, location):
    if lab.kind == "httpx" and location.startswith("ht"):
        location = "https://elsewhere.invalid/"  # httpx itself gives up on the others: they count as broken answers
    lab.answer(lab.reply(302, {"message": "moved"}, headers={"location": location}))
    with pytest.raises(Refused) as caught:
        lab.send(WRITE)
    assert caught.value.status == 302
    assert len(lab.received) == 1


# --- credentials


def test_401_renews_once_and_repeats(lab):
    lab.answer(lab.reply(401, UNAUTHORISED), lab.reply(json=FINE))
    assert lab.send(WRITE) == FINE
    assert [request.bearer for request in lab.received] == ["token-1", "token-2"]
    assert lab.received[0].body == lab.received[1].body
    assert len(lab.token_calls) == 2


def test_401_for_ever_ends_after_one_renewal(lab):
    lab.answer(*[lab.reply(401, UNAUTHORISED)] * 2)
    client = lab.client()
    with pytest.raises(AuthenticationFailed) as caught:
        client.send(READ)
    assert str(caught.value) == (
        "Service: GET /books was not authorised: HTTP 401, error_code 401, “Unauthorized!”. Check id and secret."
    )
    assert (caught.value.status, caught.value.error_code) == (401, 401)
    assert len(lab.token_calls) == 2
    assert len(lab.received) == 2


def two_records(lab, client):
    """The shared record with token-1 in it, and one with token-2; the store then holds the first."""
    key = lab.account().token_key
    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    client.send(READ)
    first = stolen(lab, key)
    lab.store.try_update(key, lambda record: ({}, None))
    client.send(READ)
    second = stolen(lab, key)
    lab.store.try_update(key, lambda record: (first, None))

    def replaced(request):
        lab.store.try_update(key, lambda record: (second, None))
        return lab.reply(401, UNAUTHORISED)

    return replaced


def test_401_first_looks_for_a_token_that_somebody_else_renewed(lab):
    client = lab.client()
    lab.answer(two_records(lab, client), lab.reply(json=FINE))
    client.send(READ)
    assert [request.bearer for request in lab.received[2:]] == ["token-1", "token-2"]
    assert len(lab.token_calls) == 2


def test_a_token_replaced_and_rejected_too_is_renewed_once(lab):
    client = lab.client()
    lab.answer(two_records(lab, client), lab.reply(401, UNAUTHORISED), lab.reply(401, UNAUTHORISED))
    with pytest.raises(AuthenticationFailed):
        client.send(READ)
    assert [request.bearer for request in lab.received[2:]] == ["token-1", "token-2", "token-3"]
    assert len(lab.token_calls) == 3


def stolen(lab, key):
    kept = []
    lab.store.try_update(key, lambda record: (None, kept.append(dict(record))))
    return kept[0]


def test_tokens_that_others_keep_replacing_are_not_tried_for_ever(lab):
    key = lab.account().token_key
    client = lab.client()
    records = []
    for _ in range(4):
        lab.answer(lab.reply(json=FINE))
        client.send(READ)
        records.append(stolen(lab, key))
        lab.store.try_update(key, lambda record: ({}, None))

    def rejected(request):
        lab.store.try_update(key, lambda record: (records.pop(), None))
        return lab.reply(401, UNAUTHORISED)

    lab.store.try_update(key, lambda record: (records.pop(), None))
    lab.answer(rejected, rejected, rejected)
    with pytest.raises(AuthenticationFailed):
        client.send(READ)
    assert [request.bearer for request in lab.received[4:]] == ["token-4", "token-3", "token-2"]
    assert len(lab.token_calls) == 4


def test_a_static_key_is_refused_at_once(lab):
    lab.answer(lab.reply(401, UNAUTHORISED))
    with pytest.raises(AuthenticationFailed):
        lab.send(READ, account=lab.account(credentials=STATIC))
    assert [request.bearer for request in lab.received] == [STATIC.key]
    assert not lab.token_calls


@pytest.mark.parametrize("key", ["key with a line break\n", "key\r\nX-Other: 1", "ключ", "key\u2028"])
def test_a_key_that_no_header_may_hold_is_not_sent(lab, key):
    with pytest.raises(InvalidRequest) as caught:
        lab.send(WRITE, account=lab.account(credentials=StaticKey(key)))
    assert "Enter the key again" in str(caught.value)
    assert caught.value.operation == "POST /campaigns"
    assert not lab.received


def test_invalid_client_ends_at_once_and_frees_the_lease(lab):
    lab.token_replies = [lab.reply(401, INVALID_CLIENT)]
    client = lab.client()
    with pytest.raises(AuthenticationFailed) as caught:
        client.send(READ)
    assert (caught.value.error_code, caught.value.operation) == (1, "POST /oauth/access_token")
    assert len(lab.token_calls) == 1
    lab.answer(lab.reply(json=FINE))
    before = lab.clock.now()
    assert client.send(READ) == FINE
    assert lab.clock.now() - before < 1.0, "nobody waits for a lease that is over"
    assert len(lab.token_calls) == 2


def test_an_interrupted_token_call_frees_the_lease(lab):
    def killed(request):
        raise KeyboardInterrupt

    lab.token_replies = [killed]
    with pytest.raises(KeyboardInterrupt):
        lab.send(READ)
    lab.answer(lab.reply(json=FINE))
    before = lab.clock.now()
    lab.send(READ)
    assert lab.clock.now() - before < 1.0


@pytest.mark.parametrize("name", ["reset", "500", "502 in HTML", "HTML with 200", "truncated JSON", "other shape"])
def test_a_failing_token_endpoint_is_asked_again(lab, name):
    lab.token_replies = [doubtful(lab, name)]
    lab.answer(lab.reply(json=FINE))
    assert lab.send(WRITE) == FINE
    assert len(lab.token_calls) == 2
    assert lab.received[0].bearer == "token-2"


def test_a_token_endpoint_that_stays_down(lab):
    lab.token_replies = [lab.reply(502, body=b"<html>")] * 5
    with pytest.raises(ServiceUnavailable) as caught:
        lab.send(WRITE)
    assert caught.value.operation == "POST /oauth/access_token"
    assert not lab.received


def test_a_token_is_used_until_shortly_before_its_expiry(lab):
    client = lab.client()
    lab.answer(*[lab.reply(json=FINE)] * 3)
    client.send(READ)
    issued = lab.token_calls[0].at
    lab.clock.time = issued + 3600 - 130
    client.send(READ)
    lab.clock.time = issued + 3600 - 119
    client.send(READ)
    assert [request.bearer for request in lab.received] == ["token-1", "token-1", "token-2"]


def test_a_short_lived_token_is_renewed_in_its_last_tenth(lab):
    lab.lifetime = 100.0
    client = lab.client(lab.account(limits=UNLIMITED))
    lab.answer(*[lab.reply(json=FINE)] * 3)
    client.send(READ)
    issued = lab.token_calls[0].at
    lab.clock.time = issued + 89
    client.send(READ)
    lab.clock.time = issued + 91
    client.send(READ)
    assert [request.bearer for request in lab.received] == ["token-1", "token-1", "token-2"]


def test_while_somebody_renews_it_the_old_token_does(lab):
    client = lab.client(lab.account(limits=UNLIMITED))
    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    client.send(READ)
    lab.clock.time = lab.token_calls[0].at + 3600 - 60
    lease = {"owner": "somebody", "until": lab.clock.now() + 30}
    lab.store.try_update(lab.account(limits=UNLIMITED).token_key, lambda record: ({**record, "lease": lease}, None))
    client.send(READ)
    assert [request.bearer for request in lab.received] == ["token-1", "token-1"]


def test_while_somebody_renews_it_an_expired_token_does_not(lab):
    whose = lab.account(limits=UNLIMITED)
    client = lab.client(whose)
    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    client.send(READ)
    lab.clock.time = now = lab.token_calls[0].at + 3600 - 4
    lease = {"owner": "somebody", "until": now + 30}
    lab.store.try_update(whose.token_key, lambda record: ({**record, "lease": lease}, None))
    client.send(READ)
    assert [request.bearer for request in lab.received] == ["token-1", "token-2"]
    assert lab.token_calls[1].at >= now + 30


def test_a_lease_from_before_the_clock_was_set_back_is_forgotten(lab):
    lease = {"owner": "somebody", "until": lab.clock.now() + LEASE + 1}
    lab.store.try_update(lab.account().token_key, lambda record: ({"lease": lease}, None))
    lab.answer(lab.reply(json=FINE))
    began = lab.clock.now()
    lab.send(READ)
    assert lab.clock.now() - began < 1


def test_a_token_that_expires_while_waiting_for_the_budget_is_renewed_before_sending(lab):
    whose = lab.account(limits=(Limit(1, 200),))
    lab.lifetime = 250.0
    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    client = lab.client(whose)
    client.send(READ)
    expiry = lab.token_calls[-1].at + lab.lifetime
    client.send(READ)
    assert lab.received[1].at > expiry
    assert lab.received[1].bearer == f"token-{len(lab.token_calls)}"
    assert lab.token_calls[-1].at >= expiry - 25, "renewed behind the wait"


def test_places_in_the_budget_are_taken_when_the_token_is_there(lab):
    # Else all who wait for the token would send at once when it comes.
    whose = lab.account(limits=(Limit(1, 10),))
    token_key = whose.token_key
    lease = {"owner": "somebody", "until": lab.clock.now() + LEASE}
    lab.store.try_update(token_key, lambda record: ({"lease": lease}, None))
    conversation = lab.client(whose).client._policy.converse(READ)
    keys = []
    step = conversation.send(None)
    for _ in range(10):
        reply = None
        if type(step).__name__ == "Update":
            keys.append(step.key)
            reply = lab.store.try_update(step.key, step.change)
        step = conversation.send(reply)
    conversation.close()
    assert set(keys) == {token_key}


def test_a_fresh_token_leaves_the_shared_one_alone(lab):
    lab.answer(*[lab.reply(json=FINE)] * 3)
    client = lab.client()
    client.send(READ)
    client.send(READ, fresh_token=True)
    client.send(READ)
    assert [request.bearer for request in lab.received] == ["token-1", "token-2", "token-1"]


def test_a_fresh_token_that_is_not_accepted_is_not_renewed(lab):
    lab.answer(lab.reply(401, UNAUTHORISED))
    with pytest.raises(AuthenticationFailed):
        lab.client().send(READ, fresh_token=True)
    assert len(lab.token_calls) == 1


def test_a_fresh_token_serves_all_attempts_of_its_call(lab):
    lab.answer(lab.reply(500), lab.reply(json=FINE))
    lab.client().send(READ, fresh_token=True)
    assert [request.bearer for request in lab.received] == ["token-1", "token-1"]


# --- limits


def throttled(lab, header=None, *, code=None, status=429):
    headers = {} if header is None else {"retry-after": header}
    return lab.reply(status, {"message": "Too many requests", "error_code": code}, headers=headers)


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize(
    ("header", "shortest", "longest"),
    [("7", 7.0, 7.1), ("date", 19.0, 20.1), ("-5", 0.5, 1.1), (None, 0.5, 1.1), ("soon", 0.5, 1.1), ("0", 0.5, 1.1)],
)
def test_429_waits_as_asked(lab, header, shortest, longest, call):
    client = lab.client(lab.account(credentials=STATIC))
    if header == "date":
        header = email.utils.formatdate(lab.clock.now() + 20, usegmt=True)
    lab.answer(throttled(lab, header), lab.reply(json=FINE))
    assert client.send(call) == FINE
    assert shortest <= lab.received[1].at - lab.received[0].at <= longest


@pytest.mark.parametrize(
    ("header", "asked"),
    [("61", 61.0), ("999999999999", 3600.0), ("inf", 3600.0), ("1e308", 3600.0), ("date", 3600.0)],
)
def test_a_long_retry_after_is_left_to_the_caller(lab, header, asked):
    if header == "date":
        header = "Fri, 31 Dec 9999 23:59:59 GMT"
    lab.answer(throttled(lab, header))
    with pytest.raises(Throttled) as caught:
        lab.send(WRITE)
    assert caught.value.retry_after == asked
    assert not isinstance(caught.value, FinalFailure), "a retry by Airflow is safe"
    assert max(lab.clock.sleeps) < 1


def test_the_longest_wait_can_be_chosen(lab):
    lab.answer(throttled(lab, "100"), lab.reply(json=FINE))
    lab.send(READ, effort=Effort(longest_wait=110, seconds=200))
    assert lab.received[1].at - lab.received[0].at >= 100


def test_429_for_ever(lab):
    lab.answer(*[throttled(lab)] * 5)
    with pytest.raises(Throttled) as caught:
        lab.send(WRITE)
    assert caught.value.retry_after is None
    assert caught.value.status == 429
    assert str(caught.value) == "Service: POST /campaigns was throttled: HTTP 429, “Too many requests”."


def test_the_second_limit_code_counts_like_429(lab):
    lab.answer(throttled(lab, code=2020202020, status=400), lab.reply(json=FINE))
    assert lab.send(WRITE) == FINE


def test_a_quota_is_not_waited_for(lab):
    lab.answer(throttled(lab, code=791, status=422))
    with pytest.raises(Throttled) as caught:
        lab.send(WRITE)
    assert str(caught.value) == (
        "Service: POST /campaigns was refused for now: HTTP 422, error_code 791, “Too many requests”. Wait an hour."
    )
    assert (caught.value.retry_after, caught.value.error_code) == (3600.0, 791)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_quota_that_says_until_when(lab, form):
    began = lab.clock.now()
    header = "900" if form == "seconds" else email.utils.formatdate(began + 900, usegmt=True)
    lab.answer(throttled(lab, header, code=791, status=422))
    with pytest.raises(Throttled) as caught:
        lab.send(WRITE, account=lab.account(credentials=STATIC))
    assert caught.value.retry_after == 900.0


def test_a_limit_holds_for_everybody_who_calls_the_account(lab, monkeypatch):
    whose = lab.account(credentials=STATIC)
    lab.answer(throttled(lab, "30"), lab.reply(json=FINE))
    sleep, found = lab.clock.sleep, []

    def look(seconds):
        lab.store.try_update(whose.budget_key, lambda record: (None, found.append(record.get("paused_until"))))
        sleep(seconds)

    monkeypatch.setattr(lab.clock, "sleep", look)
    lab.send(READ, account=whose)
    assert found[0] >= lab.received[0].at + 30


# --- nothing usable came back


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_repeatable_call_is_repeated(lab, name):
    lab.answer(doubtful(lab, name), lab.reply(json=FINE))
    assert lab.send(shaped(UPSERT)) == 7
    assert len(lab.received) == 2


@pytest.mark.parametrize("name", DOUBTFUL)
def test_repeating_ends_with_the_attempts(lab, name):
    lab.answer(*[doubtful(lab, name)] * 3)
    with pytest.raises(ServiceUnavailable, match="failed 3 times") as caught:
        lab.send(shaped(READ), effort=Effort(attempts=3))
    assert (caught.value.operation, caught.value.status) == ("GET /books", DOUBTFUL[name])
    assert not isinstance(caught.value, FinalFailure)


@pytest.mark.parametrize(("lasting", "count"), [(40, 3), (99.8, 1)])
def test_repeating_ends_with_the_time(lab, lasting, count):
    began = lab.clock.now()

    def slow(request):
        lab.clock.time += lasting
        return lab.fault("read timeout")

    lab.answer(*[slow] * count)
    with pytest.raises(ServiceUnavailable):
        lab.send(READ, effort=Effort(attempts=50, seconds=100))
    assert all(request.at - began < 100 for request in lab.received)


def test_waits_between_attempts_grow(lab):
    lab.answer(*[lab.reply(503)] * 5)
    with pytest.raises(ServiceUnavailable):
        lab.send(READ, account=lab.account(limits=UNLIMITED, credentials=STATIC))
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(lab.received)]
    for gap, base in zip(gaps, [0.5, 1, 2, 4], strict=True):
        assert base <= gap <= base + 0.51


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_503_with_retry_after_is_waited_for(lab, form, caplog):
    header = "9" if form == "seconds" else email.utils.formatdate(lab.clock.now() + 9, usegmt=True)
    lab.answer(lab.reply(503, headers={"retry-after": header}), lab.reply(json=FINE))
    lab.send(READ, account=lab.account(credentials=STATIC))
    assert lab.received[1].at - lab.received[0].at == pytest.approx(9, abs=0.1)
    assert "Service: GET /books: the service answered HTTP 503; again in 9.0 s" in caplog.messages


def test_the_first_wait_is_short(lab):
    firsts = []
    for _ in range(20):
        lab.answer(lab.reply(503), lab.reply(json=FINE))
        lab.send(READ, account=lab.account(limits=UNLIMITED, credentials=STATIC))
        firsts.append(lab.received[-1].at - lab.received[-2].at)
    assert 0.5 <= min(firsts) < 0.9
    assert len(set(firsts)) > 10, "not all who were refused at once come back at once"


@pytest.mark.parametrize("longest", [0.5, 4.0])
def test_no_wait_is_longer_than_the_longest_nor_ends_the_attempts_by_its_jitter(lab, longest):
    lab.answer(*[lab.reply(503)] * 12)
    whose = lab.account(limits=UNLIMITED, credentials=STATIC)
    with pytest.raises(ServiceUnavailable, match="failed 12 times"):
        lab.send(READ, account=whose, effort=Effort(attempts=12, longest_wait=longest))
    assert all(later.at - earlier.at <= longest for earlier, later in itertools.pairwise(lab.received))


def test_a_wait_as_long_as_the_longest_is_waited(lab):
    lab.answer(throttled(lab, "60"), lab.reply(json=FINE))
    assert lab.send(READ, account=lab.account(credentials=STATIC)) == FINE


def test_a_wait_up_to_the_last_second_is_waited(lab):
    def slow(request):
        lab.clock.time += 40
        return throttled(lab, "60")

    lab.answer(slow, lab.reply(json=FINE))
    began = lab.clock.now()
    assert lab.send(READ, account=lab.account(credentials=STATIC), effort=Effort(seconds=100)) == FINE
    assert lab.received[1].at == began + 100


@pytest.mark.parametrize(("lasting", "is_repeated"), [(60.0, True), (60.5, False)])
def test_nothing_begins_after_two_minutes(lab, lasting, is_repeated):
    def slow(request):
        lab.clock.time += lasting
        return throttled(lab, "60")

    lab.answer(slow, *([lab.reply(json=FINE)] if is_repeated else []))
    client = lab.client(lab.account(credentials=STATIC))
    if is_repeated:
        assert client.send(READ) == FINE
    else:
        with pytest.raises(Throttled):
            client.send(READ)


def test_waiting_for_a_token_of_others_ends_with_the_effort(lab):
    lease = {"owner": "somebody", "until": lab.clock.now() + LEASE}
    lab.store.try_update(lab.account().token_key, lambda record: ({"lease": lease}, None))
    began = lab.clock.now()
    with pytest.raises(ServiceUnavailable, match="Other processes"):
        lab.send(READ, effort=Effort(seconds=10))
    assert lab.clock.now() - began == pytest.approx(10, abs=0.3)


def test_what_is_logged_of_a_limit_and_of_a_renewal(lab, caplog):
    caplog.set_level(logging.INFO)
    lab.answer(throttled(lab, "7", code=2020202020), lab.reply(401, UNAUTHORISED), lab.reply(json=FINE))
    lab.send(READ)
    assert [record.getMessage() for record in caplog.records if record.name.endswith("api.policy")] == [
        "Service: GET /books: too many requests; going on at 50 % of the rate.",
        "Service: GET /books: HTTP 429, error_code 2020202020, “Too many requests”; again in 7.0 s",
        "Service: GET /books: the token was not accepted; renewing it",
    ]


def test_a_refusal_without_words(lab):
    lab.answer(lab.reply(404, body=b""))
    with pytest.raises(Refused) as caught:
        lab.send(READ)
    assert str(caught.value) == "Service: GET /books was refused: HTTP 404."
    assert caught.value.error_code is None


def test_a_secret_of_a_call_does_not_show(lab):
    call = replace(WRITE, secrets=("https://hooks.example.org/4711-abc", "4711-abc"))
    lab.answer(lab.reply(422, {"message": "cannot push to https://hooks.example.org/4711-abc, nor to 4711-abc"}))
    with pytest.raises(Refused) as caught:
        lab.send(call)
    assert caught.value.service_message == "cannot push to <secret>, nor to <secret>"
    assert "4711" not in f"{caught.value} {call!r}"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_last_part_of_a_secret_url_does_not_show_either(lab, end):
    call = Call(method="POST", path="", read=as_is, host=SecretUrl(f"https://events.invalid/hooks/a-long-canary-X{end}"))
    lab.answer(lab.reply(422, {"message": "no hook a-long-canary-X there", "error_code": 5}))
    with pytest.raises(Refused) as caught:
        lab.send(call)
    assert caught.value.service_message == "no hook <secret> there"


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_write_in_doubt_is_not_repeated(lab, name):
    lab.answer(doubtful(lab, name))
    with pytest.raises(AmbiguousOutcome, match="It may have been carried out") as caught:
        lab.send(shaped(WRITE))
    assert (caught.value.operation, caught.value.status) == ("POST /campaigns", DOUBTFUL[name])
    assert isinstance(caught.value, FinalFailure)
    assert len(lab.received) == 1


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("name", ["refused", "connect timeout"])
def test_what_never_arrived_is_repeated(lab, name, call):
    lab.answer(lab.fault(name), lab.fault(name), lab.reply(json=FINE))
    assert lab.send(call) == FINE
    assert len(lab.received) == 3


def test_what_never_arrives_is_no_doubt(lab):
    lab.answer(*[lab.fault("refused")] * 5)
    with pytest.raises(ServiceUnavailable, match="refused or the host could not be reached"):
        lab.send(WRITE)


@pytest.mark.parametrize("error", [AttributeError, KeyError, TypeError, ValueError, RecursionError, ZeroDivisionError])
def test_whatever_reading_raises_a_write_stays_in_doubt(lab, error):
    def read(answer):
        raise error("ivan@example.com")

    lab.answer(lab.reply(json=FINE))
    with pytest.raises(AmbiguousOutcome, match=error.__name__) as caught:
        lab.send(WRITE.reading(read))
    assert caught.value.__context__ is None
    assert "ivan" not in str(caught.value)


def test_reading_may_raise_one_of_our_own(lab):
    def read(answer):
        raise Refused("no")

    lab.answer(lab.reply(json=FINE))
    with pytest.raises(Refused):
        lab.send(WRITE.reading(read))


def test_done_already_counts_as_done_only_after_doubt(lab):
    gone = lab.reply(404, {"message": "not found", "error_code": 213})
    call = Call(
        method="DELETE",
        path="/books/{id}",
        values={"id": 7},
        read=nothing,
        repeat=Repeat.ALWAYS,
        done_on_repeat=frozenset({213}),
    )
    client = lab.client()
    lab.answer(lab.fault("reset"), gone)
    assert client.send(call) is None
    lab.answer(gone)
    with pytest.raises(Refused):
        client.send(call)
    lab.answer(lab.fault("refused"), gone)
    with pytest.raises(Refused):
        client.send(call)


def test_a_refusal_that_says_that_nothing_is_there(lab):
    call = Call(method="POST", path="/x", read=len, repeat=Repeat.ALWAYS, empty_on=frozenset({14}))
    lab.answer(lab.reply(400, {"message": "No such emails", "error_code": 14}))
    assert lab.send(call) == 0
    lab.answer(lab.reply(400, {"message": "Empty list", "error_code": 832}))
    with pytest.raises(Refused):
        lab.send(call)
    # Only a refusal can say so.
    lab.answer(lab.reply(500, {"message": "Whoops", "error_code": 14}), lab.reply(json=[1, 2]))
    assert lab.send(call) == 2


@pytest.mark.parametrize(
    "call",
    [
        Call.raw("POST", "/x", json_body={"price": float("nan")}),
        Call.raw("POST", "/x", json_body={"when": object()}),
        Call.raw("POST", "/x", json_body={"email": "broken\ud800@example.com"}),
        Call.raw("GET", "/x", query={"email": "broken\ud800@example.com"}),
        Call(method="POST", path="/x", read=as_is, body=FormBody({"email": "broken\ud800@example.com"})),
        Call(method="DELETE", path="/books/{id}/emails/{email}", values={"id": 7, "email": ".."}, read=as_is),
        Call(method="DELETE", path="/books/{id}/emails/{email}", values={"id": 7, "email": ""}, read=as_is),
    ],
    ids=["NaN", "object", "broken text", "broken query", "broken form", "dots", "empty"],
)
def test_what_cannot_be_encoded_is_not_sent(lab, call, tools):
    with pytest.raises(InvalidRequest, match=r"was not sent: .* cannot be encoded \(\w+Error\)") as caught:
        lab.send(call)
    assert caught.value.operation == call.operation
    assert not lab.received
    assert "broken" not in tools.leaks(caught.value).replace("broken text", "")


def test_a_json_body_never_shows():
    assert "ivan" not in repr(Call.raw("POST", "/x", json_body={"email": "ivan@example.com"}))
    assert "ivan" not in repr(JsonBody("ivan@example.com"))


# --- the budget


def test_requests_of_all_clients_are_spread(lab):
    whose = lab.account(limits=(Limit(10, 1), Limit(60, 60)), credentials=STATIC)
    clients = [lab.client(whose), lab.client(whose)]
    lab.answer(*[lab.reply(json=FINE)] * 8)
    for turn in range(8):
        clients[turn % 2].send(READ)
    times = [request.at for request in lab.received]
    assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(times))


def test_another_account_has_a_budget_of_its_own(lab):
    ours, other = (
        lab.account(url, limits=(Limit(1, 60),), credentials=STATIC) for url in ("https://a.invalid", "https://b.invalid")
    )
    lab.answer(lab.reply(json=FINE), lab.reply(json=FINE))
    lab.send(READ, account=ours)
    lab.send(READ, account=other)
    assert lab.received[1].at - lab.received[0].at < 1


def test_token_calls_and_repeats_count_too(lab):
    lab.answer(lab.reply(401, UNAUTHORISED), lab.fault("reset"), lab.reply(json=FINE))
    lab.send(READ, account=lab.account(limits=(Limit(1, 1),)))
    times = sorted(request.at for request in lab.received + lab.token_calls)
    assert len(times) == 5
    assert all(later - earlier >= 0.999 for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("status", [200, 422])
def test_a_secret_of_the_account_does_not_show_in_what_is_read_of_an_answer(lab, status):
    lab.answer(lab.reply(status, {"message": "no key the-client-secret here", "results": ["the-client-secret"]}))
    if status == 200:
        assert lab.send(READ) == {"message": "no key <secret> here", "results": ["<secret>"]}
        return
    with pytest.raises(Refused) as caught:
        lab.send(READ)
    assert caught.value.service_message == "no key <secret> here"
