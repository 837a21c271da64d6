# SPDX-License-Identifier: Apache-2.0
"""Prepared messages, what is sent, and what becomes of it."""

from __future__ import annotations

import json

import pytest
from contact_channels import email, sms

LETTER = {
    "name": "Welcome",
    "from": '"Shop" <shop@example.com>',
    "subject": "Hello, $!data.get('name')",
    "htmlText": "<p>$!data.get(\"name\"), {{kept}} $!{data.get('sum')}$!data.get('missing')</p>",
    "tags": ["spring"],
}


@pytest.fixture
def letter(esputnik):
    return esputnik.post("/v1/messages/email", LETTER)["id"]


def smartsend(esputnik, message, *recipients, **more):
    return esputnik.post(f"/v1/message/{message}/smartsend", {"recipients": list(recipients), "email": True, **more})


def statuses(esputnik, *request_ids):
    """Statuses of messages, whatever the shape they come in."""
    results = esputnik.get(f"/v1/message/status?ids={','.join(request_ids)}")["results"]
    return [result["status"] for result in ([results] if isinstance(results, dict) else results)]


def test_prepared_messages(esputnik, letter):
    assert esputnik.get(f"/v1/messages/email/{letter}") == {**LETTER, "id": letter, "languages": []}
    found = esputnik.send("GET", "/v1/messages/email?search=wel")
    assert (len(found.json()), found.headers["TotalCount"]) == (1, "1")
    assert esputnik.get("/v1/messages/sms") == []
    assert esputnik.refused("GET", f"/v1/messages/sms/{letter}")[0] == 404
    assert esputnik.refused("GET", f"/v1/message/{letter}")[0] == 404
    esputnik.told("PUT", f"/v1/messages/email/{letter}/uk", {"subject": "Вітаємо"})
    esputnik.told("PUT", f"/v1/messages/email/{letter}", {"name": "Greeting"})
    assert esputnik.get(f"/v1/messages/email/{letter}")["languages"] == ["uk"]
    assert "link" in esputnik.get(f"/v1/messages/email/{letter}/viewLink")
    esputnik.told("DELETE", f"/v1/messages/email/{letter}/uk")
    assert esputnik.refused("DELETE", f"/v1/messages/email/{letter}/uk")[0] == 400
    esputnik.told("DELETE", f"/v1/messages/email/{letter}")
    assert esputnik.refused("GET", f"/v1/messages/email/{letter}")[0] == 404
    assert esputnik.refused("POST", "/v1/messages/email", {"name": "x"})[0] == 400


def test_reads_of_messages_are_limited(esputnik, emulator, letter):
    emulator.configure(esputnik_message_reads_per_hour=2)
    for _ in range(2):
        esputnik.get("/v1/messages/sms")
    assert esputnik.refused("GET", "/v1/messages/sms")[0] == 429
    emulator.configure(esputnik_email_reads_per_second=1)
    esputnik.get(f"/v1/messages/email/{letter}")
    assert esputnik.refused("GET", f"/v1/messages/email/{letter}")[0] == 429
    emulator.advance(3600)
    esputnik.get("/v1/messages/sms")


def test_each_recipient_has_a_result(esputnik, emulator, letter):
    number = esputnik.post("/v1/contact", {"channels": [email("grace@example.com")], "externalCustomerId": "g-1"})["id"]
    answer = smartsend(
        esputnik,
        letter,
        {"locator": "ada@example.com", "jsonParam": json.dumps({"name": "Ада", "sum": 12.5}), "externalRequestId": "r-1"},
        {"locator": "nobody"},
        {"contactId": number},
        {"externalCustomerId": "g-1"},
        {"email": "ada@example.com"},
        {"contactId": 7},
        {"locator": "ada@example.com", "jsonParam": "{"},
    )
    assert answer["id"] == 0
    assert [(one["locator"], one["status"], one.get("message")) for one in answer["results"]] == [
        ("ada@example.com", "OK", None),
        ("nobody", "ERROR", "nobody is not valid email"),
        ("grace@example.com", "OK", None),
        ("grace@example.com", "OK", None),
        ("", "ERROR", "Recipient has no locator, contactId or externalCustomerId"),
        ("", "ERROR", "Contact not found"),
        ("ada@example.com", "ERROR", "jsonParam is not JSON"),
    ]
    assert ["requestId" in one for one in answer["results"]] == [True, False, True, True, False, False, False]
    inbox = emulator.inbox()
    assert [(one["service"], one["kind"], one["to"], one["subject"]) for one in inbox] == [
        ("esputnik", "smartsend", "ada@example.com", "Hello, Ада"),
        ("esputnik", "smartsend", "grace@example.com", "Hello, "),
        ("esputnik", "smartsend", "grace@example.com", "Hello, "),
    ]
    assert inbox[0]["body"] == "<p>Ада, {{kept}} 12.5</p>"


