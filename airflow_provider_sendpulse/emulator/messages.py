# SPDX-License-Identifier: Apache-2.0
"""Messages that were mailed, and what became of them (SendPulse API: campaign statistics)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from airflow_provider_sendpulse.emulator.settings import Settings

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_LINK = re.compile(r"""<a\s[^>]*?href\s*=\s*["'](https?://[^"']+)["']""", re.IGNORECASE)
_COUNTRIES = ("UA", "UA", "UA", "PL", "DE", "US", "KZ")
# Messages whose fate is drawn; the others are delivered.
_DRAWN = frozenset({"campaign", "smtp", "flow"})
Service = Literal["sendpulse", "esputnik"]
_BOUNCES = (6, 6, 10, 12, 14)
DELIVERED, OPENED, CLICKED, UNSUBSCRIBED = 2, 3, 4, 5


@dataclass
class Message:
    """One message to one address, with its variables as they were when it was mailed.

    Attributes:
        detail: the final delivery status; see :meth:`status_at` for the one reached so far.
        kind: ``campaign``, ``test``, ``confirmation``, ``smtp``, ``resubscription`` or ``flow``; those of eSputnik are
            ``smartsend``, ``broadcast``, ``email``, ``sms`` or ``viber``.
        text: the plain text, where the message has one of its own.
        attachments: names of files.
        service: who mailed it. Messages of eSputnik come filled in.
    """

    id: int
    kind: str
    campaign_id: int | None
    book_id: int | None
    to: str
    subject: str
    body: str
    variables: dict[str, Any]
    sent_at: datetime
    text: str = ""
    attachments: tuple[str, ...] = ()
    detail: int = DELIVERED
    opened_at: datetime | None = None
    clicked_at: datetime | None = None
    clicked_link: str | None = None
    country: str = "UA"
    service: Service = "sendpulse"

    def rendered_subject(self) -> str:
        """Return the subject line as its reader sees it."""
        return self._filled_in(self.subject)

    def rendered_body(self) -> str:
        """Return the HTML as its reader sees it, or plain text made into HTML."""
        body = self.body or (f"<pre>{html.escape(self.text)}</pre>" if self.text else "")
        return self._filled_in(body)

    def placeholders(self) -> dict[str, Any]:
        """Tell what ``{{…}}`` can name: the variables and the address."""
        return {"email": self.to, **self.variables}

    def _filled_in(self, text: str) -> str:
        return fill_in(text, self.placeholders()) if self.service == "sendpulse" else text

    def status_at(self, now: datetime) -> int:
        """Return the delivery status reached by now."""
        if self.detail not in (OPENED, CLICKED, UNSUBSCRIBED):
            return self.detail
        if self.clicked_at is not None and self.clicked_at <= now:
            return self.detail
        if self.opened_at is not None and self.opened_at <= now:
            return OPENED
        return DELIVERED

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """Return the message as JSON, both as written and as read."""
        return {
            "id": self.id,
            "service": self.service,
            "kind": self.kind,
            "campaign_id": self.campaign_id,
            "book_id": self.book_id,
            "to": self.to,
            "subject": self.rendered_subject(),
            "body": self.rendered_body(),
            "text": self._filled_in(self.text),
            "attachments": list(self.attachments),
            "variables": self.variables,
            "sent_at": self.sent_at.isoformat(),
            "status": self.status_at(now),
        }


def fill_in(text: str, variables: Mapping[str, Any]) -> str:
    """Put values in place of ``{{name}}``; a name nobody knows leaves nothing behind."""

    def value(match: re.Match[str]) -> str:
        found = variables.get(match.group(1))
        return "" if found is None else str(found)

    return _PLACEHOLDER.sub(value, text)


def links_in(body: str) -> list[str]:
    """Return the web addresses a message links to, each once."""
    return list(dict.fromkeys(_LINK.findall(body)))


@dataclass
class Mailbox:
    """Everything that was mailed."""

    settings: Settings
    messages: list[Message] = field(default_factory=list)

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self.messages))

    def __len__(self) -> int:
        return len(self.messages)

    def post(
        self,
        *,
        kind: str,
        campaign_id: int | None,
        book_id: int | None,
        to: str,
        subject: str,
        body: str,
        variables: Mapping[str, Any],
        at: datetime,
        text: str = "",
        attachments: tuple[str, ...] = (),
        service: Service = "sendpulse",
    ) -> Message:
        """Mail one message and decide its fate."""
        number, values = len(self.messages) + 1, dict(variables)
        message = Message(number, kind, campaign_id, book_id, to, subject, body, values, at, text, attachments)
        message.service = service
        if kind in _DRAWN or service == "esputnik":
            self._decide(message)
        self.messages.append(message)
        return message

    def get(self, message_id: int) -> Message | None:
        """Return the message with this number."""
        return self.messages[message_id - 1] if 0 < message_id <= len(self.messages) else None

    def of_campaign(self, campaign_id: int) -> list[Message]:
        """Return the messages of one campaign."""
        return [message for message in self.messages if message.campaign_id == campaign_id]

    def to_address(self, email: str) -> list[Message]:
        """Return the messages to one address."""
        return [message for message in self.messages if message.to == email]

    def _decide(self, message: Message) -> None:
        # Each message draws from a source of its own, so that its fate depends on nothing but the seed.
        settings = self.settings
        source = Random(f"{settings.seed}:{message.campaign_id or message.subject}:{message.to}")
        message.country = source.choice(_COUNTRIES)
        bounces, opens, clicks, leaves = (source.random() for _ in range(4))
        open_delay, click_delay = source.random(), source.random()
        links = links_in(message.rendered_body())
        if bounces < settings.bounce_share:
            message.detail = source.choice(_BOUNCES)
        elif opens < settings.open_share:
            message.detail = OPENED
            if links and clicks < settings.click_share:
                message.detail = CLICKED
            if leaves < settings.unsubscribe_share:
                message.detail = UNSUBSCRIBED
        forced = settings.outcomes.get(message.to)
        if forced is not None:
            message.detail = forced
        if message.detail in (OPENED, CLICKED, UNSUBSCRIBED):
            spread = settings.engagement_seconds
            message.opened_at = message.sent_at + timedelta(seconds=open_delay * spread)
            if message.detail in (CLICKED, UNSUBSCRIBED):
                message.clicked_at = message.opened_at + timedelta(seconds=click_delay * spread)
        if message.detail == CLICKED and links:
            message.clicked_link = source.choice(links)


def delivery_counts(messages: Iterable[Message], now: datetime) -> dict[int, int]:
    """How many messages reached each stage.

    Stages nest: whoever clicked has opened, and counts in both.
    """
    counts: dict[int, int] = {}
    for message in messages:
        status = message.status_at(now)
        reached = {1, status}
        if status in (DELIVERED, OPENED, CLICKED, UNSUBSCRIBED):
            reached.add(DELIVERED)
        if status in (CLICKED, UNSUBSCRIBED):
            reached.add(OPENED)
        for code in reached:
            counts[code] = counts.get(code, 0) + 1
    return dict(sorted(counts.items()))
