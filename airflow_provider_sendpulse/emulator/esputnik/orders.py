# SPDX-License-Identifier: Apache-2.0
"""Orders, which tell events and make contacts (eSputnik API: orders)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.contacts import is_address
from airflow_provider_sendpulse.emulator.esputnik.contact_data import is_phone_number
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact, Contacts
from airflow_provider_sendpulse.emulator.esputnik.events import Events

STATUSES = ("INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART")
_REQUIRED = ("externalOrderId", "totalCost", "status", "date", "currency")
_KEYS = ("externalCustomerId", "email", "phone")


class InvalidOrder(ValueError):
    """An order cannot be taken as it is."""


@dataclass
class Order:
    """One order, as it was sent last."""

    id: int
    external_id: str
    contact_id: int
    content: dict[str, Any]
    updated_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the order as JSON, for assertions."""
        return {**self.content, "orderId": self.id, "contact_id": self.contact_id}


class Orders:
    """The orders of an account."""

    def __init__(self, clock: Clock, contacts: Contacts, events: Events) -> None:
        self._clock = clock
        self._contacts = contacts
        self._events = events
        self._orders: dict[str, Order] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._orders.values()))

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, external_id: str) -> Order | None:
        """Return the order with this id of the caller."""
        return self._orders.get(external_id)

    def put(self, content: Any) -> Order:
        """Add or update an order, and tell of it.

        :raises InvalidOrder: something that it needs is missing
        """
        checked = _checked(content)
        external_id, now = str(checked["externalOrderId"]), self._clock.now()
        contact = self._match(checked) or self._new_contact(checked, now)
        known = self._orders.get(external_id)
        number = known.id if known is not None else len(self._orders) + 1
        order = Order(number, external_id, contact.id, checked, now)
        self._orders[external_id] = order
        params = {**checked, "orderId": number}
        self._events.receive(f"order{checked['status']}", external_id, params, source="system", contact_id=contact.id)
        return order

    def _match(self, order: dict[str, Any]) -> Contact | None:
        keys = (("externalCustomerId", "externalCustomerId"), ("sms", "phone"), ("email", "email"))
        found = (self._contacts.one(kind, order[name]) for kind, name in keys if order.get(name))
        return next((contact for contact in found if contact is not None), None)

    def _new_contact(self, order: dict[str, Any], at: datetime) -> Contact:
        contact = self._contacts.create("orders", at)
        for name in ("firstName", "lastName", "externalCustomerId"):
            if order.get(name):
                contact.values[name] = str(order[name])
        for kind, name in (("email", "email"), ("sms", "phone")):
            if order.get(name):
                contact.channels[kind] = [{"type": kind, "value": str(order[name])}]
        self._contacts.changed(contact, at)
        return contact


def _checked(order: Any) -> dict[str, Any]:
    if not isinstance(order, dict):
        raise InvalidOrder("Order must be an object")
    missing = [name for name in _REQUIRED if order.get(name) in (None, "")]
    if missing:
        raise InvalidOrder(f"{', '.join(missing)} is required")
    if not any(order.get(name) for name in _KEYS):
        raise InvalidOrder(f"One of {', '.join(_KEYS)} is required")
    if order["status"] not in STATUSES:
        raise InvalidOrder(f"status must be one of {', '.join(STATUSES)}")
    cost = order["totalCost"]
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        raise InvalidOrder("totalCost must be a number")
    if order.get("email") and not is_address(str(order["email"])):
        raise InvalidOrder("email is not valid")
    if order.get("phone") and not is_phone_number(str(order["phone"])):
        raise InvalidOrder("phone is not valid")
    try:
        if datetime.fromisoformat(str(order["date"])).tzinfo is None:
            raise InvalidOrder("date must have an offset")
    except ValueError as error:
        raise InvalidOrder("date must be an ISO date with an offset") from error
    items = order.get("items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidOrder("items must be an array of objects")
    if any(item.get("externalItemId") in (None, "") or item.get("quantity") is None for item in items):
        raise InvalidOrder("Each of items must have externalItemId and quantity")
    return dict(order)
