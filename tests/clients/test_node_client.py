# SPDX-License-Identifier: Apache-2.0
"""SendPulse's Node client works against the emulator: every method of its email and transactional parts."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign_clients import ForeignClient, called_in, from_npm

PACKAGE = "sendpulse-api@1.1.7"
DRIVER = Path(__file__).with_name("drive_node_client.cjs")
ADA, BEA = "ada@example.com", "bea+news@example.com"
SHOP = {"name": "Shop", "email": "shop@example.com"}


@pytest.fixture(scope="module")
def modules() -> Iterator[str]:
    with from_npm(PACKAGE) as folder:
        yield folder


@pytest.fixture
def node(emulator: Any, modules: str, tmp_path: Path) -> Iterator[ForeignClient]:
    with ForeignClient(["node", str(DRIVER), emulator.url, modules]) as client:
        client("init", emulator.settings.client_id, emulator.settings.client_secret, f"{tmp_path}/")
        yield client


@pytest.fixture
def book(node: ForeignClient) -> int:
    """A book with two contacts."""
    book_id = int(node("createAddressBook", "Readers")["id"])
    contacts = [{"email": ADA, "variables": {"Ім'я": "Ада 😀", "Age": 36, "Phone": "380501112233"}}]
    assert node("addEmails", book_id, contacts) == {"result": True}
    assert node("addEmails", book_id, [BEA]) == {"result": True}
    return book_id


def test_address_books(node: ForeignClient, emulator: Any) -> None:
    first, second = (node("createAddressBook", name)["id"] for name in ("First", "Second"))
    assert [item["name"] for item in node("listAddressBooks")] == ["First", "Second"]
    assert [item["id"] for item in node("listAddressBooks", 1, 1)] == [second]
    assert node("editAddressBook", first, "Readers") == {"result": True}
    assert [item["name"] for item in node("getBookInfo", first)] == ["Readers"]
    assert node("removeAddressBook", second) == {"result": True}
    assert [item.id for item in emulator.state.books] == [first]
    assert node("getBookInfo", second)["error_code"] == 213


def test_contacts(node: ForeignClient, emulator: Any, book: int) -> None:
    contacts = emulator.state.books.get(book).contacts
    assert contacts[ADA].variables == {"Ім'я": "Ада 😀", "Age": 36}
    assert contacts[ADA].phone == "380501112233"
    assert [item["email"] for item in node("getEmailsFromBook", book)] == [ADA, BEA]
    assert node("updateEmailVariables", book, ADA, [{"name": "City", "type": "string", "value": "Львів"}])["result"]
    shown = {item["name"]: item["value"] for item in node("getEmailInfo", book, ADA)["variables"]}
    assert shown == {"Ім'я": "Ада 😀", "Age": 36, "City": "Львів"}
    assert [item["book_id"] for item in node("getEmailGlobalInfo", BEA)] == [book]
    assert node("removeEmails", book, [ADA]) == {"result": True}
    assert node("removeEmailFromAllBooks", BEA) == {"result": True}
    assert contacts == {}


def test_campaigns(node: ForeignClient, emulator: Any, book: int) -> None:
    assert node("campaignCost", book)["sent_emails_qty"] == 2
    sent = (SHOP["name"], SHOP["email"], "Вітаємо 😀")
    body = "<p>Вітаємо! <a href='https://shop.example/'>Shop</a></p>"
    campaign = node("createCampaign", *sent, body, book, "Spring", {"a.txt": "text"})["id"]
    other = node("createCampaign", *sent, body, book)["id"]
    content = emulator.state.campaigns.get(campaign).content
    assert (content.subject, content.body, content.attachments) == (sent[2], body, ["a.txt"])
    assert [item["id"] for item in node("listCampaigns")] == [campaign, other]
    assert [item["id"] for item in node("listCampaigns", 1, 1)] == [other]
    assert node("cancelCampaign", other) == {"result": True}
    assert [node("getCampaignInfo", campaign)["status"] for _ in range(4)] == [13, 2, 7, 3]
    assert [item["link"] for item in node("campaignStatByReferrals", campaign)] == ["https://shop.example/"]
    opened = sum(message.opened_at is not None for message in emulator.state.mailbox.of_campaign(campaign))
    assert sum(dict(node("campaignStatByCountries", campaign)).values()) == opened
    assert node("emailStatByCampaigns", ADA)["statistic"]["sent"] == 1
    assert node("cancelCampaign", campaign)["error_code"] == 602
    assert {message["to"] for message in emulator.inbox()} == {ADA, BEA}


def test_templates(node: ForeignClient, emulator: Any) -> None:
    emulator.configure(templates_default_owner="me")  # the client has no way to name an owner
    made = emulator.state.templates.create("<p>Вітаємо</p>", "Spring", "ua")
    assert [item["real_id"] for item in node("listEmailTemplates")] == [made.real_id]
    for template_id in (made.id, made.real_id):
        read = node("getEmailTemplate", template_id)
        assert base64.b64decode(read["body"]).decode() == "<p>Вітаємо</p>"


def test_senders(node: ForeignClient, emulator: Any) -> None:
    new = "news@shop.example"
    assert node("addSender", "News", new) == {"result": True}
    assert node("getSenderActivationMail", new)["error_code"] == 1004  # the first code is on its way
    emulator.advance(901)
    assert node("getSenderActivationMail", new) == {"result": True, "email": new}
    code = next(sender.code for sender in emulator.state.senders if sender.email == new)
    assert node("activateSender", new, code) == {"result": True, "email": new}
    assert [(item["email"], item["status"]) for item in node("listSenders")][1] == (new, "Active")
    assert node("removeSender", new) == {"result": True}
    assert emulator.state.senders.active(new) is None


def test_blacklist_and_balance(node: ForeignClient, emulator: Any) -> None:
    assert node("addToBlackList", f"{ADA},{BEA}", "asked by mail") == {"result": True}
    assert emulator.state.blacklist == {ADA: "asked by mail", BEA: "asked by mail"}
    assert node("removeFromBlackList", ADA) == {"result": True}
    assert node("getBlackList") == [BEA]
    assert node("getBalance") == {"currency": "USD", "balance_currency": 14.36}
    assert node("getBalance", "uah")["currency"] == "UAH"


def test_transactional_messages(node: ForeignClient, emulator: Any) -> None:
    email = {"subject": "Рахунок 😀", "from": SHOP, "to": [{"name": "Ada", "email": ADA}]}
    html = {"html": "<p>Дякуємо 😀</p>", "text": "Дякуємо", "bcc": [{"email": BEA}], "attachments": {"a.txt": "x"}}
    first = node("smtpSendMail", {**email, **html})["id"]
    template = emulator.state.templates.create("<p>{{what}}</p>", "Invoice", "en")
    filled = {"template": {"id": template.real_id, "variables": {"what": "Сума"}}}
    second = node("smtpSendMail", {**email, **filled})["id"]
    told = [(message["to"], message["subject"], message["body"]) for message in emulator.inbox()]
    assert told == [
        (ADA, email["subject"], html["html"]),
        (BEA, email["subject"], html["html"]),
        (ADA, email["subject"], "<p>Сума</p>"),
    ]
    assert node("smtpGetEmailInfoById", first)["recipient"] == ADA
    assert len(node("smtpListEmails")) == 3
    assert [item["recipient"] for item in node("smtpListEmails", 10, 0, None, None, None, BEA)] == [BEA]
    assert [item["id"] for item in node("smtpListEmails", 1, 0, None, None, SHOP["email"])] == [second]
    assert node("smtpListEmails", 10, 0, "2000-01-01", "2000-01-02") == []


def test_transactional_account(node: ForeignClient, emulator: Any) -> None:
    assert node("smtpUnsubscribeEmails", [{"email": ADA, "comment": "asked"}, {"email": BEA}]) == {"result": True}
    assert node("smtpRemoveFromUnsubscribe", [BEA]) == {"result": True}
    assert list(emulator.state.smtp.unsubscribed) == [ADA]
    assert node("smtpListIP") == emulator.settings.smtp_ips
    assert node("smtpAddDomain", "me@shop.example") == {"result": True}
    assert node("smtpVerifyDomain", "me@shop.example") == {"result": True}
    assert node("smtpListAllowedDomains") == ["shop.example"]


def test_calls_without_a_method_of_their_own(node: ForeignClient, emulator: Any, book: int) -> None:
    event = {"email": ADA, "products": [{"id": 1, "name": "Книга"}]}
    assert node("sendRequest", "events/name/cart_left", "POST", event) == {"result": True}
    assert node("sendRequest", f"addressbooks/{book}/emails", "GET", {"limit": 1, "order": "desc"})[0]["email"] == BEA
    assert node("sendRequest", "a360/autoresponders/list", "GET", {"limit": 1}) == {"data": []}
    hooks = {"url": "https://shop.example/hook", "actions": ["open", "spam"]}
    assert len(node("sendRequest", "v2/email-service/webhook/", "POST", hooks)["data"]) == 2
    [received] = emulator.state.events
    assert received.name == "cart_left"


def test_tokens(node: ForeignClient, emulator: Any, tmp_path: Path) -> None:
    account = (emulator.settings.client_id, emulator.settings.client_secret, f"{tmp_path}/")
    kept = node("init", *account)
    assert [file.read_text() for file in tmp_path.iterdir() if file.is_file()] == [kept]
    assert emulator.state.tokens.issued == 1
    with emulator.emulator.lock:
        emulator.state.tokens.revoke_all()
    assert node("createAddressBook", "Readers") == {"id": 1001}
    assert node("getToken") != kept
    assert emulator.requests.counts()["tokens.issue"] == 3


def test_wrong_secret(emulator: Any, modules: str, tmp_path: Path) -> None:
    with ForeignClient(["node", str(DRIVER), emulator.url, modules]) as client:
        answer = client("init", emulator.settings.client_id, "wrong", f"{tmp_path}/")
    assert answer == {"is_error": 1, "message": "Invalid credentials"}
    assert emulator.requests.counts() == {"tokens.issue": 1}


def test_every_method_is_tried(node: ForeignClient) -> None:
    mails = {name for name in node("methods") if not name.startswith("sms")}
    assert len(mails) > 40
    assert called_in(__file__, "node") - {"methods"} == mails