def test_one_result_is_no_list(esputnik, emulator, letter):
    answer = smartsend(esputnik, letter, {"locator": "ada@example.com"})
    assert (answer["id"], answer["results"]["id"], answer["results"]["status"]) == ("0", "0", "OK")
    request_id = answer["results"]["requestId"]
    told = esputnik.get(f"/v1/message/status?ids={request_id}")["results"]
    assert told == {"requestId": request_id, "status": "IN_QUEUE", "failed": "false", "delivered": "false"}
    emulator.configure(esputnik_collapse=False)
    assert esputnik.get(f"/v1/message/status?ids={request_id}")["results"][0]["failed"] is False


def test_unknown_recipients_become_confirmed_contacts_silently(esputnik, letter):
    smartsend(esputnik, letter, {"locator": "ada@example.com"})
    contact = esputnik.contacts()["ada@example.com"]
    assert (contact["confirmed"], contact["source"], contact["segments"]) == (True, "single message", [])
    assert contact["channels"] == [email("ada@example.com")]
    assert esputnik.events() == []


def test_the_language_of_a_contact(esputnik, emulator, letter):
    esputnik.told("PUT", f"/v1/messages/email/{letter}/uk", {"subject": "Вітаємо"})
    esputnik.post("/v1/contact", {"channels": [email("ada@example.com")], "languageCode": "uk"})
    recipients = [{"locator": "ada@example.com"}, {"locator": "ada@example.com", "languageCode": "en"}]
    smartsend(esputnik, letter, *recipients)
    assert [message["subject"] for message in emulator.inbox()] == ["Вітаємо", "Hello, "]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"recipients": []}, 400),
        ({"recipients": [{"locator": "a@example.com"}] * 1001}, 400),
        ({"recipients": ["a@example.com"]}, 400),
        ({"recipients": [{"locator": "a@example.com", "jsonParam": {}}]}, 400),
        ({"email": "yes"}, 400),
    ],
)
def test_smartsend_refuses(esputnik, emulator, letter, changes, status):
    body = {"recipients": [{"locator": "a@example.com"}], "email": True, **changes}
    assert esputnik.refused("POST", f"/v1/message/{letter}/smartsend", body)[0] == status
    assert esputnik.refused("POST", "/v1/message/7/smartsend", body)[0] in (404, status)
    assert emulator.inbox() == []


def test_a_message_for_another_channel(esputnik, letter):
    assert smartsend(esputnik, letter, {"locator": "380501112233"}, email=False)["results"]["status"] == "ERROR"


@pytest.mark.parametrize(
    ("outcome", "status", "delivered"),
    [(2, "DELIVERED", True), (3, "READ", True), (4, "CLICKED", True), (5, "UNSUBSCRIBED", True), (6, "UNDELIVERED", False)],
)
@pytest.mark.parametrize("transitions", ["clock", "reads"])
def test_statuses_move(esputnik, emulator, letter, outcome, status, delivered, transitions):
    emulator.configure(outcomes={"ada@example.com": outcome}, transitions=transitions, esputnik_collapse=False)
    request_id = smartsend(esputnik, letter, {"locator": "ada@example.com"})["results"][0]["requestId"]
    assert statuses(esputnik, request_id, "nothing") == ["IN_QUEUE"]
    emulator.advance(1)
    (told,) = esputnik.get(f"/v1/message/status?ids={request_id}")["results"]
    assert told == {"requestId": request_id, "status": status, "failed": not delivered, "delivered": delivered}
    again = smartsend(esputnik, letter, {"locator": "ada@example.com"})["results"][0]["requestId"]
    emulator.advance(1)
    statuses(esputnik, again)
    assert (statuses(esputnik, again) == ["UNSUBSCRIBED"]) == (outcome == 5)
    assert len(emulator.inbox()) == (1 if outcome == 5 else 2)


def test_ids_are_needed(esputnik):
    assert esputnik.refused("GET", "/v1/message/status?ids=")[0] == 400


def test_without_money_nothing_is_sent(esputnik, emulator, letter):
    emulator.configure(balance_exhausted=True)
    request_id = smartsend(esputnik, letter, {"locator": "ada@example.com"})["results"]["requestId"]
    emulator.advance(1)
    assert statuses(esputnik, request_id) == ["NO_MONEY"]
    assert emulator.inbox() == []
    assert esputnik.get("/v1/balance")["currentBalance"] == 0


