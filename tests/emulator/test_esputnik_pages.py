# SPDX-License-Identifier: Apache-2.0
"""The pages of the account, and what people do in it by hand."""

from __future__ import annotations

import re

import pytest
from contact_channels import email, sms

NASTY = "<script>alert('x')</script>"
PAGES = (
    "/ui/esputnik",
    "/ui/esputnik/contacts",
    "/ui/esputnik/messages",
    "/ui/esputnik/orders",
    "/ui/esputnik/unsubscribed",
    "/ui/events",
)


def html(api, path, expected=200):
    answer = api.send("GET", path, headers={})
    assert answer.status_code == expected
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


def order(number, status):
    return {
        "externalOrderId": number,
        "totalCost": 12.5,
        "status": status,
        "date": "2026-01-05T10:00:00+02:00",
        "currency": "UAH",
        "email": "ada@example.com",
        "source": NASTY,
    }


def rows(text):
    """Return the rows of the first table of a page, without markup, and the blanks of the source."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in body.split("<tr>")[1:]]


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
    esputnik.post("/v1/orders", {"orders": [order("A-7", "INITIALIZED"), order("B-8", "CANCELLED")]})
    esputnik.post("/v1/orders", {"orders": [order("A-7", "DELIVERED")]})
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
    for words in ("<b>3</b> contacts", "<b>1</b> segment<", "<b>5</b> events", "<b>1</b> message sent"):
        assert words in text
    for words in ("<b>1</b> prepared message<", "<b>2</b> orders", "<b>1</b> unsubscribed address<"):
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


def test_events_of_both_services_name_theirs(api, emulator, segment):
    emulator.advance(1)
    api.post("/events/name/cart", {"email": "ada@example.com", "phone": "380501112233", "automation_id": 4711})
    text = html(api, "/ui/events")
    assert "version 2" in text
    listed = rows(text)
    assert len(listed) == 6
    assert listed[0].startswith("cart SendPulse ada@example.com 380501112233 flow 4711 number")
    kinds = ("orderDELIVERED", "orderCANCELLED", "orderINITIALIZED", "seen", "subscribeFromApi-footer")
    assert [row.split()[:2] for row in listed[1:]] == [[kind, "eSputnik"] for kind in kinds]
    assert "grace@example.com 500000002 500000002 ContactId" in listed[-1]


def test_events_are_narrowed_by_service_and_address(api, segment):
    api.post("/events/name/cart", {"email": "ada@example.com"})
    assert [row.split()[0] for row in rows(html(api, "/ui/events?service=sendpulse"))] == ["cart"]
    assert "cart" not in html(api, "/ui/events?service=esputnik")
    assert [row.split()[0] for row in rows(html(api, "/ui/events?to=GRACE"))] == ["subscribeFromApi-footer"]
    assert "cart" in html(api, "/ui/events?to=ada@example.com")
    for nobody in ("/ui/events?to=nobody", f"/ui/events?service={NASTY}"):
        assert "No event fits" in html(api, nobody)


def test_orders_are_listed_as_they_are_now(api, segment):
    first, second = rows(html(api, "/ui/esputnik/orders"))
    assert {first.split()[0], second.split()[0]} == {"A-7", "B-8"}
    [order] = [row for row in (first, second) if row.startswith("A-7")]
    assert "DELIVERED ada@example.com 500000001 12.5 UAH date 2026-01-05T10:00:00+02:00" in order
    assert "INITIALIZED" not in order


def test_an_order_of_nobody_any_more(api, esputnik, segment):
    esputnik.told("DELETE", "/v1/contact/500000001?erase=true")
    assert "deleted 500000001" in rows(html(api, "/ui/esputnik/orders"))[0]


def test_prepared_messages_are_listed_with_their_ids(api, segment):
    api.control("POST", "/esputnik/messages", {"kind": "sms", "name": "Cart", "from": "SHOP", "text": "Your cart"})
    first, second = rows(html(api, "/ui/esputnik/messages"))
    assert "2700001 email" in first
    assert first.endswith(" 1")
    assert second == "Cart 2700002 sms SHOP Your cart – 0"


def test_unsubscribed_addresses_are_listed(api, segment):
    [row] = rows(html(api, "/ui/esputnik/unsubscribed"))
    assert row.startswith("new@example.com 500000003 ")


def test_empty_values_of_a_contact_are_said_to_be_empty(api, segment):
    [newest, *_] = rows(html(api, "/ui/esputnik/contacts"))
    assert newest.startswith("new@example.com 500000003, contact import unsubscribed – – – ")


def test_messages_are_in_the_inbox_as_their_reader_sees_them(api, segment):
    text = html(api, "/ui/inbox")
    assert "Вітаємо {{x}}" in text
    assert '<a href="/ui/esputnik">eSputnik</a>, broadcast <a href="/ui/inbox?broadcast=810001">Spring ' in text
    body = api.send("GET", "/ui/inbox/1/body")
    assert "<b>{{kept}}</b>" in body.text
    assert body.headers["Content-Security-Policy"].startswith("sandbox;")


def test_inbox_is_narrowed_by_service_and_broadcast(api, emulator, esputnik, segment):
    book = api.book(1)
    campaign = api.campaign(book, name="Digest")["id"]
    emulator.advance(60)
    esputnik.post(
        "/v1/message/email",
        {"from": '"Shop" <shop@example.com>', "subject": "x", "htmlText": "x", "emails": ["one@example.com"]},
    )

    def to(query):
        return re.findall('<span class="to">([^<]*)', html(api, f"/ui/inbox?{query}"))

    assert to("") == ["one@example.com", "reader0@example.com", "ada@example.com"]
    assert to("service=esputnik") == ["one@example.com", "ada@example.com"]
    assert to("service=sendpulse") == ["reader0@example.com"]
    assert to("broadcast=810001") == ["ada@example.com"]
    assert to(f"campaign={campaign}") == ["reader0@example.com"]
    assert to(f"campaign={campaign}&broadcast=810001") == []
    assert '<option value="810001" selected>Spring ' in html(api, "/ui/inbox?broadcast=810001")
    assert "No message fits" in html(api, "/ui/inbox?service=sendpulse&broadcast=810001")


def test_a_deleted_broadcast_leaves_its_messages(api, emulator, segment):
    emulator.state.esputnik.broadcasts.remove(emulator.state.esputnik.broadcasts.get(810001))
    text = html(api, "/ui/inbox?broadcast=810001")
    assert '<option value="810001"' not in text
    assert "ada@example.com" in text
    assert "broadcast</dd>" in text


def test_the_latest_events_are_in_the_inbox(api, segment):
    assert [row.split()[:2] for row in rows(html(api, "/ui/inbox"))][:1] == [["orderDELIVERED", "eSputnik"]]
    assert [row.split()[0] for row in rows(html(api, "/ui/inbox?to=grace"))] == ["subscribeFromApi-footer"]
    for query in ("service=sendpulse", "broadcast=810001"):
        assert rows(html(api, f"/ui/inbox?{query}")) == []
    for number in range(6):
        api.post(f"/events/name/cart{number}", {"email": "ada@example.com"})
    text = html(api, "/ui/inbox")
    assert len(rows(text)) == 10
    assert 'the latest 10 of <a href="/ui/events?to=&amp;service=">11</a>' in text


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
