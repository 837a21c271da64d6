# SPDX-License-Identifier: Apache-2.0
"""SendPulse's Python client works against the emulator, as far as it works at all."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from foreign_clients import ForeignClient, called_in, from_pip

# What it asks for as python3-memcached would have to be built first; this is the same module, ready to use.
PACKAGES = ("pysendpulse==0.1.8", "python-memcached==1.62")
DRIVER = Path(__file__).with_name("drive_python_client.py")
ADA, BEA = "ada@example.com", "bea+news@example.com"
SHOP = {"name": "Shop", "email": "shop@example.com"}

UNENCODED = "TypeError", "it hands text to base64.b64encode, which takes bytes"
BROKEN: list[tuple[str, tuple[Any, ...], tuple[str, str]]] = [
    ("add_campaign", (SHOP["email"], SHOP["name"], "Subject", "<p>Body</p>", 1001), UNENCODED),
    ("add_email_to_blacklist", (ADA, "asked"), UNENCODED),
    ("delete_email_from_blacklist", (ADA,), UNENCODED),
    (
        "smtp_send_mail",
        ({"subject": "Hi", "from": SHOP, "to": [{"email": ADA}], "text": "Hi"},),
        ("KeyError", "it reads html of a message that has only text"),
    ),
]
"""Method, what it is given, and what it raises before it asks anything of SendPulse, with the reason."""


@pytest.fixture(scope="module")
def process(served_emulator: Any) -> Iterator[ForeignClient]:
    command = [sys.executable, str(DRIVER), served_emulator.url]
    with from_pip(*PACKAGES) as folder, ForeignClient(command, PYTHONPATH=folder) as client:
        yield client


@pytest.fixture
def python(emulator: Any, process: ForeignClient, tmp_path: Path) -> ForeignClient:
    """A client of its own for each test."""
    assert process("init", *account(emulator, tmp_path)) is None
    return process


def account(emulator: Any, folder: Path) -> tuple[str, str, str, str]:
    return emulator.settings.client_id, emulator.settings.client_secret, "FILE", f"{folder}/"


@pytest.fixture
def book(python: ForeignClient) -> int:
    """A book with two contacts."""
    book_id = int(python("add_addressbook", "Readers")["id"])
    contacts = [{"email": ADA, "variables": {"Ім'я": "Ада 😀", "Age": 36}}, {"email": BEA}]
    assert python("add_emails_to_addressbook", book_id, contacts) == {"result": True}
    return book_id


def test_address_books(python: ForeignClient, emulator: Any) -> None:
    first, second = (python("add_addressbook", name)["id"] for name in ("First", "Second"))
    assert python("edit_addressbook", first, "Readers") == {"result": True}
    assert [item["name"] for item in python("get_addressbook_info", first)] == ["Readers"]
    assert python("delete_addressbook", second) == {"result": True}
    assert [item.id for item in emulator.state.books] == [first]
    assert python("get_addressbook_info", second)["data"]["http_code"] == 404


def test_limits_of_lists_are_lost(python: ForeignClient, book: int) -> None:
    """They go out as one JSON text in place of a query string, so every list is a first page of its own length."""
    other = python("add_addressbook", "Second")["id"]
    assert [item["id"] for item in python("get_list_of_addressbooks", 1, 1)] == [book, other]
    assert len(python("get_emails_from_addressbook", book, 1, 1)) == 2


def test_contacts(python: ForeignClient, emulator: Any, book: int) -> None:
    contacts = emulator.state.books.get(book).contacts
    assert contacts[ADA].variables == {"Ім'я": "Ада 😀", "Age": 36}
    assert [item["email"] for item in python("get_emails_from_addressbook", book)] == [ADA, BEA]
    assert python("get_addressbook_variables", book)[1] == {"name": "Age", "type": "number"}
    assert python("set_variables_for_email", book, ADA, [{"name": "City", "value": "Львів"}]) == {"result": True}
    shown = {item["name"]: item["value"] for item in python("get_email_info_from_one_addressbooks", book, ADA)["variables"]}
    assert shown == {"Ім'я": "Ада 😀", "Age": 36, "City": "Львів"}
    assert [item["book_id"] for item in python("get_email_info_from_all_addressbooks", BEA)] == [book]
    assert python("delete_emails_from_addressbook", book, [ADA]) == {"result": True}
    assert python("delete_email_from_all_addressooks", BEA) == {"result": True}
    assert contacts == {}


def test_campaigns_made_elsewhere(python: ForeignClient, emulator: Any, book: int) -> None:
    content = {"sender": SHOP, "subject": "Hi", "body": "<p>Hi! <a href='https://shop.example/'>Shop</a></p>"}
    campaign, other = (made(emulator, book, name, **content) for name in ("Spring", "Summer"))
    assert python("get_campaign_cost", book)["sent_emails_qty"] == 2
    assert [item["id"] for item in python("get_list_of_campaigns")] == [campaign, other]
    assert python("cancel_campaign", other) == {"result": True}
    assert [python("get_campaign_info", campaign)["status"] for _ in range(4)] == [13, 2, 7, 3]
    assert [item["link"] for item in python("get_campaign_stat_by_referrals", campaign)] == ["https://shop.example/"]
    opened = sum(message.opened_at is not None for message in emulator.state.mailbox.of_campaign(campaign))
    assert sum(dict(python("get_campaign_stat_by_countries", campaign)).values()) == opened
    assert python("get_email_statistic_by_campaigns", ADA)["statistic"]["sent"] == 1
    assert python("get_emails_stat_by_campaigns", [ADA, BEA])[BEA]["sent"] == 1


def made(emulator: Any, book: int, name: str, sender: dict[str, str], subject: str, body: str) -> int:
    """Make a campaign in the emulator's dashboard."""
    fields = {"name": name, "sender_name": sender["name"], "sender_email": sender["email"], "subject": subject}
    fields.update(body=base64.b64encode(body.encode()).decode(), list_id=book)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{emulator.url}/__emulator__/campaigns", json=fields, timeout=5)
    return int(answer.json()["id"])


