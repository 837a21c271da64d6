# SPDX-License-Identifier: Apache-2.0
"""Cancelling a campaign before it goes out."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.jobs.cancelling import require_cancelled
from airflow_provider_sendpulse.operators.base import SendPulseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseCancelCampaignOperator(SendPulseOperator):
    """Cancel a campaign that has not gone out, scheduled or in moderation.

    A cancelled campaign stays readable, at status 16. Doing it again changes nothing.

    :param campaign_id: the campaign (templated)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "campaign_id")

    def __init__(self, *, campaign_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id

    def execute(self, context: Context) -> str:
        """Cancel the campaign.

        :return: ``cancelled``, also when it was cancelled before; or ``gone`` when there is no such campaign any more, or
            it has ended by itself without going out (blocked, deleted, no active addresses)
        :raises TooLate: when it is going out or has gone out, at least in part
        :raises NeedsHuman: when it could not be cancelled although it is not going out, such as a draft
        """
        campaign_id = whole_number(self.campaign_id, "campaign_id")
        with self.hook as hook:
            fate, told = require_cancelled(hook, campaign_id, SystemClock())
        self.log.info("%s", told)
        return fate.value


__all__ = ["SendPulseCancelCampaignOperator"]
