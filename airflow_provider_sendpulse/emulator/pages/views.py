# SPDX-License-Identifier: Apache-2.0
"""What the pages show, gathered from the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_provider_sendpulse.emulator.campaigns import Campaign
from airflow_provider_sendpulse.emulator.messages import Message, delivery_counts
from airflow_provider_sendpulse.emulator.state import State


@dataclass(frozen=True)
class Step:
    """One status a campaign was in, and for how long; None while it is in it for good."""

    status: int
    since: datetime
    seconds: float | None
    is_present: bool


@dataclass(frozen=True)
class CampaignView:
    """A campaign with what is derived from its history."""

    campaign: Campaign
    steps: list[Step]
    books: list[tuple[int, str]]
    counts: dict[int, int]

    def share(self, code: int) -> float:
        """Which part of the sent messages reached a stage, in percent."""
        sent = self.counts.get(1, 0)
        return 100 * self.counts.get(code, 0) / sent if sent else 0.0


@dataclass(frozen=True)
class MessageView:
    """A message as a line of the inbox."""

    message: Message
    subject: str
    campaign_name: str
    status: int
    opened_at: datetime | None
    clicked_at: datetime | None


def campaign_view(state: State, campaign: Campaign) -> CampaignView:
    """Derive what a page says about a campaign."""
    now = state.clock.now()
    ends = [moment for _, moment in campaign.history[1:]]
    steps = [
        Step(code, since, (end - since).total_seconds(), is_present=False)
        for (code, since), end in zip(campaign.history, ends, strict=False)
    ]
    code, since = campaign.history[-1]
    waiting = None if campaign.is_over else (now - since).total_seconds()
    steps.append(Step(code, since, waiting, is_present=True))
    books = []
    for book_id in campaign.content.book_ids:
        book = state.books.get(book_id)
        books.append((book_id, book.name if book is not None else "deleted"))
    return CampaignView(campaign, steps, books, delivery_counts(state.mailbox.of_campaign(campaign.id), now))


def message_view(state: State, message: Message) -> MessageView:
    """Derive what the inbox says about a message."""
    now = state.clock.now()
    campaign = state.campaigns.get(message.campaign_id) if message.campaign_id is not None else None
    return MessageView(
        message=message,
        subject=message.rendered_subject(),
        campaign_name=campaign.content.name if campaign is not None else "",
        status=message.status_at(now),
        opened_at=_if_past(message.opened_at, now),
        clicked_at=_if_past(message.clicked_at, now),
    )


def _if_past(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment <= now else None
