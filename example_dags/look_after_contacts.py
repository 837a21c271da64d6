# SPDX-License-Identifier: Apache-2.0
"""Every night: what the shop knows of its readers goes to SendPulse, and what SendPulse knows comes back.

Who opted out in the shop is unsubscribed, who complained goes on the blacklist, and comes off it when the complaint
is settled; whoever was a customer once and is none any more leaves the book, unless that would be suspiciously many.
The book and the blacklist are copied into the warehouse (here the shop's own database), with the figures of every
reader, so that the next morning's questions need no call. At the end it is looked up what a mailing to all would
cost: the task fails when it has become too dear.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider_sendpulse.operators.address_books import (
    SendPulseEstimateCostOperator,
    SendPulseExportAddressBookOperator,
    SendPulseRenameAddressBookOperator,
)
from airflow_provider_sendpulse.operators.blacklist import (
    SendPulseAddToBlacklistOperator,
    SendPulseExportBlacklistOperator,
    SendPulseRemoveFromBlacklistOperator,
)
from airflow_provider_sendpulse.operators.contact_removal import (
    SendPulseRemoveContactsOperator,
    SendPulseUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.operators.contact_statistics import SendPulseContactStatisticsOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows

SHOP = "shop"
WAREHOUSE = "shop"
BOOK = "{{ params.address_book_id }}"

# All of them, not only those of the day: to say again what is so already costs little and changes nothing, and a night
# that was missed needs no care.
OPT_OUTS = SqlRows(SHOP, "SELECT email FROM opt_outs WHERE opted_out_on <= '{{ ds }}' AND is_back = 0 ORDER BY email")
COMPLAINTS = SqlRows(
    SHOP, "SELECT email FROM complaints WHERE complained_on <= '{{ ds }}' AND is_settled = 0 ORDER BY email"
)
SETTLED = SqlRows(SHOP, "SELECT email FROM complaints WHERE is_settled = 1 ORDER BY email")
# The export of this run says who is in the book, with the addresses as SendPulse has them, in whatever case. Where the shop
# knows nobody at all, its load has failed, and nobody is a stranger.
STRANGERS = SqlRows(
    WAREHOUSE,
    "SELECT email FROM sendpulse_contacts WHERE address_book_id = {{ params.address_book_id }} "
    "AND LOWER(email) NOT IN (SELECT LOWER(email) FROM customers) AND EXISTS (SELECT 1 FROM customers) ORDER BY email",
)
READERS = SqlRows(
    WAREHOUSE,
    "SELECT email FROM sendpulse_contacts WHERE address_book_id = {{ params.address_book_id }} ORDER BY email",
)

with DAG(
    dag_id="look_after_contacts",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "address_book_id": Param(1001, type="integer", description="The book of the shop's readers"),
        "most_leaving": Param(100, type="integer", description="The most that may leave the book in a night"),
        "max_cost": Param(50, type="number", description="The most that a mailing to all may cost beyond the plan"),
        "currency": Param("USD", type="string", description="Currency of the account"),
    },
    doc_md=__doc__,
    tags=["sendpulse"],
):
    unsubscribe = SendPulseUnsubscribeContactsOperator(task_id="unsubscribe", address_book_id=BOOK, contacts=OPT_OUTS)
    blacklist = SendPulseAddToBlacklistOperator(task_id="blacklist", contacts=COMPLAINTS, comment="complained to the shop")
    forgive = SendPulseRemoveFromBlacklistOperator(
        task_id="forgive",
        contacts=SETTLED,
        # They are all that were ever settled.
        max_contacts=100_000,
    )
    export = SendPulseExportAddressBookOperator(
        task_id="export",
        address_book_id=BOOK,
        destination=OutputTable(WAREHOUSE, "sendpulse_contacts"),
    )
    export_blacklist = SendPulseExportBlacklistOperator(
        task_id="export_blacklist",
        destination=OutputTable(WAREHOUSE, "sendpulse_blacklist"),
    )
    remove = SendPulseRemoveContactsOperator(
        task_id="remove",
        address_book_id=BOOK,
        contacts=STRANGERS,
        # A load that has failed half-way makes strangers of many.
        max_contacts="{{ params.most_leaving }}",
        rejects="/tmp/look_after_contacts/{{ ds }}.csv",  # noqa: S108 - any place that the workers share
    )
    statistics = SendPulseContactStatisticsOperator(
        task_id="statistics",
        contacts=READERS,
        statistics=OutputTable(WAREHOUSE, "sendpulse_statistics"),
        memberships=OutputTable(WAREHOUSE, "sendpulse_memberships"),
    )
    rename = SendPulseRenameAddressBookOperator(
        task_id="rename",
        address_book_id=BOOK,
        # So that somebody in the dashboard sees how fresh it is.
        name="Readers of the shop, as of {{ ds }}",
    )
    estimate = SendPulseEstimateCostOperator(
        task_id="estimate",
        address_book_id=BOOK,
        max_cost="{{ params.max_cost }}",
        currency="{{ params.currency }}",
    )
    [unsubscribe, blacklist] >> forgive >> [export, export_blacklist]
    export >> remove >> statistics >> rename >> estimate
