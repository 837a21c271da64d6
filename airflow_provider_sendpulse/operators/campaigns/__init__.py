# SPDX-License-Identifier: Apache-2.0
"""Operators for campaigns."""

from __future__ import annotations

from airflow_provider_sendpulse.operators.campaigns.cancelling import SendPulseCancelCampaignOperator
from airflow_provider_sendpulse.operators.campaigns.creating import SendPulseCreateCampaignOperator
from airflow_provider_sendpulse.operators.campaigns.editing import SendPulseEditCampaignOperator
from airflow_provider_sendpulse.operators.campaigns.statistics import SendPulseCampaignStatisticsOperator
from airflow_provider_sendpulse.operators.campaigns.testing import SendPulseSendTestOperator

__all__ = [
    "SendPulseCampaignStatisticsOperator",
    "SendPulseCancelCampaignOperator",
    "SendPulseCreateCampaignOperator",
    "SendPulseEditCampaignOperator",
    "SendPulseSendTestOperator",
]
