# SPDX-License-Identifier: Apache-2.0
"""Webhooks: their management, and pushes in batches to this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest

from airflow_provider_sendpulse.emulator.webhook_delivery import NotLoopback, loopback_address
from airflow_provider_sendpulse.emulator.webhook_events import ACTIONS

PATH = "/v2/email-service/webhook"


class Receiver:
    """Takes pushes, and answers with the statuses it is told, 204 once they are used up."""

    def __init__(self) -> None:
        self.pushes: list[list[dict]] = []
        self.statuses: list[int] = []
        self.meanwhile = lambda: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert (self.path, self.headers["Content-Type"]) == ("/secret?a=1", "application/json")
                receiver.pushes.append(json.loads(body))
                receiver.meanwhile()
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def events(self) -> list[dict]:
        return [event for push in self.pushes for event in push]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def subscribe(api, receiver, *actions):
    return api.post(PATH, {"url": receiver.url, "actions": list(actions or ACTIONS)})["data"]


def add(api, book, *emails, **fields):
    api.post(f"/addressbooks/{book}/emails", {"emails": list(emails), **fields})


# Management.


def test_one_row_for_each_event(api, emulator):
    made = api.post(PATH + "/", {"url": "https://site.example/callback", "actions": ["open", "spam"]})
    assert made["success"] is True
    assert [row["action"] for row in made["data"]] == ["open", "spam"]
    first = made["data"][0]
    assert first["user_id"] == emulator.settings.user_id
    assert api.get(f"{PATH}/{first['id']}") == {"success": True, "data": first}
    changed = api.send("PUT", f"{PATH}/{first['id']}", {"url": "https://site.example/other"}).json()
    assert changed == {"success": True, "data": [True]}
    assert api.send("DELETE", f"{PATH}/{first['id']}").json() == {"success": True, "data": [True]}
    assert [row["id"] for row in api.get(PATH)["data"]] == [made["data"][1]["id"]]


@pytest.mark.parametrize("name", ["actions[]", "actions", "actions[0]"])
def test_forms_are_read(api, name):
    fields = [("url", "https://site.example/a"), (name, "open"), (name.replace("0", "1"), "delete")]
    headers = {**api.headers, "Content-Type": "application/x-www-form-urlencoded"}
    answer = api.send("POST", PATH, headers=headers, data=urlencode(fields))
    assert [row["action"] for row in answer.json()["data"]] == ["open", "delete"]


def test_the_nested_envelope(api, emulator):
    emulator.configure(webhook_envelope="nested")
    made = api.post(PATH, {"url": "https://site.example/a", "actions": ["open"]})
    assert made["data"]["result"] is True
    assert api.get(PATH) == made


@pytest.mark.parametrize(("twice", "rows"), [("duplicate", 2), ("same", 1)])
def test_subscribing_again(api, emulator, twice, rows):
    emulator.configure(webhook_twice=twice)
    for _ in range(2):
        api.post(PATH, {"url": "https://site.example/a", "actions": ["open"]})
    assert len(api.get(PATH)["data"]) == rows


@pytest.mark.parametrize(
    ("setting", "stored"),
    [
        ("kept", "HTTPS://Site.example:443/A?b=c"),
        ("slash", "https://Site.example:443/A/?b=c"),
        ("normal", "https://site.example/A?b=c"),
        ("cut", "https://Site.example:443/A"),
    ],
)
def test_stored_urls(api, emulator, setting, stored):
    emulator.configure(webhook_urls=setting)
    [row] = api.post(PATH, {"url": "HTTPS://Site.example:443/A?b=c", "actions": ["open"]})["data"]
    assert row["url"] == stored
    api.send("PUT", f"{PATH}/{row['id']}", {"url": "HTTPS://Site.example:443/A?b=c"})
    assert api.get(f"{PATH}/{row['id']}")["data"]["url"] == stored


@pytest.mark.parametrize(("setting", "action"), [("ignore", "open"), ("replace", "spam")])
def test_actions_of_an_update(api, emulator, setting, action):
    emulator.configure(webhook_update_actions=setting)
    [row] = api.post(PATH, {"url": "https://site.example/a", "actions": ["open"]})["data"]
    api.send("PUT", f"{PATH}/{row['id']}", {"url": "https://site.example/b", "actions": ["spam"]})
    assert api.get(f"{PATH}/{row['id']}")["data"] == {**row, "url": "https://site.example/b", "action": action}


def test_deleting_again(api, emulator):
    [row] = api.post(PATH, {"url": "https://site.example/a", "actions": ["open"]})["data"]
    api.send("DELETE", f"{PATH}/{row['id']}")
    assert api.refused("DELETE", f"{PATH}/{row['id']}") == (404, 404)
    emulator.configure(webhook_delete_again="accept")
    assert api.send("DELETE", f"{PATH}/{row['id']}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"actions": ["open"]},
        {"url": "https://site.example/a"},
        {"url": "site.example", "actions": ["open"]},
        {"url": "https://site.example/a", "actions": ["opened"]},
        {"url": "https://site.example/a", "actions": "open"},
        {"url": 7, "actions": ["open"]},
    ],
    ids=str,
)
def test_refusals(api, body):
    assert api.refused("POST", PATH, body) == (422, 422)


# Pushes.


def test_a_push_is_due_a_minute_after_its_first_event(api, emulator, receiver):
    subscribe(api, receiver, "new_emails")
    book = api.book(0)
    add(api, book, "ada@example.com")
    emulator.advance(30)
    add(api, book, "bea@example.com")
    emulator.advance(29)
    assert receiver.pushes == []
    emulator.advance(1)
    assert [event["email"] for event in receiver.events] == ["ada@example.com", "bea@example.com"]
    emulator.advance(600)
    assert len(receiver.pushes) == 1


def test_or_with_the_hundredth_event(api, emulator, receiver):
    subscribe(api, receiver, "new_emails")
    add(api, api.book(0), *(f"a{number}@example.com" for number in range(250)))
    emulator.advance(0)
    assert [len(push) for push in receiver.pushes] == [100, 100]
    emulator.advance(60)
    assert [len(push) for push in receiver.pushes] == [100, 100, 50]
    assert Counter(Counter(event["email"] for event in receiver.events).values()) == {1: 250}


def test_only_what_was_subscribed_to(api, emulator, receiver):
    book = api.book(0)
    add(api, book, "early@example.com")
    subscribe(api, receiver, "delete")
    add(api, book, "ada@example.com")
    api.send("DELETE", f"/addressbooks/{book}/emails", {"emails": ["ada@example.com"]})
    emulator.advance(60)
    assert [event["event"] for event in receiver.events] == ["delete"]


def test_what_becomes_of_messages(api, emulator, receiver):
    subscribe(api, receiver)
    fates = {0: 2, 1: 3, 2: 4, 3: 5, 4: 6, 5: 10, 6: 11, 7: 13}
    emulator.configure(
        outcomes={f"reader{number}@example.com": fate for number, fate in fates.items()}, moderation_from_recipients=1
    )
    campaign = api.campaign(api.book(8))["id"]
    emulator.advance(600)
    told = [(event["email"].removesuffix("@example.com"), event["event"]) for event in receiver.events if "email" in event]
    assert sorted(told) == [
        ("reader0", "delivered"),
        ("reader1", "delivered"),
        ("reader1", "open"),
        ("reader2", "delivered"),
        ("reader2", "open"),
        ("reader2", "redirect"),
        ("reader3", "delivered"),
        ("reader3", "open"),
        ("reader3", "unsubscribe"),
        ("reader4", "hard_bounces"),
        ("reader5", "soft_bounces"),
        ("reader6", "delivered"),
        ("reader6", "spam"),
    ]
    by_event = {event["event"]: event for event in receiver.events}
    older, newer = ("open", "redirect", "unsubscribe", "spam"), ("delivered", "hard_bounces", "soft_bounces")
    assert {type(by_event[name][key]) for name in older for key in ("task_id", "timestamp")} == {str}
    assert {type(by_event[name][key]) for name in newer for key in ("task_id", "timestamp")} == {int}
    assert {int(event["task_id"]) for event in receiver.events} == {campaign}
    assert by_event["redirect"] | {"link_url": "https://shop.example/a?b=1", "link_id": 1} == by_event["redirect"]
    assert (by_event["unsubscribe"]["from_all"], by_event["unsubscribe"]["reason"]) == (0, None)
    assert by_event["hard_bounces"]["smtp_server_response_code"] == 550


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        (3, ["on_moderation", "approve", "sending"]),
        (5, ["on_moderation", "rejected"]),
        (11, ["on_moderation", "confirm_addresses"]),
        (27, ["on_moderation", "need_edit"]),
        (23, ["on_moderation", "approve", "sending", "approve_part"]),
    ],
)
def test_moderation(api, emulator, receiver, outcome, statuses):
    subscribe(api, receiver, "task_status_update")
    emulator.configure(next_campaign_outcomes=[outcome])
    book = api.book(2)
    campaign = api.campaign(book)["id"]
    emulator.advance(600)
    assert [event["status"] for event in receiver.events] == statuses
    assert {(event["task_id"], event["book_id"]) for event in receiver.events} == {(str(campaign), str(book))}


def test_contacts_that_come_and_go(api, emulator, receiver):
    subscribe(api, receiver)
    book = api.book(2)
    add(api, book, {"email": "ada@example.com", "variables": {"Name": "Ada"}})
    add(api, book, "ada@example.com")
    add(api, book, "quiet@example.com", disable_webhook=True)
    api.control("PUT", f"/books/{book}/contacts", {"email": "reader0@example.com", "status": 6})
    api.send("DELETE", "/emails/reader1%40example.com")
    add(api, book, "bea@example.com", confirmation="force", sender_email="shop@example.com")
    api.control("POST", "/confirmations", {"book_id": book, "email": "bea@example.com"})
    emulator.advance(60)
    told = [(event["event"], event["email"], event["book_id"]) for event in receiver.events]
    assert told == [
        ("new_emails", "ada@example.com", str(book)),
        ("unsubscribe", "reader0@example.com", str(book)),
        ("delete", "reader1@example.com", str(book)),
        ("new_emails", "bea@example.com", str(book)),
    ]
    assert [event["source"] for event in receiver.events if "source" in event] == ["address book", "subscription form"]
    assert [event["variables"] for event in receiver.events if "source" in event] == [{"Name": "Ada"}, []]
    assert receiver.events[1]["from_all"] == 1


@pytest.mark.parametrize(("is_told", "emails"), [(False, []), (True, ["reader0@example.com"])])
def test_unsubscribing_by_a_call(api, emulator, receiver, is_told, emails):
    emulator.configure(webhook_tells_api_unsubscribe=is_told)
    subscribe(api, receiver, "unsubscribe")
    api.post(f"/addressbooks/{api.book(1)}/emails/unsubscribe", {"emails": ["reader0@example.com"]})
    emulator.advance(60)
    assert [event["email"] for event in receiver.events] == emails


@pytest.mark.parametrize("setting", [{"webhook_batch_events": 0}, {"webhook_attempts": 0}], ids=str)
def test_settings_that_cannot_be(api, setting):
    assert api.send("PUT", "/__emulator__/settings", setting).status_code == 400


def test_an_event_by_hand(api, emulator, receiver):
    subscribe(api, receiver, "task_status_update")
    event = {"event": "task_status_update", "status": "only_active", "task_id": "7"}
    api.control("POST", "/webhooks/events", event)
    api.control("POST", "/clock/advance", {"seconds": 60})
    assert receiver.events == [event]


def test_what_is_not_answered_with_2xx_comes_again(api, emulator, receiver):
    subscribe(api, receiver, "new_emails")
    receiver.statuses = [500, 302, 200]
    add(api, api.book(0), "ada@example.com")
    emulator.advance(60)
    assert len(receiver.pushes) == 1
    emulator.advance(120)
    assert len(receiver.pushes) == 3
    assert receiver.pushes[0] == receiver.pushes[2]
    deliveries = api.control("GET", "/state")["webhooks"]["deliveries"]
    assert [(delivery["attempt"], delivery["status"]) for delivery in deliveries] == [(1, 500), (2, 302), (3, 200)]


def test_and_is_given_up_in_the_end(api, emulator, receiver):
    emulator.configure(webhook_attempts=2, webhook_retry_seconds=10)
    subscribe(api, receiver, "new_emails")
    receiver.statuses = [500] * 5
    add(api, api.book(0), "ada@example.com")
    emulator.advance(3600)
    assert len(receiver.pushes) == 2
    assert api.control("GET", "/state")["webhooks"]["retries"] == 0


def test_duplicates_and_disorder(api, emulator, receiver):
    emulator.configure(webhook_duplicate_share=0.5, webhook_order="shuffled")
    subscribe(api, receiver, "new_emails")
    emails = [f"a{number}@example.com" for number in range(40)]
    add(api, api.book(0), *emails)
    emulator.advance(60)
    told = [event["email"] for event in receiver.events]
    assert set(told) == set(emails)
    assert 40 < len(told) < 80
    assert list(dict.fromkeys(told)) != emails


def test_a_push_with_duplicates_is_no_longer(api, emulator, receiver):
    emulator.configure(webhook_duplicate_share=0.5)
    subscribe(api, receiver, "new_emails")
    emails = [f"a{number}@example.com" for number in range(250)]
    add(api, api.book(0), *emails)
    emulator.advance(120)
    assert max(map(len, receiver.pushes)) == 100
    assert {event["email"] for event in receiver.events} == {*emails}
    assert len(receiver.events) > 300


def test_a_receiver_may_call_the_emulator(api, emulator, receiver):
    subscribe(api, receiver, "new_emails")
    read = []
    receiver.meanwhile = lambda: read.append(api.get("/balance")["currency"])
    add(api, api.book(0), "ada@example.com")
    api.control("POST", "/clock/advance", {"seconds": 60})
    assert read == ["USD"]


def test_a_real_clock_pushes_by_itself(api, emulator, receiver):
    told = threading.Event()
    receiver.meanwhile = told.set
    emulator.configure(clock="real", webhook_batch_seconds=0.0)
    subscribe(api, receiver, "new_emails")
    add(api, api.book(0), "ada@example.com")
    assert told.wait(10)


def test_nobody_listens(api, emulator):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        api.post(PATH, {"url": url, "actions": ["new_emails"]})
        add(api, api.book(0), "ada@example.com")
        emulator.advance(120)
    deliveries = api.control("GET", "/state")["webhooks"]["deliveries"]
    assert [delivery["status"] for delivery in deliveries] == [None, None]
    assert "Refused" in deliveries[0]["error"]


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/a",
        "http://example.com/a",
        "https://127.0.0.1/a",
        "http://127.0.0.1.example.com/a",
        "http://localhost.example.com/",
        "http://0.0.0.0/",
        "http://[::ffff:192.0.2.1]/",
        "http://127.0.0.1@192.0.2.1/",
        "http://127.1/",
    ],
)
def test_no_other_machine_is_pushed_to(api, emulator, url):
    with pytest.raises(NotLoopback):
        loopback_address(url)
    api.post(PATH, {"url": url, "actions": ["new_emails"]})
    add(api, api.book(0), "ada@example.com")
    emulator.advance(3600)
    [delivery] = api.control("GET", "/state")["webhooks"]["deliveries"]
    assert (delivery["status"], delivery["attempt"]) == (None, 1)
    assert "this machine" in delivery["error"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_is(host):
    address, port = loopback_address(f"http://{host}:8080/x")
    assert port == 8080
    assert address.startswith("127.") or address == "::1"
