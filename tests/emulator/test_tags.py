# SPDX-License-Identifier: Apache-2.0
"""Tags wait in a queue before they change."""

from __future__ import annotations

import pytest

RED = {"name": "vip", "color": "#ff0000"}


def names(api):
    return [tag["name"] for tag in api.get("/tags")["tags"]]


def test_a_write_is_acknowledged_and_made_later(api, emulator):
    emulator.configure(tag_queue_seconds=30)
    answer = api.post("/tags", RED)
    assert (answer["code"], answer["success"], answer["failure"]) == ("request_sended_to_queue", True, False)
    assert "id" not in answer
    assert api.control("GET", "/state")["tags"] == []
    emulator.advance(29)
    assert names(api) == []
    emulator.advance(1)
    assert names(api) == ["vip"]


def test_where_states_move_by_reads_looks_at_the_list_count(api, emulator):
    emulator.configure(transitions="reads", tag_queue_reads=2)
    api.post("/tags", RED)
    emulator.advance(3600)
    assert [names(api) for _ in range(3)] == [[], [], ["vip"]]


@pytest.mark.parametrize(("unique", "expected"), [(True, ["vip"]), (False, ["vip", "vip"])])
def test_a_taken_name(api, emulator, unique, expected):
    emulator.configure(tag_queue_seconds=0, tag_names_unique=unique)
    for _ in range(2):
        api.post("/tags", RED)
    assert names(api) == expected


def test_pinned_tags_go_with_their_tag(api, emulator):
    emulator.configure(tag_queue_seconds=0)
    api.post("/tags", RED)
    tag_id = api.get("/tags")["tags"][0]["id"]
    api.post("/tags/pin/email", {"email": "Ada@example.com", "tags": [tag_id, 7]})
    assert api.control("GET", "/state")["pinned_tags"] == {"ada@example.com": [tag_id]}
    assert api.send("DELETE", f"/tags/{tag_id}").status_code == 200
    assert api.control("GET", "/state")["pinned_tags"] == {}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/tags", {"name": "vip"}, 422),
        ("/tags/pin/email", {"email": "ada", "tags": [1]}, 17),
        ("/tags/pin/email", {"email": "ada@example.com"}, 422),
        ("/tags/pin/email", {"email": "ada@example.com", "tags": ["1"]}, 422),
        ("/tags/pin/phone", {"phone": "none", "tags": [1]}, 422),
    ],
)
def test_refusals(api, path, body, code):
    assert api.refused("POST", path, body) == (422, code)


def test_a_plan_without_tags(api, emulator):
    book = api.book(0)
    emulator.configure(plan_has_tags=False)
    assert api.refused("GET", "/tags") == (403, 3030303030)
    assert api.refused("POST", "/tags", RED) == (403, 3030303030)
    fields = {"emails": ["ada@example.com"], "tags": [1]}
    assert api.refused("POST", f"/addressbooks/{book}/emails", fields) == (403, 3030303030)
