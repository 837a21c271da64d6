# SPDX-License-Identifier: Apache-2.0
"""Bringing the figures of a campaign back."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.campaigns import SendPulseCampaignStatisticsOperator
from airflow_provider_sendpulse.rows import OutputFile, OutputTable

pytestmark = pytest.mark.usefixtures("connect")

BODY = '<p><a href="https://shop.example.com/a">a</a> <a href="https://shop.example.com/b?x=1">b</a></p>'
READERS = [f"reader{number}@example.com" for number in range(6)]
# What becomes of the message to each: a stage that was reached, or why it was not delivered.
OUTCOMES = dict(zip(READERS, (2, 3, 4, 5, 6, 14), strict=True))
TOTALS = {
    "campaign_status": 3,
    "recipients": 6,
    "sent": 6,
    "delivered": 4,
    "opened": 3,
    "clicked": 1,
    "unsubscribed": 1,
    "marked_as_spam": 0,
    "failed": 2,
}


@pytest.fixture
def sent(account: Any) -> int:
    """A campaign that was sent, and whose readers did different things."""
    account.emulator.configure(outcomes=OUTCOMES)
    account.book(emails=READERS)
    campaign_id = account.campaign(14)
    account.emulator.state.campaigns.find(campaign_id).content.body = BODY
    account.force(campaign_id, 3)
    return campaign_id


@pytest.fixture
def statistics(dag: Any) -> Any:
    def make(campaign_id: Any, **arguments: Any) -> SendPulseCampaignStatisticsOperator:
        return SendPulseCampaignStatisticsOperator(task_id="statistics", campaign_id=campaign_id, dag=dag, **arguments)

    return make


def table(shop: Path, name: str) -> list[dict[str, Any]]:
    from examples import SHOP

    with SHOP.opened(shop) as database:
        cursor = database.execute(f"SELECT * FROM {name}")
        return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]


@pytest.mark.parametrize("shape", ["array", "object"])
def test_tables(runner: Any, account: Any, sent: int, statistics: Any, shop: Path, shape: str) -> None:
    account.emulator.configure(campaign_statistics=shape)
    operator = statistics(
        str(sent),
        totals=OutputTable("shop", "totals"),
        countries=OutputTable("shop", "{{ 'countries' }}"),
        links=OutputTable("shop", "links"),
    )
    result = runner.run(operator)
    assert result.state == "success", result.error
    [row] = table(shop, "totals")
    assert {name: row[name] for name in TOTALS} == TOTALS
    assert result.value == {"campaign_id": sent, **TOTALS}
    by_status = json.loads(row["by_status"])
    assert (by_status["2"], by_status["6"], by_status["14"]) == (4, 1, 1)
    assert row["taken_at"].endswith("+00:00")
    opens = table(shop, "countries")
    assert {row["campaign_id"] for row in opens} == {sent}
    assert sum(row["opens"] for row in opens) == 3
    clicks = table(shop, "links")
    assert [(row["link_number"], row["link"]) for row in clicks] == [
        (1, "https://shop.example.com/a"),
        (2, "https://shop.example.com/b?x=1"),
    ]
    assert sum(row["clicks"] for row in clicks) == sum(
        message.clicked_link is not None for message in account.emulator.state.mailbox
    )


def test_again_it_is_replaced(runner: Any, account: Any, sent: int, statistics: Any, shop: Path) -> None:
    operator = statistics(
        sent,
        totals=OutputTable("shop", "totals"),
        countries=OutputTable("shop", "countries"),
        links=OutputTable("shop", "links"),
    )
    other = account.campaign(3)
    assert runner.run(operator).state == "success"
    assert runner.run(statistics_of(operator, other)).state == "success"
    # Another link is there now, and those before are gone.
    account.emulator.state.campaigns.find(sent).content.body = '<a href="https://shop.example.com/c">'
    again = runner.run(operator, try_number=2)
    assert again.state == "success", again.error
    assert sorted(row["campaign_id"] for row in table(shop, "totals")) == [sent, other]
    assert [row["link"] for row in table(shop, "links") if row["campaign_id"] == sent] == ["https://shop.example.com/c"]


def statistics_of(operator: Any, campaign_id: int) -> Any:
    operator = operator.prepare_for_execution()
    operator.campaign_id = campaign_id
    return operator


def test_files(runner: Any, account: Any, sent: int, statistics: Any, tmp_path: Path) -> None:
    operator = statistics(
        sent,
        totals=tmp_path / "totals.jsonl",
        links=OutputFile(f"{tmp_path}/links-{{{{ ds }}}}.csv"),
    )
    result = runner.run(operator)
    assert result.state == "success", result.error
    totals = json.loads((tmp_path / "totals.jsonl").read_text())
    assert {name: totals[name] for name in TOTALS} == TOTALS
    assert totals["by_status"]["4"] == 1
    file = tmp_path / "links-2026-01-05.csv"
    rows = [*csv.DictReader(file.read_text().splitlines())]
    assert [row["link"] for row in rows] == ["https://shop.example.com/a", "https://shop.example.com/b?x=1"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # What is not asked for is not read.
    assert "campaigns.countries" not in account.emulator.requests.counts()


def test_before_anybody_got_it(runner: Any, account: Any, statistics: Any, tmp_path: Path) -> None:
    campaign_id = account.campaign(14)
    operator = statistics(campaign_id, totals=tmp_path / "totals.csv", countries=tmp_path / "countries.csv")
    result = runner.run(operator)
    assert (result.value["sent"], result.value["failed"]) == (0, 0)
    assert len((tmp_path / "countries.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "go nowhere"),
        ({"totals": "relative.csv"}, "neither absolute nor a URL"),
        ({"totals": "/tmp/x.txt"}, "ends in neither"),
        ({"totals": 5}, "totals is a int"),
        ({"totals": "/tmp/x.csv", "links": "/tmp/x.csv"}, "totals and links are the same place"),
        ({"totals": OutputTable("shop", "customers")}, "has no columns"),
    ],
)
def test_wrong_outputs(
    runner: Any, account: Any, sent: int, statistics: Any, shop: Path, arguments: dict[str, Any], message: str
) -> None:
    result = runner.run(statistics(sent, **arguments))
    assert result.state == "failed"
    assert message in str(result.error)
    assert "campaigns.read" not in account.emulator.requests.counts()


def test_campaign_that_is_gone_leaves_the_table(runner: Any, account: Any, sent: int, statistics: Any, shop: Path) -> None:
    totals = OutputTable("shop", "totals")
    operator = statistics(sent, totals=totals, links=OutputTable("shop", "links"))
    assert runner.run(operator).state == "success"
    account.emulator.faults.add("status", status=404, error_code=802, operation="campaigns.referrals")
    result = runner.run(operator, try_number=2)
    assert type(result.error).__name__ == "Refused"
    assert len(table(shop, "totals")) == 1
    assert len(table(shop, "links")) == 2
