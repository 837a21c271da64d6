# SPDX-License-Identifier: Apache-2.0
"""Orders, against the emulator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Repeat
from airflow_provider_sendpulse.esputnik.orders import Item, Order, OrderStatus
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest


def order(number=1, **members):
    return Order(
        **{
            "external_order_id": f"o-{number}",
            "total_cost": Decimal("10.50"),
            "status": OrderStatus.DELIVERED,
            "date": dt.datetime(2026, 3, 1, 9, 5, tzinfo=dt.UTC),
            "currency": "UAH",
            "email": "ada@example.com",
            "items": (Item(external_item_id="i-1", quantity=2, cost=Decimal("5.25")),),
            **members,
        }
    )


@pytest.mark.parametrize("answer", ["object", "empty"])
def test_orders(either, emulator, remembered, answer):
    emulator.configure(esputnik_orders_answer=answer)
    call = es.orders.add([order(1), order(2, status="IN_PROGRESS")])
    assert call.reaches_people
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    assert either.send(call) == []
    assert [event["eventTypeKey"] for event in remembered()["events"]] == ["orderDELIVERED", "orderIN_PROGRESS"]


@pytest.mark.parametrize("collapse", [True, False])
def test_orders_that_are_refused(either, emulator, collapse):
    emulator.configure(esputnik_collapse=collapse)
    [failed] = either.send(es.orders.add([order(1), order(2, status="LOST")]))
    assert failed.external_order_id == "o-2"
    assert failed.error
    assert "ada@" not in repr(failed)
    assert len(either.send(es.orders.add([order(3, status="LOST"), order(4, status="LOST")]))) == 2


def test_orders_whose_outcome_is_not_known_are_not_repeated(either, emulator, remembered):
    emulator.faults.add("lose_answer", operation="esputnik.orders.add", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(es.orders.add([order()]))
    assert len(remembered()["events"]) == 1


def test_what_is_sent():
    assert order(first_name="Ада", additional_info={"n": Decimal("1.5")}).body() == {
        "externalOrderId": "o-1",
        "totalCost": 10.5,
        "status": "DELIVERED",
        "date": "2026-03-01T09:05:00+00:00",
        "currency": "UAH",
        "email": "ada@example.com",
        "firstName": "Ада",
        "additionalInfo": {"n": 1.5},
        "items": [{"externalItemId": "i-1", "quantity": 2, "cost": 5.25}],
    }


def test_what_the_service_would_refuse_is_not_sent():
    for wrong in ([], [order()] * 1001):
        with pytest.raises(InvalidRequest, match="1 to 1000"):
            es.orders.add(wrong)
    with pytest.raises(InvalidRequest, match="offset"):
        es.orders.add([order(date=dt.datetime(2026, 3, 1))])
    with pytest.raises(InvalidRequest, match="total cost"):
        es.orders.add([order(total_cost=float("nan"))])


def test_nothing_personal_shows():
    assert "ada@" not in repr([order(), es.orders.add([order()])])
