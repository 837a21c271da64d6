# SPDX-License-Identifier: Apache-2.0
"""The whole account, and the passing of time in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator import webhook_events
from airflow_provider_sendpulse.emulator.books import Book, Books
from airflow_provider_sendpulse.emulator.campaign_course import COPYING, CampaignCourse
from airflow_provider_sendpulse.emulator.campaigns import Campaign, Campaigns, history_as_list
from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import NewContact
from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.events import Events
from airflow_provider_sendpulse.emulator.flows import Flows
from airflow_provider_sendpulse.emulator.limits import CampaignLimit, RequestLimits, TestLimit
from airflow_provider_sendpulse.emulator.messages import Mailbox
from airflow_provider_sendpulse.emulator.senders import Senders
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.smtp import Smtp
from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT
from airflow_provider_sendpulse.emulator.tags import Tags
from airflow_provider_sendpulse.emulator.templates import Templates
from airflow_provider_sendpulse.emulator.tokens import Tokens
from airflow_provider_sendpulse.emulator.webhooks import Webhooks


@dataclass
class PendingConfirmation:
    """A contact of a double opt-in who has not clicked yet."""

    book_id: int
    contact: NewContact
    message_id: int


class State:
    """Everything SendPulse would remember, and what eSputnik would."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.tokens = Tokens(settings, clock)
        self.request_limits = RequestLimits(settings, clock)
        self.campaign_limit = CampaignLimit(settings, clock)
        self.test_limit = TestLimit(settings, clock)
        self.senders = Senders(settings, clock)
        self.templates = Templates(settings, clock)
        self.webhooks = Webhooks(settings, clock)
        self.books = Books(settings, clock, self.webhooks)
        self.tags = Tags(settings, clock)
        self.campaigns = Campaigns(settings, clock)
        self.events = Events(settings, clock)
        self.mailbox = Mailbox(settings)
        self.smtp = Smtp(settings, clock, self.mailbox)
        self.flows = Flows(settings, clock, self.mailbox)
        self.blacklist: dict[str, str] = {}
        self.confirmations: list[PendingConfirmation] = []
        self.course = CampaignCourse(self)
        self.esputnik = Esputnik(settings, clock, self.mailbox)

    def settle(self) -> None:
        """Let everything happen that was due by now, each thing at its own time."""
        now = self.clock.now()
        while (step := self._first_due(now)) is not None:
            step()
        self.tags.settle(now)
        self.webhooks.settle(now)
        self.esputnik.settle(now)

    def note_book_read(self, book: Book) -> None:
        """Count a read of a book; where states move by reads, its lock comes nearer to its end.

        Who waits for a book does not read the campaign that copies from it, so that campaign moves as well.
        """
        for campaign_id in sorted(book.copying_to):
            campaign = self.campaigns.get(campaign_id)
            if campaign is not None and campaign.status == COPYING:
                self.course.note_read(campaign)
        self.books.note_read(book)

    def has_active_campaign(self, book: Book) -> bool:
        """Whether some campaign still needs the book."""
        return any(not campaign.is_over for campaign in self.campaigns.of_book(book.id))

    def confirm(self, book_id: int, email: str) -> bool:
        """Do what a click in a confirmation message does."""
        for pending in self.confirmations:
            book = self.books.get(book_id)
            if pending.book_id == book_id and pending.contact.email == email and book is not None:
                self.confirmations.remove(pending)
                now, contact = self.clock.now(), pending.contact
                is_new = contact.email not in book.contacts
                book.put(contact, now, "form").status = ACTIVE_CONTACT
                if is_new:
                    told = webhook_events.new_email(now, contact.email, book_id, contact.variables, "subscription form")
                    self.webhooks.tell(now, told)
                return True
        return False

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON, for assertions."""
        now = self.clock.now()
        return {
            "now": now.isoformat(),
            "books": [_book_as_dict(book) for book in self.books],
            "campaigns": [_campaign_as_dict(campaign) for campaign in self.campaigns],
            "messages": [message.as_dict(now) for message in self.mailbox],
            "events": [event.as_dict() for event in self.events],
            "senders": [
                {"name": sender.name, "email": sender.email, "active": sender.active, "code": sender.code}
                for sender in self.senders
            ],
            "templates": [
                {"id": template.id, "real_id": template.real_id, "name": template.name} for template in self.templates
            ],
            "tags": [{"id": tag.id, "name": tag.name, "color": tag.color} for tag in self.tags],
            "pinned_tags": {contact: sorted(ids) for contact, ids in self.tags.pinned.items() if ids},
            "webhooks": self.webhooks.as_dict(),
            "smtp": self.smtp.as_dict(),
            "flows": self.flows.as_list(),
            "blacklist": sorted(self.blacklist),
            "confirmations": [
                {"book_id": pending.book_id, "email": pending.contact.email} for pending in self.confirmations
            ],
            "tokens_issued": self.tokens.issued,
            "tokens_valid": self.tokens.valid_count(),
            "campaign_limit_used": self.campaign_limit.used,
            "esputnik": self.esputnik.as_dict(),
        }

    def _first_due(self, now: datetime) -> Callable[[], None] | None:
        steps: list[tuple[datetime, int, Callable[[], None]]] = []

        def add(due: datetime | None, step: Callable[[], None]) -> None:
            if due is not None and due <= now:
                steps.append((due, len(steps), step))

        for book in self.books:
            if book.activations:
                due = min(book.activations)[0]
                add(due, _bind(self.books.activate, book, due))
            if self.settings.transitions == "clock":
                for load in book.loads:
                    add(load.ends_at, _bind(self.books.end_load, book, load, load.ends_at))
        for flow in self.flows:
            flow_due = flow.due_at
            if flow_due is not None:
                add(flow_due, _bind(self.flows.settle, flow, flow_due))
        if self.settings.transitions == "clock":
            for campaign in self.campaigns:
                due_at = self.course.due_at(campaign)
                if due_at is not None:
                    add(due_at, _bind(self.course.step, campaign, due_at))
        return min(steps)[2] if steps else None


def _bind(action: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    return lambda: action(*arguments)


def _book_as_dict(book: Book) -> dict[str, Any]:
    return {
        "id": book.id,
        "name": book.name,
        "status": book.status,
        "variables": book.variables,
        "contacts": [
            {
                "email": contact.email,
                "status": contact.status,
                "variables": contact.variables,
                "phone": contact.phone,
                "added_at": contact.added_at.isoformat(),
            }
            for contact in book.contacts.values()
        ],
    }


def _campaign_as_dict(campaign: Campaign) -> dict[str, Any]:
    content = campaign.content
    return {
        "id": campaign.id,
        "name": content.name,
        "status": campaign.status,
        "history": history_as_list(campaign),
        "subject": content.subject,
        "body": content.body,
        "sender_name": content.sender_name,
        "sender_email": content.sender_email,
        "book_ids": content.book_ids,
        "segment_id": content.segment_id,
        "send_at": content.send_at.isoformat() if content.send_at else None,
        "is_test": content.is_test,
        "recipients": campaign.recipients,
        "mailed": sorted(campaign.mailed),
        "created_at": campaign.created_at.isoformat(),
    }
