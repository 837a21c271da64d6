# SPDX-License-Identifier: Apache-2.0
"""How a campaign moves from status to status (SendPulse API: campaign statuses).

Documented steps: 13 is followed by 2 below twenty recipients and by 1 (moderation) otherwise; 7 and 14 lead
to 3. Each status lasts for some seconds, or for some reads of the campaign.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_sendpulse.emulator.campaigns import Campaign
from airflow_provider_sendpulse.emulator.mailing import Mailing
from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT, ENDED_CAMPAIGN_STATUSES, NEW_CONTACT
from airflow_provider_sendpulse.emulator.webhook_events import task_status

if TYPE_CHECKING:
    from airflow_provider_sendpulse.emulator.state import State

COPYING = 13
# Statuses that show that moderation is behind the campaign.
APPROVED = frozenset({2, 3, 7, 9, 10, 14, 22})
_ORDINARY_STEPS = {0: 13, 1: 14, 4: 8, 7: 3, 9: 7, 10: 14, 14: 2, 2: 7, 22: 23}


class CampaignCourse:
    """Moves the campaigns of one account."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._mailing = Mailing(state)

    def started(self, campaign: Campaign) -> None:
        """Note that a campaign was created: it locks its books while it copies from them."""
        self._update_locks(campaign)

    def due_at(self, campaign: Campaign) -> datetime | None:
        """When the campaign leaves its status by the clock; None when it does not."""
        if not self._moves(campaign):
            return None
        settings = self._state.settings
        seconds = settings.seconds_in_status.get(campaign.status, settings.seconds_per_status)
        due = campaign.entered_at + timedelta(seconds=seconds)
        hold = self._held_until(campaign)
        return due if hold is None else max(due, hold)

    def note_read(self, campaign: Campaign) -> None:
        """Count a read; move the campaign if it was read often enough in this status."""
        settings = self._state.settings
        if settings.transitions != "reads" or not self._moves(campaign):
            return
        enough = settings.reads_in_status.get(campaign.status, settings.reads_per_status)
        hold = self._held_until(campaign)
        now = self._state.clock.now()
        if campaign.reads >= enough and (hold is None or hold <= now):
            self.step(campaign, now)
        campaign.reads += 1

    def step(self, campaign: Campaign, at: datetime) -> None:
        """Take the next step, whatever it is."""
        if campaign.status == COPYING and not campaign.is_copied:
            campaign.recipients = self._mailing.recipients(campaign.content)
            campaign.is_copied = True
        following = self._next_status(campaign)
        if following is not None:
            self.enter(campaign, following, at)

    def enter(self, campaign: Campaign, status: int, at: datetime) -> None:
        """Put a campaign into a status, with all that this implies."""
        told = task_status(at, campaign.id, campaign.content.book_ids[0], campaign.status, status)
        if told is not None and not campaign.content.is_test:
            self._state.webhooks.tell(at, told)
        campaign.enter(status, at)
        self._update_locks(campaign)
        if status in APPROVED and campaign.content.use_dynamic_list and campaign.mailed_at is None:
            campaign.recipients = self._mailing.recipients(campaign.content)
        if status in APPROVED and not campaign.content.is_test:
            self._approve(campaign)
        if status in (3, 7):
            self._mailing.mail(campaign, at)
        elif status in (22, 23, 25) and campaign.mailed_at is None:
            self._mailing.mail(campaign, at, share=0.5)
        elif status == 8:
            self._mailing.mail_test(campaign, at)

    def cancel(self, campaign: Campaign) -> None:
        """Stop a campaign; what has already been delivered stays delivered."""
        now = self._state.clock.now()
        if campaign.status in ENDED_CAMPAIGN_STATUSES:
            raise self._state.campaigns.refusal(602, "Campaign not found, probably it was already sent")
        if campaign.status in (2, 9):
            self._mailing.mail(campaign, now, share=0.5)
        campaign.script.clear()
        self.enter(campaign, 16, now)

    def force(self, campaign: Campaign, status: int, then: list[int]) -> None:
        """Put a campaign into a status by hand, with the statuses that shall follow."""
        if not campaign.is_copied and not campaign.content.is_test:
            campaign.recipients = self._mailing.recipients(campaign.content)
            campaign.is_copied = True
        campaign.script = list(then)
        self.enter(campaign, status, self._state.clock.now())

    def _moves(self, campaign: Campaign) -> bool:
        return bool(campaign.script) or campaign.status in _ORDINARY_STEPS or campaign.status == COPYING

    def _held_until(self, campaign: Campaign) -> datetime | None:
        if campaign.status == self._state.settings.scheduled_status:
            return campaign.content.send_at
        return None

    def _next_status(self, campaign: Campaign) -> int | None:
        if campaign.status == COPYING and not campaign.script:
            self._branch(campaign)
        if campaign.script:
            return campaign.script.pop(0)
        return _ORDINARY_STEPS.get(campaign.status)

    def _branch(self, campaign: Campaign) -> None:
        """Decide, once the recipients are known, where the campaign goes."""
        settings = self._state.settings
        if campaign.outcome is not None:
            campaign.script = _script_for(campaign.outcome)
        elif not campaign.recipients:
            campaign.script = [12]
        elif len(campaign.recipients) >= settings.moderation_from_recipients:
            campaign.script = [1]
        elif campaign.content.send_at is not None:
            campaign.script = [settings.scheduled_status]
        else:
            campaign.script = [2]

    def _approve(self, campaign: Campaign) -> None:
        if not self._state.settings.activate_contacts_on_approval:
            return
        for book_id in campaign.content.book_ids:
            book = self._state.books.get(book_id)
            if book is None:
                continue
            for email in campaign.recipients:
                contact = book.contacts.get(email)
                if contact is not None and contact.status == NEW_CONTACT:
                    contact.status = ACTIVE_CONTACT

    def _update_locks(self, campaign: Campaign) -> None:
        for book_id in campaign.content.book_ids:
            book = self._state.books.get(book_id)
            if book is None:
                continue
            if campaign.status == COPYING:
                book.copying_to.add(campaign.id)
            else:
                book.copying_to.discard(campaign.id)


def _script_for(outcome: int | list[int]) -> list[int]:
    """Return the statuses after copying that lead to a wished outcome."""
    if isinstance(outcome, list):
        return list(outcome)
    paths = {
        3: [1, 14, 2, 7, 3],
        12: [12],
        22: [1, 14, 2, 22, 23],
        23: [1, 14, 2, 22, 23],
        25: [1, 14, 2, 25],
    }
    return list(paths.get(outcome, [1, outcome]))
