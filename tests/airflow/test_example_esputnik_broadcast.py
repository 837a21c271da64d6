# SPDX-License-Identifier: Apache-2.0
"""The example that schedules a broadcast, calls it off or not, and collects the activity, executed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from broadcasting import Newsletter
from examples import SHOP, dags_of
from execution_api import ExecutionApi
from task_runner import Result, TaskRunner

READERS = {f"reader{number}@example.com" for number in range(3)}


@pytest.fixture
def newsletter(emulator: Any, connect_esputnik: Any, shop: Path) -> Newsletter:
    emulator.configure(bounce_share=0, open_share=0, time_zone="Europe/Kyiv")
    newsletter = Newsletter(emulator)
    newsletter.readers()
    return newsletter


def day(newsletter: Newsletter, end: datetime, **conf: Any) -> dict[str, Result]:
    """Run the tasks of one day that are not skipped."""
    api = ExecutionApi(
        dag_id="esputnik_broadcast",
        run_id=f"scheduled__{end:%Y-%m-%d}",
        interval=(end - timedelta(days=1), end),
        run_after=end,
        conf={"message_id": newsletter.message, **conf},
    )
    dag = dags_of("esputnik_broadcast")["esputnik_broadcast"]
    tasks = ["enough_money", "create_broadcast", "is_called_off", "collect_activity"]
    results = {}
    for task_id in tasks:
        results[task_id] = TaskRunner(api).run(dag.get_task(task_id))
        assert results[task_id].state == "success", (task_id, results[task_id].error)
        if task_id == "is_called_off" and results[task_id].value:
            results["delete_broadcast"] = TaskRunner(api).run(dag.get_task("delete_broadcast"))
    return results


@pytest.mark.parametrize("called_off", [False, True], ids=["mailed", "called off"])
def test_broadcast_of_a_day(newsletter: Newsletter, shop: Path, called_off: bool) -> None:
    today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    first = day(newsletter, today, call_off=called_off)
    assert first["collect_activity"].value["rows"] == 0
    assert newsletter.mailed == {}
    if called_off:
        assert first["delete_broadcast"].value is True
        assert newsletter.broadcasts == []
        return
    [broadcast] = newsletter.broadcasts
    assert datetime.fromisoformat(broadcast["starts_at"]) == today.replace(hour=12) + timedelta(days=1)
    # The day is run again: it is the same broadcast.
    assert day(newsletter, today)["create_broadcast"].value == broadcast["id"]
    newsletter.emulator.advance(2 * 86400)
    assert newsletter.mailed == dict.fromkeys(READERS, 1)
    for _ in range(2):
        later = day(newsletter, today + timedelta(days=2))
        assert later["collect_activity"].value["by_status"] == {"DELIVERED": 3}
    with SHOP.opened(shop) as database:
        rows = [*database.execute("SELECT broadcast_id, activity_status FROM esputnik_activity")]
    assert rows == [(broadcast["id"], "DELIVERED")] * 3
