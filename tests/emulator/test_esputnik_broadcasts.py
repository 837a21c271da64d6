# SPDX-License-Identifier: Apache-2.0
"""Broadcasts, and the activity that they lead to."""

from __future__ import annotations

import pytest
from contact_channels import email

LETTER = {
    "name": "Digest",
    "from": "Shop <shop@example.com>",
    "subject": "Hello",
    "htmlText": "<a href='https://x.example'>x</a>",
}


@pytest.fixture
def fields(esputnik, emulator):
    """What a broadcast to four readers needs."""
    emulator.configure(bounce_share=0, open_share=0)
    esputnik.import_(*(f"reader{number}@example.com" for number in range(4)), groupNames=["Readers"])
    esputnik.import_("reader1@example.com", groupNames=["Excluded"])
    message = esputnik.post("/v1/messages/email", LETTER)["id"]
    return {"messageId": str(message), "groups": [esputnik.segment("Readers")], "title": "digest [m:1]"}


def readers(emulator):
    return [message["to"].partition("@")[0] for message in emulator.inbox()]


def test_it_is_mailed_at_once_and_has_no_status(esputnik, emulator, fields):
    view = esputnik.post("/v1/broadcast", fields)
    assert view == {
        "broadcastId": "810001",
        "title": "digest [m:1]",
        "messageId": fields["messageId"],
        "groupId": fields["groups"][0],
    }
    assert esputnik.get("/v1/broadcast/810001") == view
    assert readers(emulator) == ["reader0", "reader1", "reader2", "reader3"]
    assert esputnik.refused("DELETE", "/v1/broadcast/810001")[0] == 400


def test_a_scheduled_one_waits_and_can_be_cancelled(esputnik, emulator, fields):
    fields |= {"startDate": "2026-03-02T10:30"}
    first, second = (esputnik.post("/v1/broadcast", fields) for _ in range(2))
    assert first["startDate"] == "2026-03-02T10:30"
    esputnik.told("DELETE", f"/v1/broadcast/{first['broadcastId']}")
    assert esputnik.refused("GET", f"/v1/broadcast/{first['broadcastId']}")[0] == 404
    emulator.advance(85 * 60)
    assert readers(emulator) == []
    esputnik.told("POST", "/v1/emails/unsubscribed/add", {"emails": ["reader3@example.com"]})
    emulator.advance(5 * 60)
    assert readers(emulator) == ["reader0", "reader1", "reader2"]
    assert {message["sent_at"] for message in emulator.inbox()} == {"2026-03-02T08:30:00+00:00"}
    (dumped,) = emulator.state.as_dict()["esputnik"]["broadcasts"]
    assert (dumped["id"], dumped["status"], len(dumped["mailed"])) == (int(second["broadcastId"]), "IDLE", 3)


def test_whom_it_leaves_out(esputnik, emulator, fields):
    esputnik.post(
        "/v1/contact/subscribe", {"contact": {"channels": [email("unconfirmed@example.com")]}, "groups": ["Readers"]}
    )
    twice = {"channels": [email("READER0@example.com")], "externalCustomerId": "other"}
    number = esputnik.post("/v1/contact", twice)["id"]
    esputnik.told("POST", f"/v1/group/{fields['groups'][0]}/contacts/attach", {"contactIds": [number]})
    esputnik.told("DELETE", "/v1/contact/500000003")
    esputnik.post("/v1/broadcast", {**fields, "excludedGroups": [esputnik.segment("Excluded")]})
    assert readers(emulator) == ["reader0", "reader3"]


def test_batches(esputnik, emulator, fields):
    view = esputnik.post("/v1/broadcast", {**fields, "batchSize": 3, "batchIntervalUnit": "HOUR"})
    assert (view["batchSize"], view["batchIntervalUnit"]) == (3, "HOUR")
    assert len(readers(emulator)) == 3
    assert emulator.state.as_dict()["esputnik"]["broadcasts"][0]["status"] == "RUNNING"
    emulator.advance(3600)
    assert len(readers(emulator)) == 4


def test_an_interval_without_a_size_means_nothing(esputnik, emulator, fields):
    assert "batchIntervalUnit" not in esputnik.post("/v1/broadcast", {**fields, "batchIntervalUnit": 1})
    assert len(readers(emulator)) == 4


def test_list(esputnik, emulator, fields):
    for number in range(12):
        esputnik.post("/v1/broadcast", {**fields, "title": str(number), "startDate": "2026-04-01T09:00"})
    assert [view["title"] for view in esputnik.get("/v1/broadcasts")][:2] == ["11", "10"]
    assert len(esputnik.get("/v1/broadcasts")) == 10
    assert [view["title"] for view in esputnik.get("/v1/broadcasts?startindex=12&maxrows=500")] == ["0"]
    emulator.configure(esputnik_broadcast_order="asc", esputnik_broadcast_visibility_seconds=5)
    assert esputnik.get("/v1/broadcasts") == []
    emulator.advance(5)
    assert esputnik.get("/v1/broadcasts")[0]["title"] == "0"


@pytest.mark.parametrize(
    "changes",
    [
        {"messageId": None},
        {"messageId": "7"},
        {"groups": []},
        {"groups": [7]},
        {"excludedGroups": [7]},
        {"startDate": "tomorrow"},
        {"batchSize": 0},
        {"batchSize": 5, "batchIntervalUnit": "WEEK"},
    ],
)
def test_refusals(esputnik, emulator, fields, changes):
    assert esputnik.refused("POST", "/v1/broadcast", {**fields, **changes})[0] == 400
    assert emulator.inbox() == []


