# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_create_read_rename_delete(api):
    book = api.post("/addressbooks", {"bookName": "Весна"})["id"]
    answer = api.get(f"/addressbooks/{book}")
    assert isinstance(answer, list)
    assert len(answer) == 1
    assert answer[0] == {
        "id": book,
        "name": "Весна",
        "all_email_qty": 0,
        "active_email_qty": 0,
        "inactive_email_qty": 0,
        "creationdate": "2026-03-02 09:00:00",
        "status": 0,
        "status_explain": "Active",
    }
    assert api.send("PUT", f"/addressbooks/{book}", {"name": "Літо"}).json() == {"result": True}
    assert api.get("/addressbooks")[0]["name"] == "Літо"
    assert api.send("DELETE", f"/addressbooks/{book}").json() == {"result": True}
    assert api.refused("GET", f"/addressbooks/{book}") == (404, 213)


def test_name_errors(api):
    book = api.post("/addressbooks", {"bookName": "One"})["id"]
    assert api.refused("POST", "/addressbooks", {"bookName": "One"}) == (422, 203)
    assert api.send("POST", "/addressbooks", {"name": "x"}).json()["message"] == "Argument bookName missing"
    answer = api.send("POST", "/addressbooks", {"bookName": 5})
    assert answer.json()["message"] == "Argument bookName must be string"
    other = api.post("/addressbooks", {"bookName": "Two"})["id"]
    assert api.refused("PUT", f"/addressbooks/{other}", {"name": "One"}) == (422, 203)
    assert api.refused("PUT", f"/addressbooks/{book}", {"bookName": "Three"}) == (422, 422)


def test_list_pages(api):
    for number in range(5):
        api.post("/addressbooks", {"bookName": f"Book {number}"})
    assert [book["name"] for book in api.get("/addressbooks?limit=2&offset=3")] == ["Book 3", "Book 4"]
    assert api.get("/addressbooks?offset=5") == []


def test_parameters_may_stand_in_a_body(api, emulator):
    """As SendPulse's Node client sends them; the query string has the last word."""
    for number in range(3):
        api.post("/addressbooks", {"bookName": f"Book {number}"})

    def names(path, body):
        return [book["name"] for book in api.send("GET", path, body).json()]

    assert names("/addressbooks", {"limit": 1, "offset": 1}) == ["Book 1"]
    assert names("/addressbooks?limit=2", {"limit": 1, "offset": None}) == ["Book 0", "Book 1"]
    assert api.refused("GET", "/addressbooks", {"limit": 0}) == (422, 422)
    emulator.configure(get_parameters_in_body="ignore")
    assert names("/addressbooks", {"limit": 1}) == ["Book 0", "Book 1", "Book 2"]


def test_flags_and_lists_may_stand_in_a_body(api):
    book = api.book(1)
    drafted, sent = (api.campaign(book, type=kind)["id"] for kind in ("draft", None))
    found = api.send("GET", "/campaigns", {"status": [26], "planed": False}).json()
    assert [campaign["id"] for campaign in found] == [drafted]
    assert [campaign["id"] for campaign in api.get("/campaigns?order=desc")] == [sent, drafted]
    assert api.send("GET", f"/addressbooks/{book}/emails", {"not_active": True}).json() == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=many", "offset=-1"])
def test_list_refuses_bad_paging(api, query):
    assert api.refused("GET", f"/addressbooks?{query}") == (422, 422)


def test_paths_may_have_extra_slashes(api):
    book = api.book()
    assert api.get(f"//addressbooks//{book}/")[0]["id"] == book


def test_older_and_other_shapes(api, emulator):
    book = api.book(2)
    emulator.configure(book_numbers_as_strings=True)
    answer = api.get(f"/addressbooks/{book}")[0]
    assert (answer["id"], answer["all_email_qty"], answer["status"]) == (str(book), "2", "0")
    emulator.configure(missing_book="empty_array")
    assert api.get("/addressbooks/1") == []


