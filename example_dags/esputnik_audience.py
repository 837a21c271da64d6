# SPDX-License-Identifier: Apache-2.0
"""Every week: who has bought is imported into eSputnik from the shop's database, and then a scenario starts.

The import waits for eSputnik, which carries it out later, and writes down in the shop's database which contact everybody
is. So whoever was in the segment before and has bought nothing this week leaves it by contact id, and only then everybody
gets the event that the scenario begins with. Contacts that are new get an event of their own from eSputnik: ``newBuyer``.

Two more DAGs are for imports that others prepare: a partner's file, whose URL with its password is in the variable
``partner_file``, and a session that the shop itself has started, whose id comes with the run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.esputnik.imports import (
    ContactMapping,
    EsputnikImportContactsOperator,
    EsputnikImportFileOperator,
)
from airflow_provider_sendpulse.operators.esputnik.segments import EsputnikDetachFromSegmentOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.sensors.esputnik.imports import EsputnikImportSensor

SHOP = "shop"
SEGMENT = "Buyers of the week"
CONTACT_IDS = OutputTable(SHOP, "esputnik_contacts")


@task
def report() -> dict[str, Any]:
    """Return what became of the audience: counts only."""
    ti = get_current_context()["ti"]
    imported, left = ti.xcom_pull(task_ids="import_buyers"), ti.xcom_pull(task_ids="who_has_not_bought_leaves")
    told = ti.xcom_pull(task_ids="start_scenario")
    # A retry skips whom the try before it has imported.
    return {"imported": imported["accepted"] + imported["skipped"], "left": left["accepted"], "started": told["accepted"]}


with DAG(
    dag_id="esputnik_audience",
    schedule="0 6 * * MON",
    start_date=datetime(2026, 1, 5, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    doc_md=__doc__,
    tags=["esputnik"],
):
    import_buyers = EsputnikImportContactsOperator(
        task_id="import_buyers",
        contacts=SqlRows(
            SHOP,
            "SELECT customers.email, customers.phone, customers.language, MAX(orders.ordered_on) AS last_order "
            "FROM orders JOIN customers ON customers.id = orders.customer_id "
            "WHERE orders.ordered_on >= '{{ data_interval_start | ds }}' "
            "AND orders.ordered_on < '{{ data_interval_end | ds }}' "
            # A retry goes on where the try before has got to, if the rows come in the same order.
            "GROUP BY customers.email, customers.phone, customers.language ORDER BY customers.email",
        ),
        # Nothing else of a contact is touched. Who has left no telephone number loses the one that eSputnik has.
        mapping=ContactMapping(email="email", sms="phone", language_code="language"),
        group_names=[SEGMENT],
        event_key_for_new_contacts="newBuyer",
        mapping_output=CONTACT_IDS,
        deferrable=True,
    )
    who_has_not_bought_leaves = EsputnikDetachFromSegmentOperator(
        task_id="who_has_not_bought_leaves",
        segment_name=SEGMENT,
        contacts=SqlRows(
            SHOP,
            "SELECT contact_id FROM esputnik_contacts WHERE session_id NOT IN "
            "('{{ ti.xcom_pull(task_ids='import_buyers', key='sessions') | join(\"', '\") }}') "
            # A week without any import, as when the orders have not come, says nothing of who has left. A retry skips
            # whom the try before it has imported.
            "AND {% set imported = ti.xcom_pull(task_ids='import_buyers') %}"
            "{{ imported['accepted'] + imported['skipped'] }} > 0 ORDER BY contact_id",
        ),
    )
    start_scenario = EsputnikSendEventOperator(
        task_id="start_scenario",
        event_type_key="weeklyBuyer",
        # Once for everybody in a week, whichever run or try it is: the ledger is a table of the shop's database.
        event_key="contact_id || week",
        contact_id_column="contact_id",
        ledger=SHOP,
        parameters=["week"],
        contacts=SqlRows(
            SHOP,
            "SELECT contact_id, '{{ data_interval_start | ds }}' AS week FROM esputnik_contacts WHERE session_id IN "
            "('{{ ti.xcom_pull(task_ids='import_buyers', key='sessions') | join(\"', '\") }}') ORDER BY contact_id",
        ),
    )
    import_buyers >> who_has_not_bought_leaves >> start_scenario >> report()

with DAG(
    dag_id="esputnik_partner_file",
    schedule="0 5 * * MON",
    start_date=datetime(2026, 1, 5, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    doc_md=__doc__,
    tags=["esputnik"],
):
    EsputnikImportFileOperator(task_id="import_file", link="{{ var.value.partner_file }}", group_names=["Partners"])

with DAG(
    dag_id="esputnik_after_an_import",
    schedule=None,
    params={"session_id": Param("", type="string", description="The import session that the shop has started")},
    doc_md=__doc__,
    tags=["esputnik"],
):
    EsputnikImportSensor(
        task_id="wait_until_imported",
        session_id="{{ params.session_id }}",
        mapping_output=CONTACT_IDS,
        deferrable=True,
        poke_interval=30,
        timeout=timedelta(hours=2),
    )
