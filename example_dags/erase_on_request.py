# SPDX-License-Identifier: Apache-2.0
"""Whoever asks to be forgotten is erased from all address books, and a receipt is kept.

A run takes the requests that are there when it begins and marks them as its own, so that one that comes in meanwhile is
for the next run. They are crossed out only when all of them were erased: a task that fails, or is tried again, has the
same ones in front of it. The receipts hold digests of the addresses. Somebody who asks later what became of a request says
their address, and its SHA-256 digest finds the receipt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Param

from airflow_provider_sendpulse.operators.erasure import SendPulseEraseContactsOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows

SHOP = "shop"

with DAG(
    dag_id="erase_on_request",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={"most": Param(100, type="integer", description="With more requests than that nobody is erased")},
    doc_md=__doc__,
    tags=["sendpulse"],
):
    take_requests = SQLExecuteQueryOperator(
        task_id="take_requests",
        conn_id=SHOP,
        sql="UPDATE erasure_requests SET run_id = '{{ run_id }}' WHERE run_id IS NULL",
    )
    erase = SendPulseEraseContactsOperator(
        task_id="erase",
        contacts=SqlRows(SHOP, "SELECT email FROM erasure_requests WHERE run_id = '{{ run_id }}' ORDER BY email"),
        receipt=OutputTable(SHOP, "erasure_receipts"),
        # Nobody adds them again by mistake; SendPulse keeps the address on its blacklist for that.
        blacklist=True,
        comment="erased on request",
        max_contacts="{{ params.most }}",
    )
    cross_out = SQLExecuteQueryOperator(
        task_id="cross_out",
        conn_id=SHOP,
        sql="DELETE FROM erasure_requests WHERE run_id = '{{ run_id }}'",
    )
    take_requests >> erase >> cross_out