def test_cost(api, emulator):
    book = api.book(2)
    assert api.get(f"/addressbooks/{book}/cost")["result"] is True
    emulator.configure(balance_exhausted=True)
    assert api.get(f"/addressbooks/{book}/cost")["result"] is False
    empty = api.post("/addressbooks", {"bookName": "Empty"})["id"]
    assert api.refused("GET", f"/addressbooks/{empty}/cost") == (422, 211)


def test_variables_and_campaigns_of_a_book(api):
    book = api.book()
    assert api.get(f"/addressbooks/{book}/variables") == [{"name": "Имя", "type": "string"}]
    campaign = api.campaign(book)["id"]
    assert api.get(f"/addressbooks/{book}/campaigns") == [{"task_id": campaign, "task_name": "Spring", "task_status": 13}]


def test_book_with_an_active_campaign_stays(api, emulator):
    book = api.book()
    api.campaign(book)
    answer = api.send("DELETE", f"/addressbooks/{book}")
    assert answer.json()["message"] == "The address book has active campaign"
    emulator.advance(60)
    assert api.send("DELETE", f"/addressbooks/{book}").status_code == 200


def test_add_locks_the_book_for_a_while(api, emulator):
    book = api.post("/addressbooks", {"bookName": "B"})["id"]
    emulator.configure(book_load_seconds=5)
    api.post(f"/addressbooks/{book}/emails", {"emails": ["a@example.com"]})
    api.post(f"/addressbooks/{book}/emails", {"emails": ["b@example.com"]})
    emulator.advance(9)
    assert api.get(f"/addressbooks/{book}")[0]["status"] == 4
    emulator.advance(1)
    assert api.get(f"/addressbooks/{book}")[0]["status"] == 0


def test_late_contacts_appear_when_the_lock_ends(api, emulator):
    book = api.post("/addressbooks", {"bookName": "B"})["id"]
    emulator.configure(contacts_visible_late=True, book_load_seconds=5)
    api.post(f"/addressbooks/{book}/emails", {"emails": ["a@example.com"]})
    assert api.get(f"/addressbooks/{book}/emails/total") == {"total": 0}
    emulator.advance(5)
    assert api.get(f"/addressbooks/{book}/emails/total") == {"total": 1}


def test_lock_ends_after_reads(api, emulator):
    emulator.configure(transitions="reads", book_load_reads=2, contacts_visible_late=True)
    book = api.post("/addressbooks", {"bookName": "B"})["id"]
    api.post(f"/addressbooks/{book}/emails", {"emails": ["a@example.com"]})
    emulator.advance(1000)
    statuses = [api.get(f"/addressbooks/{book}")[0]["status"] for _ in range(3)]
    assert statuses == [4, 4, 0]
    assert api.get(f"/addressbooks/{book}")[0]["all_email_qty"] == 1


def test_lock_begins_late(api, emulator):
    emulator.configure(
        transitions="reads", book_locked_late_reads=2, book_load_reads=2, reads_per_status=2, contacts_visible_late=True
    )
    book = api.post("/addressbooks", {"bookName": "B"})["id"]
    api.post(f"/addressbooks/{book}/emails", {"emails": ["a@example.com"]})
    seen = [api.get(f"/addressbooks/{book}")[0] for _ in range(6)]
    assert [one["status"] for one in seen] == [0, 0, 4, 4, 4, 0]
    assert [one["all_email_qty"] for one in seen] == [0, 0, 0, 0, 0, 1]


def test_locked_book_can_refuse_writes_and_campaigns(api, emulator):
    book = api.book()
    emulator.configure(locked_book_writes="refuse", locked_book_campaigns="refuse", http_status_locked_book=423)
    api.post(f"/addressbooks/{book}/emails", {"emails": ["a@example.com"]})
    assert api.refused("POST", f"/addressbooks/{book}/emails", {"emails": ["b@example.com"]})[0] == 423
    assert api.refused("POST", "/campaigns", api.fields(book))[0] == 423
    emulator.advance(1)
    api.campaign(book)


def test_forced_status(api):
    book = api.book()
    api.control("PUT", f"/books/{book}/status", {"status": 3})
    assert api.get(f"/addressbooks/{book}")[0]["status"] == 3
    api.control("PUT", f"/books/{book}/status", {"status": None})
    assert api.get(f"/addressbooks/{book}")[0]["status"] == 0
