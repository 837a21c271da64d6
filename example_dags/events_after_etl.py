# SPDX-License-Identifier: Apache-2.0
"""As soon as the ETL has refreshed the carts: one Automation 360 event for each abandoned one, in the reader's language.

The ETL (here a task, usually a DAG of its own) updates an asset, and that starts the mailing DAG. It first claims, in one
transaction, the carts that nobody was notified of, for this run alone: whatever happens to the run afterwards, no other
one sends for them again. One event serves all languages: the query says which flow a row belongs to by
``automation_id``, the number in the flow's dashboard URL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Asset

from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.rows import SqlRows

SHOP = "shop"
ABANDONED_CARTS = Asset("shop_abandoned_carts")

with DAG(
    dag_id="shop_etl",
    schedule=timedelta(hours=1),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["sendpulse"],
):
    SQLExecuteQueryOperator(
        task_id="refresh_carts",
        conn_id=SHOP,
        sql="UPDATE carts SET product = TRIM(product)",
        outlets=[ABANDONED_CARTS],
    )

with DAG(
    dag_id="events_after_etl",
    schedule=[ABANDONED_CARTS],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={"flow_en": 1001, "flow_uk": 1002},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    claim_carts = SQLExecuteQueryOperator(
        task_id="claim_carts",
        conn_id=SHOP,
        sql=[
            "INSERT INTO carts_to_notify (run_id, cart_id) SELECT '{{ run_id }}', carts.id FROM carts WHERE notified = 0",
            "UPDATE carts SET notified = 1 WHERE id IN (SELECT cart_id FROM carts_to_notify WHERE run_id = '{{ run_id }}')",
        ],
    )
    send_events = SendPulseSendEventOperator(
        task_id="send_events",
        # The name of a hash URL in the connection's event_urls, or of the event itself.
        event_name="cart_left",
        # A cart is the same cart when its price has changed between two tries.
        event_key="cart_id",
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, customers.phone, carts.id AS cart_id, carts.product, carts.price, carts.left_on, "
            "CASE customers.language WHEN 'uk' THEN {{ params.flow_uk }} ELSE {{ params.flow_en }} END AS automation_id "
            "FROM carts JOIN carts_to_notify ON carts_to_notify.cart_id = carts.id "
            "JOIN customers ON customers.id = carts.customer_id "
            "WHERE carts_to_notify.run_id = '{{ run_id }}' ORDER BY carts.id",
        ),
    )
    claim_carts >> send_events
