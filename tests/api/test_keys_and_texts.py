# SPDX-License-Identifier: Apache-2.0
"""A service with a key instead of tokens, sentences instead of JSON, and statuses instead of error codes."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from airflow_provider_sendpulse.api.account import BasicKey
from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, Repeat, as_is, nothing
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.exceptions import AuthenticationFailed, Refused, ServiceUnavailable

KEY = "c4n4ry0f4nAPIkey"
UPSERT = Call(
    method="POST",
    path="/contact",
    body=JsonBody({"name": "Ада"}),
    read=lambda answer: answer["id"],
    repeat=Repeat.ALWAYS,
    accepted={409: None},
    private=("Ада", "Лу", "x"),
)
UPDATE = replace(UPSERT, method="PUT", read=as_is, expect=Expect.TEXT)
DELETE = Call(
    method="DELETE", path="/contact/{id}", values={"id": 7}, read=nothing, repeat=Repeat.ALWAYS, gone_on_repeat={404}
)


@pytest.fixture
def client(lab):
    return lab.client(lab.account(credentials=BasicKey(KEY, "дім")))


def test_basic(lab, client):
    lab.answer(lab.reply(json={"id": 1}))
    assert client.send(UPSERT) == 1
    scheme, _, pair = lab.received[0].headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"дім:{KEY}")
    assert not lab.token_calls
    assert KEY not in repr(BasicKey(KEY))


def test_a_key_that_is_not_accepted_is_not_renewed_nor_shown(lab, client):
    pair = base64.b64encode(f"дім:{KEY}".encode()).decode()
    lab.answer(lab.reply(401, {"message": f"{KEY} or {pair} is unknown"}))
    with pytest.raises(AuthenticationFailed) as caught:
        client.send(UPSERT)
    assert caught.value.service_message == "<secret> or <secret> is unknown"
    assert len(lab.received) == 1


@pytest.mark.parametrize("body", [b"Contact with id='7' has been updated", b"", b'"done"', b"{}"])
def test_a_sentence_is_fine_where_no_json_is_promised(lab, client, body):
    lab.answer(lab.reply(200, body=body, headers={"content-type": "application/json"}))
    said = client.send(UPDATE)
    assert said in ("Contact with id='7' has been updated", None, "done", {})


def test_a_sentence_is_no_answer_where_json_is_promised(lab, client):
    lab.answer(*[lab.reply(200, body=b"Contact has been added")] * 5)
    with pytest.raises(ServiceUnavailable):
        client.send(UPSERT)


def test_a_refusal_in_a_sentence(lab, client):
    lab.answer(lab.reply(400, body="Name Ада Лу of Лука is wrong, x".encode()))
    with pytest.raises(Refused) as caught:
        client.send(UPDATE)
    assert caught.value.service_message == "Name <value> <value> of Лука is wrong, x"


def test_accepted_a_moment_ago_counts_on_the_first_attempt(lab, client):
    lab.answer(lab.reply(409, body=b"Duplicated request"))
    assert client.send(UPSERT) is None
    lab.answer(lab.fault("reset"), lab.reply(409, body=b"Duplicated request"))
    assert client.send(UPSERT) is None


def test_accepted_is_only_what_the_call_says(lab, client):
    lab.answer(lab.reply(409, {"message": "Duplicated request"}))
    with pytest.raises(Refused):
        client.send(replace(UPSERT, accepted={}))


def test_a_result_that_is_not_read_cannot_be_read_otherwise():
    with pytest.raises(TypeError, match="not every result"):
        UPSERT.reading(str)


def test_gone_counts_as_done_only_after_doubt(lab, client):
    gone = lab.reply(404, {"message": "not found"})
    lab.answer(lab.fault("reset"), gone)
    assert client.send(DELETE) is None
    lab.answer(gone)
    with pytest.raises(Refused):
        client.send(DELETE)


@pytest.mark.parametrize(
    ("text", "private", "shown"),
    [
        ("Ada is wrong: Adas", ["Ada"], "<value> is wrong: Adas"),
        ("Ann Anne", ["Ann", "Ann Anne"], "<value>"),
        ("I am I", ["I"], "I am I"),
        ("(a.b)* (aXb)*", ["(a.b)*"], "<value> (aXb)*"),
        ("nothing", [""], "nothing"),
    ],
)
def test_private_words_are_hidden_as_words(text, private, shown):
    assert redact(text, private=private) == shown
