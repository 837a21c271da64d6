# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest


@pytest.fixture
def book(api, emulator):
    emulator.configure(seconds_per_status=0)
    return api.post("/addressbooks", {"bookName": "B"})["id"]


def add(api, book, *emails, **more):
    return api.post(f"/addressbooks/{book}/emails", {"emails": list(emails), **more})


def listed(api, book, query=""):
    return api.get(f"/addressbooks/{book}/emails{query}")


def test_plain_addresses_have_an_empty_array_of_variables(api, book):
    assert add(api, book, "a@example.com") == {"result": True}
    assert listed(api, book) == [{"email": "a@example.com", "status": 0, "status_explain": "New", "variables": []}]


def test_variables_are_an_object_in_lists_and_an_array_alone(api, book):
    add(
        api,
        book,
        {"email": "A@Example.com", "variables": {"Имя": "Ян", "Сума": 12.5, "Phone": "+380501112233"}},
    )
    (contact,) = listed(api, book)
    assert contact["variables"] == {"Имя": "Ян", "Сума": 12.5}
    assert contact["phone"] == "+380501112233"
    assert api.get(f"/addressbooks/{book}/emails/a%40example.com") == {
        "email": "a@example.com",
        "abook_id": book,
        "phone": "+380501112233",
        "status": 0,
        "status_explain": "New",
        "variables": [
            {"name": "Имя", "type": "string", "value": "Ян"},
            {"name": "Сума", "type": "number", "value": 12.5},
        ],
    }


def test_other_shapes(api, book, emulator):
    add(api, book, {"email": "a@example.com", "variables": {"Phone": "380501112233"}})
    emulator.configure(
        empty_variables="absent",
        contact_status_as_string=True,
        contact_book_id_as_string=True,
        phone_as_number=True,
    )
    (contact,) = listed(api, book)
    assert "variables" not in contact
    assert contact["status"] == "0"
    assert contact["phone"] == 380501112233
    assert api.get(f"/addressbooks/{book}/emails/a@example.com")["abook_id"] == str(book)


def test_adding_again_updates_but_does_not_resubscribe(api, book):
    add(api, book, {"email": "a@example.com", "variables": {"x": 1, "y": 1}})
    api.post(f"/addressbooks/{book}/emails/unsubscribe", {"emails": ["a@example.com"]})
    add(api, book, {"email": "a@example.com", "variables": {"y": 2}})
    (contact,) = listed(api, book)
    assert contact["variables"] == {"x": 1, "y": 2}
    assert contact["status"] == 4


def test_invalid_and_blacklisted_addresses_vanish_silently(api, book):
    blocked = "YmxvY2tlZEBleGFtcGxlLmNvbQ=="
    api.post("/blacklist", {"emails": blocked})
    assert api.get("/blacklist") == ["blocked@example.com"]
    assert add(api, book, "no address", "blocked@example.com", "a@example.com") == {"result": True}
    assert [contact["email"] for contact in listed(api, book)] == ["a@example.com"]
    assert api.send("DELETE", "/blacklist", {"emails": blocked}).json() == {"result": True}
    assert api.get("/blacklist") == []


@pytest.mark.parametrize(
    ("emails", "code"),
    [
        (None, 422),
        ([], 422),
        ("not json", 422),
        ({"email": "a@example.com"}, 21356),
        ([{"mail": "a@example.com"}], 21356),
        ([{"email": "a@example.com", "variables": [{"name": "x", "value": 1}]}], 21356),
    ],
)
def test_malformed_adds(api, book, emails, code):
    assert api.refused("POST", f"/addressbooks/{book}/emails", {"emails": emails}) == (422, code)
    assert listed(api, book) == []


def test_emails_as_json_text_unless_strict(api, book, emulator):
    api.post(f"/addressbooks/{book}/emails", {"emails": json.dumps(["a@example.com"])})
    assert len(listed(api, book)) == 1
    emulator.configure(strict_emails=True)
    answer = api.send("POST", f"/addressbooks/{book}/emails", {"emails": json.dumps(["b@example.com"])})
    assert answer.json() == {"message": "Argument emails must be array", "error_code": 422}


def test_double_opt_in_waits_for_the_click(api, book, emulator):
    path = f"/addressbooks/{book}/emails"
    body = {"emails": ["a@example.com"], "confirmation": "force"}
    assert api.refused("POST", path, body) == (422, 422)
    assert api.refused("POST", path, {**body, "sender_email": "no@example.com"}) == (422, 1003)
    wrong = {**body, "sender_email": "shop@example.com", "message_lang": "uk"}
    assert api.refused("POST", path, wrong) == (422, 422)
    api.post(path, {**body, "sender_email": "shop@example.com", "message_lang": "ua"})
    assert listed(api, book) == []
    assert [message.kind for message in emulator.state.mailbox] == ["confirmation"]
    assert api.control("POST", "/confirmations", {"book_id": book, "email": "a@example.com"}) == {"done": True}
    assert listed(api, book)[0]["status"] == 1


