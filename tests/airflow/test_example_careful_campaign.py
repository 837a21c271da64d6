# SPDX-License-Identifier: Apache-2.0
"""The careful campaign: tested, scheduled, edited, and sent or called off."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from examples import SHOP, dags_of
from execution_api import ExecutionApi
from task_runner import Result, TaskRunner

pytestmark = pytest.mark.usefixtures("connect", "shop")

BEFORE = ("count_boards", "send_test", "create_campaign", "wait_until_shortly_before", "count_boards_again")


@pytest.fixture
def run(account: Any, shop: Path) -> Any:
    """Return what runs tasks of the DAG, in a run whose stock is counted again at once."""
    dag = dags_of("careful_campaign")["careful_campaign"]
    readers = [f"reader{number}@example.com" for number in range(5)]
    # As much was ordered as the shop has orders of it in its database.
    with SHOP.opened(shop) as database:
        [ordered] = database.execute("SELECT COUNT(*) FROM orders WHERE product = 'Walnut board'").fetchone()
    now = datetime.now(UTC)
    conf = {"address_book_id": account.book(emails=readers), "made": ordered + 7, "hours_before": 24}
    runner = TaskRunner(ExecutionApi(dag_id="careful_campaign", run_id="manual__1", run_after=now, conf=conf))

    def run_tasks(*task_ids: str, try_number: int = 1) -> list[Result]:
        results = [runner.run(dag.get_task(task_id), try_number=try_number) for task_id in task_ids]
        for task_id, result in zip(task_ids, results, strict=True):
            assert result.state == "success", (task_id, result.error)
        return results

    run_tasks.shop, run_tasks.ordered = shop, ordered  # type: ignore[attr-defined]
    return run_tasks


def order(shop: Path, count: int) -> None:
    with SHOP.opened(shop) as database, database:
        for number in range(count):
            database.execute("INSERT INTO orders VALUES (?, 1, 'Walnut board', 690, '2026-01-20')", (9000 + number,))


def test_sent(run: Any, account: Any) -> None:
    run(*BEFORE[:-1])
    order(run.shop, 4)
    [counted, branched] = run(BEFORE[-1], "is_anything_left")
    assert counted.value == {"left": 3}
    assert "say_how_many_are_left" in str(branched.log)
    [edited] = run("say_how_many_are_left")
    test, campaign = account.campaigns
    assert (test["subject"], campaign["subject"]) == (
        "{{name}}, 7 walnut boards are left",
        "{{name}}, 3 walnut boards are left",
    )
    assert edited.xcom("changed", "say_how_many_are_left") == ["subject", "body"]
    account.emulator.advance(25 * 3600)
    run("wait_until_sent", "store_statistics")
    mailed = [message for message in account.emulator.state.mailbox if message.campaign_id == campaign["id"]]
    assert len(mailed) == 5
    assert {message.subject for message in mailed} == {campaign["subject"]}
    with SHOP.opened(run.shop) as database:
        assert database.execute("SELECT campaign_id, recipients FROM campaign_totals").fetchall() == [(campaign["id"], 5)]
        [(link,)] = database.execute("SELECT link FROM campaign_links").fetchall()
    assert link.startswith("https://shop.example.com/boards?sale=")


def test_called_off(run: Any, account: Any) -> None:
    run(*BEFORE[:-1])
    order(run.shop, 7)
    run(BEFORE[-1], "is_anything_left")
    [cancelled] = run("call_it_off")
    assert cancelled.value == "cancelled"
    assert [campaign["status"] for campaign in account.campaigns][1] == 16
    account.emulator.advance(25 * 3600)
    assert {message.kind for message in account.emulator.state.mailbox} <= {"test"}


def test_every_task_again(run: Any, account: Any) -> None:
    tasks = (*BEFORE, "say_how_many_are_left")
    run(*tasks)
    account.emulator.advance(25 * 3600)
    run("wait_until_sent", "store_statistics")
    mailed = len(account.emulator.state.mailbox)
    run(*tasks, "wait_until_sent", "store_statistics", try_number=2)
    assert len(account.campaigns) == 2
    assert len(account.emulator.state.mailbox) == mailed
