# SPDX-License-Identifier: Apache-2.0
"""The receipts of a day: each arrives once, and nobody's address travels through Airflow."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from examples import EXAMPLES, SHOP, dags_of, one_task, run
from execution_api import ExecutionApi

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")
stored = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="needs the task state store of Airflow 3.3")


@pytest.fixture(autouse=True)
def delivered(emulator: Any) -> None:
    emulator.configure(bounce_share=0.0, open_share=0.0)


def orders(shop: Path) -> dict[str, tuple[int, str, str, str]]:
    """Return the number, address, name and product of every order, by day."""
    with SHOP.opened(shop) as database:
        rows = database.execute(
            "SELECT ordered_on, orders.id, email, name, product FROM orders "
            "JOIN customers ON customers.id = customer_id ORDER BY orders.id"
        ).fetchall()
    by_day: dict[str, Any] = {}
    for day, *order in rows:
        by_day.setdefault(day, []).append(tuple(order))
    return by_day


def api_of(day: str, **fields: Any) -> ExecutionApi:
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    after = begin.replace(day=begin.day + 1)
    return ExecutionApi(
        dag_id="order_receipts", run_id=f"scheduled__{after:%Y-%m-%d}", interval=(after, after), run_after=after, **fields
    )


@pytest.fixture
def dag() -> Any:
    return dags_of("order_receipts")["order_receipts"]


def test_receipts(dag: Any, account: Any, emulator: Any, shop: Path) -> None:
    day, wanted = max(orders(shop).items(), key=lambda item: len(item[1]))
    assert len(wanted) > 2
    api = api_of(day)
    results = run(dag, api)
    arrived = {(entry["to"], entry["subject"]) for entry in emulator.inbox()}
    assert arrived == {(email, f"Your order {number}") for number, email, *_ in wanted}
    for number, email, name, product in wanted:
        [entry] = [entry for entry in emulator.inbox(email) if entry["subject"] == f"Your order {number}"]
        assert name.replace("'", "&#39;").replace("&", "&amp;").replace("&amp;#39;", "&#39;") in entry["body"]
        assert product in entry["body"]
    assert [result.value for result in results["send_receipt"]] == [record.id for record in emulator.state.smtp]
    assert [result.value["status"] for result in results["wait_until_delivered"]] == [250] * len(wanted)
    told = json.dumps([[*api.xcoms.values()], api.store, *(result.rendered for result in results["send_receipt"])])
    log = "".join(result.log for result in results["send_receipt"])
    for _, email, name, _ in wanted:
        assert email not in told + log
        assert json.dumps(name) not in told
    # The day once more: everything is there already.
    run(dag, api)
    # And with an order less, so that all others change their places.
    with SHOP.opened(shop) as database:
        database.execute("UPDATE orders SET ordered_on = '2025-01-01' WHERE id = ?", (wanted[0][0],))
        database.commit()
    api.clear_number = 1
    run(dag, api)
    assert len(emulator.inbox()) == len(wanted)


def test_a_day_without_orders(dag: Any, account: Any, emulator: Any, shop: Path) -> None:
    assert run(dag, api_of("2025-06-01"))["send_receipt"] == []
    assert emulator.inbox() == []


@stored
@pytest.mark.parametrize("arrives", [True, False])
def test_a_killed_worker(account: Any, emulator: Any, shop: Path, tmp_path: Path, arrives: bool) -> None:
    """What was being sent is looked for by the next try."""
    (number, email, *_), *_ = next(iter(orders(shop).values()))
    emulator.faults.add("kill", operation="smtp.send", after_effect=arrives)
    how = {"path": str(EXAMPLES / "order_receipts.py"), "dag_id": "order_receipts", "task_id": "send_receipt"}
    how |= {"run_id": "r", "store": str(tmp_path / "store.json"), "map_index": 0, "xcoms": {"new_orders": [str(number)]}}
    killed = one_task({**how, "try_number": 1})
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = one_task({**how, "try_number": 2, "jump": True})
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout.splitlines()[-1])
    assert told["state"] == ("success" if arrives else "skipped")
    assert [entry["subject"] for entry in emulator.inbox(email)] == [f"Your order {number}"] * arrives
