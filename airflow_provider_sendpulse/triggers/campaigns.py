# SPDX-License-Identifier: Apache-2.0
"""Waiting for a campaign in the triggerer."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.base import SendPulseTrigger
from airflow_provider_sendpulse.triggers.loading import loaded

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.jobs.waiting import Decision

log = logging.getLogger(__name__)


class SendPulseCampaignTrigger(SendPulseTrigger):
    """Wait until a campaign reaches a status, or one from which it cannot get there.

    :param campaign_id: the campaign
    :param target_statuses: status codes to wait for; those of a campaign that was sent when left out
    :param on_partial: ``success`` when having been sent in part (23) is enough
    :param cancel_on_kill: cancel the campaign, if it has not gone out, when a user clears or marks the waiting task
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        campaign_id: int,
        target_statuses: Collection[int] | None = None,
        on_partial: str = "fail",
        cancel_on_kill: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.campaign_id = campaign_id
        self.target_statuses = None if target_statuses is None else sorted(target_statuses)
        self.on_partial = on_partial
        self.cancel_on_kill = cancel_on_kill

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {
            "campaign_id": self.campaign_id,
            "target_statuses": self.target_statuses,
            "on_partial": self.on_partial,
            "cancel_on_kill": self.cancel_on_kill,
        }

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Campaign {self.campaign_id}"

    async def look(self, hook: SendPulseHook) -> Decision:
        """Read the campaign's status and judge it."""
        from airflow_provider_sendpulse.jobs.waiting import SENT, judge_campaign
        from airflow_provider_sendpulse.sendpulse import campaigns

        targets = SENT if self.target_statuses is None else self.target_statuses
        campaign = await hook.asend(campaigns.read(self.campaign_id))
        return judge_campaign(self.campaign_id, campaign.status, targets=targets, on_partial=self.on_partial)

    async def on_kill(self) -> None:
        """Cancel the campaign if that was asked for; Airflow 3.3 calls this when a user acts on the waiting task."""
        if not self.cancel_on_kill:
            return
        await loaded()
        from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
        from airflow_provider_sendpulse.jobs.cancelling import acancel

        hook = SendPulseHook(self.sendpulse_conn_id)
        try:
            log.warning("%s", await acancel(hook.asend, self.campaign_id))
        finally:
            await hook.aclose()


__all__ = ["SendPulseCampaignTrigger"]
