# SPDX-License-Identifier: Apache-2.0
"""Campaigns and their list (SendPulse API: campaigns)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.errors import Refusal
from airflow_provider_sendpulse.emulator.settings import Settings
from airflow_provider_sendpulse.emulator.statuses import FINAL_CAMPAIGN_STATUSES

FIRST_CAMPAIGN_ID = 700001


@dataclass
class CampaignContent:
    """What a create call asks for, checked."""

    name: str
    sender_name: str
    sender_email: str
    subject: str
    body: str
    book_ids: list[int]
    segment_id: int | None = None
    send_at: datetime | None = None
    is_draft: bool = False
    test_addresses: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    use_dynamic_list: bool = False
    check_opens: bool = True
    check_clicks: bool = True

    @property
    def is_test(self) -> bool:
        """Whether it goes to a few named addresses instead of a book."""
        return bool(self.test_addresses)


@dataclass
class Campaign:
    """A campaign on its way."""

    id: int
    content: CampaignContent
    created_at: datetime
    status: int
    history: list[tuple[int, datetime]]
    outcome: int | list[int] | None = None
    script: list[int] = field(default_factory=list)
    reads: int = 0
    recipients: list[str] = field(default_factory=list)
    is_copied: bool = False
    mailed: set[str] = field(default_factory=set)
    mailed_at: datetime | None = None
    hidden_until: datetime | None = None
    hidden_reads: int = 0

    @property
    def entered_at(self) -> datetime:
        """When the present status began."""
        return self.history[-1][1]

    @property
    def is_over(self) -> bool:
        """Whether it will stay as it is."""
        return self.status in FINAL_CAMPAIGN_STATUSES and not self.script

    def is_planned(self, now: datetime) -> bool:
        """Whether it waits for its date."""
        send_at = self.content.send_at
        return send_at is not None and send_at > now and self.mailed_at is None and not self.is_over

    def enter(self, status: int, at: datetime) -> None:
        """Change the status and remember when."""
        self.status = status
        self.reads = 0
        self.history.append((status, at))


class Campaigns:
    """All campaigns of the account, in order of creation."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._campaigns: dict[int, Campaign] = {}
        self._next_id = FIRST_CAMPAIGN_ID

    def __iter__(self) -> Iterator[Campaign]:
        return iter(list(self._campaigns.values()))

    def __len__(self) -> int:
        return len(self._campaigns)

    def get(self, campaign_id: int) -> Campaign | None:
        """Return the campaign with this id, if there is one."""
        return self._campaigns.get(campaign_id)

    def find(self, campaign_id: int) -> Campaign:
        """Return the campaign with this id, or a refusal."""
        campaign = self._campaigns.get(campaign_id)
        if campaign is None:
            raise self.refusal(802, "Campaign not found")
        return campaign

    def refusal(self, code: int, message: str) -> Refusal:
        """Return a refusal with the HTTP status the settings give to campaign errors."""
        return Refusal(self._settings.http_status_campaign_refused, code, message)

    def create(self, content: CampaignContent, *, at_once_visible: bool = False) -> Campaign:
        """Register a campaign in its first status."""
        settings = self._settings
        now = self._clock.now()
        if content.is_draft:
            status = 26
        elif content.is_test:
            status = 4
        else:
            status = 0 if settings.create_answer == "manual" else 13
        if not content.name:
            content.name = f"Campaign_{settings.user_id}_{self._next_id:X}"
        content.name = content.name[: settings.longest_campaign_name]
        campaign = Campaign(self._next_id, content, now, status, [(status, now)])
        if not content.is_draft and not content.is_test and settings.next_campaign_outcomes:
            campaign.outcome = settings.next_campaign_outcomes.pop(0)
        if not at_once_visible:
            campaign.hidden_reads = settings.campaign_visibility_reads
            if settings.campaign_visibility_seconds:
                campaign.hidden_until = now + timedelta(seconds=settings.campaign_visibility_seconds)
        self._next_id += 1
        self._campaigns[campaign.id] = campaign
        return campaign

    def listed(self) -> list[Campaign]:
        """Return what a list call shows now; each call counts against the delay of the hidden ones."""
        shown = []
        for campaign in self:
            if campaign.hidden_until is not None and campaign.hidden_until > self._clock.now():
                continue
            if campaign.hidden_reads > 0:
                campaign.hidden_reads -= 1
                continue
            shown.append(campaign)
        return shown

    def of_book(self, book_id: int) -> list[Campaign]:
        """Return the campaigns that mail this book, hidden ones included."""
        return [campaign for campaign in self if book_id in campaign.content.book_ids]


def history_as_list(campaign: Campaign) -> list[list[Any]]:
    """Return the statuses gone through, each with its time."""
    return [[code, moment.isoformat()] for code, moment in campaign.history]
