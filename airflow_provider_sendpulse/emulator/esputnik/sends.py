# SPDX-License-Identifier: Apache-2.0
"""Messages on their way to one address, and what becomes of them (eSputnik API: single messages)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.esputnik.contact_data import is_phone_number
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts, normal
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import PreparedMessage
from airflow_provider_sendpulse.emulator.messages import CLICKED, DELIVERED, OPENED, UNSUBSCRIBED, Mailbox, Message
from airflow_provider_sendpulse.emulator.settings import Settings

SendKind = Literal["smartsend", "email", "sms", "viber", "broadcast"]
CHANNEL_OF = {"email": "email", "sms": "sms", "viber": "sms", "mobilepush": "mobilepush", "appinbox": "appinbox"}
"""The channel of a contact that a message of each kind goes to."""

_REACHED = {DELIVERED: "DELIVERED", OPENED: "READ", CLICKED: "CLICKED", UNSUBSCRIBED: "UNSUBSCRIBED"}
_FAILED = {"email": "UNDELIVERED", "sms": "SMS_UNDELIVERED_STATE", "viber": "VIBER_UNDELIVERED_STATE"}


@dataclass(frozen=True)
class Content:
    """What is sent: the message as its reader sees it, and how it is told apart.

    Attributes:
        media: ``email``, ``sms``, ``viber``, or another kind of message.
        message_id: the prepared message, None for one that was sent as it is.
    """

    media: str
    subject: str = ""
    html: str = ""
    text: str = ""
    message_id: int | None = None
    name: str = ""
    tag: str = ""
    language: str = ""
    sender: str = ""
    external_request_id: str = ""


@dataclass
class Send:
    """One message to one address.

    Attributes:
        failure: the status it ends in without being sent, empty if it is sent.
        message: what is in the inbox, None if nothing is.
        reads: how often its status was read.
    """

    request_id: str
    kind: SendKind
    content: Content
    to: str
    contact_id: int
    broadcast_id: int | None
    sent_at: datetime
    failure: str
    message: Message | None
    reads: int = 0

    def status_at(self, now: datetime) -> str:
        """Return the status reached by now, once it has left the queue."""
        if self.message is None:
            return self.failure
        status = self.message.status_at(now)
        if self.content.media == "sms" and status in _REACHED:
            return "DELIVERED"  # nobody learns more of an SMS
        return _REACHED.get(status, _FAILED.get(self.content.media, "UNDELIVERED"))

    @property
    def is_delivered(self) -> bool:
        """Whether it reaches its reader in the end."""
        return self.message is not None and self.message.detail in _REACHED


class Sends:
    """Everything that was sent, oldest first."""

    def __init__(
        self, settings: Settings, clock: Clock, contacts: Contacts, mailbox: Mailbox, unsubscribed: dict[str, datetime]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._contacts = contacts
        self._mailbox = mailbox
        self._unsubscribed = unsubscribed
        self._sends: dict[str, Send] = {}

    def __iter__(self) -> Iterator[Send]:
        return iter(list(self._sends.values()))

    def __len__(self) -> int:
        return len(self._sends)

    def get(self, request_id: str) -> Send | None:
        """Return what was sent under a request id."""
        return self._sends.get(request_id)

    def recipient(self, media: str, locator: str) -> Contact:
        """Return the contact of an address; an unknown one becomes a confirmed contact with nothing else."""
        channel = CHANNEL_OF.get(media, media)
        contact = self._contacts.one(channel, locator)
        if contact is None:
            now = self._clock.now()
            contact = self._contacts.create("single message", now)
            contact.channels[channel] = [{"type": channel, "value": locator}]
            self._contacts.changed(contact, now)
        return contact

    def send(
        self,
        kind: SendKind,
        content: Content,
        contact: Contact,
        to: str,
        *,
        variables: Mapping[str, Any] | None = None,
        broadcast_id: int | None = None,
        at: datetime | None = None,
    ) -> Send:
        """Send a message, unless its reader does not want any."""
        now = at or self._clock.now()
        failure = ""
        if self._settings.balance_exhausted:
            failure = "NO_MONEY"
        elif content.media == "email" and not self.is_wanted(to):
            failure = "UNSUBSCRIBED"
        message = None
        if not failure:
            message = self._mailbox.post(
                kind=kind,
                campaign_id=None,
                book_id=None,
                to=normal("email", to) if content.media == "email" else to,
                subject=content.subject,
                body=content.html,
                text=content.text,
                variables=variables or {},
                at=now,
                service="esputnik",
            )
            if message.detail == UNSUBSCRIBED and content.media == "email":
                self._unsubscribed[normal("email", to)] = now
        send = Send(str(uuid.uuid4()), kind, content, to, contact.id, broadcast_id, now, failure, message)
        self._sends[send.request_id] = send
        return send

    def is_wanted(self, email: str) -> bool:
        """Whether nobody has unsubscribed this address."""
        return normal("email", email) not in self._unsubscribed

    def failure_of(self, send: Send) -> str:
        """Return the status in which a message that does not arrive has ended."""
        return send.status_at(self._clock.now())

    def is_queued(self, send: Send) -> bool:
        """Whether a message still waits, by the clock or by reads of its status."""
        settings = self._settings
        if settings.transitions == "reads":
            return send.reads < settings.reads_per_status
        return self._clock.now() < self.leaves_queue_at(send)

    def leaves_queue_at(self, send: Send) -> datetime:
        """When a message leaves the queue; at once where states move by reads."""
        seconds = self._settings.seconds_per_status if self._settings.transitions == "clock" else 0.0
        return send.sent_at + timedelta(seconds=seconds)

    def read_status(self, send: Send) -> dict[str, Any]:
        """Tell the status of a message, and count the read."""
        is_queued = self.is_queued(send)
        send.reads += 1
        status = "IN_QUEUE" if is_queued else send.status_at(self._clock.now())
        return {
            "requestId": send.request_id,
            "status": status,
            "failed": not is_queued and not send.is_delivered,
            "delivered": not is_queued and send.is_delivered,
        }

    def as_list(self) -> list[dict[str, Any]]:
        """Everything that was sent as JSON, for assertions."""
        now = self._clock.now()
        return [
            {
                "requestId": send.request_id,
                "kind": send.kind,
                "media": send.content.media,
                "messageId": send.content.message_id,
                "to": send.to,
                "contact_id": send.contact_id,
                "broadcastId": send.broadcast_id,
                "externalRequestId": send.content.external_request_id,
                "inbox": send.message.id if send.message is not None else None,
                "status": "IN_QUEUE" if self.is_queued(send) else send.status_at(now),
                "sent_at": send.sent_at.isoformat(),
            }
            for send in self
        ]


def content_of(
    message: PreparedMessage, data: Mapping[str, Any], language: str = "", sender: str = "", request_id: str = ""
) -> Content:
    """Return a prepared message as it goes out."""
    rendered = message.rendered(language, data)
    tags = message.content.get("tags")
    return Content(
        message.kind,
        rendered["subject"],
        rendered["htmlText"],
        rendered["plainText"] if message.kind == "email" else rendered["text"],
        message.id,
        message.name,
        str(tags[0]) if isinstance(tags, list) and tags else "",
        language,
        sender or rendered["from"],
        request_id,
    )


def is_locator(media: str, text: str) -> bool:
    """Whether a text can be the address of a message."""
    if media == "email":
        return is_address(text.strip())
    return is_phone_number(text) if media in ("sms", "viber") else bool(text.strip())
