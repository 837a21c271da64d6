# SPDX-License-Identifier: Apache-2.0
"""Events for carts, orders, and prepared messages of thanks, of two days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop as shops
from torture.ended import Ended, Occasion
from torture.picture import Picture
from torture.subjects.pictured import PicturedSubject, doubtful

A_LOT = 300
"""Of which total on somebody is thanked: some orders of two days are as large."""


class EsputnikMessages(PicturedSubject):
    """Whatever reaches people here is sent at most once."""

    name = file = dag_id = "esputnik_messages"
    settings: Mapping[str, Any] = {"bounce_share": 0.0, "open_share": 0.0}
    changes: Mapping[str, Any] = {"per_call": 2}
    tables: Mapping[str, str] = {"thanks": "row_key"}
    sent_by: Mapping[str, str] = {
        "cart_left events": "send_events",
        "orderDELIVERED events": "send_orders",
        "orders": "send_orders",
        "contacts": "send_orders",
        "messages": "thank",
        "mails": "thank",
        "rows of thanks": "thank",
    }
    is_doubtful = doubtful(sent_by)

    def occasion(self, number: int) -> Occasion:
        """Return a morning."""
        due = datetime(2026, 1, 7, 6, tzinfo=UTC) + (number - 1) * timedelta(days=1)
        return Occasion(number, f"messages-{due.date()}", due, due, {"a_lot": A_LOT})

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Prepare the message."""
        with emulator.emulator.lock:
            message = emulator.state.esputnik.messages.create(
                "email",
                {
                    "name": "Thanks",
                    "from": "Shop",
                    "subject": "Order $!data.get('order_id')",
                    "htmlText": "$!data.get('product')",
                },
            )
        return {"message_id": message.id}

    def wanted(self, ended: Ended) -> Picture:
        """Return the events of carts, the orders with theirs, and the mails."""
        last = ended.occasion.end.date()
        first = last - timedelta(days=2)
        with shops.opened(ended.shop) as database:
            orders = [
                (str(number), total, product, email)
                for number, total, product, email, day in database.execute(
                    "SELECT orders.id, total, product, email, ordered_on FROM orders "
                    "JOIN customers ON customers.id = customer_id"
                )
                if first <= date.fromisoformat(day) < last
            ]
        numbers = Counter(number for number, *_ in orders)
        return {
            "cart_left events": Counter(str(cart) for cart, _ in shops.abandoned_carts(ended.shop, first, last)),
            "orders": numbers,
            "orderDELIVERED events": numbers,
            "mails": Counter(
                f"smartsend to {email}: Order {number} | {product}"
                for number, total, product, email in orders
                if total >= A_LOT
            ),
        }


__all__ = ["EsputnikMessages"]