def test_single_messages(esputnik, emulator):
    emulator.configure(bounce_share=0)
    esputnik.import_(
        {"channels": [email("ada@example.com"), sms("380501112233")]}, groupNames=["Phones"], contactFields=["sms"]
    )
    letter = {"from": "Shop <shop@example.com>", "subject": "Hi", "htmlText": "<p>x</p>", "emails": ["a@example.com", "b"]}
    results = esputnik.post("/v1/message/email", letter)["results"]
    assert [result["status"] for result in results] == ["OK", "ERROR"]
    text = {"from": "SHOP", "text": "Code 5", "groupId": esputnik.segment("Phones")}
    texted = esputnik.post("/v1/message/sms", text)["results"]
    assert texted["locator"] == "380501112233"
    viber = {"text": "Hi", "iosExpirityText": "Hi", "phoneNumbers": ["380507654321"]}
    esputnik.post("/v1/message/viber", viber)
    emulator.advance(1)
    assert statuses(esputnik, texted["requestId"]) == ["DELIVERED"]
    assert [(message["kind"], message["to"]) for message in emulator.inbox()] == [
        ("email", "a@example.com"),
        ("sms", "380501112233"),
        ("viber", "380507654321"),
    ]
    assert "380507654321" in esputnik.contacts()
    assert esputnik.get("/v1/interfaces/email") == [{"type": "email", "value": '"Shop" <shop@example.com>'}]
    assert esputnik.get("/v1/interfaces/sms") == [{"type": "sms", "value": "SHOP"}]
    for name, body in (
        ("email", {**letter, "from": "x@example.com"}),
        ("email", {**letter, "emails": []}),
        ("sms", {**text, "groupId": 7}),
        ("sms", {**text, "from": "OTHER"}),
        ("viber", {"text": "Hi", "phoneNumbers": ["380507654321"]}),
    ):
        assert esputnik.refused("POST", f"/v1/message/{name}", body)[0] == 400
    assert len(emulator.inbox()) == 3


def test_unsubscribed_addresses(esputnik, emulator, letter):
    for action in ("add", "delete"):
        assert esputnik.refused("POST", f"/v1/emails/unsubscribed/{action}", {"emails": []})[0] == 400
        assert esputnik.refused("POST", f"/v1/emails/unsubscribed/{action}", {"emails": ["ada"]})[0] == 400
    esputnik.told("POST", "/v1/emails/unsubscribed/add", {"emails": ["Ada@example.com", "b@example.com"]})
    assert emulator.state.as_dict()["esputnik"]["unsubscribed"] == ["ada@example.com", "b@example.com"]
    request_id = smartsend(esputnik, letter, {"locator": "ada@example.com"})["results"]["requestId"]
    emulator.advance(1)
    assert statuses(esputnik, request_id) == ["UNSUBSCRIBED"]
    assert emulator.inbox() == []
    esputnik.told("POST", "/v1/emails/unsubscribed/delete", {"emails": ["ada@example.com"]})
    smartsend(esputnik, letter, {"locator": "ada@example.com"})
    assert len(emulator.inbox("ada@example.com")) == 1


def test_subscriptions(esputnik, emulator):
    number = esputnik.post("/v1/contact", {"channels": [email("ada@example.com")]})["id"]
    path = f"/v1/contact/{number}/subscriptions"
    esputnik.told("PUT", path, {"subscriptions": ["news"]})
    assert esputnik.get(path) == [{"id": 1, "key": "news", "groupId": None, "name": "News"}]
    assert [category["contactsCount"] for category in esputnik.get("/v1/subscriptions")] == [1, 0]
    esputnik.told("PUT", path, {"subscriptions": ["offers"]})
    assert [category["key"] for category in esputnik.get(path)] == ["offers"]
    emulator.configure(esputnik_subscriptions_update="add")
    esputnik.told("PUT", path, {"subscriptions": ["news"]})
    assert [category["key"] for category in esputnik.get(path)] == ["news", "offers"]
    assert esputnik.refused("PUT", path, {"subscriptions": ["pigeons"]})[0] == 400
    assert esputnik.refused("PUT", path, {})[0] == 400
    assert esputnik.refused("GET", "/v1/contact/7/subscriptions")[0] == 404


def test_balance(esputnik):
    balance = esputnik.get("/v1/balance")
    assert (balance["currentBalance"], balance["currency"]) == (9.36, "USD")
    history = "/v1/balance/history?dateFrom=2026-01-01&dateTo="
    assert esputnik.get(history + "2026-03-01") == {"currency": "USD", "dailyCosts": []}
    assert esputnik.refused("GET", history + "2026-05-01")[0] == 419
    assert esputnik.refused("GET", history)[0] == 400
