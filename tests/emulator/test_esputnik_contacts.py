# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from contact_channels import email, sms

ADA = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "channels": [email("ada@example.com"), sms("+380 50 111 22 33")],
    "address": {"town": "Lviv", "region": "Lvivska", "address": "Rynok 1", "postcode": "79000"},
    "fields": [{"id": 30002, "value": "12"}],
    "externalCustomerId": "a-1",
    "languageCode": "uk",
    "firstname": "misspelled",
    "surprise": {"x": 1},
}


def test_subscribe_makes_an_unconfirmed_contact(esputnik, emulator):
    answer = esputnik.post("/v1/contact/subscribe", {"contact": ADA, "groups": ["Readers"], "formType": "footer"})
    assert answer == {"id": 500000001, "emailStatus": "NEED_CONFIRMATION", "new": True}
    contact = esputnik.contacts()["ada@example.com"]
    assert (contact["confirmed"], contact["source"]) == (False, "subscription form")
    assert contact["address"] == ADA["address"]
    assert contact["segments"] == [esputnik.segment("Readers")]
    params = {"ContactId": "500000001", "EmailAddress": "ada@example.com"}
    assert esputnik.events() == [("subscribeFromApi-footer", "500000001", params)]
    (event,) = emulator.state.as_dict()["esputnik"]["events"]
    assert (event["source"], event["contact_id"]) == ("system", 500000001)


def test_subscribe_again_updates(esputnik):
    esputnik.post("/v1/contact/subscribe", {"contact": ADA})
    changed = {"channels": [email("new@example.com")], "externalCustomerId": "a-1", "firstName": "Augusta"}
    answer = esputnik.post("/v1/contact/subscribe", {"contact": changed})
    assert answer == {"id": 500000001, "emailStatus": "NEED_CONFIRMATION", "new": False}
    contact = esputnik.contacts()["ada@example.com"]
    assert (contact["firstName"], contact["lastName"]) == ("Augusta", "Lovelace")
    assert [kind for kind, _, _ in esputnik.events()] == ["subscribeFromApi", "subscribeUpdateFromApi"]


def test_subscribe_by_phone_has_no_address_in_its_event(esputnik):
    answer = esputnik.post("/v1/contact/subscribe", {"contact": {"channels": [sms("380501112233")]}})
    assert answer == {"id": 500000001, "new": True}
    assert esputnik.events() == [("subscribeFromApi", "500000001", {"ContactId": "500000001"})]


def test_the_event_of_a_subscription_has_the_address_that_was_given(esputnik):
    contact = {"channels": [email("ada@example.com"), sms("380501112233")]}
    number = str(esputnik.post("/v1/contact", contact)["id"])
    esputnik.post("/v1/contact/subscribe", {"contact": {"channels": [sms("380501112233")]}})
    esputnik.post("/v1/contact/subscribe", {"contact": {"channels": [sms("380501112233"), email("Ada@example.com")]}})
    assert [params for _, _, params in esputnik.events()] == [
        {"ContactId": number},
        {"ContactId": number, "EmailAddress": "Ada@example.com"},
    ]


def test_subscribe_answers_as_it_did(esputnik, emulator):
    emulator.configure(esputnik_subscribe_answer="id")
    assert esputnik.post("/v1/contact/subscribe", {"contact": ADA}) == {"id": 500000001}


def test_a_contact_who_is_there_is_already_subscribed(esputnik):
    esputnik.post("/v1/contact", ADA)
    assert esputnik.post("/v1/contact/subscribe", {"contact": ADA})["emailStatus"] == "ALREADY_SUBSCRIBED"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "contact is required"),
        ({"contact": {}}, "at least one channel"),
        ({"contact": {"channels": [{"type": "pigeon", "value": "x"}]}}, "Channel type"),
        ({"contact": {"channels": [email("ada")]}}, "ada is not valid email"),
        ({"contact": {"channels": [sms("12")]}}, "12 is not valid phone number"),
        ({"contact": {"channels": [email(f"{n}@example.com") for n in range(3)]}}, "more than 2 channels"),
        ({"contact": {**ADA, "firstName": "12345"}}, "firstName is not valid"),
        ({"contact": {**ADA, "lastName": "x" * 41}}, "lastName is not valid"),
        ({"contact": {**ADA, "fields": [{"id": 30002, "value": "many"}]}}, "wrong format"),
        ({"contact": ADA, "formType": "a/b"}, "forbidden characters"),
        ({"contact": ADA, "groups": "Readers"}, "groups must be an array"),
    ],
)
def test_subscribe_refuses(esputnik, body, text):
    status, told = esputnik.refused("POST", "/v1/contact/subscribe", body)
    assert status == 400
    assert text in told
    assert esputnik.contacts() == {}


