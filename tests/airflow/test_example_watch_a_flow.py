# SPDX-License-Identifier: Apache-2.0
"""The example that watches a flow and stops it for buyers, executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples import SHOP, api_of, dags_of, run
from task_runner import TaskRunner

pytestmark = pytest.mark.usefixtures("connect")

ELEMENTS = [{"type": "email", "subject": "Your cart", "body": "<p>{{product}}</p>", "delay_seconds": 86400}]


def make(account: Any, *, is_active: bool = True) -> Any:
    with account.emulator.emulator.lock:
        flows = account.emulator.state.flows
        return flows.create("Carts", "cart_left", ELEMENTS, stop_event="order_paid", is_active=is_active)


def people(shop: Path, query: str) -> list[str]:
    with SHOP.opened(shop) as database:
        return [email for (email,) in database.execute(query)]


def test_buyers_leave_the_flow(account: Any, shop: Path) -> None:
    flow = make(account)
    # Somebody has bought what was left behind.
    leavers = people(
        shop,
        "SELECT email FROM carts JOIN customers ON customers.id = customer_id "
        "WHERE left_on BETWEEN '2026-01-05' AND '2026-01-12'",
    )
    buyers = people(
        shop,
        "SELECT email FROM orders JOIN customers ON customers.id = customer_id "
        "WHERE ordered_on BETWEEN '2026-01-05' AND '2026-01-12'",
    )
    assert 0 < len({*leavers} & {*buyers}) < len({*leavers})
    results = run(dags_of("watch_a_flow")["watch_a_flow"], api_of("watch_a_flow", conf={"flow_id": flow.id}))
    assert results["starts_before"].value == 0
    assert flow.starts == len(leavers)
    assert results["wait_until_entered"].value["starts"] == len(leavers)
    assert sorted(run.contact for run in flow.runs) == sorted(email for email in leavers if email not in buyers)
    # Nobody enters or leaves it twice, and what is waited for the next time is what is there already.
    again = run(dags_of("watch_a_flow")["watch_a_flow"], api_of("watch_a_flow", conf={"flow_id": flow.id}))
    assert flow.starts == len(leavers)
    assert again["start_flow"].value["accepted"] == again["stop_for_buyers"].value["accepted"] == 0


def test_flow_that_is_not_active(account: Any, shop: Path) -> None:
    flow = make(account, is_active=False)
    dag = dags_of("watch_a_flow")["watch_a_flow"]
    result = TaskRunner(api_of("watch_a_flow", conf={"flow_id": flow.id})).run(dag.get_task("starts_before"))
    assert "is not active. Start it in the dashboard." in str(result.error)
