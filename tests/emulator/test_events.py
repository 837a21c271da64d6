# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

HASH = "/events/id/0123456789abcdef0123456789abcdef/5000001"


def test_event_by_name_keeps_json_types(api):
    body = {
        "email": "a@example.com",
        "phone": "+380501112233",
        "automation_id": 4711,
        "Сума": 12.5,
        "products": [{"name": "Тюльпан", "qty": 3}],
        "gift": True,
        "note": None,
    }
    assert api.post("/events/name/order_paid", body) == {"result": True}
    (event,) = api.control("GET", "/state")["events"]
    assert event["body"] == body
    assert (event["name"], event["hash"], event["encoding"]) == ("order_paid", None, "json")


def test_event_by_name_needs_a_token_and_by_hash_none(api):
    body = {"email": "a@example.com"}
    assert api.send("POST", "/events/name/x", body, headers={}).status_code == 401
    assert api.send("POST", HASH, body, headers={}).json() == {"result": True}
    (event,) = api.control("GET", "/state")["events"]
    assert event["hash"] == "0123456789abcdef0123456789abcdef"
    assert event["user_id"] == "5000001"


def test_event_by_hash_as_forms(api):
    fields = {"email": "a@example.com", "Сума": "12", "automation_id": "5"}
    assert api.send("POST", HASH, data=fields, headers={}).json() == {"result": True}
    parts = {name: (None, value) for name, value in fields.items()}
    assert api.send("POST", HASH, files=parts, headers={}).json() == {"result": True}
    events = api.control("GET", "/state")["events"]
    assert [event["encoding"] for event in events] == ["form", "multipart"]
    assert [event["body"] for event in events] == [fields, fields]


def test_raw_json_without_a_content_type(api):
    answer = api.send("POST", HASH, data='{"phone": "+380501112233"}', headers={})
    assert answer.json() == {"result": True}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"email": "no address"},
        {"phone": "x"},
        {"email": "a@example.com", "automation_id": "5"},
        [1],
    ],
)
def test_refused_events(api, emulator, body):
    assert api.refused("POST", "/events/name/x", body)[0] == 422
    assert len(emulator.state.events) == 0


def test_unknown_events_can_be_refused(api, emulator):
    emulator.configure(known_events=["order_paid"])
    api.post("/events/name/order_paid", {"email": "a@example.com"})
    assert api.refused("POST", "/events/name/other", {"email": "a@example.com"}) == (404, 404)


def test_names_are_decoded(api, emulator):
    api.post("/events/name/%D0%BF%D0%BE%D0%B4%D1%96%D1%8F%2F1", {"email": "a@example.com"})
    assert [event.name for event in emulator.state.events] == ["подія/1"]


def test_every_call_is_kept(api, emulator):
    for _ in range(2):
        api.post("/events/name/x", {"email": "a@example.com"})
    assert len(emulator.state.events) == 2


def test_events_by_hash_count_in_the_limit_only_if_told(api, emulator):
    emulator.configure(requests_per_second=0)
    assert api.send("POST", HASH, {"email": "a@example.com"}, headers={}).status_code == 200
    emulator.configure(events_by_hash_use_request_limit=True)
    assert api.send("POST", HASH, {"email": "a@example.com"}, headers={}).status_code == 429
