# SPDX-License-Identifier: Apache-2.0
"""What the pages show, gathered from the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_sendpulse.emulator.campaigns import Campaign
from airflow_provider_sendpulse.emulator.esputnik.broadcasts import Broadcast
from airflow_provider_sendpulse.emulator.esputnik.sends import Send
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
    """A message as a line of the inbox.

    Attributes:
        mailing: name of its campaign or title of its broadcast, empty for any other message, or when that was deleted.
        broadcast: the broadcast of eSputnik that it belongs to, if that is still there.
    """

    message: Message
    subject: str
    mailing: str
    broadcast: Broadcast | None
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


def sends_by_message(state: State) -> dict[int, Send]:
    """Return what eSputnik knows of the messages that it has mailed, by their numbers."""
    return {send.message.id: send for send in state.esputnik.sends if send.message is not None}


def message_view(state: State, message: Message, sends: Mapping[int, Send]) -> MessageView:
    """Derive what the inbox says about a message.

    :param sends: see :func:`sends_by_message`
    """
    now = state.clock.now()
    campaign = state.campaigns.get(message.campaign_id) if message.campaign_id is not None else None
    send = sends.get(message.id)
    broadcast_id = send.broadcast_id if send is not None else None
    broadcast = state.esputnik.broadcasts.get(broadcast_id) if broadcast_id is not None else None
    mailing = campaign.content.name if campaign is not None else broadcast.title if broadcast is not None else ""
    return MessageView(
        message=message,
        subject=message.rendered_subject(),
        mailing=mailing,
        broadcast=broadcast,
        status=message.status_at(now),
        opened_at=_if_past(message.opened_at, now),
        clicked_at=_if_past(message.clicked_at, now),
    )


def _if_past(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment <= now else None
