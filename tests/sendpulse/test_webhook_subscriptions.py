# SPDX-License-Identifier: Apache-2.0
"""Subscriptions of webhooks, through a socket: by form and by JSON, in both envelopes."""

from __future__ import annotations

import pytest
from emulated_account import count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import webhook_subscriptions as webhooks

URL = "http://127.0.0.1:9/secret-path"
OTHER = "http://127.0.0.1:9/other"


@pytest.fixture(params=["flat", "nested"])
def envelope(request, emulator):
    emulator.configure(webhook_envelope=request.param)


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_the_life_of_a_subscription(either, emulator, envelope, form):
    made = either.send(webhooks.create(URL, ["open", "spam"], form=form))
    assert [(row.url, row.action) for row in made] == [(URL, "open"), (URL, "spam")]
    assert made[0].user_id == emulator.settings.user_id
    assert either.send(webhooks.list()) == made
    either.send(webhooks.update(made[0].id, OTHER, form=form))
    assert either.send(webhooks.read(made[0].id)).url == OTHER
    either.send(webhooks.delete(made[0].id))
    assert either.send(webhooks.list()) == made[1:]


def test_what_is_sent(client, emulator):
    client.send(webhooks.create(URL, ["open", "spam"]))
    client.send(webhooks.create(URL, ["open", "spam"], form=True))
    as_json, as_form = sent(emulator, "webhooks.create")
    assert as_json == {"url": URL, "actions": ["open", "spam"]}
    assert as_form.endswith("&actions%5B%5D=open&actions%5B%5D=spam")


@pytest.mark.parametrize("fault", ["lose_answer", "cut_answer", "truncate"])
def test_deleting_is_repeated_and_done_then(either, emulator, fault):
    [row] = either.send(webhooks.create(URL, ["open"]))
    emulator.faults.add(fault, operation="webhooks.delete")
    either.send(webhooks.delete(row.id))
    assert count(emulator, "webhooks.delete") == 2
    assert len(emulator.state.webhooks) == 0


def test_a_subscription_that_never_was_cannot_be_deleted(client):
    with pytest.raises(Refused) as caught:
        client.send(webhooks.delete(1))
    assert caught.value.status == 404


def test_updating_is_repeated(client, emulator):
    [row] = client.send(webhooks.create(URL, ["open"]))
    emulator.faults.add("lose_answer", operation="webhooks.update")
    client.send(webhooks.update(row.id, OTHER))
    assert count(emulator, "webhooks.update") == 2


def test_creating_is_not(client, emulator):
    emulator.faults.add("lose_answer", operation="webhooks.create")
    with pytest.raises(AmbiguousOutcome):
        client.send(webhooks.create(URL, ["open"]))
    assert [row.action for row in emulator.state.webhooks] == ["open"]


@pytest.mark.parametrize("actions", [[], "open", ["opened"]])
def test_what_cannot_be_subscribed(actions):
    with pytest.raises(InvalidRequest):
        webhooks.create(URL, actions)


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        ("https://h.example/topcanarytoken?k=v", "https://h.example/topcanarytoken"),
        ("https://h.example/topcanarytoken/", "topcanarytoken"),
        ("https://h.example/topcanarytoken/open", "/topcanarytoken"),
        ("https://h.example/t0pcanary/open", "t0pcanary"),
        ("https://h.example/top%20canary", "top canary"),
        ("https://h.example/hook?token=topcanary&to=a", "topcanary"),
        ("https://h.example/hook?topcanary", "topcanary"),
        ("https://shop:topcanary@h.example/hook", "topcanary"),
    ],
)
@pytest.mark.parametrize("operation", ["create", "update"])
def test_no_part_of_the_url_shows_in_a_refusal(client, emulator, operation, url, quoted):
    emulator.faults.add("status", operation=f"webhooks.{operation}", status=422, message=f"wrong: {quoted}, in sendpulse")
    with pytest.raises(Refused) as caught:
        client.send(webhooks.create(url, ["open"]) if operation == "create" else webhooks.update(1, url))
    assert "canary" not in str(caught.value)
    assert "in sendpulse" in str(caught.value)


def test_a_word_of_the_path_is_no_secret():
    assert "sendpulse" not in webhooks.secrets_of("https://h.example/sendpulse/topcanarytoken")
    assert webhooks.secrets_of("https://[h/topcanarytoken")


def test_the_url_never_shows(client):
    call = webhooks.create(URL, ["open"])
    [row] = client.send(call)
    assert "secret-path" not in repr(row) + repr(call) + call.operation
