# SPDX-License-Identifier: Apache-2.0
"""The blacklist, through a socket."""

from __future__ import annotations

import base64

import pytest
from emulated_account import count, sent

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import blacklist

ADA, BEA = "ada@example.com", "bea@example.com"


def test_add_read_remove(either, emulator):
    either.send(blacklist.add([ADA, BEA], comment="asked by phone"))
    assert emulator.state.blacklist == {ADA: "asked by phone", BEA: "asked by phone"}
    assert either.send(blacklist.read()) == [ADA, BEA]
    either.send(blacklist.remove([ADA]))
    assert either.send(blacklist.read()) == [BEA]


def test_addresses_are_joined_and_encoded(client, emulator):
    client.send(blacklist.add([ADA, BEA]))
    assert sent(emulator, "blacklist.add") == [{"emails": base64.b64encode(f"{ADA},{BEA}".encode()).decode()}]


@pytest.mark.parametrize("call", [blacklist.add([ADA]), blacklist.remove([ADA])], ids=["add", "remove"])
def test_both_are_repeated(client, emulator, call):
    operation = "blacklist.add" if call.method == "POST" else "blacklist.remove"
    emulator.faults.add("lose_answer", operation=operation)
    client.send(call)
    assert count(emulator, operation) == 2


@pytest.mark.parametrize("build", [blacklist.add, blacklist.remove])
@pytest.mark.parametrize("emails", [[], ADA, [f"{ADA},{BEA}"]])
def test_what_cannot_be_sent(build, emails):
    with pytest.raises(InvalidRequest):
        build(emails)
