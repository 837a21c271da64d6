# SPDX-License-Identifier: Apache-2.0
"""Go on when a campaign is out: wait, without holding a worker, for one that somebody created in the dashboard.

Trigger it with the campaign's id. It fails with the documented reason when the campaign is blocked, cancelled, or waits
for an answer to a moderator.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param, task

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor


@task
def count_openings_by_country(campaign_id: str) -> dict[str, int]:
    """Return how often the campaign was opened, by country."""
    with SendPulseHook() as hook:
        return hook.send(sp.campaigns.countries(int(campaign_id)))


with DAG(
    dag_id="wait_for_campaign",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"campaign_id": Param(1, type="integer", minimum=1, description="The campaign to wait for")},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    wait_until_sent = SendPulseCampaignSensor(
        task_id="wait_until_sent",
        campaign_id="{{ params.campaign_id }}",
        deferrable=True,
        poke_interval=5,
        timeout=timedelta(days=2),
    )
    wait_until_sent >> count_openings_by_country("{{ params.campaign_id }}")