def test_upsert_adds_silently_and_updates(esputnik):
    assert esputnik.post("/v1/contact", ADA) == {"id": 500000001}
    assert esputnik.post("/v1/contact", {**ADA, "lastName": None}) == {"id": 500000001}
    contact = esputnik.get("/v1/contact/500000001")
    assert "lastName" not in contact
    assert contact["firstName"] == "Ada"
    assert contact["fields"] == [{"id": 30002, "value": "12"}]
    assert esputnik.events() == []
    assert esputnik.contacts()["ada@example.com"]["confirmed"]


def test_update_answers_with_a_sentence(esputnik, emulator):
    number = esputnik.post("/v1/contact", ADA)["id"]
    told = esputnik.told("PUT", f"/v1/contact/{number}", {"firstName": "Augusta", "channels": [email("a@example.com")]})
    assert told == f"Contact with id='{number}' has been updated"
    assert set(esputnik.contacts()) == {"a@example.com"}
    for body in ({"contact": {"firstName": "Nobody"}}, {"firstName": "Nobody"}, {"firstName": "Nobody", "channels": []}):
        status, told = esputnik.refused("PUT", f"/v1/contact/{number}", body)
        assert (status, "at least one channel" in told) == (400, True)
    emulator.configure(esputnik_update_without_channels="accept")
    assert esputnik.told("PUT", f"/v1/contact/{number}", {"contact": {"firstName": "Nobody"}})
    assert esputnik.get(f"/v1/contact/{number}")["firstName"] == "Augusta"
    esputnik.post("/v1/contact", {"channels": [email("b@example.com")], "externalCustomerId": "b-1"})
    assert esputnik.refused("PUT", f"/v1/contact/{number}", {"externalCustomerId": "b-1"})[0] == 400
    assert esputnik.refused("PUT", "/v1/contact/7", {"firstName": "Ada"})[0] == 404


@pytest.mark.parametrize(("unsent", "left"), [("drop", ["sms"]), ("keep", ["mobilepush", "sms"])])
def test_update_writes_the_channels_that_are_sent(esputnik, emulator, unsent, left):
    emulator.configure(esputnik_unsent_channels=unsent)
    token = {"type": "mobilepush", "value": "token", "device": {"os": "ios"}}
    number = esputnik.post("/v1/contact", {"channels": [token]})["id"]
    esputnik.told("PUT", f"/v1/contact/{number}", {"channels": [sms("380501112233")]})
    channels = esputnik.get(f"/v1/contact/{number}")["channels"]
    assert sorted(channel["type"] for channel in channels) == left
    esputnik.told("PUT", f"/v1/contact/{number}", {"channels": [token, sms("380501112244")]})
    channels = esputnik.get(f"/v1/contact/{number}")["channels"]
    assert channels == [token, sms("380501112244")]
    emulator.configure(esputnik_update_without_channels="accept")
    esputnik.told("PUT", f"/v1/contact/{number}", {"firstName": "Ada"})
    assert esputnik.get(f"/v1/contact/{number}")["channels"] == channels


def test_deleted_contacts_come_back(esputnik):
    number = esputnik.post("/v1/contact", ADA)["id"]
    assert esputnik.told("DELETE", f"/v1/contact/{number}") == f"Contact with id='{number}' has been deleted"
    assert esputnik.refused("GET", f"/v1/contact/{number}")[0] == 404
    assert esputnik.refused("DELETE", f"/v1/contact/{number}")[0] == 404
    esputnik.told("PUT", f"/v1/contact/{number}", {**ADA, "lastName": "King"})
    assert esputnik.get(f"/v1/contact/{number}")["lastName"] == "King"
    assert esputnik.told("DELETE", "/v1/contact?externalCustomerId=a-1").endswith("has been deleted")
    status, text = esputnik.refused("DELETE", "/v1/contact?externalCustomerId=a-1")
    assert (status, "not found" in text) == (404, True)


def test_erased_contacts_do_not(esputnik, emulator):
    number = esputnik.post("/v1/contact", ADA)["id"]
    esputnik.told("DELETE", f"/v1/contact/{number}?erase=true")
    assert esputnik.refused("PUT", f"/v1/contact/{number}", {**ADA, "lastName": "King"})[0] == 404
    assert emulator.state.as_dict()["esputnik"]["contacts"] == []


