# SPDX-License-Identifier: Apache-2.0
"""Transactional messages. Source: SendPulse API (OpenAPI file of the SMTP service).

Accepted is not delivered: read the message again later. A repeat of :func:`send` would send a second message; look for the
first one with :func:`list` before.
"""

from __future__ import annotations

import base64
import builtins
import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat, SplitCall, split
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.languages import require_language

MOST_IDS = 500
"""Messages that one request can ask for."""


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address; it never shows in a ``repr``."""

    email: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to send.

    :param sender: an activated sender, with its name
    :param html: HTML of the message; either it, ``text`` or both, or ``template_id``
    :param template_id: a template's id, to be filled with ``template_variables``
    :param auto_plain_text: let the service make the text from the HTML
    :param attachments: file name to text or bytes
    """

    subject: str = field(repr=False)
    sender: Person
    to: Sequence[Person]
    cc: Sequence[Person] = ()
    bcc: Sequence[Person] = ()
    reply_to: Person | None = None
    html: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    template_id: int | str | None = None
    template_variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    auto_plain_text: bool = False
    attachments: Mapping[str, str | bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the service took.

    :param recipient: empty where the answer has none
    :param smtp_answer_code: what the recipient's server said; 250 is delivered; ``None`` while nothing is known
    :param tracking: opens and clicks, as the service writes them
    """

    id: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    subject: str = field(repr=False)
    send_date: str
    smtp_answer_code: int | None = None
    smtp_answer_code_explain: str = ""
    total_size: int = 0
    tracking: dict[str, Any] = field(default_factory=dict, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Bounced:
    """A message that came back in the last 24 hours."""

    email_to: str = field(repr=False)
    sender: str = field(repr=False)
    send_date: str
    subject: str = field(repr=False)
    smtp_answer_code: int | None
    smtp_answer_subcode: str
    smtp_answer_data: str = field(repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """An address that takes no transactional messages any more, and how that came."""

    email: str = field(repr=False)
    unsubscribe_by_link: bool
    unsubscribe_by_user: bool
    spam_complaint: bool
    date: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def send(message: Message) -> Call[str]:
    """Send a message and return its id.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    return Call(
        method="POST",
        path="/smtp/emails",
        body=JsonBody({"email": _written(message)}),
        read=_accepted,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def list(
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    sender: str | None = None,
    recipient: str | None = None,
    with_country: bool = True,
    limit: int = 100,
) -> PagedCall[SentMessage]:
    """List messages.

    :param since: the earliest date, in the account's time zone (the API's ``from``); a page has whole days
    :param until: the latest date (the API's ``to``)
    :param with_country: whether opens and clicks tell the country
    """
    return PagedCall(
        method="GET",
        path="/smtp/emails",
        query={
            "from": None if since is None else since.strftime("%Y-%m-%d"),
            "to": None if until is None else until.strftime("%Y-%m-%d"),
            "sender": sender,
            "recipient": recipient,
            "country": None if with_country else "off",
        },
        read=wire.listed(_message),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def total() -> Call[int]:
    """Count the messages."""
    return _count("/smtp/emails/total")


def read(message_id: str) -> Call[SentMessage]:
    """Read one message; an unknown id is refused with 14."""
    return Call(
        method="GET",
        path="/smtp/emails/{id}",
        values={"id": message_id},
        read=lambda answer: _message(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def read_many(message_ids: Sequence[str]) -> SplitCall[builtins.list[SentMessage]]:
    """Read many messages; :data:`MOST_IDS` go into one request."""

    def part(some: Sequence[str]) -> Call[builtins.list[SentMessage]]:
        return Call(
            method="POST",
            path="/smtp/emails/info",
            body=JsonBody({"emails": [*some]}),
            read=wire.listed(_message),
            repeat=Repeat.ALWAYS,
        )

    return SplitCall(split(wire.many(message_ids), MOST_IDS, part), lambda pages: [*itertools.chain(*pages)])


def bounces(date: dt.date | None = None, *, limit: int = 100) -> PagedCall[Bounced]:
    """List what came back in the last 24 hours."""
    return PagedCall(
        method="GET",
        path="/smtp/bounces/day",
        query={"date": None if date is None else date.isoformat()},
        read=lambda answer: wire.listed(_bounced)(wire.record(answer).get("emails") or []),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def bounces_total() -> Call[int]:
    """Count what came back in the last 24 hours."""
    return _count("/smtp/bounces/day/total")


def unsubscribe(addresses: Mapping[str, str]) -> Call[None]:
    """Stop transactional messages to addresses.

    :param addresses: address to comment
    """
    if not addresses:
        raise InvalidRequest("There is no address.")
    return Call(
        method="POST",
        path="/smtp/unsubscribe",
        body=JsonBody({"emails": [{"email": email, "comment": comment} for email, comment in addresses.items()]}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def remove_unsubscribed(emails: Sequence[str]) -> Call[None]:
    """Allow transactional messages to addresses again."""
    return Call(
        method="DELETE",
        path="/smtp/unsubscribe",
        body=JsonBody({"emails": wire.many(emails)}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def unsubscribed(date: dt.date | None = None, *, limit: int = 100) -> PagedCall[Unsubscribed]:
    """List addresses that take no transactional messages any more."""
    return PagedCall(
        method="GET",
        path="/smtp/unsubscribe",
        query={"date": None if date is None else date.isoformat()},
        read=wire.listed(_unsubscribed),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def is_unsubscribed(email: str) -> Call[bool]:
    """Return whether an address takes no transactional messages any more."""
    return Call(
        method="GET",
        path="/smtp/unsubscribe/search",
        query={"email": email},
        read=lambda answer: wire.record(answer)["result"] is True,
        repeat=Repeat.ALWAYS,
        result_is_data=True,
    )


def resubscribe(email: str, sender: str, lang: str | None = None) -> Call[None]:
    """Ask an unsubscribed person by mail to come back; five times a day.

    :param lang: language of that message, English when left out
    :raises InvalidRequest: for a language that SendPulse does not have
    """
    language = require_language(lang)
    return Call(
        method="POST",
        path="/smtp/resubscribe",
        body=JsonBody({"email": email, "sender": sender, **({"lang": language} if language else {})}),
        read=wire.confirmed,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def ips() -> Call[builtins.list[str]]:
    """Return the IP addresses that messages are sent from."""
    return Call(method="GET", path="/smtp/ips", read=wire.texts, repeat=Repeat.ALWAYS)


def senders() -> Call[builtins.list[str]]:
    """Return the addresses that transactional messages may come from."""
    return Call(method="GET", path="/smtp/senders", read=wire.texts, repeat=Repeat.ALWAYS)


def sender_domains() -> Call[builtins.list[Any]]:
    """Return the sender domains as the service writes them."""
    return Call(
        method="GET",
        path="/v2/email-service/smtp/sender_domains",
        read=_domains,
        repeat=Repeat.ALWAYS,
    )


def add_sender_domain(domain: str) -> Call[None]:
    """Add a sender domain; it has to be proven by entries in its zone."""
    return Call(
        method="POST",
        path="/v2/email-service/smtp/sender_domains/{domain}",
        values={"domain": domain},
        read=lambda answer: wire.confirmed(wire.record(answer)["data"]),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def _count(path: str) -> Call[int]:
    return Call(
        method="GET",
        path=path,
        read=lambda answer: wire.integer(wire.record(answer)["total"]),
        repeat=Repeat.ALWAYS,
    )


def _written(message: Message) -> dict[str, Any]:
    has_content = message.html is not None or message.text is not None
    if has_content == (message.template_id is not None):
        raise InvalidRequest("A message needs either html or text, or a template_id, and not both.")
    if not message.to:
        raise InvalidRequest("A message needs a recipient.")
    if not message.subject.strip():
        raise InvalidRequest("A message needs a subject.")
    fields: dict[str, Any] = {
        "subject": message.subject,
        "from": {"name": message.sender.name, "email": message.sender.email},
        "to": [_person(person) for person in message.to],
    }
    for name, people in (("cc", message.cc), ("bcc", message.bcc)):
        if people:
            fields[name] = [_person(person) for person in people]
    if message.reply_to is not None:
        fields["reply_to"] = _person(message.reply_to)
    if message.template_id is not None:
        fields["template"] = {"id": message.template_id, "variables": dict(message.template_variables)}
    if message.html is not None:
        fields["html"] = _base64(message.html)
    if message.text is not None:
        fields["text"] = message.text
    if message.auto_plain_text:
        fields["auto_plain_text"] = True
    texts = {name: content for name, content in message.attachments.items() if isinstance(content, str)}
    binaries = {name: _base64(content) for name, content in message.attachments.items() if isinstance(content, bytes)}
    if texts:
        fields["attachments"] = texts
    if binaries:
        fields["attachments_binary"] = binaries
    return fields


def _person(person: Person) -> dict[str, str]:
    return {"name": person.name, "email": person.email} if person.name else {"email": person.email}


def _base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def _accepted(answer: Any) -> str:
    wire.confirmed(answer)
    return wire.text(wire.record(answer)["id"])


def _message(data: Mapping[str, Any]) -> SentMessage:
    code = data.get("smtp_answer_code")
    return SentMessage(
        id=wire.text(data["id"]),
        sender=wire.text(data.get("sender")),
        recipient=wire.text(data.get("recipient")),
        subject=wire.text(data.get("subject")),
        send_date=wire.text(data.get("send_date")),
        smtp_answer_code=wire.integer_or(code, 0) or None,
        smtp_answer_code_explain=wire.text(data.get("smtp_answer_code_explain")),
        total_size=wire.integer_or(data.get("total_size"), 0),
        tracking=dict(wire.record(data.get("tracking") or {})),
        extra=wire.rest(
            data,
            "id",
            "sender",
            "recipient",
            "subject",
            "send_date",
            "smtp_answer_code",
            "smtp_answer_code_explain",
            "total_size",
            "tracking",
        ),
    )


def _bounced(data: Mapping[str, Any]) -> Bounced:
    return Bounced(
        email_to=wire.text(data["email_to"]),
        sender=wire.text(data.get("sender")),
        send_date=wire.text(data.get("send_date")),
        subject=wire.text(data.get("subject")),
        smtp_answer_code=wire.integer_or(data.get("smtp_answer_code"), 0) or None,
        smtp_answer_subcode=wire.text(data.get("smtp_answer_subcode")),
        smtp_answer_data=wire.text(data.get("smtp_answer_data")),
        extra=wire.rest(
            data,
            "email_to",
            "sender",
            "send_date",
            "subject",
            "smtp_answer_code",
            "smtp_answer_subcode",
            "smtp_answer_data",
        ),
    )


def _unsubscribed(data: Mapping[str, Any]) -> Unsubscribed:
    def flag(name: str) -> bool:
        return wire.integer_or(data.get(name), int(data.get(name) is True)) == 1

    return Unsubscribed(
        email=wire.text(data["email"]),
        unsubscribe_by_link=flag("unsubscribe_by_link"),
        unsubscribe_by_user=flag("unsubscribe_by_user"),
        spam_complaint=flag("spam_complaint"),
        date=wire.text(data.get("date")),
        extra=wire.rest(data, "email", "unsubscribe_by_link", "unsubscribe_by_user", "spam_complaint", "date"),
    )


def _domains(answer: Any) -> builtins.list[Any]:
    data = wire.record(answer).get("data")
    inner = data.get("data") if isinstance(data, dict) else data
    if not isinstance(inner, builtins.list):
        raise TypeError("expected a list of domains")
    return inner


__all__ = [
    "MOST_IDS",
    "Bounced",
    "Message",
    "Person",
    "SentMessage",
    "Unsubscribed",
    "add_sender_domain",
    "bounces",
    "bounces_total",
    "ips",
    "is_unsubscribed",
    "list",
    "read",
    "read_many",
    "remove_unsubscribed",
    "resubscribe",
    "send",
    "sender_domains",
    "senders",
    "total",
    "unsubscribe",
    "unsubscribed",
]
