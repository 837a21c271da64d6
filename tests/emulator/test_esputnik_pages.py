# SPDX-License-Identifier: Apache-2.0
"""The pages of the account, and what people do in it by hand."""

from __future__ import annotations

import pytest
from contact_channels import email, sms

NASTY = "<script>alert('x')</script>"
PAGES = ("/ui/esputnik", "/ui/esputnik/contacts", "/ui/esputnik/events")


def html(api, path, expected=200):
    answer = api.send("GET", path, headers={})
    assert answer.status_code == expected
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


@pytest.fixture
def segment(api, esputnik, emulator):
    """A segment with a contact in it, everything else there is, and markup wherever people write."""
    api.control("POST", "/esputnik/fields", {"name": f"Field {NASTY}", "key": "F"})
    contact = {
        "channels": [email("ada@example.com"), sms("380501112233")],
        "firstName": "Ада",
        "contactKey": NASTY,
        "fields": [{"id": 30005, "value": NASTY}],
    }
    api.control("POST", "/esputnik/contacts", {"contacts": [contact], "segments": [f"Readers {NASTY}"]})
    esputnik.post("/v1/contact/subscribe", {"contact": {"channels": [email("grace@example.com")]}, "formType": "footer"})
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "LOST"])
    esputnik.import_("new@example.com")
    esputnik.import_("lost@example.com", wait=False)
    esputnik.told("POST", "/v1/emails/unsubscribed/add", {"emails": ["new@example.com"]})
    esputnik.told("POST", "/v2/event", {"eventTypeKey": "seen", "keyValue": "k", "params": [{"name": "n", "value": NASTY}]})
    letter = {"name": f"Digest {NASTY}", "subject": "Вітаємо {{x}}", "htmlText": f"<b>{{{{kept}}}}</b>{NASTY}"}
    message = api.control("POST", "/esputnik/messages", letter)["id"]
    number = esputnik.get("/v1/groups")[0]["id"]
    esputnik.post("/v1/broadcast", {"messageId": str(message), "groups": [number], "title": f"Spring {NASTY}"})
    return number


def test_empty_pages(api):
    for path in PAGES:
        assert "yet" in html(api, path)
    assert api.send("GET", "/ui/esputnik/segments/7").status_code == 404
    assert 'href="/ui/esputnik"' in html(api, "/")


def test_no_page_lets_markup_through(api, segment):
    for path in (*PAGES, f"/ui/esputnik/segments/{segment}", "/ui/inbox", "/ui/requests"):
        text = html(api, path)
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "")
    assert "&lt;script&gt;" in html(api, "/ui/esputnik")


def test_overview(api, segment):
    text = html(api, "/ui/esputnik")
    for words in ("<b>3</b> contacts", "<b>1</b> segment<", "<b>2</b> events", "<b>1</b> message sent", "1 unsubscribed"):
        assert words in text
    assert f'href="/ui/esputnik/segments/{segment}"' in text
    assert ">IDLE<" in text
    assert ">FINISHED<" in text
    assert ">lost<" in text


def test_contacts_and_members(api, segment):
    text = html(api, "/ui/esputnik/contacts")
    for words in ("ada@example.com", "sms 380501112233", "Ада", "not confirmed", "unsubscribed", "subscription form"):
        assert words in text
    members = html(api, f"/ui/esputnik/segments/{segment}")
    assert "ada@example.com" in members
    assert "grace@example.com" not in members


def test_long_lists_come_in_parts(api):
    people = [{"channels": [email(f"reader{number}@example.com")]} for number in range(150)]
    api.control("POST", "/esputnik/contacts", {"contacts": people})
    first, second = html(api, "/ui/esputnik/contacts"), html(api, "/ui/esputnik/contacts?offset=100")
    assert "reader149@" in first
    assert "reader49@" not in first
    assert "reader49@" in second
    assert "101–150 of 150" in second


def test_events_of_both_kinds(api, segment):
    text = html(api, "/ui/esputnik/events")
    assert "subscribeFromApi-footer" in text
    assert "ContactId" in text
    assert "version 2" in text


def test_messages_are_in_the_inbox_as_their_reader_sees_them(api, segment):
    text = html(api, "/ui/inbox")
    assert "Вітаємо {{x}}" in text
    assert '<a href="/ui/esputnik">eSputnik</a>, broadcast' in text
    body = api.send("GET", "/ui/inbox/1/body")
    assert "<b>{{kept}}</b>" in body.text
    assert body.headers["Content-Security-Policy"].startswith("sandbox;")


def test_looking_changes_nothing(api, emulator, segment):
    before, total = api.control("GET", "/state"), emulator.requests.total
    for path in (*PAGES, f"/ui/esputnik/segments/{segment}"):
        html(api, path)
    assert api.control("GET", "/state") == before
    assert emulator.requests.total == total


def test_what_people_do_by_hand(api, esputnik):
    (number,) = api.control(
        "POST", "/esputnik/contacts", {"contacts": [{"channels": [email("ada@example.com")]}], "confirmed": False}
    )["ids"]
    assert not esputnik.contacts()["ada@example.com"]["confirmed"]
    assert api.control("POST", "/esputnik/confirmations", {"contact_id": number}) == {"done": True}
    assert api.control("POST", "/esputnik/confirmations", {"contact_id": 7}) == {"done": False}
    assert esputnik.contacts()["ada@example.com"]["confirmed"]
    dynamic = {"name": "Active", "type": "Dynamic", "contact_ids": [number]}
    made = api.control("POST", "/esputnik/segments", dynamic)["id"]
    assert esputnik.get("/v1/groups") == [{"id": made, "name": "Active", "type": "Dynamic"}]
    assert len(esputnik.get(f"/v1/group/{made}/contacts")) == 1
    field = {"name": "Size", "key": "SIZE", "type": "COMBOBOX", "group": "Shoes", "allowed_values": ["40"]}
    assert api.control("POST", "/esputnik/fields", field) == {"id": 30005}
    assert api.control("POST", "/esputnik/workflows", {"name": "Welcome", "tags": ["a"]}) == {"id": 41001}
    assert esputnik.get("/v1/workflows") == [{"id": "41001", "name": "Welcome", "status": "active", "tags": "a"}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/esputnik/contacts", {}),
        ("/esputnik/contacts", {"contacts": [{"channels": [email("ada")]}]}),
        ("/esputnik/segments", {"name": "x", "type": "Odd"}),
        ("/esputnik/segments", {"name": "x", "contact_ids": [7]}),
        ("/esputnik/fields", {"name": "x", "key": "x", "type": "ODD"}),
        ("/esputnik/messages", {"name": "x", "kind": "pigeon"}),
        ("/esputnik/messages", {}),
    ],
)
def test_wrong_commands_are_told(api, emulator, path, body):
    answer = api.send("POST", f"/__emulator__{path}", body)
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert len(emulator.state.esputnik.contacts) == len(emulator.state.esputnik.segments) == 0