def test_search_is_not_exact_and_counts(esputnik, emulator):
    for name in ("ada", "canada", "grace"):
        esputnik.post("/v1/contact", {"channels": [email(f"{name}@example.com")], "externalCustomerId": name})
    found = esputnik.send("GET", "/v1/contacts?email=ADA@example.com")
    assert [one["channels"][0]["value"] for one in found.json()] == ["ada@example.com", "canada@example.com"]
    assert found.headers["TotalCount"] == "2"
    assert "externalCustomerId" not in found.json()[0]
    emulator.configure(esputnik_email_match="exact", esputnik_total_count="wrong")
    found = esputnik.send("GET", "/v1/contacts?email=ada@example.com")
    assert (len(found.json()), found.headers["TotalCount"]) == (1, "2")
    emulator.configure(esputnik_total_count="absent")
    assert "TotalCount" not in esputnik.send("GET", "/v1/contacts").headers
    assert [one["id"] for one in esputnik.get("/v1/contacts?externalCustomerId=grace")] == [500000003]
    assert esputnik.refused("GET", "/v1/contacts?externalCustomerId=grace&email=x")[0] == 400
    assert esputnik.get("/v1/contacts?sms=1") == []


def test_pages_begin_with_one(esputnik):
    for number in range(5):
        esputnik.post("/v1/contact", {"channels": [email(f"reader{number}@example.com")]})
    esputnik.told("PUT", "/v1/contact/500000001", {"channels": [email("ada@example.com")]})
    pages = [esputnik.get(f"/v1/contacts?startindex={start}&maxrows=2") for start in (1, 3, 5)]
    assert [[one["id"] % 10 for one in page] for page in pages] == [[2, 3], [4, 5], [1]]
    assert [one["id"] % 10 for one in esputnik.get("/v1/contacts?sortBy=contactId")] == [1, 2, 3, 4, 5]
    for query in ("startindex=0", "maxrows=501", "maxrows=x"):
        assert esputnik.refused("GET", f"/v1/contacts?{query}")[0] == 400


def test_addresses_of_contacts_collapse(esputnik, emulator):
    for name in ("ada", "grace"):
        esputnik.post("/v1/contact", {"channels": [email(f"{name}@example.com")]})
    both = [{"contactId": 500000001, "email": "ada@example.com"}, {"contactId": 500000002, "email": "grace@example.com"}]
    assert esputnik.get("/v1/contacts/email?ids=500000001,500000002,7") == {"results": both}
    one = {"contactId": "500000001", "email": "ada@example.com"}
    assert esputnik.get("/v1/contacts/email?ids=500000001") == {"results": one}
    emulator.configure(esputnik_text_values=False)
    assert esputnik.get("/v1/contacts/email?ids=500000001") == {"results": both[0]}
    emulator.configure(esputnik_collapse=False)
    assert esputnik.get("/v1/contacts/email?ids=500000001") == {"results": both[:1]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/contact", ADA),
        ("POST", "/v1/contact/subscribe", {"contact": ADA}),
        ("PUT", "/v1/contact/500000001", {**ADA, "firstName": "Augusta"}),
    ],
)
def test_the_same_request_within_a_minute(esputnik, emulator, method, path, body):
    esputnik.post("/v1/contact", {**ADA, "firstName": "First"})
    assert esputnik.send(method, path, body).status_code == 200
    status, text = esputnik.refused(method, path + "/", body)
    assert status == 409
    assert "Duplicated request" in text
    assert esputnik.send(method, path, {**body, "languageCode": "en"}).status_code == 200
    emulator.advance(60)
    assert esputnik.send(method, path, body).status_code == 200
    emulator.configure(esputnik_repeat_seconds=None)
    assert esputnik.send(method, path, body).status_code == 200


def test_a_refused_request_may_be_repeated_and_a_lost_answer_may_not(esputnik, emulator):
    assert esputnik.refused("POST", "/v1/contact", {})[0] == esputnik.refused("POST", "/v1/contact", {})[0] == 400
    emulator.faults.add("lose_answer", operation="esputnik.contacts.upsert")
    with pytest.raises(OSError, match="without response"):
        esputnik.send("POST", "/v1/contact", ADA)
    assert esputnik.refused("POST", "/v1/contact", ADA)[0] == 409


def test_additional_fields_collapse(esputnik, emulator):
    book = esputnik.get("/v1/addressbooks")["addressBook"]
    assert book["addressBookId"] == "7200"
    shop = book["fieldGroups"][1]["fields"]
    assert (shop["id"], shop["description"]["required"]) == ("30003", "false")
    assert shop["description"]["allowedValues"]["possibleValues"] == ["Kyiv", "Lviv", "Odesa"]
    emulator.configure(esputnik_collapse=False)
    (book,) = esputnik.get("/v1/addressbooks")["addressBook"]
    assert book["fieldGroups"][0]["fields"][0]["id"] == 30001
