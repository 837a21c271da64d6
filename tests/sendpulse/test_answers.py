# SPDX-License-Identifier: Apache-2.0
"""What the readers make of answers that are not of one mind, and of answers that are nonsense."""

from __future__ import annotations

import contextlib
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import (
    address_books,
    addresses,
    balance,
    blacklist,
    campaigns,
    contacts,
    events,
    flows,
    senders,
    smtp,
    tags,
    templates,
    webhook_subscriptions,
    wire,
)
from airflow_provider_sendpulse.sendpulse.campaigns import Campaign, NewCampaign, Statistic
from airflow_provider_sendpulse.sendpulse.service import issue_token

BOOK = {
    "id": 7,
    "name": "Readers",
    "all_email_qty": 3,
    "active_email_qty": 2,
    "inactive_email_qty": 1,
    "creationdate": "2026-01-01 00:00:00",
    "status": 0,
    "status_explain": "Active",
}
CAMPAIGN = {"id": 1, "name": "Sale", "status": 3, "message": {"subject": "S", "list_id": 7}}
GENERAL = [{"code": 1, "count": 10, "explain": "Sent"}, {"code": "3", "count": "4", "explain": None}]
STATISTICS = (Statistic(1, 10, "Sent"), Statistic(3, 4, ""))


def campaign(**changes) -> Campaign:
    return campaigns.read(1).read({**CAMPAIGN, **changes})


@pytest.mark.parametrize("answer", [[BOOK], BOOK, [BOOK, {}]], ids=["array", "object", "more"])
def test_a_book_alone_or_in_an_array(answer):
    book = address_books.read(7).read(answer)
    assert (book.id, book.name, book.all_email_qty, book.status) == (7, "Readers", 3, 0)


def test_an_empty_array_is_no_book():
    with pytest.raises(Refused, match="not found"):
        address_books.read(7).read([])


def test_numbers_as_text():
    as_text = {name: str(value) for name, value in BOOK.items()}
    assert address_books.read(7).read([as_text]) == address_books.read(7).read(BOOK)


def test_unknown_keys_are_kept():
    new = {"new_phones_quantity": 4, "exc": {"a": [1]}}
    assert address_books.read(7).read({**BOOK, **new}).extra == new
    assert address_books.cost(7).read({"result": True, **new}).extra == new
    assert contacts.read(7, "a").read({"email": "a@example.com", "status": 1, **new}).extra == new
    assert campaigns.create(new_campaign()).read({"id": 1, **new}).extra == new
    assert {name: campaign(**new).extra[name] for name in new} == new
    assert balance.detail().read({**new}).extra == new
    assert address_books.campaigns(7).read([{"task_id": 1, **new}])[0].extra == new


@pytest.mark.parametrize("key", ["id", "status"])
def test_a_book_without_what_it_needs(key):
    with pytest.raises(LookupError):
        address_books.read(7).read({name: value for name, value in BOOK.items() if name != key})


def test_a_book_with_nothing_else():
    assert address_books.list().read([{"id": "7", "status": "4"}])[0].active_email_qty == 0


@pytest.mark.parametrize("result", [True, False])
def test_cost(result):
    answer = {"cur": "USD", "overdraftAllEmailsPrice": "1.5", "sent_emails_qty": "3", "result": result}
    cost = address_books.cost(7).read(answer)
    assert (cost.affordable, cost.overdraft_all_emails_price, cost.sent_emails_qty) == (result, 1.5, 3)


def test_cost_without_a_result():
    with pytest.raises(LookupError):
        address_books.cost(7).read({"cur": "USD"})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([], {}),
        ({}, {}),
        (None, {}),
        ("", {}),
        ({"Ім'я": "Олена", "Age": 41, "Nothing": None}, {"Ім'я": "Олена", "Age": 41, "Nothing": None}),
        ([{"name": "Ім'я", "type": "string", "value": "Олена"}, {"name": "Age"}], {"Ім'я": "Олена", "Age": None}),
    ],
)
def test_variables_of_a_contact(variables, expected):
    [contact] = contacts.list(7).read([{"email": "a@example.com", "status": "0", "variables": variables}])
    assert (contact.variables, contact.status) == (expected, 0)


def test_variables_of_a_contact_may_be_absent():
    assert contacts.read(7, "a").read({"email": "a@example.com", "status": 0}).variables == {}


@pytest.mark.parametrize("book", ["7", 7])
def test_the_book_of_a_contact_as_text_or_number(book):
    contact = contacts.read(7, "a").read({"email": "a@example.com", "status": 0, "abook_id": book, "phone": 380501234567})
    assert (contact.extra, contact.phone) == ({"abook_id": book}, "380501234567")


