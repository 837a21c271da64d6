# SPDX-License-Identifier: Apache-2.0
"""Tags, through a socket: writes are only acknowledged, and show in the list later."""

from __future__ import annotations

import pytest
from emulated_account import count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused
from airflow_provider_sendpulse.sendpulse import tags
from airflow_provider_sendpulse.sendpulse.tags import Tag

ADA, PHONE = "ada@example.com", "+380441234567"


@pytest.fixture
def vip(emulator):
    emulator.configure(tag_queue_reads=0)
    with emulator.emulator.lock:
        emulator.state.tags.create("vip", "#ff0000")
        [tag] = emulator.state.tags
    return tag


def named(client, name):
    return [tag for tag in client.send(tags.list()) if tag.name == name]


def test_a_new_tag_shows_late(either):
    either.send(tags.create("vip", "#ff0000"))
    assert either.send(tags.list()) == []
    [tag] = either.send(tags.list())
    assert (tag.name, tag.color) == ("vip", "#ff0000")


def test_update_and_delete(either, emulator, vip):
    either.send(tags.update(vip.id, "loyal", "#00ff00"))
    assert either.send(tags.list()) == [Tag(vip.id, "loyal", "#00ff00")]
    either.send(tags.delete(vip.id))
    assert either.send(tags.list()) == []


def test_pin_and_unpin(either, emulator, vip):
    either.send(tags.pin([vip.id], email=ADA))
    either.send(tags.pin([vip.id], phone=PHONE))
    either.send(tags.list())
    assert emulator.state.tags.pinned == {ADA: {vip.id}, PHONE: {vip.id}}
    either.send(tags.unpin([vip.id], email=ADA))
    either.send(tags.unpin([vip.id], phone=PHONE))
    either.send(tags.list())
    assert emulator.state.tags.pinned == {ADA: set(), PHONE: set()}
    assert sent(emulator, "tags.pin_email") == [{"email": ADA, "tags": [vip.id]}]
    assert sent(emulator, "tags.unpin_phone") == [{"phone": PHONE, "tags": [vip.id]}]


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (tags.update(2501, "a", "#fff"), "tags.update"),
        (tags.delete(2501), "tags.delete"),
        (tags.pin([2501], email=ADA), "tags.pin_email"),
        (tags.unpin([2501], email=ADA), "tags.unpin_email"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_sets_a_state_is_repeated(client, emulator, vip, call, operation):
    emulator.faults.add("lose_answer", operation=operation)
    client.send(call)
    assert count(emulator, operation) == 2


def test_a_creation_is_not(client, emulator):
    emulator.faults.add("lose_answer", operation="tags.create")
    with pytest.raises(AmbiguousOutcome):
        client.send(tags.create("vip", "#ff0000"))
    assert count(emulator, "tags.create") == 1


def test_a_plan_without_tags(either, emulator):
    emulator.configure(plan_has_tags=False)
    with pytest.raises(Refused) as caught:
        either.send(tags.list())
    assert caught.value.error_code == 3030303030


@pytest.mark.parametrize("answer", [{"success": False, "failure": True}, {"success": True, "failure": True}, {}])
def test_only_an_acknowledgement_confirms(answer):
    with pytest.raises(ValueError, match="queued"):
        tags.create("vip", "#ff0000").read(answer)


@pytest.mark.parametrize(
    "wrong", [{"tag_ids": [], "email": ADA}, {"tag_ids": [1]}, {"tag_ids": [1], "email": ADA, "phone": PHONE}]
)
def test_what_cannot_be_sent(wrong):
    for build in (tags.pin, tags.unpin):
        with pytest.raises(InvalidRequest):
            build(**wrong)
