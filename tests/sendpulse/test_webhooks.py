# SPDX-License-Identifier: Apache-2.0
"""What the service pushes: every documented event, and what it may get wrong."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import webhooks
from airflow_provider_sendpulse.sendpulse.webhooks import TaskStatus, parse

OPENED = {
    "event": "open",
    "task_id": "3389203",
    "timestamp": "1490953922",
    "email": "ada@example.com",
    "open_device": "Desktop",
    "open_platform": "Linux",
    "browser_ver": "56.0",
    "browser_name": "Firefox",
}
CLICKED = {**OPENED, "event": "redirect", "link_url": "https://example.com/x", "link_id": 72}
BOUNCED = {
    "event": "hard_bounces",
    "task_id": 3389203,
    "timestamp": 1490953922,
    "email": "ada@example.com",
    "smtp_server_response_code": 550,
    "smtp_server_response_subcode": "5.1.1",
    "smtp_server_response": "no such user",
}


def fields(event):
    names = {entry.name for entry in dataclasses.fields(event)} - {"key", "extra"}
    return {name: getattr(event, name) for name in names}


@pytest.mark.parametrize(
    ("pushed", "kind", "read"),
    [
        ({"event": "spam", "timestamp": "1", "task_id": "2", "email": "a@example.com"}, webhooks.Spam, {"task_id": 2}),
        (
            {"event": "delivered", "timestamp": 1, "task_id": 2, "email": "a@example.com"},
            webhooks.Delivered,
            {"timestamp": 1, "task_id": 2},
        ),
        (OPENED, webhooks.Open, {"task_id": 3389203, "timestamp": 1490953922, "browser_name": "Firefox"}),
        (CLICKED, webhooks.Redirect, {"link_url": "https://example.com/x", "link_id": 72, "open_platform": "Linux"}),
        ({**CLICKED, "link_id": "72"}, webhooks.Redirect, {"link_id": 72}),
        (
            {
                "event": "unsubscribe",
                "task_id": "1",
                "timestamp": "2",
                "from_all": "1",
                "email": "a@example.com",
                "reason": None,
                "book_id": "490686",
                "categories": "",
            },
            webhooks.Unsubscribe,
            {"from_all": True, "reason": "", "book_id": 490686},
        ),
        ({"event": "unsubscribe", "from_all": 0}, webhooks.Unsubscribe, {"from_all": False, "task_id": None}),
        (
            {"event": "new_emails", "timestamp": "2", "variables": [], "email": "a@example.com", "book_id": "7"},
            webhooks.NewEmails,
            {"variables": {}, "book_id": 7},
        ),
        (
            {"event": "new_emails", "variables": {"Ім'я": "Ада"}, "source": "subscription form", "book_id": 7},
            webhooks.NewEmails,
            {"variables": {"Ім'я": "Ада"}, "source": "subscription form"},
        ),
        ({"event": "delete", "timestamp": "3", "book_id": "7", "email": "a@example.com"}, webhooks.Delete, {"book_id": 7}),
        (BOUNCED, webhooks.HardBounce, {"smtp_server_response_code": 550, "smtp_server_response": "no such user"}),
        ({**BOUNCED, "event": "soft_bounces"}, webhooks.SoftBounce, {"smtp_server_response_subcode": "5.1.1"}),
    ],
)
def test_events(pushed, kind, read):
    [event] = parse([pushed])
    assert type(event) is kind
    assert kind.action == pushed["event"]
    assert fields(event).items() >= read.items()
    assert event.extra == {}


@pytest.mark.parametrize("status", TaskStatus)
def test_moderation(status):
    [event] = parse([{"event": "task_status_update", "status": status.text, "task_id": "5", "book_id": "7"}])
    assert (event.status, event.status_text, event.task_id, event.book_id) == (status, status.text, 5, 7)


def test_an_unknown_status_keeps_its_text():
    [event] = parse([{"event": "task_status_update", "status": "sent", "status_explain": "Sent"}])
    assert (event.status, event.status_text, event.status_explain) == (None, "sent", "Sent")


def test_an_unknown_event_keeps_all_it_has():
    [event] = parse([{"event": "forwarded", "timestamp": "1", "email": "a@example.com", "to": 2}])
    assert isinstance(event, webhooks.UnknownEvent)
    assert (event.name, event.timestamp, event.extra) == ("forwarded", 1, {"to": 2})


def test_unknown_keys_are_kept():
    [event] = parse([{**OPENED, "country": "UA"}])
    assert event.extra == {"country": "UA"}


def test_a_push_as_it_arrives():
    body = json.dumps([OPENED, CLICKED, OPENED]).encode()
    assert [type(event) for event in parse(body)] == [webhooks.Open, webhooks.Redirect]
    assert parse(json.dumps(OPENED)) == parse([OPENED])
    assert parse([]) == []


def test_a_repeat_has_the_same_key_also_when_numbers_became_text():
    [first] = parse([BOUNCED])
    [again] = parse([{**BOUNCED, "task_id": "3389203", "timestamp": "1490953922", "smtp_server_response_code": "550"}])
    assert first == again
    [other] = parse([{**BOUNCED, "timestamp": 1490953923}])
    assert other.key != first.key


def test_a_repeat_has_the_same_key_also_when_nested_numbers_became_text():
    def told(variables):
        [event] = parse([{"event": "new_emails", "timestamp": 1, "email": "ada@example.com", "variables": variables}])
        return event.key

    assert told({"n": 1, "deep": [{"m": 2.5}]}) == told({"n": "1", "deep": [{"m": "2.5"}]})
    others = [told(value) for value in ({}, {"n": 1}, {"n": 2}, {"n": [1]}, {"n": "[1]"}, {"n": {"1": 1}})]
    assert len({*others}) == len(others)


@pytest.mark.parametrize("make", [lambda text: text, str.encode], ids=["str", "bytes"])
@pytest.mark.parametrize(
    "text", ["[" * 100_000, '[{"event": ' + "[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000]
)
def test_what_is_nested_too_deeply_is_refused(make, text):
    with pytest.raises(InvalidRequest) as caught:
        parse(make(text))
    assert caught.value.__cause__ is None


def test_decoded_json_that_is_nested_too_deeply_is_refused():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidRequest):
        parse([{"event": "new_emails", "variables": {"a": deep}}])


@pytest.mark.parametrize("payload", ["ada@example.com", b"\xff", "1", "[1]", '["ada@example.com"]', 7, None])
def test_what_is_no_push_is_refused_without_being_shown(payload):
    with pytest.raises(InvalidRequest) as caught:
        parse(payload)
    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_link_does_not_show():
    [event] = parse([{**CLICKED, "link_url": "https://shop.example.com/?token=canary"}])
    assert event.link_url.endswith("canary")
    assert "canary" not in repr(event)


def test_events_show_nobody():
    for event in parse([OPENED, CLICKED, BOUNCED, {"event": "x", "email": "ada@example.com"}]):
        assert "ada" not in repr(event)


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*OPENED, *BOUNCED, "book_id", "from_all", "variables", "status", "link_id", "reason"])
EVENTS = st.sampled_from(
    ["open", "redirect", "unsubscribe", "new_emails", "delete", "task_status_update", "soft_bounces", "?"]
)


@given(
    st.lists(st.builds(lambda values, event: {**values, "event": event}, st.dictionaries(NAMES, WILD), EVENTS), max_size=5)
)
def test_no_event_breaks_the_reader(pushed):
    for event in parse(pushed):
        assert isinstance(event, webhooks.Event)
        assert event.timestamp is None or isinstance(event.timestamp, int)