@pytest.mark.parametrize("key", ["ovedraft_currency", "overdraft_currency"])
@pytest.mark.parametrize("price", [0, "0.0044", 0.0044, None])
def test_the_answer_to_a_new_campaign(key, price):
    created = campaigns.create(new_campaign()).read({"id": "12", "status": "13", "overdraft_price": price, key: "USD"})
    assert (created.id, created.status, created.overdraft_currency) == (12, 13, "USD")
    assert created.overdraft_price == float(price or 0)
    assert created.extra == {}


@pytest.mark.parametrize(
    ("statistics", "expected", "clicks"),
    [
        (GENERAL, STATISTICS, {}),
        (
            {"general": GENERAL, "clicks": [{"url": "https://example.com", "count": "2"}]},
            STATISTICS,
            {"https://example.com": 2},
        ),
        ({"general": GENERAL, "clicks": None}, STATISTICS, {}),
        ({"general": GENERAL}, STATISTICS, {}),
        ({"sent": 10, "delivered": 9, "opening": 4}, (), {}),
        ([], (), {}),
        ({}, (), {}),
        (None, (), {}),
    ],
    ids=["array", "object", "no clicks", "general only", "summary", "empty array", "empty object", "null"],
)
def test_statistics_of_a_campaign(statistics, expected, clicks):
    read = campaign(statistics=statistics)
    assert (read.statistics, read.clicks) == (expected, clicks)
    assert read.extra["statistics"] == statistics


def test_statistics_may_be_absent():
    assert (campaign().statistics, campaign().count(1)) == ((), 0)


@pytest.mark.parametrize("clicks", [[1], ["a"], {"url": 1}, "ab", 7, [[["a"]]]])
def test_clicks_of_another_shape_are_no_answer(clicks):
    with pytest.raises((LookupError, TypeError, ValueError)):
        campaign(statistics={"general": [], "clicks": clicks})


@pytest.mark.parametrize(
    ("books", "expected"), [(7, (7,)), ("7", (7,)), ([7, "8"], (7, 8)), (None, ()), ("", ()), ([], ())]
)
def test_books_of_a_campaign(books, expected):
    assert campaign(message={"list_id": books}).address_book_ids == expected


@pytest.mark.parametrize("message", [None, [], {}])
def test_a_campaign_without_a_message(message):
    assert (campaign(message=message).subject, campaign(message=message).address_book_ids) == ("", ())


def test_a_campaign_in_an_array():
    assert campaigns.read(1).read([CAMPAIGN]) == campaigns.read(1).read(CAMPAIGN)


@pytest.mark.parametrize(
    "answer", [{"result": True}, {"result": True, "id": 7}, {"success": True}, {"id": 7, "status": 13}]
)
def test_an_edit_is_confirmed_in_several_ways(answer):
    assert campaigns.edit(7, new_campaign()).read(answer) is None


CONFIRMED = [
    address_books.rename(7, "x"),
    address_books.delete(7),
    contacts.add(7, [contacts.NewContact("a@example.com")]),
    *contacts.remove(7, ["a@example.com"]).parts,
    *contacts.unsubscribe(7, ["a@example.com"]).parts,
    contacts.set_phone(7, "a@example.com", "+380501234567"),
    addresses.remove_everywhere("a@example.com"),
    blacklist.add(["a@example.com"]),
    blacklist.remove(["a@example.com"]),
    senders.add("a@example.com", "A"),
    senders.delete("a@example.com"),
    senders.request_code("a@example.com"),
    senders.activate("a@example.com", "123"),
    smtp.unsubscribe({"a@example.com": "said so"}),
    smtp.remove_unsubscribed(["a@example.com"]),
    smtp.resubscribe("a@example.com", "b@example.com", "en"),
    templates.edit(7, "<p>"),
    contacts.update_variables(7, "a@example.com", {"a": 1}),
    campaigns.cancel(7),
    events.send("x", events.Event("a@example.com")),
]


@pytest.mark.parametrize("call", CONFIRMED, ids=lambda call: call.operation)
@pytest.mark.parametrize("answer", [{}, [], {"result": 1}, {"result": "true"}, {"result": None}, None, True, "OK", 7])
def test_only_true_confirms(call, answer):
    with pytest.raises((TypeError, ValueError)):
        call.read(answer)


@pytest.mark.parametrize("call", CONFIRMED, ids=lambda call: call.operation)
def test_true_confirms(call):
    assert call.read({"result": True, "id": 7}) is None
    assert call.read({"success": True}) is None


