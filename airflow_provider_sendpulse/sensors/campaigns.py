# SPDX-License-Identifier: Apache-2.0
"""Sensors on campaigns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from airflow_provider_sendpulse.arguments import one_of, whole_number, whole_numbers
from airflow_provider_sendpulse.jobs.waiting import SENT, Decision, judge_campaign
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sensors.base import SendPulseSensor
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger


class SendPulseCampaignSensor(SendPulseSensor):
    """Wait until a campaign reaches a status; by default until it is sent (3).

    It fails at once when the campaign cannot get there: blocked, cancelled, without active addresses, sent in part, or
    waiting for a human. Moderation (1) can take hours and is waited for until ``timeout``.

    :param campaign_id: the campaign (templated)
    :param target_statuses: status codes to wait for (templated)
    :param on_partial: ``success`` when having been sent in part (23) is enough
    :raises CampaignNotSent: it was blocked, cancelled, sent in part, or had no active addresses
    :raises NeedsHuman: it waits for somebody in the dashboard, or is a draft
    """

    template_fields: Collection[str] = (*SendPulseSensor.template_fields, "campaign_id", "target_statuses")

    def __init__(
        self,
        *,
        campaign_id: int | str,
        target_statuses: Collection[int] | str = SENT,
        on_partial: Literal["fail", "success"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.target_statuses = target_statuses
        self.on_partial = on_partial

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Campaign {self.campaign_id}"

    def look(self) -> Decision:
        """Read the campaign's status and judge it."""
        return self.judge(self.hook.send(campaigns.read(self._id)).status)

    def judge(self, seen: int) -> Decision:
        """Judge a status."""
        return judge_campaign(self._id, seen, targets=self._targets, on_partial=self.on_partial)

    def trigger(self, **wait: Any) -> SendPulseCampaignTrigger:
        """Return what waits in the triggerer."""
        return SendPulseCampaignTrigger(
            campaign_id=self._id,
            target_statuses=self._targets,
            on_partial=self.on_partial,
            **wait,
        )

    @property
    def _id(self) -> int:
        one_of(self.on_partial, "on_partial", "fail", "success")
        return whole_number(self.campaign_id, "campaign_id")

    @property
    def _targets(self) -> frozenset[int]:
        targets: Any = self.target_statuses
        # A template that renders natively makes a number of a single code.
        values = targets if isinstance(targets, str | int) else [*targets]
        return frozenset(whole_numbers(values, "target_statuses"))


__all__ = ["SendPulseCampaignSensor"]
