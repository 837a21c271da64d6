# SPDX-License-Identifier: Apache-2.0
"""An audience moves from an address book of SendPulse to eSputnik, and what people have agreed to moves with it.

The book is copied into the warehouse (here the shop's own database), where the status of a contact decides. Who has opted
out is unsubscribed first, so that nothing that comes later reaches them. Who is active is imported, as a confirmed contact.
Who never confirmed the address is subscribed: eSputnik asks them by mail, and they get nothing else before they have
answered. All others (blocked, undeliverable, deleted, or so new that SendPulse has yet to judge them) stay where they are.

It can run again while both services are in use: nobody is imported twice, and the ledger remembers who was asked. But what
SendPulse says of name and telephone number replaces what eSputnik has, also where it says nothing; once eSputnik knows
better, take these out of ``MAPPING``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider_sendpulse.operators.address_books import SendPulseExportAddressBookOperator
from airflow_provider_sendpulse.operators.esputnik.contacts import (
    ContactMapping,
    EsputnikSubscribeContactOperator,
    EsputnikUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportContactsOperator
from airflow_provider_sendpulse.rows import OutputTable, RejectsTable, SqlRows

WAREHOUSE = "shop"
BOOK = "{{ params.address_book_id }}"
SEGMENT = "{{ params.segment }}"

# What SendPulse says of a contact: see sendpulse/statuses.py, ContactStatus.
ACTIVE = "1"
NEVER_CONFIRMED = "2, 3, 7"
OPTED_OUT = "4, 6, 8"

MAPPING = ContactMapping(email="email", sms="phone", first_name="name")


def contacts(statuses: str) -> SqlRows:
    """Return the contacts of the book that have one of some statuses."""
    return SqlRows(
        WAREHOUSE,
        "SELECT email, phone, json_extract(variables, '$.name') AS name FROM moving_contacts "  # noqa: S608
        f"WHERE address_book_id = {BOOK} AND status IN ({statuses}) ORDER BY email",
    )


with DAG(
    dag_id="sendpulse_to_esputnik",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "address_book_id": Param(1001, type="integer", description="The address book of SendPulse"),
        "segment": Param("Readers of the shop", type="string", description="The segment of eSputnik, made if need be"),
    },
    doc_md=__doc__,
    tags=["sendpulse", "esputnik"],
):
    export = SendPulseExportAddressBookOperator(
        task_id="export",
        address_book_id=BOOK,
        destination=OutputTable(WAREHOUSE, "moving_contacts"),
    )
    unsubscribe = EsputnikUnsubscribeContactsOperator(task_id="unsubscribe", contacts=contacts(OPTED_OUT))
    import_active = EsputnikImportContactsOperator(
        task_id="import_active",
        contacts=contacts(ACTIVE),
        mapping=MAPPING,
        dedupe_on="email",
        group_names=[SEGMENT],
        rejects=RejectsTable(WAREHOUSE, "not_moved"),
    )
    ask_unconfirmed = EsputnikSubscribeContactOperator(
        task_id="ask_unconfirmed",
        contacts=contacts(NEVER_CONFIRMED),
        mapping=MAPPING,
        groups=[SEGMENT],
        # The scenario for such people starts with this event: subscribeFromApi-moved.
        form_type="moved",
        ledger=WAREHOUSE,
        ledger_retention=timedelta(days=365),
        rejects=RejectsTable(WAREHOUSE, "not_moved"),
    )
    export >> unsubscribe >> [import_active, ask_unconfirmed]
