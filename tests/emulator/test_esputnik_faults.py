# SPDX-License-Identifier: Apache-2.0
"""Limits, and failures on request."""

from __future__ import annotations

import pytest
from contact_channels import email

from airflow_provider_sendpulse.emulator.esputnik.api.routes import ROUTES

ADA = {"contacts": [{"channels": [email("ada@example.com")]}], "dedupeOn": "email", "contactFields": ["email"]}


@pytest.mark.parametrize(
    ("setting", "method", "path", "other"),
    [
        ("esputnik_requests_per_second", "GET", "/v1/groups", "/v1/contacts"),
        ("esputnik_searches_per_second", "GET", "/v1/contacts", "/v1/groups"),
        ("esputnik_events_per_second", "POST", "/v1/event", "/v1/contacts"),
        ("esputnik_past_events_per_second", "POST", "/v2/past_events", "/v1/groups"),
        ("esputnik_past_event_deletions_per_second", "DELETE", "/v1/past_events", "/v1/groups"),
    ],
)
def test_limits(esputnik, emulator, setting, method, path, other):
    # Real seconds pass even on a stopped clock, so the count is kept far above what fits in one.
    emulator.configure(**{setting: 2})
    statuses = [esputnik.send(method, path).status_code for _ in range(3)]
    assert 429 not in statuses[:2]
    assert statuses[2] == 429
    assert esputnik.send("GET", other).status_code == 200
    emulator.advance(1)
    assert esputnik.send(method, path).status_code != 429
    emulator.configure(esputnik_limits=False)
    assert 429 not in {esputnik.send(method, path).status_code for _ in range(5)}


def test_limits_of_the_services_are_apart(esputnik, api, emulator):
    emulator.configure(esputnik_requests_per_second=0, requests_per_second=0)
    emulator.configure(requests_per_second=None)
    assert esputnik.refused("GET", "/v1/groups") == (429, "Too many requests")
    assert api.get("/addressbooks") == []


def test_a_limit_may_say_when_to_come_back(esputnik, emulator):
    emulator.configure(esputnik_requests_per_second=0)
    assert "Retry-After" not in esputnik.send("GET", "/v1/groups").headers
    emulator.configure(esputnik_retry_after=3)
    assert esputnik.send("GET", "/v1/groups").headers["Retry-After"] == "3"


MEMBERS = {
    "/v1/contacts": {"contacts": [{"channels": [email("a@example.com")]}], "dedupeOn": "email", "fieldId": 1}
    | dict.fromkeys(("contactFields", "customFieldsIDs", "groupNames", "restoreDeleted", "eventKeyForNewContacts")),
    "/v1/contact": {"channels": [], "fields": None, "address": None, "firstName": None, "id": 1, "externalCustomerId": "x"},
    "/v1/contact/subscribe": {"contact": {"channels": [email("b@example.com")]}, "groups": [], "subscriptions": []},
    "/v2/event": {"eventTypeKey": "seen", "keyValue": "k", "params": []},
    "/v2/past_events": {"events": []},
    "/v1/broadcast": dict.fromkeys(("messageId", "groups", "startDate", "batchSize", "batchIntervalUnit")),
    "/v1/message/2700001/smartsend": {"recipients": [], "email": True, "fromName": "x"},
    "/v1/message/sms": {"from": "SHOP", "text": "x", "phoneNumbers": [], "groupId": 1},
    "/v1/orders": {"orders": []},
    "/v1/emails/unsubscribed/add": {"emails": []},
    "/v1/group/160001/contacts/attach": {"contactIds": [], "externalCustomerIds": []},
}


@pytest.mark.parametrize("path", MEMBERS)
@pytest.mark.parametrize("value", [None, 1, -1.5, True, "x", [], {}, [1], [None], [{}], [[]], {"x": []}], ids=repr)
def test_nothing_that_is_sent_breaks_it(esputnik, emulator, path, value):
    emulator.configure(esputnik_repeat_seconds=None)
    esputnik.post("/v1/messages/viber", {"name": "x"})
    esputnik.import_("ada@example.com", groupNames=["Readers"])
    for name in MEMBERS[path]:
        assert esputnik.send("POST", path, {**MEMBERS[path], name: value}).status_code in (200, 400)
    emulator.advance(60)
    assert esputnik.get("/v1/account/info")["orgId"]


def test_every_operation_is_named_once():
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
    assert all(name.startswith("esputnik.") for name in names)


@pytest.mark.parametrize(
    ("how", "status", "text"),
    [
        ({"status": 401}, 401, "API key"),
        ({"status": 429, "retry_after": "3"}, 429, "Too many requests"),
        ({"status": 500}, 500, "Internal Server Error"),
        ({"status": 400, "message": "no such thing"}, 400, "no such thing"),
    ],
)
@pytest.mark.parametrize("after_effect", [False, True])
def test_refusals_look_like_its_own(esputnik, emulator, how, status, text, after_effect):
    emulator.faults.add("status", operation="esputnik.contacts.import", after_effect=after_effect, **how)
    answer = esputnik.send("POST", "/v1/contacts", ADA)
    assert answer.status_code == status
    assert text in answer.text
    assert answer.headers.get("Retry-After") == how.get("retry_after")
    assert "error_code" not in answer.text
    assert len(emulator.state.esputnik.imports) == after_effect
    (record,) = emulator.requests.records("esputnik.contacts.import")
    assert (record.status, record.handled_status, record.body) == (status, 200 if after_effect else None, ADA)


@pytest.mark.parametrize(("kind", "done"), [("drop", False), ("lose_answer", True), ("cut_answer", True)])
def test_broken_connections(esputnik, emulator, kind, done):
    emulator.faults.add(kind, operation="esputnik.contacts.import")
    with pytest.raises(OSError, match=r"without response|broken|aborted"):
        esputnik.send("POST", "/v1/contacts", ADA)
    assert len(emulator.state.esputnik.imports) == done


def test_slow_answers(esputnik, emulator):
    emulator.faults.add("slow", operation="esputnik.segments.list", seconds=5)
    with pytest.raises(OSError, match="timed out"):
        esputnik.send("GET", "/v1/groups", timeout=0.1)


def test_odd_answers(esputnik, emulator):
    session = esputnik.import_("ada@example.com", wait=False)["asyncSessionId"]
    emulator.faults.add("unknown_status", operation="esputnik.imports.read")
    assert esputnik.get(f"/v1/importstatus/{session}")["status"] == "UNKNOWN_99"
    emulator.faults.add("wrong_type", operation="esputnik.imports.read", field="timestamp", becomes="absent")
    assert esputnik.get(f"/v1/importstatus/{session}") == {"status": "STARTED"}
    emulator.faults.add("truncate", operation="esputnik.imports.read")
    assert not esputnik.send("GET", f"/v1/importstatus/{session}").text.endswith("}")
    emulator.faults.add("wrong_type", operation="esputnik.contacts.update", becomes="list")
    number = esputnik.post("/v1/contact", {"channels": [email("grace@example.com")]})["id"]
    assert "no JSON" in esputnik.send("PUT", f"/v1/contact/{number}", {"channels": [email("grace@example.com")]}).text
