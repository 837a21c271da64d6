# SPDX-License-Identifier: Apache-2.0
"""Every 15 minutes, after the ETL: one Automation 360 event for each abandoned cart, in the reader's language.

The ETL (here a task, usually a DAG of its own) updates an asset, and that starts the mailing DAG. Its query looks back over
two days, so a cart is found by many runs, also by those after a failure or a pause; the ledger in the shop's own database
knows which carts were sent already, whichever run it was. One event serves all languages: the query says which flow a row
belongs to by ``automation_id``, the number in the flow's dashboard URL.
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
    schedule=timedelta(minutes=15),
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
    SendPulseSendEventOperator(
        task_id="send_events",
        # The name of a hash URL in the connection's event_urls, or of the event itself.
        event_name="cart_left",
        # A cart is the same cart when its price has changed between two runs.
        event_key="cart_id",
        # Where it is written down which carts were sent: a table of the shop's database, made by the first run.
        ledger=SHOP,
        # When the DAG was paused for a week, nobody wants to hear of the carts of that week.
        event_time="left_on",
        max_event_age=timedelta(days=3),
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, customers.phone, carts.id AS cart_id, carts.product, carts.price, carts.left_on, "
            "CASE customers.language WHEN 'uk' THEN {{ params.flow_uk }} ELSE {{ params.flow_en }} END AS automation_id "
            "FROM carts JOIN customers ON customers.id = carts.customer_id "
            "WHERE carts.left_on >= '{{ (dag_run.run_after - macros.timedelta(days=2)) | ds }}' "
            "AND carts.left_on <= '{{ dag_run.run_after | ds }}' ORDER BY carts.id",
        ),
    )
