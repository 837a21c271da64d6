# SPDX-License-Identifier: Apache-2.0
"""Remind those who left a cart behind by a flow, watch its figures, and stop it for those who have bought.

In the dashboard the flow begins with the event ``cart_left`` and ends for a contact with the event ``order_paid``: nothing
in the API starts or stops a flow, but an event that it is bound to does. Set ``flow_id`` to the number in the flow's URL.
Both events are sent once for a cart or an order, whichever run finds it: a ledger in the shop's own database knows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.rows import SqlRows
from airflow_provider_sendpulse.sensors.flows import SendPulseFlowSensor

SHOP = "shop"


@task
def starts_before() -> int:
    """Return how many contacts have entered the flow so far, if events start it at all."""
    flow_id = get_current_context()["params"]["flow_id"]
    with SendPulseHook() as hook:
        detail = hook.send(sp.flows.read(flow_id))
    if not detail.flow.active:
        raise ValueError(f"Flow {flow_id} is not active. Start it in the dashboard.")
    return detail.starts


with DAG(
    dag_id="watch_a_flow",
    schedule=timedelta(days=1),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"flow_id": Param(1001, type="integer", minimum=1, description="The flow that reminds of a cart")},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    start_flow = SendPulseSendEventOperator(
        task_id="start_flow",
        event_name="cart_left",
        event_key="cart_id",
        # Only this flow, should others begin with the same event.
        automation_id="{{ params.flow_id }}",
        ledger=SHOP,
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, carts.id AS cart_id, carts.product, carts.price FROM carts "
            "JOIN customers ON customers.id = carts.customer_id "
            "WHERE carts.left_on >= '{{ (dag_run.run_after - macros.timedelta(days=7)) | ds }}' "
            "AND carts.left_on <= '{{ dag_run.run_after | ds }}' ORDER BY carts.id",
        ),
    )
    # That an event was accepted says nothing of a flow: only its figures show who entered it.
    wait_until_entered = SendPulseFlowSensor(
        task_id="wait_until_entered",
        flow_id="{{ params.flow_id }}",
        figure="starts",
        at_least="{{ ti.xcom_pull(task_ids='starts_before') + ti.xcom_pull(task_ids='start_flow')['accepted'] }}",
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(hours=2),
    )
    stop_for_buyers = SendPulseSendEventOperator(
        task_id="stop_for_buyers",
        event_name="order_paid",
        event_key="order_id",
        ledger=SHOP,
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, orders.id AS order_id, orders.total FROM orders "
            "JOIN customers ON customers.id = orders.customer_id "
            "WHERE orders.ordered_on >= '{{ (dag_run.run_after - macros.timedelta(days=7)) | ds }}' "
            "AND orders.ordered_on <= '{{ dag_run.run_after | ds }}' ORDER BY orders.id",
        ),
    )
    starts_before() >> start_flow >> wait_until_entered >> stop_for_buyers
