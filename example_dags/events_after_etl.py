# SPDX-License-Identifier: Apache-2.0
"""As soon as the ETL has refreshed the carts: one Automation 360 event for each abandoned one, in the reader's language.

The ETL (here a task, usually a DAG of its own) updates an asset, and that starts the mailing DAG. One event serves all
languages: the query says which flow a row belongs to by ``automation_id``, the number in the flow's dashboard URL.
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
        sql=[
            "DELETE FROM carts_to_notify",
            "INSERT INTO carts_to_notify (cart_id) SELECT carts.id FROM carts WHERE carts.notified = 0",
        ],
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
    send_events = SendPulseSendEventOperator(
        task_id="send_events",
        # The name of a hash URL in the connection's event_urls, or of the event itself.
        event_name="cart_left",
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, customers.phone, carts.id AS cart_id, carts.product, carts.price, carts.left_on, "
            "CASE customers.language WHEN 'uk' THEN {{ params.flow_uk }} ELSE {{ params.flow_en }} END AS automation_id "
            "FROM carts JOIN carts_to_notify ON carts_to_notify.cart_id = carts.id "
            "JOIN customers ON customers.id = carts.customer_id ORDER BY carts.id",
        ),
    )
    mark_notified = SQLExecuteQueryOperator(
        task_id="mark_notified",
        conn_id=SHOP,
        sql="UPDATE carts SET notified = 1 WHERE id IN (SELECT cart_id FROM carts_to_notify)",
    )
    send_events >> mark_notified