def test_senders(python: ForeignClient, emulator: Any) -> None:
    new = "news@shop.example"
    assert python("add_sender", new, "News") == {"result": True}
    assert python("send_sender_activation_email", new)["data"]["http_code"] == 422  # the first code is on its way
    emulator.advance(901)
    assert python("send_sender_activation_email", new) == {"result": True, "email": new}
    code = next(sender.code for sender in emulator.state.senders if sender.email == new)
    assert python("activate_sender", new, code) == {"result": True, "email": new}
    assert [(item["email"], item["status"]) for item in python("get_list_of_senders")][1] == (new, "Active")
    assert python("delete_sender", new) == {"result": True}
    assert emulator.state.senders.active(new) is None


def test_blacklist_and_balance(python: ForeignClient, emulator: Any) -> None:
    with emulator.emulator.lock:
        emulator.state.blacklist[ADA] = ""
    assert python("get_emails_in_blacklist") == [ADA]
    assert python("get_balance") == {"currency": "USD", "balance_currency": 14.36}
    assert python("get_balance", "uah")["currency"] == "UAH"


def test_transactional_messages(python: ForeignClient, emulator: Any) -> None:
    email = {"subject": "Рахунок 😀", "from": SHOP, "to": [{"name": "Ada", "email": ADA}]}
    html = {"html": "<p>Дякуємо 😀</p>", "text": "Дякуємо", "bcc": [{"email": BEA}], "attachments": {"a.txt": "x"}}
    first = python("smtp_send_mail", {**email, **html})["id"]
    template = emulator.state.templates.create("<p>{{what}}</p>", "Invoice", "en")
    filled = {"template": {"id": template.real_id, "variables": {"what": "Сума"}}}
    assert python("smtp_send_mail_with_template", {**email, **filled})["result"]
    told = [(message["to"], message["subject"], message["body"]) for message in emulator.inbox()]
    assert told == [
        (ADA, email["subject"], html["html"]),
        (BEA, email["subject"], html["html"]),
        (ADA, email["subject"], "<p>Сума</p>"),
    ]
    assert python("smtp_get_email_info_by_id", first)["recipient"] == ADA
    assert len(python("smtp_get_list_of_emails")) == 3


def test_transactional_account(python: ForeignClient, emulator: Any) -> None:
    assert python("smtp_add_emails_to_unsubscribe", [{"email": ADA, "comment": "asked"}, {"email": BEA}])["result"]
    assert python("smtp_delete_emails_from_unsubscribe", [BEA]) == {"result": True}
    assert list(emulator.state.smtp.unsubscribed) == [ADA]
    assert python("smtp_get_list_of_ip") == emulator.settings.smtp_ips
    assert python("smtp_add_domain", "me@shop.example") == {"result": True}
    assert python("smtp_verify_domain", "me@shop.example") == {"result": True}
    assert python("smtp_get_list_of_allowed_domains") == ["shop.example"]


def test_events(python: ForeignClient, emulator: Any) -> None:
    event = {"email": ADA, "products": [{"id": 1, "name": "Книга"}]}
    assert python("send_event", "cart_left", event) == {"result": True}
    [received] = emulator.state.events
    assert received.name == "cart_left"


def test_tokens(python: ForeignClient, emulator: Any, tmp_path: Path) -> None:
    with emulator.emulator.lock:
        emulator.state.tokens.revoke_all()
    assert python("add_addressbook", "Readers") == {"id": 1001}
    assert emulator.requests.counts()["tokens.issue"] == 2
    # The next client reads the token from its file as bytes, is refused, and asks for a new one.
    assert python("init", *account(emulator, tmp_path)) is None
    assert [item["name"] for item in python("get_list_of_addressbooks")] == ["Readers"]
    assert emulator.requests.counts()["tokens.issue"] == 3


def test_wrong_secret(emulator: Any, process: ForeignClient, tmp_path: Path) -> None:
    client_id, _, *storage = account(emulator, tmp_path)
    assert "Could not connect to API" in process("init", client_id, "wrong", *storage)["message"]
    assert emulator.requests.counts() == {"tokens.issue": 1}


@pytest.mark.parametrize(("method", "given", "why"), BROKEN, ids=[method for method, *_ in BROKEN])
def test_broken(python: ForeignClient, emulator: Any, method: str, given: tuple[Any, ...], why: tuple[str, str]) -> None:
    """If one of these works one day, it belongs among the others."""
    before = emulator.requests.counts()
    assert python(method, *given)["raised"] == why[0], why[1]
    assert emulator.requests.counts() == before


def test_every_method_is_tried(python: ForeignClient) -> None:
    mails = {name for name in python("methods") if not name.startswith(("sms_", "push_"))}
    assert len(mails) > 40
    assert called_in(__file__, "python") - {"methods", "init"} | {method for method, *_ in BROKEN} == mails
