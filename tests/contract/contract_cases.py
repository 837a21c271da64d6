# SPDX-License-Identifier: Apache-2.0
"""Every call of :mod:`airflow_provider_sendpulse.sendpulse`, built for an account that has something of everything."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.call import Call, SecretUrl, SplitCall
from airflow_provider_sendpulse.sendpulse.campaigns import CampaignContent, NewCampaign
from airflow_provider_sendpulse.sendpulse.contacts import DoubleOptIn, NewContact
from airflow_provider_sendpulse.sendpulse.events import Event
from airflow_provider_sendpulse.sendpulse.service import issue_token
from airflow_provider_sendpulse.sendpulse.smtp import Message, Person

READER, OTHER, NEW = "reader0@example.com", "reader1@example.com", "ada@example.com"
SHOP = "shop@example.com"
URL = "http://127.0.0.1:9/secret"


@dataclass
class World:
    """What there is in the account, by id. The ids that stand here serve where no account is asked."""

    url: str = "http://127.0.0.1"
    book_id: int = 1001
    empty_book_id: int = 1002
    planned_id: int = 700001
    sent_id: int = 700002
    template_id: int = 1042001
    sender: str = "news@example.org"
    code: str = "code-0002"
    tag_id: int = 2501
    webhook_id: int = 162001
    message_id: str = "abc-def-0"
    flow_id: int = 40001
    elements: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 900001))

    @classmethod
    def of(cls, emulator: Any) -> World:
        """Fill an emulator."""
        from emulated_account import add_book, add_campaign

        emulator.configure(
            campaigns_per_window=None, tag_queue_reads=0, outcomes={READER: 4}, bounce_share=0.0, open_share=0.0
        )
        state, world = emulator.state, cls(url=emulator.url)
        book, empty = add_book(emulator, contacts=3), add_book(emulator, "Empty")
        other = add_book(emulator, "Sent", contacts=2)
        html = "PGEgaHJlZj0naHR0cHM6Ly9zaG9wLmV4YW1wbGUuY29tLyc+YTwvYT4="
        with emulator.emulator.lock:
            book.variables.update(Age="number", Born="date")
            book.contacts[READER].variables["Age"] = 30
            book.contacts[OTHER].variables.clear()
            state.tags.create("vip", "#ff0000")
            state.senders.request("News", world.sender)
            waiting = next(item for item in state.senders if item.email == world.sender)
            waiting.code_sent_at = None
            world.code = waiting.code
            template = state.templates.create("<p>Hi</p>", "Digest", "en")
            [row] = state.webhooks.subscribe(URL, ["open"])
            state.smtp.unsubscribe(OTHER, "")
            state.smtp.add_domain("shop.example.com")
            flow = state.flows.create("Flow", "begin", [{"type": kind} for kind in list(KINDS.values())[1:]])
            state.flows.convert(flow, READER)
        planned = add_campaign(emulator, book, "Planned", send_date="2099-05-01 10:00:00")
        sent = add_campaign(emulator, other, "Sent", body=html)
        state.course.force(sent, 3, [])
        world.book_id, world.empty_book_id, world.template_id = book.id, empty.id, template.real_id
        world.planned_id, world.sent_id, world.webhook_id, world.flow_id = planned.id, sent.id, row.id, flow.id
        world.tag_id = next(iter(state.tags)).id
        by_kind = {element.kind: element.id for element in flow.elements}
        world.elements = {name: by_kind[kind] for name, kind in KINDS.items()}
        world.message_id = world._message(emulator)
        return world

    @staticmethod
    def _message(emulator: Any) -> str:
        from airflow_provider_sendpulse.emulator.smtp import SmtpMessage

        with emulator.emulator.lock:
            send = emulator.state.smtp.send
            bounced, html = "gone@example.com", "<a href='https://shop.example.com/'>a</a>"
            emulator.settings.outcomes[bounced] = 6
            send(SmtpMessage("Shop", SHOP, "Hello", html, "", [bounced, OTHER]))
            return str(send(SmtpMessage("Shop", SHOP, "Hello", html, "", [READER])))


KINDS = {
    "main-trigger": "maintrigger",
    "email": "email",
    "push": "push",
    "sms": "sms",
    "messenger": "messenger",
    "filter": "filter",
    "trigger": "trigger",
    "goal": "goal",
    "action": "action",
}

Build = Callable[[World], "Call[Any] | SplitCall[Any]"]


@dataclass(frozen=True)
class Case:
    """One way to make one call.

    :param call: module and function, as in ``campaigns.create``
    :param status: HTTP status of the answer that is due
    """

    call: str
    build: Build
    variant: str = ""
    status: int = 200
    settings: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.call} {self.variant}".strip()

    def parts(self, world: World) -> tuple[Call[Any], ...]:
        """Return the requests that it is made of."""
        built = self.build(world)
        return built.parts if isinstance(built, SplitCall) else (built,)


def content(kind: Any = NewCampaign, **changes: Any) -> Any:
    """A campaign, or what an edit says."""
    fields = {"name": "n", "sender_name": "Shop", "sender_email": SHOP, "subject": "s", "body": "<p>Hi</p>", **changes}
    return kind(**fields)


def message(**changes: Any) -> Message:
    """A transactional message."""
    fields = {"subject": "s", "sender": Person(SHOP, "Shop"), "to": [Person(NEW, "Ada")], "html": "<b>", "text": "t"}
    return Message(**{**fields, **changes})


def rich(world: World) -> Any:
    """Every field that a create call has."""
    return content(
        address_book_ids=[world.book_id],
        send_date=dt.datetime(2099, 5, 1, 10, 0),
        attachments={"a.txt": "text", "b.bin": b"\x00"},
        body_amp="<html amp4email>",
        stats={"opens": True, "clicks": False, "utm_campaign": "u"},
        use_dynamic_list=True,
    )


def edited(**changes: Any) -> Any:
    return content(CampaignContent, send_date=dt.datetime(2099, 5, 2, 10, 0), **changes)


def opted_in(world: World) -> Any:
    consent = DoubleOptIn(SHOP, template_id="t", message_lang="en")
    return sp.contacts.add_with_confirmation(world.book_id, [NewContact(NEW)], consent)


CASES = [
    Case("service.issue_token", lambda w: issue_token("emulator-id", "emulator-secret")),
    # Address books
    Case("address_books.create", lambda w: sp.address_books.create("New")),
    Case("address_books.list", lambda w: sp.address_books.list()),
    Case("address_books.read", lambda w: sp.address_books.read(w.book_id)),
    Case("address_books.rename", lambda w: sp.address_books.rename(w.book_id, "Other")),
    Case("address_books.delete", lambda w: sp.address_books.delete(w.empty_book_id)),
    Case("address_books.variables", lambda w: sp.address_books.variables(w.book_id)),
    Case("address_books.cost", lambda w: sp.address_books.cost(w.book_id)),
    Case("address_books.campaigns", lambda w: sp.address_books.campaigns(w.book_id)),
    # Contacts
    Case("contacts.add", lambda w: sp.contacts.add(w.book_id, [NewContact(NEW, phone="+380501234567")], tags=[w.tag_id])),
    Case("contacts.add_with_confirmation", opted_in),
    Case("contacts.list", lambda w: sp.contacts.list(w.book_id, order="asc", active=True)),
    Case("contacts.list", lambda w: sp.contacts.list(w.book_id, active=False), "of the others"),
    Case("contacts.total", lambda w: sp.contacts.total(w.book_id)),
    Case("contacts.total", lambda w: sp.contacts.total(w.book_id, active=True), "active"),
    Case("contacts.read", lambda w: sp.contacts.read(w.book_id, READER)),
    Case("contacts.search", lambda w: sp.contacts.search(w.book_id, "Age", 30)),
    Case("contacts.remove", lambda w: sp.contacts.remove(w.book_id, [READER])),
    Case("contacts.unsubscribe", lambda w: sp.contacts.unsubscribe(w.book_id, [READER])),
    Case("contacts.update_variables", lambda w: sp.contacts.update_variables(w.book_id, READER, {"City": "Lviv"})),
    Case("contacts.update_variables", lambda w: sp.contacts.update_variables(w.book_id, READER, {"Age": 31}), "number"),
    Case("contacts.set_phone", lambda w: sp.contacts.set_phone(w.book_id, READER, "+380501234567")),
    # One address in all books
    Case("addresses.memberships", lambda w: sp.addresses.memberships(READER)),
    Case("addresses.origins", lambda w: sp.addresses.origins(READER)),
    Case("addresses.memberships_of_many", lambda w: sp.addresses.memberships_of_many([READER, NEW])),
    Case("addresses.statistics", lambda w: sp.addresses.statistics(READER)),
    Case("addresses.statistics_of_many", lambda w: sp.addresses.statistics_of_many([READER, NEW])),
    Case("addresses.delivery", lambda w: sp.addresses.delivery(w.sent_id, READER)),
    Case("addresses.remove_everywhere", lambda w: sp.addresses.remove_everywhere(READER)),
    # Campaigns
    Case("campaigns.create", lambda w: sp.campaigns.create(rich(w)), "with everything"),
    Case("campaigns.create", lambda w: sp.campaigns.create(content(address_book_ids=[w.book_id, w.empty_book_id]))),
    Case("campaigns.send_test", lambda w: sp.campaigns.send_test(content(address_book_ids=[w.book_id]), [NEW])),
    Case("campaigns.edit", lambda w: sp.campaigns.edit(w.planned_id, edited())),
    Case("campaigns.read", lambda w: sp.campaigns.read(w.sent_id)),
    Case("campaigns.list", lambda w: sp.campaigns.list(status=[3, 14])),
    Case("campaigns.list", lambda w: sp.campaigns.list(planed=True), "planned"),
    Case("campaigns.cancel", lambda w: sp.campaigns.cancel(w.planned_id)),
    Case("campaigns.countries", lambda w: sp.campaigns.countries(w.sent_id)),
    Case("campaigns.countries", lambda w: sp.campaigns.countries(w.planned_id), "of none"),
    Case("campaigns.referrals", lambda w: sp.campaigns.referrals(w.sent_id)),
    # Templates
    Case("templates.create", lambda w: sp.templates.create("<p>", name="New", lang="ua")),
    Case("templates.edit", lambda w: sp.templates.edit(w.template_id, "<p>", lang="en")),
    Case("templates.read", lambda w: sp.templates.read(w.template_id, lang="en")),
    Case("templates.read_by_slug", lambda w: sp.templates.read_by_slug("digest")),
    Case("templates.list", lambda w: sp.templates.list(only_active=True)),
    Case("templates.list", lambda w: sp.templates.list(lang="en"), "of a language"),
    # Senders, blacklist, balance
    Case("senders.list", lambda w: sp.senders.list()),
    Case("senders.add", lambda w: sp.senders.add("other@example.org", "Other")),
    Case("senders.delete", lambda w: sp.senders.delete(w.sender)),
    Case("senders.request_code", lambda w: sp.senders.request_code(w.sender)),
    Case("senders.activate", lambda w: sp.senders.activate(w.sender, w.code)),
    Case("blacklist.read", lambda w: sp.blacklist.read()),
    Case("blacklist.add", lambda w: sp.blacklist.add([NEW], comment="asked")),
    Case("blacklist.remove", lambda w: sp.blacklist.remove([NEW])),
    Case("balance.read", lambda w: sp.balance.read()),
    Case("balance.read", lambda w: sp.balance.read("EUR"), "in a currency"),
    Case("balance.detail", lambda w: sp.balance.detail()),
    # Tags
    Case("tags.list", lambda w: sp.tags.list()),
    Case("tags.create", lambda w: sp.tags.create("new", "#00ff00")),
    Case("tags.update", lambda w: sp.tags.update(w.tag_id, "new", "#00ff00")),
    Case("tags.delete", lambda w: sp.tags.delete(w.tag_id)),
    Case("tags.pin", lambda w: sp.tags.pin([w.tag_id], email=READER)),
    Case("tags.pin", lambda w: sp.tags.pin([w.tag_id], phone="380501234567"), "by phone"),
    Case("tags.unpin", lambda w: sp.tags.unpin([w.tag_id], email=READER)),
    Case("tags.unpin", lambda w: sp.tags.unpin([w.tag_id], phone="380501234567"), "by phone"),
    # Webhooks
    Case("webhook_subscriptions.list", lambda w: sp.webhook_subscriptions.list()),
    Case("webhook_subscriptions.read", lambda w: sp.webhook_subscriptions.read(w.webhook_id)),
    Case("webhook_subscriptions.create", lambda w: sp.webhook_subscriptions.create(URL, ["open", "spam"])),
    Case("webhook_subscriptions.create", lambda w: sp.webhook_subscriptions.create(URL, ["open"], form=True), "as a form"),
    Case("webhook_subscriptions.update", lambda w: sp.webhook_subscriptions.update(w.webhook_id, URL)),
    Case(
        "webhook_subscriptions.update", lambda w: sp.webhook_subscriptions.update(w.webhook_id, URL, form=True), "as a form"
    ),
    Case("webhook_subscriptions.delete", lambda w: sp.webhook_subscriptions.delete(w.webhook_id)),
    # Events and flows
    Case("events.send", lambda w: sp.events.send("begin", Event(email=NEW, variables={"a": 1}))),
    Case("events.send_to_url", lambda w: sp.events.send_to_url(SecretUrl(f"{w.url}/events/id/ab/7"), Event(email=NEW))),
    Case("flows.list", lambda w: sp.flows.list()),
    Case("flows.read", lambda w: sp.flows.read(w.flow_id)),
    Case("flows.total_statistics", lambda w: sp.flows.total_statistics(w.flow_id, flow_type="email")),
    Case("flows.conversions", lambda w: sp.flows.conversions(w.flow_id)),
    Case("flows.conversion_list", lambda w: sp.flows.conversion_list(w.flow_id)),
    *[
        Case("flows.element_statistics", lambda w, kind=kind: sp.flows.element_statistics(kind, w.elements[kind]), kind)
        for kind in KINDS
    ],
    # Transactional messages
    Case(
        "smtp.send", lambda w: sp.smtp.send(message(attachments={"a.txt": "text", "b.bin": b"\x00"}, cc=[Person(READER)]))
    ),
    Case("smtp.send", lambda w: sp.smtp.send(message(text=None)), "html alone"),
    Case("smtp.send", lambda w: sp.smtp.send(message(html=None, text=None, template_id=w.template_id)), "template"),
    Case("smtp.list", lambda w: sp.smtp.list(since=dt.datetime(2026, 1, 1), recipient=READER, with_country=False)),
    Case("smtp.total", lambda w: sp.smtp.total()),
    Case("smtp.read", lambda w: sp.smtp.read(w.message_id)),
    Case("smtp.read_many", lambda w: sp.smtp.read_many([w.message_id] * 501)),
    Case("smtp.bounces", lambda w: sp.smtp.bounces()),
    Case("smtp.bounces_total", lambda w: sp.smtp.bounces_total()),
    Case("smtp.unsubscribe", lambda w: sp.smtp.unsubscribe({READER: "asked"})),
    Case("smtp.remove_unsubscribed", lambda w: sp.smtp.remove_unsubscribed([OTHER])),
    Case("smtp.unsubscribed", lambda w: sp.smtp.unsubscribed(dt.date(2026, 1, 1))),
    Case("smtp.is_unsubscribed", lambda w: sp.smtp.is_unsubscribed(OTHER)),
    Case("smtp.resubscribe", lambda w: sp.smtp.resubscribe(OTHER, SHOP, "ua")),
    Case("smtp.ips", lambda w: sp.smtp.ips()),
    Case("smtp.senders", lambda w: sp.smtp.senders()),
    Case("smtp.sender_domains", lambda w: sp.smtp.sender_domains()),
    Case("smtp.add_sender_domain", lambda w: sp.smtp.add_sender_domain("news.example.com")),
]

REFUSALS = [
    Case("address_books.read", lambda w: sp.address_books.read(1), "of none", 404),
    Case("address_books.create", lambda w: sp.address_books.create("Readers"), "twice", 422),
    Case("address_books.delete", lambda w: sp.address_books.delete(w.book_id), "with a campaign", 422),
    Case("address_books.cost", lambda w: sp.address_books.cost(w.empty_book_id), "of nobody", 422),
    Case("address_books.list", lambda w: sp.address_books.list(limit=101), "too many", 422),
    Case("contacts.read", lambda w: sp.contacts.read(w.book_id, NEW), "of nobody", 422),
    Case("contacts.search", lambda w: sp.contacts.search(w.book_id, "None", 1), "for nothing", 404),
    Case("contacts.remove", lambda w: sp.contacts.remove(w.book_id, [NEW]), "nobody", 422),
    Case("contacts.unsubscribe", lambda w: sp.contacts.unsubscribe(w.book_id, [NEW]), "nobody", 422),
    Case("contacts.set_phone", lambda w: sp.contacts.set_phone(w.book_id, READER, "none"), "wrongly", 422),
    Case("campaigns.create", lambda w: sp.campaigns.create(content(address_book_ids=[1])), "without a book", 422),
    Case("campaigns.read", lambda w: sp.campaigns.read(1), "of none", 422),
    Case("campaigns.cancel", lambda w: sp.campaigns.cancel(w.sent_id), "what is sent", 422),
    Case("templates.create", lambda w: sp.templates.create("<p>", name="Digest"), "twice", 422),
    Case("templates.edit", lambda w: sp.templates.edit(1, "<p>"), "of none", 404),
    Case("templates.read", lambda w: sp.templates.read(1), "of none", 404),
    Case("senders.add", lambda w: sp.senders.add(SHOP, "Shop"), "twice", 422),
    Case("senders.activate", lambda w: sp.senders.activate(w.sender, "wrong"), "wrongly", 422),
    Case("balance.read", lambda w: sp.balance.read("XYZ"), "in no currency", 422),
    Case("tags.list", lambda w: sp.tags.list(), "without the plan", 403, (("plan_has_tags", False),)),
    Case("webhook_subscriptions.read", lambda w: sp.webhook_subscriptions.read(1), "of none", 404),
    Case("flows.read", lambda w: sp.flows.read(1), "of none", 404),
    Case("smtp.send", lambda w: sp.smtp.send(message(sender=Person("x@example.com", "X"))), "from nobody", 422),
    Case("smtp.send", lambda w: sp.smtp.send(message()), "expired", 403, (("smtp_account", "expired"),)),
    Case("smtp.read", lambda w: sp.smtp.read("unknown"), "of none", 400),
    Case("smtp.read_many", lambda w: sp.smtp.read_many(["unknown"]), "of none", 400),
    Case("smtp.is_unsubscribed", lambda w: sp.smtp.is_unsubscribed("x"), "of nobody", 422),
    Case("smtp.resubscribe", lambda w: sp.smtp.resubscribe(READER, SHOP), "who never left", 422),
    Case("smtp.total", lambda w: sp.smtp.total(), "without an account", 422, (("smtp_account", "missing"),)),
]

# Shapes that another source documents, each behind a switch of the emulator.
SHAPES = [
    Case("address_books.list", lambda w: sp.address_books.list(), "as text", 200, (("book_numbers_as_strings", True),)),
    Case(
        "contacts.read",
        lambda w: sp.contacts.read(w.book_id, READER),
        "book as text",
        200,
        (("contact_book_id_as_string", True),),
    ),
    Case(
        "contacts.list", lambda w: sp.contacts.list(w.book_id), "no variables as {}", 200, (("empty_variables", "object"),)
    ),
    Case(
        "campaigns.read",
        lambda w: sp.campaigns.read(w.sent_id),
        "in the newer shape",
        200,
        (("campaign_statistics", "object"),),
    ),
    Case(
        "campaigns.create",
        lambda w: sp.campaigns.create(content(address_book_ids=[w.book_id])),
        "as in the manual",
        200,
        (("create_answer", "manual"),),
    ),
    Case(
        "campaigns.edit",
        lambda w: sp.campaigns.edit(w.planned_id, edited()),
        "as created",
        200,
        (("patch_answer", "campaign"),),
    ),
    Case(
        "address_books.variables",
        lambda w: sp.address_books.variables(w.book_id),
        "data",
        200,
        (("date_variable_type", "data"),),
    ),
    Case(
        "webhook_subscriptions.list",
        lambda w: sp.webhook_subscriptions.list(),
        "nested",
        200,
        (("webhook_envelope", "nested"),),
    ),
    Case("smtp.list", lambda w: sp.smtp.list(), "as text", 200, (("smtp_numbers_as_strings", True),)),
    Case("balance.detail", lambda w: sp.balance.detail(), "without SMTP", 200, (("smtp_account", "missing"),)),
]

MODULES = (
    "address_books",
    "contacts",
    "addresses",
    "campaigns",
    "templates",
    "senders",
    "blacklist",
    "balance",
    "tags",
    "webhook_subscriptions",
    "events",
    "flows",
    "smtp",
)


def calls() -> list[str]:
    """Name every function that builds a call."""
    return [
        f"{name}.{function.__name__}"
        for name in MODULES
        for function in vars(getattr(sp, name)).values()
        if inspect.isfunction(function)
        and f"{function.__module__}.".startswith(f"{sp.__name__}.{name}.")
        and not function.__name__.startswith("_")
        and "Call[" in str(inspect.signature(function).return_annotation)
    ]
