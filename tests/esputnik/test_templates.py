# SPDX-License-Identifier: Apache-2.0
"""Prepared messages, against the emulator."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.esputnik.limits import MESSAGE_READS
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused


def test_create_read_and_list(either, letter):
    found = either.send(es.templates.read("email", letter))
    assert (found.id, found.name, found.tags) == (letter, "Welcome", ("spring",))
    assert found.content["subject"] == "Hello"
    assert [item.id for item in either.pages(es.templates.list("email", "welc", limit=1))] == [letter]
    assert list(either.pages(es.templates.list("sms"))) == []
    assert es.templates.read("sms", 1).allowance is es.templates.list("email").allowance is MESSAGE_READS


def test_update_and_delete(either, letter):
    either.send(es.templates.update("email", letter, {"name": "Greeting"}))
    either.send(es.templates.update("email", letter, {"subject": "Вітаємо"}, language="uk"))
    assert either.send(es.templates.read("email", letter)).content["languages"] == ["uk"]
    either.send(es.templates.delete("email", letter, language="uk"))
    assert either.send(es.templates.view_link(letter)).startswith("https://")
    either.send(es.templates.delete("email", letter))
    with pytest.raises(Refused) as caught:
        either.send(es.templates.read("email", letter))
    assert caught.value.status == 404


def test_a_message_whose_outcome_is_not_known_is_not_created_again(either, emulator):
    emulator.faults.add("lose_answer", operation="esputnik.messages.sms.create", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(es.templates.create("sms", {"name": "Code", "text": "Hi"}))
    assert [found.name for found in either.pages(es.templates.list("sms"))] == ["Code"]


def test_a_kind_that_is_not_there():
    with pytest.raises(InvalidRequest, match="pigeon"):
        es.templates.list("pigeon")
