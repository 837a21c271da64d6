# SPDX-License-Identifier: Apache-2.0
"""A sale that is mailed with care: seen by the team first, scheduled, brought up to date shortly before, or called off.

The team gets a test. The campaign is created for the next day, so that a moderator and everybody else have time to look at
it. Two hours before it goes out the stock is counted again: the subject says how much is left, and when nothing is, the
campaign is cancelled. Its figures end in tables of the shop, behind the connection ``shop``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.sensors.date_time import DateTimeSensor
from airflow.sdk import DAG, BaseHook, Param, get_current_context, task

from airflow_provider_sendpulse.operators.campaigns import (
    SendPulseCampaignStatisticsOperator,
    SendPulseCancelCampaignOperator,
    SendPulseCreateCampaignOperator,
    SendPulseEditCampaignOperator,
    SendPulseSendTestOperator,
)
from airflow_provider_sendpulse.rows import OutputTable
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

SHOP = "shop"

# SendPulse fills in {{name}} for every reader; [[ … ]] is filled in here, once.
MESSAGE: dict[str, Any] = {
    "subject": "{{name}}, [[ left ]] walnut boards are left",
    "body": (
        "<p>Hello, {{name}}!</p><p>[[ left ]] of our walnut boards are left, and every one is unlike the others.</p>"
        '<p><a href="https://shop.example.com/boards?sale=[[ ds_nodash ]]">To the boards</a></p>'
    ),
}
CONTENT: dict[str, Any] = {
    **MESSAGE,
    "name": "Walnut boards {{ ds }}",
    "sender_name": "The Shop",
    "sender_email": "{{ params.sender_email }}",
    "address_book_id": "{{ params.address_book_id }}",
}


@task
def boards_left() -> dict[str, int]:
    """Return how many boards were made and not ordered yet."""
    connection: Any = BaseHook.get_connection(SHOP)
    [ordered] = connection.get_hook().get_first("SELECT COUNT(*) FROM orders WHERE product = 'Walnut board'")
    return {"left": max(get_current_context()["params"]["made"] - ordered, 0)}


@task.branch
def is_anything_left(stock: dict[str, int]) -> str:
    """Let the campaign go out as long as there is something to sell."""
    return "say_how_many_are_left" if stock["left"] else "call_it_off"


with DAG(
    dag_id="careful_campaign",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "address_book_id": Param(type="integer", description="Whom to mail"),
        "made": Param(100, type="integer", minimum=1, description="Boards that were made"),
        "sender_email": Param("shop@example.com", type="string", description="An activated sender of the account"),
        "team": Param(["team@shop.example.com"], type="array", maxItems=3, description="Who gets the test"),
        "hours": Param(24, type="number", description="Hours from now until it goes out"),
        "hours_before": Param(2, type="number", description="Hours before that at which the stock is counted again"),
    },
    doc_md=__doc__,
    tags=["sendpulse"],
):
    first_stock = boards_left.override(task_id="count_boards")()
    send_test = SendPulseSendTestOperator(
        task_id="send_test",
        **CONTENT,
        body_params=first_stock,
        addresses="{{ params.team | join(',') }}",
    )
    create_campaign = SendPulseCreateCampaignOperator(
        task_id="create_campaign",
        **CONTENT,
        body_params=first_stock,
        send_date="{{ dag_run.run_after + macros.timedelta(hours=params.hours) }}",
    )
    wait_until_shortly_before = DateTimeSensor(
        task_id="wait_until_shortly_before",
        target_time="{{ dag_run.run_after + macros.timedelta(hours=params.hours - params.hours_before) }}",
        mode="reschedule",
        poke_interval=300,
        timeout=timedelta(days=7),
    )
    stock = boards_left.override(task_id="count_boards_again")()
    edit_campaign = SendPulseEditCampaignOperator(
        task_id="say_how_many_are_left",
        campaign_id=create_campaign.output,
        # SendPulse wants the body with every edit.
        **MESSAGE,
        body_params=stock,
    )
    cancel_campaign = SendPulseCancelCampaignOperator(task_id="call_it_off", campaign_id=create_campaign.output)
    wait_until_sent = SendPulseCampaignSensor(
        task_id="wait_until_sent",
        campaign_id=edit_campaign.output,
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(days=2),
    )
    store_statistics = SendPulseCampaignStatisticsOperator(
        task_id="store_statistics",
        campaign_id=edit_campaign.output,
        totals=OutputTable(SHOP, "campaign_totals"),
        countries=OutputTable(SHOP, "campaign_countries"),
        links=OutputTable(SHOP, "campaign_links"),
    )

    first_stock >> send_test >> create_campaign >> wait_until_shortly_before >> stock
    is_anything_left(stock) >> [edit_campaign, cancel_campaign]
    edit_campaign >> wait_until_sent >> store_statistics