MESSAGE = smtp.Message(subject="s", sender=smtp.Person("s@example.com", "S"), to=[smtp.Person("a@example.com")], text="t")


def new_campaign() -> NewCampaign:
    return NewCampaign(name="n", sender_name="s", sender_email="s@example.com", subject="s", body="b", address_book_ids=[1])


READERS = {
    "token": issue_token("a", "b").read,
    "create book": address_books.create("a").read,
    "list books": address_books.list().read,
    "read book": address_books.read(1).read,
    "variables of book": address_books.variables(1).read,
    "cost": address_books.cost(1).read,
    "campaigns of book": address_books.campaigns(1).read,
    "list contacts": contacts.list(1).read,
    "read contact": contacts.read(1, "a").read,
    "search": contacts.search(1, "a", "b").read,
    "total": contacts.total(1).read,
    "create campaign": campaigns.create(new_campaign()).read,
    "edit campaign": campaigns.edit(1, new_campaign()).read,
    "read campaign": campaigns.read(1).read,
    "list campaigns": campaigns.list().read,
    "countries": campaigns.countries(1).read,
    "referrals": campaigns.referrals(1).read,
    "balance": balance.read().read,
    "balance detail": balance.detail().read,
    "memberships": addresses.memberships("a").read,
    "origins": addresses.origins("a").read,
    "memberships of many": addresses.memberships_of_many(["a"]).read,
    "address statistics": addresses.statistics("a").read,
    "statistics of many": addresses.statistics_of_many(["a"]).read,
    "delivery": addresses.delivery(1, "a").read,
    "blacklist": blacklist.read().read,
    "flows": flows.list().read,
    "flow": flows.read(1).read,
    "element": flows.element_statistics("email", 1).read,
    "conversions": flows.conversions(1).read,
    "senders": senders.list().read,
    "send message": smtp.send(MESSAGE).read,
    "messages": smtp.list().read,
    "messages total": smtp.total().read,
    "message": smtp.read("a").read,
    "bounces": smtp.bounces().read,
    "smtp unsubscribed": smtp.unsubscribed().read,
    "is unsubscribed": smtp.is_unsubscribed("a").read,
    "sender domains": smtp.sender_domains().read,
    "tags": tags.list().read,
    "create tag": tags.create("a", "#fff").read,
    "create template": templates.create("<p>").read,
    "templates": templates.list().read,
    "template": templates.read(1).read,
    "subscriptions": webhook_subscriptions.list().read,
    "subscription": webhook_subscriptions.read(1).read,
    "update subscription": webhook_subscriptions.update(1, "https://example.com").read,
    "confirmed": wire.confirmed,
    "number": wire.integer,
    "number or": lambda value: (wire.integer_or(value, 0), wire.number_or(value, 0.0)),
    "variables": wire.variables,
}

KEYS = st.sampled_from(
    [
        "id",
        "name",
        "status",
        "message",
        "subject",
        "list_id",
        "statistics",
        "general",
        "clicks",
        "url",
        "count",
        "code",
        "explain",
        "variables",
        "value",
        "email",
        "phone",
        "total",
        "task_id",
        "task_status",
        "link",
        "cur",
        "result",
        "success",
        "balance",
        "balance_currency",
        "main",
        "currency",
        "emails_left",
        "access_token",
        "expires_in",
        "overdraft_price",
        "all_email_qty",
    ]
) | st.text(max_size=3)
# What json.loads can hand over, which is more than JSON: NaN, infinities, numbers that no float holds.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["7", "1e999", 10**400, "9" * 5000])
)
ANSWERS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=15
)
OBJECTS = st.dictionaries(KEYS, ANSWERS, max_size=12)


@given(answer=ANSWERS | OBJECTS | st.lists(OBJECTS, max_size=3))
@settings(max_examples=60)
def test_nonsense_raises_only_what_the_policy_expects(answer):
    for reader in READERS.values():
        with contextlib.suppress(LookupError, TypeError, ValueError, Refused):
            reader(answer)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1" + "0" * 400])
def test_numbers_without_bounds_raise_only_what_the_policy_expects(number):
    keys = "id status code count total result balance_currency task_id main all_email_qty expires_in overdraft_price"
    record = {key: json.loads(number) for key in keys.split()} | {
        "email": "a",
        "name": "a",
        "link": "a",
        "access_token": "a",
    }
    record["balance"] = record["email"] = dict(record)
    record["statistics"] = {"general": [dict(record)], "clicks": [dict(record)]}
    for reader, answer in itertools.product(READERS.values(), (record, [record], json.loads(number))):
        with contextlib.suppress(LookupError, TypeError, ValueError):
            reader(answer)
