# SPDX-License-Identifier: Apache-2.0
"""Senders, through a socket."""

from __future__ import annotations

import pytest
from emulated_account import count

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, Throttled
from airflow_provider_sendpulse.sendpulse import senders
from airflow_provider_sendpulse.sendpulse.senders import Sender

NEWS = "news@example.org"


def test_list(either):
    assert either.send(senders.list()) == [Sender("Shop", "shop@example.com", "Active", True)]


def test_add_and_activate(client, emulator):
    client.send(senders.add(NEWS, "News"))
    added = client.send(senders.list())[1]
    assert (added.name, added.email, added.active) == ("News", NEWS, False)
    [waiting] = [sender for sender in emulator.state.senders if sender.email == NEWS]
    client.send(senders.activate(NEWS, waiting.code))
    assert client.send(senders.list())[1].active


def test_a_wrong_code_is_refused(client):
    client.send(senders.add(NEWS, "News"))
    with pytest.raises(Refused):
        client.send(senders.activate(NEWS, "wrong"))


@pytest.mark.parametrize(("email", "code"), [("shop@example.com", 902), ("shop@gmail.com", 20), ("shop", 906)])
def test_add_refuses(client, email, code):
    with pytest.raises(Refused) as caught:
        client.send(senders.add(email, "News"))
    assert caught.value.error_code == code


@pytest.mark.parametrize(
    ("call", "operation"), [(senders.add(NEWS, "News"), "senders.add"), (senders.request_code(NEWS), "senders.send_code")]
)
def test_what_sends_a_message_is_not_repeated_in_doubt(client, emulator, call, operation):
    emulator.faults.add("lose_answer", operation=operation)
    with pytest.raises(AmbiguousOutcome):
        client.send(call)
    assert count(emulator, operation) == 1


def test_a_code_once_in_a_quarter_of_an_hour(client, emulator):
    client.send(senders.add(NEWS, "News"))
    with pytest.raises(Throttled) as caught:
        client.send(senders.request_code(NEWS))
    assert (caught.value.error_code, caught.value.retry_after) == (1004, 900)
    emulator.advance(901)
    client.send(senders.request_code(NEWS))


@pytest.mark.parametrize("fault", [None, "lose_answer"])
def test_delete(client, emulator, fault):
    if fault:
        emulator.faults.add(fault, operation="senders.delete")
    client.send(senders.delete("shop@example.com"))
    assert [*emulator.state.senders] == []


def test_a_sender_that_never_was_cannot_be_deleted(client):
    with pytest.raises(Refused) as caught:
        client.send(senders.delete(NEWS))
    assert caught.value.error_code == 1003


@pytest.mark.parametrize(("said", "allowed"), [(True, True), (1, True), (0, False), (False, False), (None, None)])
def test_both_spellings_of_allowed(said, allowed):
    answer = [{"name": "A", "email": NEWS, "status": "active", "is_allowed_for_smtp": said}]
    [sender] = senders.list().read(answer)
    assert (sender.is_allowed_for_smtp, sender.active) == (allowed, True)
    assert NEWS not in repr(sender)
