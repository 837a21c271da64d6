# SPDX-License-Identifier: Apache-2.0
"""Orders (eSputnik API: orders)."""

from __future__ import annotations

from typing import Any

from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, Sentence, endpoint
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request
from airflow_provider_sendpulse.emulator.esputnik.orders import InvalidOrder
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped

MOST_ORDERS = 1000


def add(account: Esputnik, call: Call) -> dict[str, Any] | Sentence:
    """Add or update up to 1000 orders; those that fail are told in the answer."""
    entries = call.items("orders")
    if not entries or len(entries) > MOST_ORDERS:
        raise bad_request(f"orders must have from 1 to {MOST_ORDERS} items")
    failed = []
    for entry in entries:
        try:
            account.orders.put(entry)
        except InvalidOrder as error:
            failed.append({"order": entry, "error": str(error)})
    if not failed and account.settings.esputnik_orders_answer == "empty":
        return Sentence()
    if not failed:
        return {}
    return shaped(account.settings, {"failedOrders": failed}, "failedOrders")


ROUTES = [endpoint("POST", "/v1/orders", "orders.add", add)]
