# SPDX-License-Identifier: Apache-2.0
"""Flows of Automation 360: bound to events, read by their figures."""

from __future__ import annotations

import pytest

ADA = "ada@example.com"
ELEMENTS = [
    {"type": "email", "subject": "Hello {{name}}", "body": "<p>Hi</p>"},
    {"type": "sms", "delay_seconds": 60},
    {"type": "goal", "name": "bought"},
]


@pytest.fixture
def flow(api, emulator):
    emulator.configure(outcomes={ADA: 4})
    fields = {"name": "Welcome", "event": "signed_up", "stop_event": "left", "elements": ELEMENTS}
    return api.control("POST", "/flows", fields)


def signed_up(api, email=ADA, **fields):
    api.post("/events/name/signed_up", {"email": email, "name": "Ada", **fields})


def test_everybody_goes_through_it(api, emulator, flow):
    signed_up(api)
    answer = api.get(f"/a360/autoresponders/{flow['id']}")
    assert (answer["starts"], answer["in_queue"], answer["end_count"], answer["send_messages"]) == (1, 1, 0, 1)
    assert emulator.inbox(ADA)[0]["subject"] == "Hello Ada"
    emulator.advance(60)
    answer = api.get(f"/a360/autoresponders/{flow['id']}")
    assert (answer["in_queue"], answer["end_count"], answer["conversions"]) == (0, 1, 1)
    assert [element["af_type"] for element in answer["flows"]] == ["maintrigger", "email", "sms", "goal"]
    assert answer["flows"][2]["last_send"] == "2026-03-02 09:01:00"


def test_stopped_by_an_event(api, emulator, flow):
    signed_up(api)
    signed_up(api, "bea@example.com")
    api.post("/events/name/left", {"email": ADA})
    emulator.advance(60)
    answer = api.get(f"/a360/autoresponders/{flow['id']}")
    assert (answer["starts"], answer["in_queue"], answer["end_count"]) == (2, 0, 1)


def test_an_event_by_hash(api):
    made = api.control("POST", "/flows", {"name": "F", "event": "0123abcd"})
    assert api.send("POST", "/events/id/0123abcd/7", {"email": ADA}, headers={}).status_code == 200
    assert api.get(f"/a360/autoresponders/{made['id']}")["starts"] == 1


@pytest.mark.parametrize(("active", "starts"), [(True, 1), (False, 0)])
def test_only_active_flows_start(api, active, starts):
    made = api.control("POST", "/flows", {"name": "F", "event": "signed_up", "active": active})
    signed_up(api)
    assert api.get(f"/a360/autoresponders/{made['id']}")["starts"] == starts
    assert api.get("/a360/autoresponders/list")["data"][0]["status"] == int(active)


def test_each_event_starts_it_again_and_one_flow_can_be_meant(api, flow):
    signed_up(api)
    signed_up(api, automation_id=flow["id"])
    signed_up(api, automation_id=flow["id"] + 1)
    assert api.get(f"/a360/autoresponders/{flow['id']}")["starts"] == 2


def test_figures(api, emulator, flow):
    signed_up(api)
    emulator.advance(60)
    _, email, sms, goal = flow["elements"]
    figures = api.get(f"/a360/stats/email/{email}/group-stat")["data"]
    assert (figures["sent"], figures["delivered"], figures["opened"], figures["errors"]) == (1, 1, 1, 0)
    assert figures["task"]["message_title"] == "Hello {{name}}"
    assert api.get(f"/a360/stats/sms/{sms}/group-stat")["data"]["opened"] is None
    assert api.refused("GET", f"/a360/stats/push/{sms}/group-stat") == (404, 404)
    conversions = api.get(f"/a360/autoresponders/{flow['id']}/conversions")["data"]
    assert (conversions["total_conversions"], conversions["goal_conversions"]) == (1, 1)
    api.control("POST", f"/flows/{flow['id']}/conversions", {"email": ADA, "element_id": goal})
    listed = api.get(f"/a360/autoresponders/{flow['id']}/conversions/list/all?limit=1&offset=1")
    assert (listed["total"], [item["conversion_type"] for item in listed["items"]]) == (2, ["goal"])


def test_a_flow_nobody_made(api, emulator):
    assert api.refused("GET", "/a360/autoresponders/1") == (404, 404)
    emulator.configure(http_status_unknown_flow=400)
    assert api.refused("GET", "/a360/autoresponders/1") == (400, 404)


@pytest.mark.parametrize("element", [{"type": "pigeon"}, {}, {"type": "email", "to": ADA}])
def test_elements_that_cannot_be(api, element):
    answer = api.send("POST", "/__emulator__/flows", {"name": "F", "event": "e", "elements": [element]})
    assert answer.status_code == 400
    assert "element" in answer.json()["error"]
