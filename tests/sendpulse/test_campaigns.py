# SPDX-License-Identifier: Apache-2.0
"""Campaigns, through a socket."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
import requests
from emulated_account import add_book, add_campaign, count, sent

from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused, Throttled
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.campaigns import CampaignContent, NewCampaign, Referral

BODY = (
    "<p>Вітаємо, {{Ім'я}} 🌻 <a href='https://shop.example.com/a?b=1'>a</a> <a href='https://shop.example.com/b'>b</a></p>"
)
LATER = dt.datetime(2099, 5, 1, 10, 0, 5)


def content(kind=NewCampaign, **changes):
    fields = {
        "name": "Весна 🌻",
        "sender_name": "Крамниця",
        "sender_email": "shop@example.com",
        "subject": "Знижки для {{Ім'я}}",
        "body": BODY,
        **changes,
    }
    return kind(**fields)


@pytest.fixture
def book(emulator):
    emulator.configure(campaigns_per_window=None)
    return add_book(emulator, contacts=3)


@pytest.fixture
def finished(emulator, book):
    """A campaign whose three messages were all opened and clicked."""
    emulator.configure(bounce_share=0.0, open_share=1.0, click_share=1.0)
    campaign = add_campaign(emulator, book, "Весна", body=base64.b64encode(BODY.encode()).decode())
    emulator.state.course.force(campaign, 3, [])
    return campaign


def test_create(client, emulator, book):
    call = campaigns.create(content(address_book_ids=[book.id]))
    assert call.reaches_people
    created = client.send(call)
    [campaign] = emulator.state.campaigns
    assert sent(emulator, "campaigns.create") == [
        {
            "name": "Весна 🌻",
            "sender_name": "Крамниця",
            "sender_email": "shop@example.com",
            "subject": "Знижки для {{Ім'я}}",
            "body": base64.b64encode(BODY.encode()).decode(),
            "list_id": book.id,
        }
    ]
    assert (created.id, created.status, created.count, created.tariff_email_qty) == (campaign.id, 13, 3, 3)
    assert (created.overdraft_price, created.overdraft_currency) == (0.0, "USD")
    assert campaign.content.body == BODY


def test_create_with_the_older_answer(client, emulator, book):
    emulator.configure(create_answer="manual")
    created = client.send(campaigns.create(content(address_book_ids=[book.id])))
    assert (created.status, created.count, created.paid_email_qty, created.overdraft_price) == (0, 0, 0, 0.0)


def test_create_for_several_books(client, emulator, book):
    other = add_book(emulator, "Other", contacts=1)
    client.send(campaigns.create(content(address_book_ids=(book.id, other.id))))
    assert sent(emulator, "campaigns.create")[0]["list_id"] == [book.id, other.id]
    assert next(iter(emulator.state.campaigns)).content.book_ids == [book.id, other.id]


@pytest.mark.parametrize("with_book", [True, False])
def test_create_for_a_segment(client, emulator, book, with_book):
    emulator.configure(segments={9: book.id})
    client.send(campaigns.create(content(segment_id=9, address_book_ids=[book.id] if with_book else [])))
    [campaign] = emulator.state.campaigns
    assert (campaign.content.segment_id, campaign.content.book_ids) == (9, [book.id])
    assert ("list_id" in sent(emulator, "campaigns.create")[0]) is with_book


@pytest.mark.parametrize("key", ["id", "real_id"])
def test_create_from_a_template(client, emulator, book, key):
    template = emulator.state.templates.create("<p>From a template</p>", None, "en")
    wanted = getattr(template, key)
    client.send(campaigns.create(content(body=None, template_id=wanted, address_book_ids=[book.id])))
    [body] = sent(emulator, "campaigns.create")
    assert (body["template_id"], "body" in body) == (wanted, False)
    assert next(iter(emulator.state.campaigns)).content.body == "<p>From a template</p>"


def test_create_for_later(client, emulator, book):
    client.send(campaigns.create(content(send_date=LATER, address_book_ids=[book.id])))
    assert sent(emulator, "campaigns.create")[0]["send_date"] == "2099-05-01 10:00:05"
    assert write_local(next(iter(emulator.state.campaigns)).content.send_at, "Europe/Kyiv") == "2099-05-01 10:00:05"


def test_create_with_attachments(client, emulator, book):
    attachments = {"прайс.csv": "a;б\n1;2", "logo.png": b"\x89PNG\x00\xff", "empty.txt": ""}
    client.send(campaigns.create(content(attachments=attachments, address_book_ids=[book.id])))
    [body] = sent(emulator, "campaigns.create")
    assert body["attachments"] == {"прайс.csv": "a;б\n1;2", "empty.txt": ""}
    assert {name: base64.b64decode(text) for name, text in body["attachments_binary"].items()} == {
        "logo.png": b"\x89PNG\x00\xff"
    }
    assert sorted(next(iter(emulator.state.campaigns)).content.attachments) == ["empty.txt", "logo.png", "прайс.csv"]


def test_create_with_everything_else(client, emulator, book):
    stats = {"opens": False, "clicks": True, "utm_campaign": "весна"}
    client.send(campaigns.create(content(body_amp="<amp>я</amp>", stats=stats, address_book_ids=[book.id])))
    [body] = sent(emulator, "campaigns.create")
    assert (base64.b64decode(body["body_amp"]).decode(), body["stats"]) == ("<amp>я</amp>", stats)
    [campaign] = emulator.state.campaigns
    assert (campaign.content.check_opens, campaign.content.check_clicks) == (False, True)


def test_create_a_draft(client, emulator, book):
    call = campaigns.create(content(draft=True, address_book_ids=[book.id]))
    assert not call.reaches_people
    assert client.send(call).status == 26
    assert sent(emulator, "campaigns.create")[0]["type"] == "draft"


@pytest.mark.parametrize(
    "changes",
    [
        {"body": None},
        {"template_id": 7},
        {"address_book_ids": []},
        {"address_book_ids": list(range(1, 12))},
        {"address_book_ids": [1, 2], "segment_id": 9},
        {"attachments": {f"{number}.txt": "" for number in range(6)}},
        {"send_date": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_create_refuses_what_the_service_does_not_take(changes):
    with pytest.raises(InvalidRequest):
        campaigns.create(content(**{"address_book_ids": [1], **changes}))


def test_ten_books_and_five_attachments_are_not_too_many():
    attachments = {f"{number}.txt": "" for number in range(5)}
    call = campaigns.create(content(address_book_ids=range(1, 11), attachments=attachments))
    assert call.body.value["list_id"] == [*range(1, 11)]


def test_creation_is_never_repeated_in_doubt(client, emulator, book):
    emulator.faults.add("lose_answer", operation="campaigns.create")
    with pytest.raises(AmbiguousOutcome):
        client.send(campaigns.create(content(address_book_ids=[book.id])))
    assert (count(emulator, "campaigns.create"), len(emulator.state.campaigns)) == (1, 1)


@pytest.mark.parametrize("status", [422, 429, 200])
def test_the_hourly_limit_is_told_and_not_waited_for(client, emulator, book, status):
    emulator.configure(campaigns_per_window=0, http_status_campaign_limit=status)
    if status == 200:
        emulator.faults.add("is_error", operation="campaigns.create", error_code=791)
    with pytest.raises(Throttled) as caught:
        client.send(campaigns.create(content(address_book_ids=[book.id])))
    assert caught.value.error_code == 791
    assert len(emulator.state.campaigns) == 0
    if status != 429:
        assert (caught.value.retry_after, count(emulator, "campaigns.create")) == (900.0, 1)


@pytest.mark.parametrize("shape", ["array", "object"])
def test_read(either, emulator, book, finished, shape):
    emulator.configure(campaign_statistics=shape)
    read = either.send(campaigns.read(finished.id))
    assert (read.id, read.name, read.status, read.subject) == (finished.id, "Весна", 3, "Sale")
    assert (read.address_book_ids, read.all_email_qty, read.overdraft_currency) == ((book.id,), 3, "USD")
    assert (read.sender_name, read.sender_email) == ("Shop", "shop@example.com")
    assert read.send_date == write_local(finished.mailed_at, "Europe/Kyiv")
    assert read.permalink == f"{emulator.url}/ui/campaigns/{finished.id}"
    assert {code: read.count(code) for code in (1, 2, 3, 4, 6)} == {1: 3, 2: 3, 3: 3, 4: 3, 6: 0}
    assert all(statistic.explain for statistic in read.statistics)
    assert sum(read.clicks.values()) == (3 if shape == "object" else 0)
    assert read.extra["is_sms"] is False


def test_reading_refuses_a_missing_campaign(either):
    with pytest.raises(Refused) as caught:
        either.send(campaigns.read(1))
    assert caught.value.error_code == 802


def test_list(either, emulator, book):
    made = [add_campaign(emulator, book, f"Лист {number}").id for number in range(205)]
    listed = [*either.pages(campaigns.list())]
    assert [campaign.id for campaign in listed] == made[::-1]
    assert (listed[0].name, listed[0].subject, listed[0].address_book_ids) == ("Лист 204", "Sale", (book.id,))
    assert (listed[0].statistics, listed[0].extra["statistics"]["sent"]) == ((), 0)
    assert count(emulator, "campaigns.list") == 3


def test_list_in_order(either, emulator, book):
    made = [add_campaign(emulator, book, f"Лист {number}").id for number in range(3)]
    assert [campaign.id for campaign in either.pages(campaigns.list(order="asc"))] == made
    assert emulator.requests.records("campaigns.list")[0].query == "order=asc&limit=100&offset=0"


def test_list_without_statistics(either, emulator, book):
    emulator.configure(campaign_list_statistics=False)
    add_campaign(emulator, book, "Лист")
    [campaign] = either.pages(campaigns.list())
    assert "statistics" not in campaign.extra


def test_list_by_status(either, emulator, book):
    for number, status in enumerate([3, 26, 5, 3]):
        emulator.state.course.force(add_campaign(emulator, book, f"{number}"), status, [])
    assert [campaign.name for campaign in either.pages(campaigns.list(status=[3, 5]))] == ["3", "2", "0"]
    assert "status%5B%5D=3&status%5B%5D=5" in emulator.requests.records("campaigns.list")[0].query


def test_list_of_what_is_planned(either, emulator, book):
    add_campaign(emulator, book, "Now")
    add_campaign(emulator, book, "Later", send_date="2099-05-01 10:00:00")
    assert [campaign.name for campaign in either.pages(campaigns.list(planed=True))] == ["Later"]
    assert len([*either.pages(campaigns.list(planed=False))]) == 2


@pytest.mark.parametrize("quirk", [{}, {"patch_requires_all_fields": True}, {"patch_answer": "campaign"}], ids=str)
def test_edit(client, emulator, book, quirk):
    emulator.configure(**quirk)
    campaign = add_campaign(emulator, book, "Before", send_date="2099-05-01 10:00:00")
    assert client.send(campaigns.edit(campaign.id, content(CampaignContent, name="Після", send_date=LATER))) is None
    assert (campaign.content.name, campaign.content.subject, campaign.content.body) == (
        "Після",
        "Знижки для {{Ім'я}}",
        BODY,
    )
    assert sorted(sent(emulator, "campaigns.edit")[0]) == [
        "body", "name", "send_date", "sender_email", "sender_name", "subject",
    ]  # fmt: skip
    assert count(emulator, "campaigns.edit") == 1


def test_edit_with_a_template(client, emulator, book):
    campaign = add_campaign(emulator, book, "Before", send_date="2099-05-01 10:00:00")
    with emulator.emulator.lock:
        template = emulator.state.templates.create("<p>New</p>", "New", "en")
    client.send(campaigns.edit(campaign.id, content(CampaignContent, body=None, template_id=template.real_id)))
    assert campaign.content.body == "<p>New</p>"


def test_a_test_to_the_sender(client, emulator, book):
    client.send(campaigns.create(content(address_book_ids=[book.id], is_test=True, use_dynamic_list=True)))
    [body] = sent(emulator, "campaigns.create")
    assert (body["is_test"], body["use_dynamic_list"]) == (True, True)
    [campaign] = emulator.state.campaigns
    assert (campaign.content.test_addresses, campaign.content.use_dynamic_list) == (["shop@example.com"], True)


def test_what_is_not_wished_is_not_sent(client, emulator, book):
    client.send(campaigns.create(content(address_book_ids=[book.id], use_dynamic_list=False)))
    [body] = sent(emulator, "campaigns.create")
    assert body["use_dynamic_list"] is False
    assert "is_test" not in body


def test_a_test_to_addresses(either, emulator, book):
    call = campaigns.send_test(content(address_book_ids=[book.id]), ["ada@example.com", "bea@example.com"])
    assert (call.method, call.target, call.reaches_people) == ("PATCH", "/campaigns", True)
    created = either.send(call)
    [campaign] = emulator.state.campaigns
    assert (created.id, created.status) == (campaign.id, 4)
    emulator.state.course.force(campaign, 8, [])
    assert sorted(entry["to"] for entry in emulator.inbox()) == ["ada@example.com", "bea@example.com"]


def test_a_test_is_not_repeated_in_doubt(client, emulator, book):
    emulator.faults.add("lose_answer", operation="campaigns.send_test")
    with pytest.raises(AmbiguousOutcome):
        client.send(campaigns.send_test(content(address_book_ids=[book.id]), ["ada@example.com"]))
    assert count(emulator, "campaigns.send_test") == 1


def test_twenty_test_messages_an_hour(client, emulator, book):
    call = campaigns.send_test(content(address_book_ids=[book.id]), [f"a{number}@example.com" for number in range(3)])
    for _ in range(6):
        client.send(call)
    with pytest.raises(Refused, match="limit of test messages"):
        client.send(call)
    emulator.advance(3601)
    client.send(call)


@pytest.mark.parametrize(
    ("changes", "addresses"),
    [
        ({}, []),
        ({}, "ada@example.com"),
        ({}, ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]),
        ({"address_book_ids": [1, 2]}, ["a@example.com"]),
        ({"address_book_ids": []}, ["a@example.com"]),
        ({"draft": True}, ["a@example.com"]),
        ({"is_test": True}, ["a@example.com"]),
        ({"send_date": LATER}, ["a@example.com"]),
    ],
    ids=str,
)
def test_tests_that_cannot_be_sent(changes, addresses):
    with pytest.raises(InvalidRequest):
        campaigns.send_test(content(**{"address_book_ids": [1], **changes}), addresses)


@pytest.mark.parametrize("changes", [{"address_book_ids": [1, 2]}, {"draft": True}], ids=str)
def test_tests_that_cannot_be_created(changes):
    with pytest.raises(InvalidRequest):
        campaigns.create(content(**{"address_book_ids": [1], "is_test": True, **changes}))


def test_edit_refuses_what_is_going_out(client, emulator, book):
    campaign = add_campaign(emulator, book, "Now")
    with pytest.raises(Refused) as caught:
        client.send(campaigns.edit(campaign.id, content(CampaignContent)))
    assert caught.value.error_code == 800


def test_cancel(client, emulator, book):
    campaign = add_campaign(emulator, book, "Later", send_date="2099-05-01 10:00:00")
    assert client.send(campaigns.cancel(campaign.id)) is None
    assert campaign.status == 16


def test_cancelling_refuses_what_is_over(client, emulator, finished):
    with pytest.raises(Refused) as caught:
        client.send(campaigns.cancel(finished.id))
    assert caught.value.error_code == 602


def test_countries(either, emulator, finished):
    opened = either.send(campaigns.countries(finished.id))
    assert sum(opened.values()) == 3
    assert all(len(code) == 2 for code in opened)


def test_no_countries_come_as_an_empty_list(either, emulator, book):
    assert either.send(campaigns.countries(add_campaign(emulator, book, "New").id)) == {}


def test_referrals(either, emulator, finished):
    found = either.send(campaigns.referrals(finished.id))
    assert [referral.link for referral in found] == ["https://shop.example.com/a?b=1", "https://shop.example.com/b"]
    assert sum(referral.count for referral in found) == 3
    assert isinstance(found[0], Referral)


def test_an_error_that_is_just_being_handled_says_nothing_about_this_request(client, emulator, book):
    emulator.faults.add("lose_answer", operation="campaigns.create")
    try:
        requests.get("http://127.0.0.1:9/", timeout=1)
    except requests.ConnectionError:
        # Another service refused the connection; this one took the campaign and lost the answer.
        with pytest.raises(AmbiguousOutcome):
            client.send(campaigns.create(content(address_book_ids=[book.id])))
    else:
        pytest.fail("something listens on the discard port")
    assert len(emulator.state.campaigns) == 1
