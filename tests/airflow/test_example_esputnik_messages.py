# SPDX-License-Identifier: Apache-2.0
"""The example that tells eSputnik of carts and orders, and thanks some customers, executed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from esputnik_state import EsputnikState
from examples import SHOP, dags_of, run
from execution_api import ExecutionApi

pytestmark = pytest.mark.usefixtures("connect_esputnik")


@pytest.fixture
def esputnik(emulator: Any) -> EsputnikState:
    emulator.configure(bounce_share=0.0, open_share=0.0)
    with emulator.emulator.lock:
        emulator.state.esputnik.messages.create(
            "email",
            {
                "name": "Thanks",
                "from": "Shop",
                "subject": "Order $!data.get('order_id')",
                "htmlText": "$!data.get('product')",
            },
        )
    return EsputnikState(emulator)


def api_of(day: str) -> ExecutionApi:
    after = datetime.fromisoformat(day).replace(hour=6, tzinfo=UTC)
    return ExecutionApi(dag_id="esputnik_messages", run_id=f"scheduled__{day}", interval=(after, after), run_after=after)


def found(shop: Path, query: str) -> list[tuple[Any, ...]]:
    with SHOP.opened(shop) as database:
        return [*database.execute(query)]


def test_two_days(esputnik: EsputnikState, emulator: Any, shop: Path) -> None:
    dag = dags_of("esputnik_messages")["esputnik_messages"]
    outputs = []
    for day in ("2026-01-07", "2026-01-08"):
        api = api_of(day)
        results = run(dag, api)
        outputs += [result.log for result in results.values()]
        outputs += [json.dumps(result.rendered) for result in results.values()]
        outputs.append(json.dumps([*api.xcoms.values()]))
    days = "BETWEEN '2026-01-05' AND '2026-01-07'"
    carts = found(shop, f"SELECT id FROM carts WHERE left_on {days}")
    orders = found(
        shop,
        "SELECT orders.id, total, product, email FROM orders JOIN customers ON customers.id = customer_id "
        f"WHERE ordered_on {days}",
    )
    assert carts
    sent = sorted(esputnik.events)
    assert sent == sorted(
        [*(("cart_left", str(cart)) for (cart,) in carts), *(("orderDELIVERED", str(order)) for order, *_ in orders)]
    )
    thanked = sorted((email, f"Order {order}", product) for order, total, product, email in orders if total >= 900)
    assert thanked
    assert sorted((entry["to"], entry["subject"], entry["body"]) for entry in emulator.inbox()) == thanked
    assert len(found(shop, "SELECT request_id FROM thanks")) == len(thanked)
    assert results["wait_until_delivered"].value["pending"] == 0  # type: ignore[union-attr]
    for _, email in found(shop, "SELECT name, email FROM customers"):
        assert not any(email in text for text in outputs)


def test_a_day_without_orders(esputnik: EsputnikState, emulator: Any, shop: Path) -> None:
    results = run(dags_of("esputnik_messages")["esputnik_messages"], api_of("2025-06-01"))
    assert results["wait_until_delivered"].value["messages"] == 0  # type: ignore[union-attr]
    assert emulator.inbox() == []