def test_list_filters_order_and_pages(api):
    book = api.book(3)
    add(api, book, "new@example.com")
    emails = [contact["email"] for contact in listed(api, book, "?order=desc&limit=2")]
    assert emails == ["new@example.com", "reader2@example.com"]
    assert len(listed(api, book, "?active=1")) == 3
    assert [contact["email"] for contact in listed(api, book, "?not_active=true")] == ["new@example.com"]
    assert api.get(f"/addressbooks/{book}/emails/total?active=true") == {"total": 3}
    assert api.refused("GET", f"/addressbooks/{book}/emails?limit=101") == (422, 422)


def test_contacts_become_active_after_a_delay(api, book, emulator):
    emulator.configure(contact_activation_seconds=30)
    add(api, book, "a@example.com")
    emulator.advance(29)
    assert listed(api, book)[0]["status"] == 0
    emulator.advance(1)
    assert listed(api, book)[0]["status"] == 1


def test_search_by_variable(api, book):
    add(api, book, {"email": "a@example.com", "variables": {"Код": "x/1"}}, "b@example.com")
    found = api.get(f"/addressbooks/{book}//variables/%D0%9A%D0%BE%D0%B4/x%2F1")
    assert found == [{"email": "a@example.com", "status": 0, "status_explain": "New"}]
    assert api.get(f"/addressbooks/{book}/variables/%D0%9A%D0%BE%D0%B4/none") == []
    assert api.refused("GET", f"/addressbooks/{book}/variables/Nope/1") == (404, 299)


def test_remove(api, book):
    add(api, book, "a@example.com", "b@example.com")
    path = f"/addressbooks/{book}/emails"
    assert api.send("DELETE", path, {"emails": ["a@example.com", "z@example.com"]}).json() == {"result": True}
    assert [contact["email"] for contact in listed(api, book)] == ["b@example.com"]
    assert api.refused("DELETE", path, {"emails": ["a@example.com"]}) == (422, 303)
    answer = api.send("DELETE", path, {"emails": [f"a{i}@example.com" for i in range(101)]})
    assert answer.json()["message"] == "Limit is exceeded. Max count: 100"


def test_unsubscribe(api, book):
    add(api, book, "a@example.com")
    path = f"/addressbooks/{book}/emails/unsubscribe"
    assert api.post(path, {"emails": ["a@example.com"]}) == {"result": True}
    assert listed(api, book)[0]["status"] == 4
    answer = api.send("POST", path, {"emails": ["a@example.com"]})
    assert answer.json() == {"message": "Active emails not found", "error_code": 422}
    answer = api.send("POST", path, {"emails": [f"a{i}@example.com" for i in range(101)]})
    assert answer.json()["message"] == "Argument emails may not have more than 100 items"


def test_update_variables_takes_an_array(api, book):
    add(api, book, {"email": "a@example.com", "variables": {"n": 1}})
    path = f"/addressbooks/{book}/emails/variable"
    values = [{"name": "n", "value": "2"}, {"name": "d", "value": "2026-02-28", "type": "date"}]
    assert api.post(path, {"email": "a@example.com", "variables": values}) == {"result": True}
    assert listed(api, book)[0]["variables"] == {"n": "2", "d": "2026-02-28"}
    assert {"name": "d", "type": "date"} in api.get(f"/addressbooks/{book}/variables")


@pytest.mark.parametrize(
    ("email", "variables", "code"),
    [
        ("a@example.com", {"n": 1}, 422),
        ("a@example.com", None, 422),
        ("a@example.com", [{"name": "n", "value": "many"}], 422),
        ("a@example.com", [{"name": "d", "value": "28.02.2026", "type": "date"}], 422),
        ("a@example.com", [{"name": "d", "value": "2026-02-30", "type": "date"}], 422),
        ("a@example.com", [{"value": 1}], 422),
        ("z@example.com", [{"name": "n", "value": 1}], 502),
        ("no address", [{"name": "n", "value": 1}], 17),
    ],
)
def test_update_variables_refusals(api, book, email, variables, code):
    add(api, book, {"email": "a@example.com", "variables": {"n": 1}})
    body = {"email": email, "variables": variables}
    assert api.refused("POST", f"/addressbooks/{book}/emails/variable", body) == (422, code)
    assert listed(api, book)[0]["variables"] == {"n": 1}


def test_update_variables_says_that_it_wants_an_array(api, book):
    add(api, book, "a@example.com")
    answer = api.send("POST", f"/addressbooks/{book}/emails/variable", {"email": "a@example.com", "variables": {"n": 1}})
    assert answer.json()["message"] == "Argument variables must be array"


