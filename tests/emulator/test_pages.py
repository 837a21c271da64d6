# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import re

import pytest
import requests

NASTY = "<script>alert('x')</script>"


def html(api, path, expected=200):
    answer = api.send("GET", path, headers={})
    assert answer.status_code == expected
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


@pytest.fixture
def seeded(api, emulator):
    emulator.configure(outcomes={"olena@example.com": 4}, next_campaign_outcomes=[[2, 7, 3], 11])
    people = [
        {"email": "olena@example.com", "variables": {"Имя": "Олена 🌷", "nasty": NASTY}},
        {"email": "taras@example.com", "variables": {"Имя": "Тарас"}},
    ]
    book = api.control("POST", "/books", {"name": f"Книга {NASTY}", "emails": people})["id"]
    body = "<p>Вітаємо, {{ Имя }}! [{{Unknown}}] {{email}} <a href='https://shop.example/'>x</a></p>"
    fields = {
        "name": f"Весна {NASTY}",
        "subject": "{{Имя}} і {{Unknown}}знижки",
        "body": base64.b64encode(body.encode()).decode(),
    }
    campaign = api.campaign(book, **fields)["id"]
    emulator.advance(60)
    api.campaign(book, **{**fields, "name": "Second"})
    emulator.advance(60)
    api.campaign(book, send_date="2026-03-02 18:00:00")
    event = {"email": "olena@example.com", "Сума": 12.5, "text": NASTY, "automation_id": 4711}
    api.post(f"/events/name/{NASTY.replace('/', '%2F')}", event)
    api.send("POST", "/events/id/0123456789abcdef0123456789abcdef/5", {"email": "taras@example.com"})
    emulator.faults.add("lose_answer", path="/senders")
    with pytest.raises(OSError, match="without response"):
        api.get("/senders")
    return book, campaign


def test_empty_pages(api):
    for path in ("/", "/ui", "/ui/inbox", "/ui/events", "/ui/requests"):
        assert "yet" in html(api, path)
    for path in ("/ui/books/1", "/ui/campaigns/1", "/ui/inbox/1/body", "/ui/campaigns/1/body"):
        assert api.send("GET", path).status_code == 404


def test_no_page_lets_markup_through(api, seeded):
    book, campaign = seeded
    pages = ["/", f"/ui/books/{book}", f"/ui/campaigns/{campaign}", "/ui/inbox", "/ui/events", "/ui/requests"]
    for path in [*pages, f"/ui/inbox?to={NASTY}&campaign={NASTY}&offset=-1&message=x", f"/?refresh={NASTY}"]:
        answer = html(api, path)
        assert NASTY not in answer
        assert "<script" not in answer
    assert "&lt;script&gt;" in html(api, "/")


def test_pages_need_nothing_from_elsewhere(api, seeded):
    for path in ("/", "/ui/inbox", f"/ui/campaigns/{seeded[1]}"):
        answer = api.send("GET", path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert 'rel="stylesheet"' not in answer.text
        assert 'src="http' not in answer.text


def test_overview(api, seeded):
    text = html(api, "/")
    assert "Книга" in text
    assert "Waiting for an answer to the moderator" in text
    assert 'http-equiv="refresh"' not in text
    assert 'content="2"' in html(api, "/?refresh=2")


def test_campaign_page_tells_the_way(api, seeded):
    text = html(api, f"/ui/campaigns/{seeded[1]}")
    order = [text.index(words) for words in ("Copying addresses", "Statuses being refreshed", "<b>3</b> Sent</div>")]
    assert order == sorted(order)
    assert "09:00:01 · 1.0 s" in text
    assert 'sandbox=""' in text
    planned = html(api, "/ui/campaigns/700003")
    assert "Planned for 18:00:00" in planned


def test_message_as_a_contact_sees_it(api, seeded):
    _, campaign = seeded
    text = html(api, f"/ui/inbox?campaign={campaign}&to=olena@example.com")
    assert "Олена 🌷 і знижки" in text
    assert "clicked" in text
    assert "taras@example.com" not in text
    body = api.send("GET", "/ui/inbox/1/body")
    assert "Вітаємо, Олена 🌷! [] olena@example.com" in body.text
    assert body.headers["Content-Security-Policy"].startswith("sandbox;")
    preview = html(api, f"/ui/campaigns/{campaign}/body?as=taras%40example.com")
    assert "Вітаємо, Тарас! [] taras@example.com" in preview
    assert "Тарас і знижки" in html(api, f"/ui/campaigns/{campaign}?as=taras%40example.com")


def test_events_page(api, seeded):
    text = html(api, "/ui/events")
    assert "0123456789…" in text
    assert "0123456789a" not in text
    assert "12.5 <i>number</i>" in text
    assert "4711" in text


def test_requests_page(api, seeded):
    text = html(api, "/ui/requests")
    assert "no answer" in text
    assert "carried out with 200" in text
    assert "<b>3</b> campaigns.create" in text
    assert "0123456789abcdef" not in text


def test_long_lists_come_in_parts(api):
    book = api.book(150)
    first, second = html(api, f"/ui/books/{book}"), html(api, f"/ui/books/{book}?offset=100")
    assert "reader99@example.com" in first
    assert "reader100@example.com" not in first
    assert "reader100@example.com" in second
    assert "101–150 of 150" in second


def test_looking_changes_nothing(api, emulator, seeded):
    emulator.configure(transitions="reads")
    before, total = api.control("GET", "/state"), emulator.requests.total
    for path in ("/", f"/ui/books/{seeded[0]}", "/ui/campaigns/700003", "/ui/inbox"):
        html(api, path)
    assert api.control("GET", "/state") == before
    assert emulator.requests.total == total


@pytest.mark.parametrize("path", ["/ui/campaigns/9", "/ui/books/9", "/ui/esputnik/segments/9", "/ui/inbox/9/body"])
def test_what_is_not_there_is_a_page(emulator, path):
    answer = requests.get(emulator.url + path, timeout=5)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "There is nothing here" in answer.text


def test_one_of_a_kind_is_no_plural(api, emulator):
    api.book(1)
    api.post("/events/name/cart", {"email": "a@example.com", "phone": "380501112233"})
    text = requests.get(emulator.url + "/", timeout=5).text
    for one in ("address book", "event", "request"):
        assert re.search(rf"<b>1</b> {one}\s*<", text)
    assert "1 events" not in text
