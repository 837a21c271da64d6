# SPDX-License-Identifier: Apache-2.0
"""Every Monday at eight: mail last week's customers their digest, and bring the figures back.

The audience of the week is selected in the shop's own database, goes into an address book of its own (a campaign mails
a whole book), and is mailed once the book is unlocked. What is written here runs against SendPulse and against its
emulator alike: only the connection ``sendpulse_default`` differs. ``shop`` is the connection of the shop's database.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, BaseHook, Param, get_current_context, task

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
)
from airflow_provider_sendpulse.operators.campaigns import (
    SendPulseCampaignStatisticsOperator,
    SendPulseCreateCampaignOperator,
)
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator, SendPulseUpdateVariableOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.sensors.address_books import SendPulseAddressBookUnlockedSensor
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

try:
    from airflow.sdk import CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.trigger import CronTriggerTimetable  # type: ignore[assignment]

SHOP = "shop"
BOOK_PREFIX = "Weekly digest until "

# Rows never travel through XCom: the audience of a run is a part of this table.
SELECT_AUDIENCE = """
INSERT INTO digest_audience (run_id, email, phone, name, last_order, last_order_date, spent)
SELECT '{{ run_id }}', customers.email, customers.phone, customers.name,
       MAX(orders.product), MAX(orders.ordered_on), SUM(orders.total)
