# SPDX-License-Identifier: Apache-2.0
"""Turning a campaign into messages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_sendpulse.emulator.books import Book
from airflow_provider_sendpulse.emulator.campaigns import Campaign, CampaignContent
from airflow_provider_sendpulse.emulator.contacts import Contact
from airflow_provider_sendpulse.emulator.messages import UNSUBSCRIBED, Message
from airflow_provider_sendpulse.emulator.statuses import (
    ACTIVE_CONTACT,
    BOUNCED_CONTACT,
    NEW_CONTACT,
    UNSUBSCRIBED_CONTACT,
)

if TYPE_CHECKING:
    from airflow_provider_sendpulse.emulator.state import State

_HARD_BOUNCES = frozenset({6, 14, 16})


class Mailing:
    """Finds who gets a campaign and writes to them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def recipients(self, content: CampaignContent) -> list[str]:
        """Return the addresses of the books a campaign would go to, each once.

        New contacts count where approval of the campaign is what activates them.
        """
        mailable = {ACTIVE_CONTACT}
        if self._state.settings.activate_contacts_on_approval:
            mailable.add(NEW_CONTACT)
        found: dict[str, None] = {}
        for book in self._books(content):
            for contact in book.contacts.values():
                if contact.status in mailable and contact.email not in self._state.blacklist:
                    found[contact.email] = None
        return list(found)

    def mail(self, campaign: Campaign, at: datetime, share: float = 1.0) -> None:
        """Write to the recipients who have not been written to; to a share of them if so wished.

        Whoever has left or unsubscribed since the addresses were copied gets nothing.
        """
        if campaign.content.is_test or campaign.content.is_draft:
            return
        campaign.mailed_at = campaign.mailed_at or at
        count = int(len(campaign.recipients) * share + 0.5)
        for email in campaign.recipients[:count]:
            place = self._place(campaign.content, email)
            if email in campaign.mailed or place is None:
                continue
            book, contact = place
            campaign.mailed.add(email)
            message = self._write(campaign, email, book, contact, at)
            self._follow_up(campaign.content, message)
            self._state.webhooks.tell_of_message(message)

    def mail_test(self, campaign: Campaign, at: datetime) -> None:
        """Write to the addresses of a test."""
        campaign.mailed_at = at
        content = campaign.content
        for address in content.test_addresses:
            self._state.mailbox.post(
                kind="test",
                campaign_id=campaign.id,
                book_id=content.book_ids[0],
                to=address,
                subject=content.subject,
                body=content.body,
                variables={},
                at=at,
            )

    def _write(self, campaign: Campaign, email: str, book: Book, contact: Contact, at: datetime) -> Message:
        variables = dict(contact.variables)
        if contact.phone:
            variables.setdefault("Phone", contact.phone)
        return self._state.mailbox.post(
            kind="campaign",
            campaign_id=campaign.id,
            book_id=book.id,
            to=email,
            subject=campaign.content.subject,
            body=campaign.content.body,
            variables=variables,
            at=at,
        )

    def _follow_up(self, content: CampaignContent, message: Message) -> None:
        """Let a hard bounce or an unsubscription show on the contact."""
        if message.detail in _HARD_BOUNCES:
            status = BOUNCED_CONTACT
        elif message.detail == UNSUBSCRIBED:
            status = UNSUBSCRIBED_CONTACT
        else:
            return
        for book in self._books(content):
            if message.to in book.contacts:
                book.contacts[message.to].status = status

    def _place(self, content: CampaignContent, email: str) -> tuple[Book, Contact] | None:
        for book in self._books(content):
            contact = book.contacts.get(email)
            if contact is not None and contact.status == ACTIVE_CONTACT:
                return book, contact
        return None

    def _books(self, content: CampaignContent) -> list[Book]:
        found = (self._state.books.get(book_id) for book_id in content.book_ids)
        return [book for book in found if book is not None]