def activity(esputnik, query=""):
    return esputnik.get(f"/v2/contacts/activity?dateFrom=2026-03-02&dateTo=2026-03-02{query}")


def test_activity_is_how_the_end_shows(esputnik, emulator, fields):
    emulator.configure(outcomes={"reader0@example.com": 4, "reader1@example.com": 6, "reader2@example.com": 5})
    esputnik.post("/v1/broadcast", fields)
    assert activity(esputnik) == []
    emulator.advance(1)
    rows = activity(esputnik)
    assert sorted((row["email"].partition("@")[0], row["activityStatus"]) for row in rows) == [
        ("reader0", "CLICKED"),
        ("reader0", "DELIVERED"),
        ("reader0", "READ"),
        ("reader1", "UNDELIVERED"),
        ("reader2", "DELIVERED"),
        ("reader2", "READ"),
        ("reader2", "UNSUBSCRIBED"),
        ("reader3", "DELIVERED"),
    ]
    assert {row["broadcastId"] for row in rows} == {810001}
    assert {row["activityDateTime"] for row in rows} == {"2026-03-02T09:02:01"}
    assert rows[0]["messageName"] == "Digest"
    first = activity(esputnik, "&maxrows=5")
    rest = activity(esputnik, f"&maxrows=5&offset={first[-1]['offset']}")
    assert [*first, *rest] == rows
    assert activity(esputnik, f"&offset={rest[-1]['offset']}") == []
    assert len(activity(esputnik, "&email=READER0@example.com")) == 3
    assert len(activity(esputnik, "&activityStatus=DELIVERED")) == 3
    assert esputnik.get("/v2/contacts/activity?dateFrom=2026-03-02T09:03&dateTo=2026-03-03") == []


def test_activity_is_refused(esputnik, emulator):
    for query in (
        "",
        "?dateFrom=2026-01-01&dateTo=2026-05-01",
        "?dateFrom=2026-03-02&dateTo=2026-03-02&activityStatus=GONE",
    ):
        assert esputnik.refused("GET", f"/v2/contacts/activity{query}")[0] == 400
    emulator.configure(esputnik_activity=False)
    answer = esputnik.refused("GET", "/v2/contacts/activity?dateFrom=2026-03-02&dateTo=2026-03-02")
    assert answer == (400, "Contact support to enable ContactActivity.")


def test_messages_of_a_contact(esputnik, emulator, fields):
    for _ in range(3):
        esputnik.post("/v1/broadcast", fields)
    emulator.advance(1)
    path = "/v2/contacts/messages?dateFrom=2026-03-02&dateTo=2026-03-02"
    assert len(esputnik.get(f"{path}&email=reader0@example.com")) == 3
    assert len(esputnik.get(f"{path}&contactId=500000001&maxrows=2&offset=2")) == 1
    assert esputnik.get(f"{path}&email=reader0@example.com&channelTypes=sms") == []
    assert esputnik.get(f"{path}&externalCustomerId=nobody") == []
    assert esputnik.refused("GET", path)[0] == 400


ORDER = {
    "externalOrderId": "o-1",
    "totalCost": 12.5,
    "status": "INITIALIZED",
    "date": "2026-03-02T09:00:00+02:00",
    "currency": "UAH",
    "email": "ada@example.com",
    "phone": "380501112233",
    "firstName": "Ada",
    "items": [{"externalItemId": "i-1", "quantity": 1}],
}


def test_orders_tell_events_and_make_contacts(esputnik, emulator):
    assert esputnik.post("/v1/orders", {"orders": [ORDER]}) == {}
    assert esputnik.post("/v1/orders", {"orders": [{**ORDER, "status": "DELIVERED", "firstName": "Nobody"}]}) == {}
    contact = esputnik.contacts()["ada@example.com"]
    assert (contact["confirmed"], contact["source"], contact["firstName"]) == (True, "orders", "Ada")
    assert [(kind, key, params["orderId"]) for kind, key, params in esputnik.events()] == [
        ("orderINITIALIZED", "o-1", 1),
        ("orderDELIVERED", "o-1", 1),
    ]
    (order,) = emulator.state.as_dict()["esputnik"]["orders"]
    assert (order["status"], order["contact_id"]) == ("DELIVERED", contact["id"])
    emulator.configure(esputnik_orders_answer="empty")
    assert esputnik.told("POST", "/v1/orders", {"orders": [ORDER]}) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"totalCost": None}, "totalCost is required"),
        ({"totalCost": "12"}, "totalCost"),
        ({"status": "NEW"}, "status"),
        ({"date": "2026-03-02"}, "offset"),
        ({"date": "today"}, "ISO date"),
        ({"email": None, "phone": None}, "One of"),
        ({"email": "ada"}, "email"),
        ({"phone": "1"}, "phone"),
        ({"items": [{"externalItemId": "i"}]}, "quantity"),
        ({"items": "i"}, "items"),
    ],
)
def test_orders_that_fail(esputnik, changes, text):
    wrong = {**ORDER, **changes}
    failed = esputnik.post("/v1/orders", {"orders": [ORDER, wrong]})["failedOrders"]
    assert text in failed["error"]
    assert failed["order"]["externalOrderId"] == "o-1"
    both = esputnik.post("/v1/orders", {"orders": [wrong, wrong]})["failedOrders"]
    assert [one["order"] for one in both] == [wrong, wrong]
    assert len(esputnik.events()) == 1


def test_orders_are_refused(esputnik):
    assert esputnik.refused("POST", "/v1/orders", {"orders": []})[0] == 400
    assert esputnik.refused("POST", "/v1/orders", {"orders": [ORDER] * 1001})[0] == 400
