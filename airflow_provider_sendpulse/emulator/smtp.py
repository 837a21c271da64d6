# SPDX-License-Identifier: Apache-2.0
"""Transactional messages, and who takes none any more (SendPulse API: SMTP service)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import invalid
from airflow_provider_sendpulse.emulator.messages import Mailbox, Message
from airflow_provider_sendpulse.emulator.settings import Settings

DAY = timedelta(hours=24)
FIRST_DOMAIN_ID = 3001


@dataclass(frozen=True)
class SmtpMessage:
    """What a send call asks for, checked.

    Attributes:
        recipients: everybody, those of cc and bcc included, each once.
    """

    sender_name: str
    sender_email: str
    subject: str
    html: str
    text: str
    recipients: list[str]
    variables: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    size: int = 0


@dataclass
class SmtpRecord:
    """One accepted message to one recipient.

    Attributes:
        message: what was mailed; None when nothing was, because the recipient wants no mail.
    """

    id: str
    sender: str
    recipient: str
    subject: str
    size: int
    sent_at: datetime
    message: Message | None
    hidden_until: datetime | None = None
    hidden_reads: int = 0

    def is_bounced(self, now: datetime) -> bool:
        """Whether the recipient's server said no."""
        return self.message is not None and self.message.status_at(now) > 5


@dataclass
class Unsubscribed:
    """An address that takes no transactional messages."""

    email: str
    comment: str
    at: datetime
    by_link: bool = False
    by_user: bool = False
    by_complaint: bool = False


@dataclass
class SenderDomain:
    """A domain that messages may come from."""

    id: int
    name: str
    is_checked: bool = False


class Smtp:
    """The transactional service of the account."""

    def __init__(self, settings: Settings, clock: Clock, mailbox: Mailbox) -> None:
        self._settings = settings
        self._clock = clock
        self._mailbox = mailbox
        self._records: list[SmtpRecord] = []
        self._asked: list[datetime] = []
        self.unsubscribed: dict[str, Unsubscribed] = {}
        self.domains: list[SenderDomain] = []

    def __iter__(self) -> Iterator[SmtpRecord]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def send(self, wanted: SmtpMessage) -> str:
        """Mail a message to each of its recipients and return the id of the first."""
        ids = [self._post(wanted, recipient).id for recipient in wanted.recipients]
        return ids[0]

    def listed(self) -> list[SmtpRecord]:
        """Return what lists show now, oldest first; each call counts against the delay of the hidden ones."""
        now, shown = self._clock.now(), []
        for record in self:
            if record.hidden_until is not None and record.hidden_until > now:
                continue
            if record.hidden_reads > 0:
                record.hidden_reads -= 1
                continue
            shown.append(record)
        return shown

    def get(self, record_id: str) -> SmtpRecord | None:
        """Return the message with this id, if there is one."""
        return next((record for record in self._records if record.id == record_id), None)

    def bounced(self) -> list[SmtpRecord]:
        """Return what came back in the last 24 hours."""
        now = self._clock.now()
        return [record for record in self if record.is_bounced(now) and record.sent_at > now - DAY]

    def unsubscribe(self, email: str, comment: str) -> None:
        """Note that the account's owner wants no messages sent to an address."""
        self.unsubscribed[email] = Unsubscribed(email, comment, self._clock.now(), by_user=True)

    def ask_to_return(self, email: str, sender: str) -> str:
        """Ask an unsubscribed person by mail to come back, and return the message's id."""
        if email not in self.unsubscribed:
            raise invalid("Blocked email not found")
        now = self._clock.now()
        self._asked = [moment for moment in self._asked if moment > now - DAY]
        limit = self._settings.smtp_resubscribes_per_day
        if limit is not None and len(self._asked) >= limit:
            raise invalid(f"No more than {limit} are allowed per day")
        self._asked.append(now)
        body = "<p>Do you want our messages again? <a href='https://example.com/'>Yes</a></p>"
        message = self._mailbox.post(
            kind="resubscription",
            campaign_id=None,
            book_id=None,
            to=email,
            subject="Come back",
            body=body,
            variables={},
            at=now,
        )
        record = SmtpRecord(_new_id(), sender, email, message.subject, len(body), now, message)
        self._records.append(record)
        return record.id

    def add_domain(self, name: str) -> SenderDomain:
        """Add a domain, or return the one there is."""
        for domain in self.domains:
            if domain.name == name:
                return domain
        domain = SenderDomain(FIRST_DOMAIN_ID + len(self.domains), name)
        self.domains.append(domain)
        return domain

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "messages": [
                {"id": record.id, "sender": record.sender, "recipient": record.recipient, "subject": record.subject}
                for record in self
            ],
            "unsubscribed": sorted(self.unsubscribed),
            "domains": [domain.name for domain in self.domains],
        }

    def _post(self, wanted: SmtpMessage, recipient: str) -> SmtpRecord:
        settings, now = self._settings, self._clock.now()
        record = SmtpRecord(_new_id(), wanted.sender_email, recipient, wanted.subject, wanted.size, now, None)
        if recipient not in self.unsubscribed:
            record.message = self._mailbox.post(
                kind="smtp",
                campaign_id=None,
                book_id=None,
                to=recipient,
                subject=wanted.subject,
                body=wanted.html,
                variables=wanted.variables,
                at=now,
                text=wanted.text,
                attachments=wanted.attachments,
            )
        record.hidden_reads = settings.smtp_visibility_reads
        if settings.smtp_visibility_seconds:
            record.hidden_until = now + timedelta(seconds=settings.smtp_visibility_seconds)
        self._records.append(record)
        return record


def _new_id() -> str:
    digits = secrets.token_hex(7)
    return f"{digits[:6]}-{digits[6:12]}-{digits[12:]}"