def test_phone(api, book):
    add(api, book, "a@example.com")
    path = f"/addressbooks/{book}/phone"
    assert api.send("PUT", path, {"email": "a@example.com", "phone": "+380501112233"}).json() == {"result": True}
    assert listed(api, book)[0]["phone"] == "+380501112233"
    assert api.send("PUT", path, {"email": "a@example.com", "phone": "x"}).json()["message"] == "Phone is not valid"
    assert api.refused("PUT", path, {"email": "z@example.com", "phone": "+380501112233"}) == (422, 502)


def test_one_address_in_all_books(api, emulator):
    first, second = api.book(1, "First"), api.book(1, "Second")
    places = api.get("/emails/reader0%40example.com")
    assert [place["book_id"] for place in places] == [first, second]
    assert places[0]["variables"] == [{"name": "Имя", "type": "string", "value": "Олена 0"}]
    assert api.get("/emails/nobody@example.com") == []
    assert [item["list_name"] for item in api.get("/emails/reader0@example.com/details")] == [
        "First",
        "Second",
    ]
    many = api.post("/emails", {"emails": ["reader0@example.com", "nobody@example.com"]})
    assert [len(many[email]) for email in many] == [2, 0]
    assert api.post("/emails", ["reader0@example.com"]).keys() == {"reader0@example.com"}
    api.campaign([first, second])
    emulator.advance(60)
    one = api.get("/emails/reader0@example.com/campaigns")
    assert one["statistic"]["sent"] == 1
    assert one["addressbooks"][0] == {"id": first, "address_book_name": "First"}
    stats = api.post("/emails/campaigns", {"emails": ["reader0@example.com"]})
    assert stats["reader0@example.com"]["adressbooks"][1] == {"id": second, "name": "Second"}
    assert api.send("DELETE", "/emails/reader0@example.com").json() == {"result": True}
    assert api.get("/emails/reader0@example.com") == []


@pytest.mark.parametrize(
    ("how", "status", "text"),
    [("items", 422, "may not have more than 2 items"), ("count", 422, "Max count: 2"), ("http", 413, "Too Large")],
)
def test_most_contacts_of_a_call(api, emulator, book, how, status, text):
    emulator.configure(contacts_per_add=2, too_many_contacts=how)
    emails = [f"reader{number}@example.com" for number in range(3)]
    path = f"/addressbooks/{book}/emails"
    answer = api.send("POST", path, {"emails": emails})
    assert (answer.status_code, text in answer.json()["message"]) == (status, True)
    assert api.post(path, {"emails": emails[:2]}) == {"result": True}


def test_values_that_a_variable_cannot_hold(api, emulator, book):
    path = f"/addressbooks/{book}/emails"
    api.post(path, {"emails": [{"email": "a@example.com", "variables": {"age": 7}}]})
    wrong = {"emails": [{"email": "b@example.com", "variables": {"age": "old"}}]}
    assert api.post(path, wrong) == {"result": True}
    emulator.configure(wrong_variables_on_add="refuse")
    assert api.send("POST", path, wrong).json()["message"] == "Variable value wrong format"


@pytest.mark.parametrize(("keep", "city"), [(True, "Lviv"), (False, "Odesa")])
def test_contacts_that_are_there_may_be_left_alone(api, keep, city):
    book = api.book(0)
    for name in ("Lviv", "Odesa"):
        entry = {"email": "ada@example.com", "variables": {"City": name}}
        api.post(f"/addressbooks/{book}/emails", {"emails": [entry], "dont_update": keep})
    assert api.get(f"/addressbooks/{book}/emails")[0]["variables"] == {"City": city}


@pytest.mark.parametrize("wrong", [{"dont_update": 1}, {"disable_webhook": "no"}, {"check_emails": []}, {"tags": [True]}])
def test_options_of_adding_have_their_types(api, wrong):
    fields = {"emails": ["ada@example.com"], **wrong}
    assert api.refused("POST", f"/addressbooks/{api.book(0)}/emails", fields) == (422, 422)


def test_case_of_addresses(api, book, emulator):
    add(api, book, "Ada@Example.com", {"email": "BOB@example.com", "variables": {"x": 1}})
    assert [contact["email"] for contact in listed(api, book)] == ["ada@example.com", "bob@example.com"]
    emulator.configure(address_case="keep")
    assert [contact["email"] for contact in listed(api, book)] == ["Ada@Example.com", "BOB@example.com"]
    assert api.get(f"/addressbooks/{book}/emails/ada@example.com")["email"] == "Ada@Example.com"
    assert api.get(f"/addressbooks/{book}/variables/x/1")[0]["email"] == "BOB@example.com"
    assert api.get("/emails/ADA@example.com")[0]["email"] == "Ada@Example.com"
    # It is found in any case, and added but once.
    add(api, book, "ada@EXAMPLE.com")
    assert len(listed(api, book)) == 2
    assert api.send("DELETE", f"/addressbooks/{book}/emails", {"emails": ["aDa@example.com"]}).json() == {"result": True}
    assert [contact["email"] for contact in listed(api, book)] == ["BOB@example.com"]
