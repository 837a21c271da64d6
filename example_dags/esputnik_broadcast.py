# SPDX-License-Identifier: Apache-2.0
"""Mail a prepared message to a segment of eSputnik tomorrow, call it off if need be, and collect what became of others.

Every day a broadcast is scheduled for the next day at noon UTC, once, however often the task runs. A run with the
parameter ``call_off`` deletes it before it begins. What readers did
with their messages during the run's day goes into the table ``esputnik_activity`` of the shop's database; a repeat replaces
it.

Set ``message_id`` to the id of the message in the dashboard, and ``segment`` to the segment's name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_sendpulse.operators.esputnik.activity import EsputnikActivityOperator
from airflow_provider_sendpulse.operators.esputnik.broadcasts import (
    EsputnikCreateBroadcastOperator,
    EsputnikDeleteBroadcastOperator,
)
from airflow_provider_sendpulse.rows import OutputTable
from airflow_provider_sendpulse.sensors.esputnik.balance import EsputnikBalanceSensor

SHOP = "shop"


@task.short_circuit
def is_called_off() -> bool:
    """Return whether the broadcast is to be deleted."""
    return bool(get_current_context()["params"]["call_off"])


with DAG(
    dag_id="esputnik_broadcast",
    schedule=timedelta(days=1),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "message_id": Param(1001, type="integer", minimum=1, description="The prepared message"),
        "segment": Param("Readers", type="string", description="The segment that gets it"),
        "call_off": Param(False, type="boolean", description="Whether the broadcast is deleted before it begins"),
    },
    doc_md=__doc__,
    tags=["esputnik"],
):
    enough_money = EsputnikBalanceSensor(
        task_id="enough_money",
        min_balance=1,
        deferrable=True,
        poke_interval=600,
        timeout=timedelta(hours=6),
    )
    create_broadcast = EsputnikCreateBroadcastOperator(
        task_id="create_broadcast",
        title="News of {{ ds }}",
        message_id="{{ params.message_id }}",
        groups="{{ params.segment }}",
        send_date="{{ (data_interval_end + macros.timedelta(days=1)).replace(hour=12, minute=0, second=0) }}",
        # A run that is much too late mails nobody.
        past_send_date="skip",
        # Whichever run of this day creates it, it is the same broadcast.
        mailing_key="news-{{ ds }}",
    )
    delete_broadcast = EsputnikDeleteBroadcastOperator(
        task_id="delete_broadcast",
        broadcast_id="{{ ti.xcom_pull(task_ids='create_broadcast') }}",
    )
    # Of the days before, so it waits for none of the others.
    EsputnikActivityOperator(
        task_id="collect_activity",
        destination=OutputTable(SHOP, "esputnik_activity"),
    )
    enough_money >> create_broadcast >> is_called_off() >> delete_broadcast
