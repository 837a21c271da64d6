# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64

import pytest


def test_balance(api):
    assert api.get("/balance") == {"currency": "USD", "balance_currency": 14.36}
    assert api.get("/balance/rub")["currency"] == "RUR"
    assert api.refused("GET", "/balance/XXX") == (422, 422)


def test_balance_detail_has_text_amounts_and_null_services(api):
    answer = api.get("/user/balance/detail")
    assert answer["balance"] == {"main": "9.36", "bonus": "5.00", "currency": "USD"}
    assert answer["push"] is None


def test_account_without_an_email_plan(api, emulator):
    emulator.configure(plan_finished_time="2026-04-01 00:00:00", plan_recipients=7)
    plan = api.get("/user/balance/detail")["email"]
    assert (plan["finished_time"], plan["emails_left"]) == ("2026-04-01 00:00:00", 7)
    emulator.configure(has_email_plan=False)
    assert api.get("/user/balance/detail")["email"] is None


@pytest.mark.parametrize(("unique", "refused"), [("account", True), ("language", False)])
def test_one_name_in_two_languages(api, emulator, unique, refused):
    emulator.configure(template_names_unique=unique)
    fields = {"body": base64.b64encode(b"<p>").decode(), "name": "Main"}
    api.post("/template", {**fields, "lang": "ua"})
    if refused:
        assert api.refused("POST", "/template", {**fields, "lang": "en"}) == (422, 573)
    else:
        api.post("/template", {**fields, "lang": "en"})
        assert [item["lang"] for item in api.get("/templates?owner=me")] == ["ua", "en"]
    assert api.refused("POST", "/template", {**fields, "lang": "ua"}) == (422, 573)


def test_default_sender(api):
    (sender,) = api.get("/senders")
    assert (sender["email"], sender["status"]) == ("shop@example.com", "Active")


def test_sender_is_activated_by_code(api, emulator):
    assert api.post("/senders", {"email": "new@example.org", "name": "New"}) == {"result": True}
    assert api.get("/senders")[1]["status"] == "Requested activation"
    assert api.refused("POST", "/campaigns", api.fields(api.book(), sender_email="new@example.org")) == (
        422,
        704,
    )
    assert api.refused("GET", "/senders/new%40example.org/code") == (422, 1004)
    emulator.advance(900)
    assert api.get("/senders/new%40example.org/code") == {"result": True, "email": "new@example.org"}
    assert api.refused("POST", "/senders/new@example.org/code", {"code": "wrong"}) == (422, 422)
    code = api.control("GET", "/state")["senders"][1]["code"]
    api.post("/senders/new@example.org/code", {"code": code})
    assert api.get("/senders")[1]["status"] == "Active"
    assert api.send("DELETE", "/senders", {"email": "new@example.org"}).json() == {"result": True}
    assert api.refused("DELETE", "/senders", {"email": "new@example.org"}) == (422, 1003)


@pytest.mark.parametrize(
    ("email", "name", "code"),
    [
        ("a@example.org", "", 901),
        ("", "A", 903),
        ("nonsense", "A", 906),
        ("shop@example.com", "A", 902),
        ("a@gmail.com", "A", 20),
    ],
)
def test_sender_refusals(api, email, name, code):
    assert api.refused("POST", "/senders", {"email": email, "name": name}) == (422, code)


def test_templates_change_their_id_but_not_their_real_id(api):
    body = base64.b64encode("<p>Ї</p>".encode()).decode()
    real_id = api.post("/template", {"body": body, "name": "Main", "lang": "ua"})["real_id"]
    assert api.refused("POST", "/template", {"body": body, "name": "Main"}) == (422, 573)
    assert api.refused("POST", "/template", {"body": "***"}) == (422, 422)
    before = api.get(f"/template/{real_id}")
    assert before["body"] == body
    assert (before["tags"], before["category_info"]) == ([], [])
    assert api.post(f"/template/edit/{real_id}", {"body": body}) == {"result": True}
    after = api.get(f"/template/{real_id}")
    assert (after["real_id"], after["id"] == before["id"]) == (real_id, False)
    assert [item["name"] for item in api.get("/templates/?owner=me")] == ["Main"]
    assert {item["owner"] for item in api.get("/templates?owner=sendpulse")} == {"sendpulse"}
    assert api.refused("GET", "/template/5") == (404, 290)
    assert api.refused("POST", "/template/edit/5", {"body": body}) == (404, 31)


def test_unknown_paths_and_methods(api):
    assert api.refused("GET", "/nothing/here") == (404, 404)
    assert api.refused("PUT", "/balance") == (405, 405)