FROM orders JOIN customers ON customers.id = orders.customer_id
WHERE orders.ordered_on >= '{{ data_interval_start | ds }}' AND orders.ordered_on < '{{ data_interval_end | ds }}'
GROUP BY customers.email, customers.phone, customers.name
"""

# The shop's own address gets every digest, so that somebody sees what the readers see.
ADD_SEED = """
INSERT INTO digest_audience (run_id, email, name, last_order, last_order_date, spent)
VALUES ('{{ run_id }}', '{{ params.seed_email }}', 'The Shop', 'everything', '{{ data_interval_end | ds }}', 0)
"""

AUDIENCE = SqlRows(
    SHOP,
    # The names of the columns become the names of the variables: {{Имя}} in the message is the customer's name.
    'SELECT email, phone, name AS "Имя", last_order AS "Product", last_order_date AS "Date", spent AS "Spent" '
    "FROM digest_audience WHERE run_id = '{{ run_id }}' ORDER BY email",
)

ABANDONED_CARTS = SqlRows(
    SHOP,
    "SELECT customers.email, customers.phone, carts.id AS cart_id, carts.product, carts.price, carts.left_on "
    "FROM carts JOIN customers ON customers.id = carts.customer_id "
    "WHERE carts.left_on >= '{{ data_interval_start | ds }}' AND carts.left_on < '{{ data_interval_end | ds }}' "
    "ORDER BY carts.id",
)


@task
def require_data_interval() -> str:
    """Fail where a run has no interval to report on, as when it is triggered without a logical date."""
    context = get_current_context()
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None or start == end:
        raise ValueError(
            "This run has no data interval, so there is no week to report on. Trigger it with a logical date, or wait for "
            "the schedule."
        )
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"


@task
def best_customer() -> dict[str, Any]:
    """Return how many customers there are and what the best one spent: figures, not a person."""
    context = get_current_context()
    connection: Any = BaseHook.get_connection(SHOP)
    row = connection.get_hook().get_first(
        # The shop's own address is in the audience too, and has bought nothing.
        f"SELECT COUNT(*), MAX(spent) FROM digest_audience WHERE spent > 0 AND run_id = '{context['run_id']}'"  # noqa: S608
    )
    return {"customers": row[0], "most_spent": row[1] or 0}


@task
def old_address_books() -> list[dict[str, Any]]:
    """Return the address books of this mailing beyond the newest ``keep``, each with its name."""
    keep = get_current_context()["params"]["keep"]
    with SendPulseHook() as hook:
        books = [book for book in hook.pages(sp.address_books.list()) if book.name.startswith(BOOK_PREFIX)]
    # The names end in a date, so their order is the order of the weeks.
    old = sorted(books, key=lambda book: book.name, reverse=True)[keep:]
    return [{"address_book_id": book.id, "confirm_name": book.name} for book in old]


with DAG(
    dag_id="weekly_digest",
    # Without an interval Airflow 3 gives a cron schedule an empty one, and there would be no week to select.
    schedule=CronTriggerTimetable("0 8 * * 1", timezone="Europe/Kyiv", interval=timedelta(days=7)),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "keep": Param(4, type="integer", minimum=1, description="Newest address books to keep, this week's among them"),
        "sender_email": Param("shop@example.com", type="string", description="An activated sender of the account"),
        "seed_email": Param("digest@shop.example.com", type="string", description="Your own address: it gets every digest"),
    },
    doc_md=__doc__,
    tags=["sendpulse"],
):
    select_audience = SQLExecuteQueryOperator(
        task_id="select_audience",
        conn_id=SHOP,
        sql=["DELETE FROM digest_audience WHERE run_id = '{{ run_id }}'", SELECT_AUDIENCE, ADD_SEED],
    )
    create_address_book = SendPulseCreateAddressBookOperator(
        task_id="create_address_book",
        name=BOOK_PREFIX + "{{ data_interval_end | ds }}",
    )
    add_contacts = SendPulseAddEmailsOperator(
        task_id="add_contacts",
        address_book_id=create_address_book.output,
        contacts=AUDIENCE,
    )
    wait_until_unlocked = SendPulseAddressBookUnlockedSensor(
        task_id="wait_until_unlocked",
        address_book_id=create_address_book.output,
        # A retry that goes on skips what the try before it has added.
        expected_contacts=(
            "{% set counts = ti.xcom_pull(task_ids='add_contacts') %}{{ counts['accepted'] + counts['skipped'] }}"
        ),
        deferrable=True,
        poke_interval=5,
        timeout=timedelta(hours=2),
    )
    figures = best_customer()
    create_campaign = SendPulseCreateCampaignOperator(
        task_id="create_campaign",
        name="Weekly digest {{ data_interval_end | ds }}",
        mailing_key="weekly-digest-{{ data_interval_end | ds }}",
        address_book_id=create_address_book.output,
        sender_name="The Shop",
        sender_email="{{ params.sender_email }}",
        # SendPulse fills in {{Имя}} for every reader; [[ … ]] is filled in here, once.
        subject="{{Имя}}, your week until [[ data_interval_end | ds ]] 🎁",
        body_file="weekly_digest.html",
        body_params=figures,
    )
    wait_until_sent = SendPulseCampaignSensor(
        task_id="wait_until_sent",
        campaign_id=create_campaign.output,
        deferrable=True,
        poke_interval=5,
        timeout=timedelta(days=1),
    )
    statistics = SendPulseCampaignStatisticsOperator(
        task_id="store_statistics",
        campaign_id=create_campaign.output,
        totals=OutputTable(SHOP, "campaign_statistics"),
    )
    send_cart_events = SendPulseSendEventOperator(
        task_id="send_cart_events",
        event_name="abandoned_cart",
        event_key="cart_id",
        contacts=ABANDONED_CARTS,
    )
    note_the_week = SendPulseUpdateVariableOperator(
        task_id="note_the_week",
        address_book_id=create_address_book.output,
        contact_email="{{ params.seed_email }}",
        variables={"Sent": "{{ data_interval_end | ds }}"},
    )
    old_books = old_address_books()
    delete_old_books = SendPulseDeleteAddressBookOperator.partial(task_id="delete_old_books").expand_kwargs(old_books)

    require_data_interval() >> [select_audience, create_address_book]
    select_audience >> [add_contacts, figures]
    add_contacts >> wait_until_unlocked >> create_campaign >> wait_until_sent
    wait_until_sent >> [send_cart_events, note_the_week, statistics] >> old_books >> delete_old_books
