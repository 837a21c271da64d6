# SPDX-License-Identifier: Apache-2.0
"""Orders. Source: eSputnik API, "Add orders".

The same external order id updates the order. Each order that is accepted emits the event ``order<STATUS>``, so a call
whose outcome is not known is not repeated. A customer who is not known becomes a confirmed contact; one who is known is
not updated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, Repeat
from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.statuses import OrderStatus
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_ORDERS = 1000
"""Orders of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A part of an order."""

    external_item_id: str
    quantity: float | Decimal
    name: str | None = None
    category: str | None = None
    cost: float | Decimal | None = None
    url: str | None = None
    image_url: str | None = None
    description: str | None = None

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return wire.present(
            externalItemId=self.external_item_id,
            quantity=plain("quantity", self.quantity),
            name=self.name,
            category=self.category,
            cost=plain("cost", self.cost),
            url=self.url,
            imageUrl=self.image_url,
            description=self.description,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order. Personal data never shows in a ``repr``.

    :param date: with its offset from UTC, or as ISO 8601 text
    :param currency: ISO 4217, such as ``UAH``
    :param source: ``online`` or ``offline``
    """

    external_order_id: str
    total_cost: float | Decimal
    status: OrderStatus | str
    date: dt.datetime | str
    currency: str
    external_customer_id: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    shipping: float | Decimal | None = None
    discount: float | Decimal | None = None
    taxes: float | Decimal | None = None
    restore_url: str | None = field(default=None, repr=False)
    status_description: str | None = None
    store_id: str | None = None
    source: str | None = None
    delivery_method: str | None = None
    payment_method: str | None = None
    delivery_address: str | None = field(default=None, repr=False)
    additional_info: Mapping[str, Any] | None = field(default=None, repr=False)
    items: tuple[Item, ...] = field(default=(), repr=False)

    def body(self) -> dict[str, Any]:
        """Return what is sent.

        :raises InvalidRequest: for a value that JSON cannot hold, or a date without an offset in whole minutes
        """
        date = self.date
        if isinstance(date, dt.datetime):
            offset = date.utcoffset()
            if offset is None:
                raise InvalidRequest("The date of an order needs its offset from UTC.")
            if offset % dt.timedelta(minutes=1):
                # As everywhere before there were time zones; ISO 8601 cannot write it.
                raise InvalidRequest("The date of an order has an offset from UTC that is not in whole minutes.")
            date = date.isoformat(timespec="seconds")
        return wire.present(
            externalOrderId=self.external_order_id,
            totalCost=plain("total cost", self.total_cost),
            status=str(self.status),
            date=date,
            currency=self.currency,
            externalCustomerId=self.external_customer_id,
            email=self.email,
            phone=self.phone,
            firstName=self.first_name,
            lastName=self.last_name,
            shipping=plain("shipping", self.shipping),
            discount=plain("discount", self.discount),
            taxes=plain("taxes", self.taxes),
            restoreUrl=self.restore_url,
            statusDescription=self.status_description,
            storeId=self.store_id,
            source=self.source,
            deliveryMethod=self.delivery_method,
            paymentMethod=self.payment_method,
            deliveryAddress=self.delivery_address,
            additionalInfo=plain("additional info", self.additional_info),
            items=[item.body() for item in self.items] or None,
        )

    @property
    def private(self) -> tuple[str, ...]:
        """What is personal in it, so that it can be hidden where the service repeats it."""
        personal = (
            self.external_customer_id,
            self.email,
            self.phone,
            self.first_name,
            self.last_name,
            self.restore_url,
            self.delivery_address,
        )
        return tuple(value for value in personal if value)


@dataclass(frozen=True, slots=True)
class FailedOrder:
    """An order that was refused. Neither the customer nor the reason shows in a ``repr``."""

    external_order_id: str
    error: str = field(repr=False)
    order: dict[str, Any] = field(default_factory=dict, repr=False)


def add(orders: Sequence[Order]) -> Call[list[FailedOrder]]:
    """Add orders, or update those that are there already, up to :data:`MOST_ORDERS`; answers with those that were refused.

    :raises InvalidRequest: for no or too many orders, and as :meth:`Order.body`
    """
    if not 1 <= len(orders) <= MOST_ORDERS:
        raise InvalidRequest(f"One request holds 1 to {MOST_ORDERS} orders, not {len(orders)}.")
    return Call(
        method="POST",
        path="/v1/orders",
        body=JsonBody({"orders": [order.body() for order in orders]}),
        read=_failed_orders,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        # Nothing at all where every order was accepted, by an older edition.
        expect=Expect.TEXT,
        private=tuple(value for order in orders for value in order.private),
    )


def _failed_orders(answer: Any) -> list[FailedOrder]:
    return [] if answer is None else wire.listed(_failed)(wire.record(answer).get("failedOrders"))


def _failed(data: Mapping[str, Any]) -> FailedOrder:
    order = dict(wire.record(data.get("order") or {}))
    return FailedOrder(wire.text(order.get("externalOrderId")), wire.text(data.get("error")), order)


__all__ = ["MOST_ORDERS", "FailedOrder", "Item", "Order", "OrderStatus", "add"]
