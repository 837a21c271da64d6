# SPDX-License-Identifier: Apache-2.0
"""Every morning, after the ETL: eSputnik learns of abandoned carts and of orders, and some customers get a message.

For each cart an event launches the workflow "cart_left", which says what happens then. Each order goes to eSputnik once for
each of its statuses. And whoever has ordered for a lot gets a prepared message of thanks, with what it is for; the run then
waits until these have arrived, and fails when more than a few have not.

All queries look back over two days, so that nothing is lost with a run that failed. The ledger in the shop's own database
knows what was sent already, whichever run it was.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.sensors.esputnik.messages import EsputnikMessageSensor

SHOP = "shop"

with DAG(
    dag_id="esputnik_messages",
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    # The number of a message stands in its address in eSputnik.
    params={"message_id": 2700001, "a_lot": 900},
    doc_md=__doc__,
    tags=["esputnik"],
):
    etl = SQLExecuteQueryOperator(
        task_id="load_orders",
        conn_id=SHOP,
        sql="UPDATE orders SET product = TRIM(product)",
    )
    send_events = EsputnikSendEventOperator(
        task_id="send_events",
        event_type_key="cart_left",
        # It becomes the event's keyValue, too.
        event_key="cart_id",
        ledger=SHOP,
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, customers.phone, carts.id AS cart_id, carts.product, carts.price "
            "FROM carts JOIN customers ON customers.id = carts.customer_id "
            "WHERE carts.left_on >= '{{ (dag_run.run_after - macros.timedelta(days=2)) | ds }}' "
            "AND carts.left_on < '{{ dag_run.run_after | ds }}' ORDER BY carts.id",
        ),
    )
    send_orders = EsputnikSendOrdersOperator(
        task_id="send_orders",
        ledger=SHOP,
        orders=SqlRows(
            SHOP,
            "SELECT orders.id AS external_order_id, orders.total AS total_cost, 'DELIVERED' AS status, 'UAH' AS currency, "
            "orders.ordered_on || 'T12:00:00+00:00' AS date, customers.email, customers.phone, "
            "json_array(json_object('externalItemId', orders.product, 'name', orders.product, 'quantity', 1)) AS items "
            "FROM orders JOIN customers ON customers.id = orders.customer_id "
            "WHERE orders.ordered_on >= '{{ (dag_run.run_after - macros.timedelta(days=2)) | ds }}' "
            "AND orders.ordered_on < '{{ dag_run.run_after | ds }}' ORDER BY orders.id",
        ),
    )
    thank = EsputnikSendMessageOperator(
        task_id="thank",
        message_id="{{ params.message_id }}",
        row_key="order_id",
        ledger=SHOP,
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, orders.id AS order_id, orders.product, customers.language "
            "FROM orders JOIN customers ON customers.id = orders.customer_id "
            "WHERE orders.total >= {{ params.a_lot }} "
            "AND orders.ordered_on >= '{{ (dag_run.run_after - macros.timedelta(days=2)) | ds }}' "
            "AND orders.ordered_on < '{{ dag_run.run_after | ds }}' ORDER BY orders.id",
        ),
        parameters=["order_id", "product"],
        language_column="language",
        # The orders are there before: who is in none of them is nobody whom eSputnik should know.
        create_contacts=False,
        # Which request is which order's, for those who look one up later.
        request_ids=OutputTable(SHOP, "thanks"),
    )
    wait_until_delivered = EsputnikMessageSensor(
        task_id="wait_until_delivered",
        request_ids="{{ ti.xcom_pull(task_ids='thank', key='request_ids') }}",
        max_failed=3,
        deferrable=True,
        poke_interval=30,
        timeout=timedelta(hours=2),
    )
    etl >> [send_events, send_orders]
    send_orders >> thank >> wait_until_delivered
