# SPDX-License-Identifier: Apache-2.0
"""Single customers, and who is in which segment of eSputnik.

``esputnik_customer`` runs when the shop triggers it for one customer. Somebody who has signed a form at the till has
agreed, and is written as a confirmed contact; somebody who has typed an address into the web shop is asked by mail first.
Either way the shop's number of the customer is the external id, by which the contact is found again: the loyalty points
are set with nothing else. Confirmed customers join the segment of the till.

``esputnik_segments`` keeps a segment every week: who has ordered in it is in, everybody else leaves. Who asked to be
forgotten is erased, with a receipt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from airflow_provider_sendpulse.operators.esputnik.contacts import (
    EsputnikSubscribeContactOperator,
    EsputnikUpdateContactOperator,
    EsputnikUpsertContactOperator,
)
from airflow_provider_sendpulse.operators.esputnik.erasure import EsputnikEraseContactsOperator
from airflow_provider_sendpulse.operators.esputnik.segments import (
    EsputnikAttachToSegmentOperator,
    EsputnikDetachFromSegmentOperator,
)
from airflow_provider_sendpulse.rows import OutputTable, SqlRows

SHOP = "shop"
TILL = "Customers of the till"
BUYERS = "Buyers of the week"
CUSTOMER: dict[str, Any] = {
    "contact_email": "{{ params.email }}",
    "contact_phone": "{{ params.phone }}",
    "external_customer_id": "{{ params.customer_id }}",
    "first_name": "{{ params.name }}",
}
DEFAULTS: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(minutes=5)}

ORDERED = (
    "SELECT customer_id FROM orders "
    "WHERE ordered_on >= '{{ data_interval_start | ds }}' AND ordered_on < '{{ data_interval_end | ds }}'"
)

with DAG(
    dag_id="esputnik_customer",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    default_args=DEFAULTS,
    params={
        "customer_id": Param(1, type="integer", description="The shop's number of the customer"),
        "email": Param("", type="string"),
        "phone": Param("", type="string", description="In international format"),
        "name": Param("", type="string"),
        "points": Param(0, type="integer", description="Loyalty points"),
        "has_agreed": Param(False, type="boolean", description="Whether there is a signed form"),
    },
    doc_md=__doc__,
    tags=["esputnik"],
):

    @task.branch
    def has_agreed(params: Any = None) -> str:
        """Say what is to be done: never write somebody as confirmed who has not agreed."""
        return "write" if params["has_agreed"] else "ask"

    write = EsputnikUpsertContactOperator(task_id="write", **CUSTOMER)
    join = EsputnikAttachToSegmentOperator(
        task_id="join",
        segment_name=TILL,
        contacts=[write.output],
        by="contact_id",
    )
    ask = EsputnikSubscribeContactOperator(
        task_id="ask",
        **CUSTOMER,
        groups=["Sign-ups of the web shop"],
        form_type="webshop",
        ledger=SHOP,
    )
    points = EsputnikUpdateContactOperator(
        task_id="points",
        find_by="external_customer_id",
        external_customer_id=CUSTOMER["external_customer_id"],
        fields={"POINTS": "{{ params.points }}"},
        trigger_rule="none_failed_min_one_success",
    )
    has_agreed() >> [write, ask] >> points

with DAG(
    dag_id="esputnik_segments",
    schedule="@weekly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["esputnik"],
):
    leave = EsputnikDetachFromSegmentOperator(
        task_id="leave",
        segment_name=BUYERS,
        contacts=SqlRows(SHOP, f"SELECT id FROM customers WHERE id NOT IN ({ORDERED}) ORDER BY id"),  # noqa: S608
        by="external_customer_id",
        column="id",
    )
    stay = EsputnikAttachToSegmentOperator(
        task_id="stay",
        segment_name=BUYERS,
        contacts=SqlRows(SHOP, f"SELECT id FROM customers WHERE id IN ({ORDERED}) ORDER BY id"),  # noqa: S608
        by="external_customer_id",
        column="id",
    )
    forget = EsputnikEraseContactsOperator(
        task_id="forget",
        contacts=SqlRows(SHOP, "SELECT email FROM erasure_requests ORDER BY email"),
        by="email",
        erase=True,
        receipt=OutputTable(SHOP, "esputnik_receipts"),
        max_contacts=100,
    )
    [leave, stay] >> forget
