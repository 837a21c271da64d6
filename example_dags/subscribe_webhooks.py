# SPDX-License-Identifier: Apache-2.0
"""Let SendPulse push what becomes of its messages to a receiver of yours, and end that again.

SendPulse signs nothing, so the URL holds the secret by which the receiver knows it: it stands in the Airflow variable
``sendpulse_webhook_url``, and is shown nowhere. When the secret is to change, put the old URL into
``sendpulse_old_webhook_url``, the new one into the first, let ``subscribe_webhooks`` run, and then trigger
``end_old_webhooks``. What arrives is read by ``airflow_provider_sendpulse.sendpulse.webhooks``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.webhooks import SendPulseEnsureWebhookOperator, SendPulseRemoveWebhookOperator

with DAG(
    dag_id="subscribe_webhooks",
    # Somebody may have ended a subscription in the dashboard; one that is there is left alone.
    schedule=timedelta(days=1),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    SendPulseEnsureWebhookOperator(
        task_id="subscribe",
        url="{{ var.value.sendpulse_webhook_url }}",
        actions=["unsubscribe", "spam", "hard_bounces", "delete"],
    )

with DAG(
    dag_id="end_old_webhooks",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    doc_md=__doc__,
    tags=["sendpulse"],
):
    SendPulseRemoveWebhookOperator(task_id="end", url="{{ var.value.sendpulse_old_webhook_url }}")
