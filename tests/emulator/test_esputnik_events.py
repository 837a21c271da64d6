# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from contact_channels import email


def params(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


@pytest.mark.parametrize("version", [1, 2])
def test_an_event_is_kept_and_answered_with_nothing(esputnik, emulator, version):
    esputnik.post("/v1/contact", {"channels": [email("ada@example.com")]})
    body = {"eventTypeKey": "cartLeft", "keyValue": "ada@example.com", "params": params(total="12")}
    answer = esputnik.send("POST", f"/v{version}/event", body)
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")
    (event,) = emulator.state.esputnik.events
    assert (event.type, event.key, event.params) == ("cartLeft", "ada@example.com", {"total": "12"})
    assert (event.contact_id, event.version, event.source) == (500000001, version, "api")
    assert len(esputnik.contacts()) == 1


def test_only_the_second_version_takes_any_json(esputnik):
    body = {"eventTypeKey": "ordered", "keyValue": "k", "params": params(items=[{"sku": 1}], vip=True)}
    assert esputnik.refused("POST", "/v1/event", body)[0] == 400
    esputnik.told("POST", "/v2/event", body)
    assert esputnik.events() == [("ordered", "k", {"items": [{"sku": 1}], "vip": True})]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"pushToken": "t", "Phone": "380501112233"}, "380501112233"),
        ({"phone": "380501112233", "EmailAddress": "ada@example.com"}, "ada@example.com"),
        ({"email": "ada@example.com", "externalCustomerId": "a-1"}, "a-1"),
        ({"externalCustomerId": "null", "email": "ada@example.com"}, "ada@example.com"),
        ({"contactId": 500000001, "externalCustomerId": "a-1"}, "500000001"),
    ],
)
def test_parameters_identify_the_contact(esputnik, given, key):
    esputnik.told("POST", "/v2/event", {"eventTypeKey": "seen", "params": params(**given)})
    assert [found for _, found, _ in esputnik.events()] == [key]


@pytest.mark.parametrize(
    "body",
    [
        {"keyValue": "k"},
        {"eventTypeKey": "seen"},
        {"eventTypeKey": "seen", "params": params(color="red")},
        {"eventTypeKey": "a/b", "keyValue": "k"},
        {"eventTypeKey": "x" * 101, "keyValue": "k"},
        {"eventTypeKey": "seen", "keyValue": "x" * 301},
        {"eventTypeKey": "seen", "keyValue": "k", "params": {"a": "b"}},
        {"eventTypeKey": "seen", "keyValue": "k", "params": [{"name": "a"}]},
        {"eventTypeKey": "seen", "keyValue": "k", "params": [*params(a="1"), *params(a="2")]},
        {"eventTypeKey": "seen", "keyValue": "k", "params": params(a="x" * 20480)},
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_refusals(esputnik, body, version):
    assert esputnik.refused("POST", f"/v{version}/event", body)[0] == 400
    assert esputnik.events() == []


def test_past_events_each_have_a_status(esputnik, emulator):
    emulator.configure(esputnik_past_event_days=30, esputnik_past_event_types_off=["off"])
    moments = ["2026-03-01", "2026-03-02T08:59", None, "1.3.2026", "2026-03-02T09:01", "2026-01-01", "2026-03-01"]
    events = [{"eventTypeKey": "seen", "keyValue": "k", "occurred": moment} for moment in moments]
    events[-1]["eventTypeKey"] = "off"
    answer = esputnik.post("/v2/past_events", {"events": events})
    assert [result["status"] for result in answer["results"]] == [
        "ACCEPTED",
        "ACCEPTED",
        "OCCURRED_DATE_IS_REQUIRED",
        "INCORRECT_OCCURRED_DATE_FORMAT",
        "OCCURRED_TIME_IN_FUTURE",
        "OCCURRED_TIME_TOO_DEPTH",
        "EVENT_SEGMENTATION_DISABLED",
    ]
    assert (answer["successCount"], answer["errorCount"]) == (2, 5)
    assert [event.occurred_at.isoformat() for event in emulator.state.esputnik.events] == [
        "2026-02-28T22:00:00+00:00",
        "2026-03-02T06:59:00+00:00",
    ]


def test_past_events_are_refused_and_deleted(esputnik, emulator):
    event = {"eventTypeKey": "seen", "keyValue": "k", "occurred": "2026-03-01"}
    assert esputnik.refused("POST", "/v1/past_events", {"events": []})[0] == 400
    assert esputnik.refused("POST", "/v1/past_events", {"events": [event] * 501})[0] == 400
    assert esputnik.refused("POST", "/v1/past_events", {"events": [{**event, "keyValue": ""}]})[0] == 400
    esputnik.post("/v1/past_events", {"events": [event, {**event, "occurred": "2026-02-01"}]})
    period = {"from": "2026-02-15", "to": "2026-03-02"}
    assert esputnik.refused("DELETE", "/v1/past_events", period)[0] == 403
    emulator.configure(esputnik_past_events_deletable=True)
    esputnik.told("DELETE", "/v1/past_events", period)
    assert [event.occurred_at.month for event in emulator.state.esputnik.events] == [1]
