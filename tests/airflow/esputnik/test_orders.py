# SPDX-License-Identifier: Apache-2.0
"""Orders of eSputnik: each status of an order once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from task_runner import another_run

from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator

ADA, BOB = "ada@example.com", "bob@example.com"
ADD = "esputnik.orders.add"


def order(number: int = 1, **members: Any) -> dict[str, Any]:
    return {
        "external_order_id": number,
        "total_cost": Decimal("185.50"),
        "status": "INITIALIZED",
        "date": "2026-01-05T10:00:00+02:00",
        "currency": "UAH",
        "email": f"buyer{number}@example.com",
        **members,
    }


@pytest.fixture
def send() -> Callable[..., Any]:
    from airflow.sdk import DAG

    def make(orders: Any, **arguments: Any) -> EsputnikSendOrdersOperator:
        dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        return EsputnikSendOrdersOperator(**{"task_id": "send", "dag": dag, "orders": orders, **arguments})

    return make


def test_all_members(runner: Any, send: Any, esputnik: Any) -> None:
    items = [{"externalItemId": 7, "quantity": 2, "name": "Чай", "cost": 92.75, "imageUrl": "https://example.com/7"}]
    full = order(
        1,
        external_customer_id="c-1",
        phone="+380671234567",
        first_name="Ada",
        last_name="Lovelace",
        shipping="40",
        discount=0,
        taxes=1.5,
        restore_url="https://example.com/cart/1",
        status_description="new",
        store_id=3,
        source="offline",
        delivery_method="post",
        payment_method="card",
        delivery_address="Kyiv",
        additional_info='{"gift": true}',
        items=json.dumps(items),
    )
    result = runner.run(send([full]))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 1
    [body] = esputnik.sent("orders.add")
    assert body == {
        "orders": [
            {
                "externalOrderId": "1",
                "totalCost": 185.5,
                "status": "INITIALIZED",
                "date": "2026-01-05T10:00:00+02:00",
                "currency": "UAH",
                "externalCustomerId": "c-1",
                "email": "buyer1@example.com",
                "phone": "+380671234567",
                "firstName": "Ada",
                "lastName": "Lovelace",
                "shipping": 40,
                "discount": 0,
                "taxes": 1.5,
                "restoreUrl": "https://example.com/cart/1",
                "statusDescription": "new",
                "storeId": "3",
                "source": "offline",
                "deliveryMethod": "post",
                "paymentMethod": "card",
                "deliveryAddress": "Kyiv",
                "additionalInfo": {"gift": True},
                "items": [
                    {
                        "externalItemId": "7",
                        "quantity": 2,
                        "name": "Чай",
                        "cost": 92.75,
                        "imageUrl": "https://example.com/7",
                    }
                ],
            }
        ]
    }
    assert esputnik.events == [("orderINITIALIZED", "1")]
    assert esputnik.by_email("buyer1@example.com")["confirmed"]
    assert result.rendered["orders"] == "1 orders (not shown)"


def test_columns_that_are_called_otherwise(runner: Any, send: Any, esputnik: Any) -> None:
    row = {"id": 9, "sum": 5, "state": "delivered", "at": datetime(2026, 1, 5, 10), "money": "EUR", "mail": ADA, "other": 1}
    columns = {
        "external_order_id": "id",
        "total_cost": "sum",
        "status": "state",
        "date": "at",
        "currency": "money",
        "email": "mail",
    }
    result = runner.run(send([row], columns=columns))
    assert result.state == "success", result.error
    [body] = esputnik.sent("orders.add")
    assert body["orders"][0]["date"] == "2026-01-05T10:00:00+02:00"  # in the account's time zone
    assert esputnik.events == [("orderDELIVERED", "9")]


def test_each_status_once_across_runs(send: Any, esputnik: Any, ledger: str) -> None:
    rows = [order(1), order(2)]
    assert another_run(1).run(send(rows, ledger=ledger)).value["accepted"] == 2
    rows = [order(1, total_cost=200), order(2, status="DELIVERED")]
    second = another_run(2).run(send(rows, ledger=ledger))
    assert (second.value["accepted"], second.value["skipped"]) == (1, 1)
    assert sorted(esputnik.events) == [("orderDELIVERED", "2"), ("orderINITIALIZED", "1"), ("orderINITIALIZED", "2")]


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("bad", [(2,), (2, 3)])
def test_those_that_fail_are_rejected(
    runner: Any, send: Any, esputnik: Any, emulator: Any, tmp_path: Path, bad: tuple[int, ...], collapse: bool
) -> None:
    emulator.configure(esputnik_collapse=collapse)
    # What the client cannot know is wrong.
    rows = [order(number, phone="+0000000000000000000000" if number in bad else None) for number in range(1, 6)]
    rejects = tmp_path / "rejects.jsonl"
    result = runner.run(send(rows, rejects=rejects, max_rejected_ratio=1))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (5 - len(bad), len(bad))
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(row["outcome"], row["row_key"]) for row in found] == [("rejected", f"{number}|INITIALIZED") for number in bad]
    assert sorted(key for _, key in esputnik.events) == sorted(str(n) for n in range(1, 6) if n not in bad)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"total_cost": "much"}, "total_cost of the order is not a number"),
        ({"status": "GONE"}, "status of the order is none of INITIALIZED"),
        ({"total_cost": float("nan")}, "total_cost is not a finite number"),
        ({"first_name": float("nan")}, "first_name is not a finite number"),
        ({"external_order_id": float("nan")}, "external_order_id is not a finite number"),
        ({"status_description": b"x"}, "status_description holds a bytes"),
        ({"status_description": time(10)}, "status_description holds a time"),
        ({"status_description": timedelta(1)}, "status_description holds a timedelta"),
        ({"additional_info": {"at": {1, 2}}}, "additional_info holds a set"),
        ({"date": "soon"}, "date of the order cannot be read"),
        ({"date": 1767600000}, "date of the order cannot be read"),
        ({"date": "2026-01-05"}, "date of the order has no time of day"),
        ({"date": "2026-W02-1"}, "date of the order has no time of day"),
        ({"date": date(2026, 1, 5)}, "date of the order has no time of day"),
        ({"date": "0001-01-01T00:00:00"}, "offset from UTC that is not in whole minutes"),
        ({"date": datetime(1, 1, 1)}, "offset from UTC that is not in whole minutes"),
        ({"currency": None}, "the order has no currency"),
        ({"currency": "hryvnia"}, "currency of the order is not a code of three letters"),
        ({"currency": 980}, "currency of the order is not a code of three letters"),
        ({"email": None}, "neither address nor telephone number"),
        ({"source": "shop"}, "neither online nor offline"),
        ({"items": "[1]"}, "not a list of objects"),
        ({"items": "["}, "no JSON"),
        ({"items": [{"externalItemId": 1}]}, "no externalItemId or no quantity"),
        ({"items": [{"externalItemId": 1, "quantity": 1, "qty": 1}]}, "a member that no item has"),
        ({"additional_info": "[]"}, "not an object"),
    ],
)
def test_an_order_that_cannot_be_one_is_one_bad_row(
    runner: Any, send: Any, esputnik: Any, members: dict[str, Any], told: str
) -> None:
    result = runner.run(send([order(1, **members), order(2)], max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["invalid"], result.value["accepted"]) == (1, 1)
    assert told in result.log
    assert esputnik.events == [("orderINITIALIZED", "2")]


def test_a_later_row_with_a_strange_column_is_one_bad_row(runner: Any, send: Any, esputnik: Any) -> None:
    result = runner.run(send([order(1), order(2, totl=None)], max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["invalid"], result.value["accepted"]) == (1, 1)
    assert "the row has what an order does not have: totl" in result.log
    assert esputnik.events == [("orderINITIALIZED", "1")]


@pytest.mark.parametrize(
    ("rows", "arguments", "told"),
    [
        ([order(1, colour=None), order(2, colour="red")], {}, "The rows have what an order does not have: colour"),
        ([order(colour="red")], {}, "The rows have what an order does not have: colour"),
        ([order()], {"columns": {"colour": "red"}}, "columns has colour"),
        ([order()], {"columns": {"external_order_id": "id"}}, "columns has no total_cost"),
        ([order()], {"per_call": 1001}, "per_call is 1001"),
        ([order(1), order(2)], {"max_orders": 1}, "more than max_orders=1. Nothing was sent."),
        (None, {}, "orders is empty"),
    ],
)
def test_what_cannot_be_meant(
    runner: Any, send: Any, esputnik: Any, rows: Any, arguments: dict[str, Any], told: str
) -> None:
    result = runner.run(send(rows, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert esputnik.count("orders.add") == 0


def test_customers_who_are_not_there_are_skipped(runner: Any, send: Any, esputnik: Any) -> None:
    esputnik.contact(ADA)
    esputnik.contact("somebody@example.com", external_id="c-2")
    rows = [order(1, email=ADA), order(2, external_customer_id="c-2", email=None), order(3)]
    rows = [{"external_customer_id": None, **row} for row in rows]
    result = runner.run(send(rows, create_contacts=False))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["skipped"]) == (2, 1)
    assert "1 orders are for nobody whom the account has" in result.log
    assert len(esputnik.contacts) == 2


def test_a_lost_answer_leaves_its_orders_in_doubt(send: Any, esputnik: Any, emulator: Any, ledger: str) -> None:
    emulator.faults.add("lose_answer", operation=ADD, times=1)
    rows = [order(number) for number in range(1, 7)]
    first = another_run(1).run(send(rows, ledger=ledger, per_call=4, max_rejected_ratio=1))
    assert first.state == "success", first.error
    assert (first.value["accepted"], first.value["in_doubt"]) == (2, 4)
    second = another_run(2).run(send(rows, ledger=ledger, per_call=3))
    assert second.value["skipped"] == 6
    assert sorted(key for _, key in esputnik.events) == ["1", "2", "3", "4", "5", "6"]


def test_a_batch_that_is_too_large_goes_in_halves(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=ADD, status=413, times=1)
    result = runner.run(send([order(number) for number in range(1, 7)]))
    assert result.value["accepted"] == 6
    assert [len(body["orders"]) for body in esputnik.sent("orders.add")] == [6, 3, 3]
    assert [key for _, key in esputnik.events] == ["1", "2", "3", "4", "5", "6"]


def test_an_empty_answer_means_that_all_are_there(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.configure(esputnik_orders_answer="empty")
    assert runner.run(send([order(), order(2, date=datetime(2026, 1, 5, tzinfo=UTC))])).value["accepted"] == 2


def test_a_repeat_within_a_minute_is_in_doubt(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=ADD, status=409, times=1)
    result = runner.run(send([order(), order(2)], max_rejected_ratio=1))
    assert result.state == "success", result.error
    assert result.value["in_doubt"] == 2
    assert "less than a minute ago" in result.log


@pytest.mark.parametrize("given", ["uah", " UAH ", "Uah"])
def test_a_currency_in_either_case(runner: Any, send: Any, esputnik: Any, given: str) -> None:
    assert runner.run(send([order(currency=given)])).state == "success"
    assert esputnik.sent("orders.add")[0]["orders"][0]["currency"] == "UAH"


@pytest.mark.parametrize(("count", "per_call", "refusals"), [(3, 2, 1), (60, 100, 2), (60, 10, 4)])
def test_no_order_falls_back_when_requests_are_refused(
    runner: Any, send: Any, esputnik: Any, emulator: Any, count: int, per_call: int, refusals: int
) -> None:
    emulator.faults.add("status", operation=ADD, status=400, message="wrong", times=refusals)
    rows = [*(order(number) for number in range(1, count)), order(1, status="DELIVERED"), order(count)]
    result = runner.run(send(rows, per_call=per_call))
    assert result.state == "success", result.error
    assert result.value["accepted"] == count + 1
    assert [status for status, key in esputnik.events if key == "1"] == ["orderINITIALIZED", "orderDELIVERED"]


def test_no_request_holds_an_order_twice(runner: Any, send: Any, esputnik: Any) -> None:
    rows = [order(1), order(2), order(1, status="IN_PROGRESS"), order(3), order(1, status="DELIVERED")]
    assert runner.run(send(rows)).value["accepted"] == 5
    sent = [[one["externalOrderId"] for one in body["orders"]] for body in esputnik.sent("orders.add")]
    assert sent == [["1", "2", "3"], ["1"], ["1"]]


STATUSES = ("INITIALIZED", "IN_PROGRESS", "DELIVERED")


def test_orders_that_are_sorted_by_id_make_no_more_requests(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    rows = [order(number, status=status) for number in range(1, 41) for status in STATUSES]
    emulator.faults.add("status", operation=ADD, status=400, message="wrong", times=1)
    result = runner.run(send(rows))
    assert result.value["accepted"] == 120
    # The first is refused, and goes in halves.
    assert [len(body["orders"]) for body in esputnik.sent("orders.add")] == [40, 20, 20, 40, 40]
    for number in range(1, 41):
        assert [status for status, key in esputnik.events if key == str(number)] == [f"order{one}" for one in STATUSES]


def test_the_statuses_of_an_order_count_for_max_duration(runner: Any, send: Any, esputnik: Any, connect: Any) -> None:
    rows = [order(1, status=status) for status in STATUSES]
    result = runner.run(send(rows, max_duration=timedelta(seconds=0.002)))
    assert result.state == "failed"
    assert "longer than max_duration" in str(result.error)
    assert esputnik.count("orders.add") == 0
    assert runner.run(send(rows, max_duration=timedelta(seconds=0.004))).value["accepted"] == 3


@pytest.mark.parametrize("if_in_doubt", ["skip", "resend"])
@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "status", "status": 400, "message": "wrong"}])
def test_an_earlier_status_is_not_sent_after_a_later_one(
    send: Any, esputnik: Any, emulator: Any, ledger: str, fault: dict[str, Any], if_in_doubt: str
) -> None:
    emulator.faults.add(**fault, operation=ADD, times=1)
    rows = [order(1), order(1, status="DELIVERED")]
    first = another_run(1).run(send(rows, ledger=ledger, max_rejected_ratio=1))
    assert first.value["accepted"] == 1
    rows = [order(1), order(1, status="DELIVERED"), order(2)]
    second = another_run(2).run(send(rows, ledger=ledger, max_rejected_ratio=1, if_in_doubt=if_in_doubt))
    assert second.state == "success", second.error
    assert esputnik.events == [("orderDELIVERED", "1"), ("orderINITIALIZED", "2")]
    assert second.value["accepted"] == 1


def test_what_is_in_doubt_is_sent_again_in_its_order(send: Any, esputnik: Any, emulator: Any, ledger: str) -> None:
    emulator.faults.add("drop", operation=ADD, times=2)
    rows = [order(1), order(1, status="DELIVERED")]
    assert another_run(1).run(send(rows, ledger=ledger, max_rejected_ratio=1)).value["in_doubt"] == 2
    again = another_run(2).run(send(rows, ledger=ledger, if_in_doubt="resend"))
    assert again.value["accepted"] == 2
    assert esputnik.events == [("orderINITIALIZED", "1"), ("orderDELIVERED", "1")]


def test_an_order_that_is_too_large_is_one_bad_row(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=ADD, status=413, times=1, after=1)
    result = runner.run(send([order(1), order(2), order(3)], per_call=1, max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (2, 1)
    assert "Row 2: " in result.log
    assert "The request holds more than eSputnik takes." in result.log
