# SPDX-License-Identifier: Apache-2.0
"""Transactional messages, through a socket."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from emulated_account import count, sent

from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, Throttled
from airflow_provider_sendpulse.sendpulse import smtp
from airflow_provider_sendpulse.sendpulse.smtp import Message, Person

ADA, BEA = "ada@example.com", "bea@example.com"
SHOP = Person("shop@example.com", "Крамниця")


def message(**changes):
    fields = {"subject": "Рахунок 🧾", "sender": SHOP, "to": [Person(ADA, "Ада")], "html": "<b>Дякуємо</b>", **changes}
    return Message(**fields)


@pytest.fixture(autouse=True)
def delivered(emulator):
    emulator.configure(bounce_share=0.0, open_share=0.0)


def test_send(either, emulator):
    message_id = either.send(smtp.send(message(text="Дякуємо")))
    assert [entry["subject"] for entry in emulator.inbox(ADA)] == ["Рахунок 🧾"]
    found = either.send(smtp.read(message_id))
    assert (found.recipient, found.sender, found.subject) == (ADA, SHOP.email, "Рахунок 🧾")
    assert (found.smtp_answer_code, found.smtp_answer_code_explain) == (250, "Delivered")


def test_what_is_sent(client, emulator):
    call = smtp.send(
        message(
            text="t",
            auto_plain_text=True,
            cc=[Person(BEA)],
            reply_to=Person(BEA, "Bea"),
            attachments={"a.txt": "text", "b.bin": b"\x00\xff"},
        )
    )
    assert call.reaches_people
    client.send(call)
    [body] = sent(emulator, "smtp.send")
    assert body["email"] == {
        "subject": "Рахунок 🧾",
        "from": {"name": "Крамниця", "email": SHOP.email},
        "to": [{"name": "Ада", "email": ADA}],
        "cc": [{"email": BEA}],
        "reply_to": {"name": "Bea", "email": BEA},
        "html": base64.b64encode("<b>Дякуємо</b>".encode()).decode(),
        "text": "t",
        "auto_plain_text": True,
        "attachments": {"a.txt": "text"},
        "attachments_binary": {"b.bin": "AP8="},
    }
    assert [entry["attachments"] for entry in emulator.inbox()] == [["a.txt", "b.bin"]] * 2


def test_a_template_is_filled(client, emulator):
    with emulator.emulator.lock:
        template = emulator.state.templates.create("<p>{{order}}</p>", "Invoice", "en")
    client.send(smtp.send(message(html=None, template_id=template.real_id, template_variables={"order": "A-1"})))
    assert [entry["body"] for entry in emulator.inbox(ADA)] == ["<p>A-1</p>"]


@pytest.mark.parametrize("fault", ["lose_answer", "cut_answer", "drop"])
def test_sending_is_not_repeated_in_doubt(either, emulator, fault):
    emulator.faults.add(fault, operation="smtp.send")
    with pytest.raises(AmbiguousOutcome):
        either.send(smtp.send(message()))
    assert count(emulator, "smtp.send") == 1


def test_a_message_in_doubt_is_found_by_its_recipient_and_subject(client, emulator):
    emulator.faults.add("lose_answer", operation="smtp.send")
    with pytest.raises(AmbiguousOutcome):
        client.send(smtp.send(message()))
    [found] = client.pages(smtp.list(recipient=ADA, since=dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=1)))
    assert found.subject == "Рахунок 🧾"
    assert [*client.pages(smtp.list(recipient=BEA))] == []


@pytest.mark.parametrize(("sending", "seconds"), [("limited", 900.0), ("over_quota", 3600.0)])
def test_a_quota_that_only_its_text_tells(either, emulator, sending, seconds):
    emulator.configure(smtp_sending=sending)
    with pytest.raises(Throttled) as caught:
        either.send(smtp.send(message()))
    assert (caught.value.error_code, caught.value.retry_after) == (422, seconds)
    assert emulator.inbox() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender": Person("nobody@example.com", "N")}, 422),
        ({"sender": Person("", "N")}, 10),
        ({"to": [Person("ada")]}, 422),
        ({"to": [Person(f"a{number}@example.com") for number in range(51)]}, 550),
        ({"html": None, "template_id": 7}, 31),
    ],
)
def test_refusals(client, changes, code):
    with pytest.raises(Refused) as caught:
        client.send(smtp.send(message(**changes)))
    assert caught.value.error_code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"html": None},
        {"template_id": 7},
        {"html": None, "text": "t", "template_id": 7},
        {"to": []},
        {"subject": " "},
    ],
)
def test_what_cannot_be_sent(changes):
    with pytest.raises(InvalidRequest):
        smtp.send(message(**changes))


def test_an_account_without_smtp(either, emulator):
    emulator.configure(smtp_account="missing")
    with pytest.raises(Refused) as caught:
        either.send(smtp.total())
    assert caught.value.error_code == 400
    assert "Switch the SMTP service on" in str(caught.value)


def test_lists(either, emulator):
    ids = [either.send(smtp.send(message(subject=f"s{number}", to=[Person(ADA)]))) for number in range(3)]
    either.send(smtp.send(message(to=[Person(BEA)])))
    assert either.send(smtp.total()) == 4
    found = [*either.pages(smtp.list(recipient=ADA, limit=2))]
    assert [entry.id for entry in found] == ids[::-1]
    assert [*either.pages(smtp.list(sender="other@example.com"))] == []
    tomorrow = dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=2)
    assert [*either.pages(smtp.list(since=tomorrow, until=tomorrow, with_country=False))] == []


def test_opens_and_clicks(client, emulator):
    emulator.configure(outcomes={ADA: 4})
    sent_id = client.send(smtp.send(message(html="<a href='https://shop.example.com/'>a</a>")))
    tracking = client.send(smtp.read(sent_id)).tracking
    assert (tracking["open"], tracking["click"]) == (1, 1)
    assert tracking["link"][0]["url"] == "https://shop.example.com/"


def test_many_go_into_requests_of_500(either, emulator):
    ids = [either.send(smtp.send(message())) for _ in range(3)]
    unknown = [f"unknown-{number}" for number in range(998)]
    found = either.send(smtp.read_many([ids[0], *unknown[:499], ids[1], *unknown[499:], ids[2]]))
    assert [entry.id for entry in found] == ids
    assert [len(body["emails"]) for body in sent(emulator, "smtp.read_many")] == [500, 500, 1]


def test_unknown_messages_are_left_out_of_many(either):
    """SendPulse refuses a request that holds unknown ids alone, be it one of several."""
    sent_id = either.send(smtp.send(message()))
    found = either.send(smtp.read_many([*(f"unknown-{number}" for number in range(500)), sent_id]))
    assert [entry.id for entry in found] == [sent_id]
    assert either.send(smtp.read_many(["unknown"])) == []


def test_many_are_refused_for_another_reason(client, emulator):
    emulator.faults.add("status", status=403, error_code=403, operation="smtp.read_many")
    with pytest.raises(Refused):
        client.send(smtp.read_many(["unknown"]))


def test_an_unknown_message(client):
    with pytest.raises(Refused) as caught:
        client.send(smtp.read("unknown"))
    assert caught.value.error_code == 14


def test_bounces(either, emulator):
    emulator.configure(outcomes={ADA: 6})
    sent_id = either.send(smtp.send(message()))
    assert either.send(smtp.read(sent_id)).smtp_answer_code == 550
    assert either.send(smtp.bounces_total()) == 1
    [bounced] = either.pages(smtp.bounces())
    assert (bounced.email_to, bounced.smtp_answer_code, bounced.smtp_answer_subcode) == (ADA, 550, "5.1.1")
    assert ADA not in repr(bounced)
    assert [*either.pages(smtp.bounces(dt.date(2020, 1, 1)))] == []


def test_unsubscribing(either, emulator):
    either.send(smtp.unsubscribe({ADA: "said so", BEA: ""}))
    assert either.send(smtp.is_unsubscribed(ADA))
    entries = [*either.pages(smtp.unsubscribed())]
    assert [(entry.email, entry.unsubscribe_by_user, entry.spam_complaint) for entry in entries] == [
        (ADA, True, False),
        (BEA, True, False),
    ]
    either.send(smtp.send(message()))
    assert emulator.inbox() == []
    either.send(smtp.remove_unsubscribed([ADA]))
    assert not either.send(smtp.is_unsubscribed(ADA))


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (smtp.unsubscribe({ADA: ""}), "smtp.unsubscribe"),
        (smtp.remove_unsubscribed([ADA]), "smtp.remove_unsubscribed"),
        (smtp.is_unsubscribed(ADA), "smtp.is_unsubscribed"),
        (smtp.total(), "smtp.total"),
        (smtp.bounces(), "smtp.bounces"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_sets_or_reads_is_repeated(client, emulator, call, operation):
    emulator.faults.add("lose_answer", operation=operation)
    client.send(call)
    assert count(emulator, operation) == 2


def test_asking_to_come_back(client, emulator):
    client.send(smtp.unsubscribe({ADA: ""}))
    for _ in range(5):
        client.send(smtp.resubscribe(ADA, SHOP.email, "ua"))
    with pytest.raises(Refused, match="5 are allowed per day"):
        client.send(smtp.resubscribe(ADA, SHOP.email))
    assert len(emulator.inbox(ADA)) == 5
    assert sent(emulator, "smtp.resubscribe")[0] == {"email": ADA, "sender": SHOP.email, "lang": "ua"}
    assert "lang" not in sent(emulator, "smtp.resubscribe")[-1]


def test_asking_is_not_repeated_in_doubt(client, emulator):
    client.send(smtp.unsubscribe({ADA: ""}))
    emulator.faults.add("lose_answer", operation="smtp.resubscribe")
    with pytest.raises(AmbiguousOutcome):
        client.send(smtp.resubscribe(ADA, SHOP.email))
    assert len(emulator.inbox(ADA)) == 1


def test_a_language_that_sendpulse_does_not_have():
    with pytest.raises(InvalidRequest):
        smtp.resubscribe(ADA, SHOP.email, "uk")


def test_addresses_and_domains(either, emulator):
    assert either.send(smtp.ips()) == ["192.0.2.25"]
    assert either.send(smtp.senders()) == [SHOP.email]
    assert either.send(smtp.sender_domains()) == []
    either.send(smtp.add_sender_domain("shop.example.com"))
    [domain] = either.send(smtp.sender_domains())
    assert domain["service_value"] == "shop.example.com"


def test_nobody_shows(client):
    call = smtp.send(message())
    found = client.send(smtp.read(client.send(call)))
    for shown in (repr(call), call.operation, repr(message()), repr(found), repr(smtp.unsubscribe({ADA: ""}))):
        assert "ada" not in shown
        assert "Рахунок" not in shown
