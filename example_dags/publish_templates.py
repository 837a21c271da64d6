# SPDX-License-Identifier: Apache-2.0
"""Mail from templates that are kept in git: publish them, see to the sender and the balance, then mail.

The files beside this one, in ``templates``, are what SendPulse mails: ``news.en.html`` is the template ``news`` in English.
A file that has not changed is not written again, and the id of a template stays the same when it has.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider_sendpulse.operators.campaigns import SendPulseCreateCampaignOperator
from airflow_provider_sendpulse.operators.senders import SendPulseEnsureSenderOperator
from airflow_provider_sendpulse.operators.templates import SendPulsePublishTemplatesOperator
from airflow_provider_sendpulse.sensors.balance import SendPulseBalanceSensor
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

with DAG(
    dag_id="publish_templates",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "address_book_id": Param(1, type="integer", minimum=1, description="The address book that is mailed"),
        "readers": Param(1000, type="integer", minimum=1, description="About how many messages that will be"),
        "sender_email": Param("shop@example.com", type="string", description="Address that the mailing comes from"),
        "activation_code": Param(None, type=["null", "string"], description="Code that SendPulse has mailed to it"),
    },
    doc_md=__doc__,
    tags=["sendpulse"],
):
    publish = SendPulsePublishTemplatesOperator(
        task_id="publish",
        # Below the folder of this file.
        path="templates",
        # Each language has a name of its own: SendPulse may refuse one name twice.
        template_name="{name}-{lang}",
    )
    # Fails, and says what to do, while nobody has confirmed the address.
    ensure_sender = SendPulseEnsureSenderOperator(
        task_id="ensure_sender",
        sender_email="{{ params.sender_email }}",
        sender_name="The Shop",
        activation_code="{{ params.activation_code or '' }}",
    )
    wait_for_balance = SendPulseBalanceSensor(
        task_id="wait_for_balance",
        min_emails_left="{{ params.readers }}",
        min_days_left=1,
        deferrable=True,
        poke_interval=900,
        timeout=timedelta(days=2),
    )
    create_campaign = SendPulseCreateCampaignOperator(
        task_id="create_campaign",
        name="News {{ run_id }}",
        address_book_id="{{ params.address_book_id }}",
        sender_name="The Shop",
        sender_email="{{ params.sender_email }}",
        subject="News for you, {{name}}",
        template_id="{{ ti.xcom_pull(task_ids='publish')['news/en'] }}",
    )
    wait_until_sent = SendPulseCampaignSensor(
        task_id="wait_until_sent",
        campaign_id=create_campaign.output,
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(days=1),
    )
    [publish, ensure_sender, wait_for_balance] >> create_campaign >> wait_until_sent
