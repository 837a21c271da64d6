# SPDX-License-Identifier: Apache-2.0
"""Every night, after the ETL: a receipt for each order of the day before, each by a task of its own.

Only the numbers of the orders travel through XCom. Who an order is from is looked up where the message is made, by the
macro ``order_of``: in ``to``, which Airflow does not show, and in the message.

A mapped task for every message suits tens of them, where each is to be seen, retried and cleared by itself. For hundreds
and more send an Automation 360 event for each order with a ledger (``events_after_etl``), and let a flow send the message;
or send a campaign (``weekly_digest``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, BaseHook, get_current_context, task

from airflow_provider_sendpulse.operators.emails import SendPulseSendEmailOperator
from airflow_provider_sendpulse.sensors.emails import SendPulseEmailDeliveredSensor

SHOP = "shop"


@dataclass(frozen=True)
class Order:
    """An order, and whom it is from."""

    id: int
    email: str
    name: str
    product: str
    total: float
    ordered_on: str


def order_of(number: str) -> Order:
    """Return an order."""
    connection: Any = BaseHook.get_connection(SHOP)
    row = connection.get_hook().get_first(
        "SELECT orders.id, customers.email, customers.name, orders.product, orders.total, orders.ordered_on "
        "FROM orders JOIN customers ON customers.id = orders.customer_id WHERE orders.id = :number",
        parameters={"number": int(number)},
    )
    if row is None:
        raise ValueError(f"There is no order {number}.")
    return Order(*row)


@task
def new_orders() -> list[str]:
    """Return the numbers of the orders of the day before the run."""
    context = get_current_context()
    day = context["dag_run"].run_after - timedelta(days=1)
    connection: Any = BaseHook.get_connection(SHOP)
    rows = connection.get_hook().get_records(
        "SELECT id FROM orders WHERE ordered_on = :day ORDER BY id", parameters={"day": f"{day:%Y-%m-%d}"}
    )
    return [str(number) for (number,) in rows]


with DAG(
    dag_id="order_receipts",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    user_defined_macros={"order_of": order_of},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    etl = SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id=SHOP,
        sql="UPDATE orders SET product = TRIM(product)",
    )
    orders = new_orders()
    etl >> orders
    receipts = SendPulseSendEmailOperator.partial(
        task_id="send_receipt",
        sender_email="shop@example.com",
        sender_name="The Shop",
        to="{{ order_of(task.message_key).email }}",
        # The number tells one receipt from another. So one that SendPulse lists already is not sent again, also when the
        # list of orders has changed between two tries, or another run has sent it.
        subject="Your order [[ task.message_key ]]",
        subject_is_unique=True,
        html_file="order_receipts.html",
        # When nobody knows whether it went out: the customer can do without, and does not want it twice.
        if_in_doubt="skip",
        map_index_template="Order {{ task.message_key }}",
        max_active_tis_per_dagrun=4,
    ).expand(message_key=orders)
    # A receipt that the customer's server refuses for good is worth a red square.
    SendPulseEmailDeliveredSensor.partial(
        task_id="wait_until_delivered",
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(hours=6),
    ).expand(message_id=receipts.output)
