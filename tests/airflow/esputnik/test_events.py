# SPDX-License-Identifier: Apache-2.0
"""Events of eSputnik: one for every row, and none twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from killed_tasks import killed, task_of, told
from task_runner import another_run

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.rows import FileRows, SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ADA, BOB = "ada@example.com", "bob@example.com"
PHONE = "+380671234567"
CARTS = [{"email": f"reader{number}@example.com", "cart": number} for number in range(5)]
SEND_EVENT = "esputnik.events.send_v2"
IDENTIFYING = [
    *("contactId", "contact_id", "Contact_id", "contactKey", "externalCustomerId", "external_customer_id"),
    *("Email", "EmailAddress", "user_email", "SMS", "phone number", "PushToken"),
]
needs_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")


@pytest.fixture
def send() -> Callable[..., Any]:
    from airflow.sdk import DAG

    def make(**arguments: Any) -> EsputnikSendEventOperator:
        dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        return EsputnikSendEventOperator(**{"task_id": "send", "dag": dag, "event_type_key": "cart_left", **arguments})

    return make


def events(esputnik: Any) -> list[dict[str, Any]]:
    told = [
        {name: event[name] for name in ("eventTypeKey", "keyValue", "params", "contact_id", "version")}
        for event in esputnik.told["events"]
    ]
    return sorted(told, key=lambda event: str(event["keyValue"]))


def test_rows(runner: Any, send: Any, esputnik: Any) -> None:
    ada = esputnik.contact(ADA, external_id="a-1")
    rows = [
        {"email": ADA, "phone": None, "external_customer_id": "a-1", "cart": 1, "step": "a:b", "total": 12.5},
        {"email": None, "phone": PHONE, "external_customer_id": None, "cart": 2, "step": "c", "total": None},
    ]
    result = runner.run(
        send(
            event_type_key="cart_{{ 'left' }}",
            contacts=rows,
            event_key="{{ 'cart || step' }}",
            external_customer_id_column="external_customer_id",
            parameters={"total": "sum", "cart": "cart"},
        )
    )
    assert result.state == "success", result.error
    assert result.value["accepted"] == 2
    assert events(esputnik) == [
        {
            "eventTypeKey": "cart_left",
            "keyValue": "1:a%3Ab",
            "params": {"externalCustomerId": "a-1", "email": ADA, "sum": 12.5, "cart": 1},
            "contact_id": ada,
            "version": 2,
        },
        {
            "eventTypeKey": "cart_left",
            "keyValue": "2:c",
            "params": {"phone": PHONE, "cart": 2},
            "contact_id": None,
            "version": 2,
        },
    ]
    assert result.rendered["contacts"] == "2 contacts (not shown)"


@pytest.mark.parametrize(
    ("one", "identifiers"),
    [
        ({"contact_email": "{{ params.who }}"}, {"email": ADA}),
        ({"contact_phone": PHONE}, {"phone": PHONE}),
        ({"external_customer_id": "a-1"}, {"externalCustomerId": "a-1"}),
        ({"contact_id": "{{ 77 }}"}, {"contactId": 77}),
    ],
)
def test_one_contact(runner: Any, send: Any, esputnik: Any, one: dict[str, Any], identifiers: dict[str, Any]) -> None:
    values = {"order": 7, "variables": {"a": [1]}, "email of a friend": "x"}
    result = runner.run(send(**one, parameters=values, event_key="order", params={"who": ADA}))
    assert result.state == "success", result.error
    [event] = events(esputnik)
    assert event["keyValue"] == "7"
    assert event["params"] == {**identifiers, **values}
    assert result.rendered["parameters"] == "3 parameters (not shown)"


def test_without_a_key_of_its_own(runner: Any, send: Any, esputnik: Any) -> None:
    result = runner.run(send(contacts=[*CARTS[:1], *CARTS[:2]]))
    assert (result.value["accepted"], result.value["duplicate"]) == (2, 1)
    assert [body.get("keyValue") for body in esputnik.sent("events.send_v2")] == [None, None]


@pytest.mark.parametrize(
    ("cart", "told"),
    [
        ("a/b", "holds /, which eSputnik does not take"),
        ("x" * 301, "has 301 characters"),
        (None, "the event key is empty"),
    ],
)
def test_a_key_that_cannot_be_one_is_one_bad_row(runner: Any, send: Any, esputnik: Any, cart: Any, told: str) -> None:
    rows = [{"email": ADA, "cart": cart}, {"email": BOB, "cart": 2}]
    result = runner.run(send(contacts=rows, event_key="cart", max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["invalid"], result.value["accepted"]) == (1, 1)
    assert told in result.log


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "Nobody to send the event for"),
        ({"contacts": CARTS, "contact_email": ADA}, "Give either contacts, or"),
        ({"contacts": SqlRows("shop", "SELECT 1")}, "event_key must say which row is which"),
        ({"contact_email": ADA, "ledger": "ledger"}, "one contact needs an event_key"),
        ({"contact_email": ADA, "event_key": "order"}, "parameters has no order"),
        ({"contact_email": ADA, "parameters": {"email": BOB}}, "cannot have a parameter named email"),
        ({"contact_email": ADA, "parameters": ["total"]}, "parameters is not a mapping"),
        ({"contacts": CARTS, "event_type_key": "a/b"}, "event type key holds /"),
        ({"contacts": CARTS, "event_type_key": ""}, "event type key is empty"),
        ({"contacts": CARTS, "max_event_age": timedelta(1)}, "give both, or neither"),
        ({"contacts": CARTS, "max_events": 4}, "5 events, 0 s at 350/s: more than max_events=4. Nothing was sent."),
    ],
)
def test_what_cannot_be_meant(
    runner: Any, send: Any, esputnik: Any, connect_esputnik: Any, arguments: dict[str, Any], told: str
) -> None:
    connect_esputnik(extra={"requests_per_second": 350})
    runner.api.should_retry = True
    result = runner.run(send(**arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert esputnik.told["events"] == []


@pytest.mark.parametrize("name", IDENTIFYING)
def test_a_parameter_named_like_an_identifier_is_one_bad_row(runner: Any, send: Any, esputnik: Any, name: str) -> None:
    rows = [{"email": ADA, name: 5, "cart": 1}]
    result = runner.run(send(contacts=rows, max_rejected_ratio=1))
    assert result.value["invalid"] == 1
    assert f"cannot have a parameter named {name}" in result.log
    assert esputnik.told["events"] == []


@pytest.mark.parametrize("parameters", [None, ["contact_id", "cart"]])
def test_an_id_of_ones_own_tells_no_stranger(runner: Any, send: Any, esputnik: Any, parameters: Any) -> None:
    stranger = esputnik.contact("stranger@example.com")
    rows = [{"contact_id": stranger, "email": ADA, "cart": 5}]
    result = runner.run(send(contacts=rows, event_key="cart", parameters=parameters))
    assert result.state == "failed"
    assert esputnik.told["events"] == []
    assert "Name the column if it says that (contact_id_column)" in result.log
    assert runner.run(send(contacts=rows, event_key="cart", parameters=["cart"])).state == "success"
    assert esputnik.told["events"][0]["params"] == {"email": ADA, "cart": 5}


@pytest.mark.parametrize("nothing", [float("nan"), "None", "null"])
def test_what_stands_for_nothing_is_nobody(runner: Any, send: Any, esputnik: Any, nothing: Any) -> None:
    rows = [{"own": nothing, "cart": 1}, {"own": "c-2", "cart": 2}]
    result = runner.run(send(contacts=rows, event_key="cart", external_customer_id_column="own", max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["invalid"], result.value["accepted"]) == (1, 1)
    told = "is not a number (NaN)" if isinstance(nothing, float) else f"is the word {nothing!r}, which stands for nothing"
    assert f"Row 1: the column own {told}" in result.log
    assert [key for _, key in esputnik.events] == ["2"]


def test_one_spelled_in_two_ways_is_one(runner: Any, send: Any, esputnik: Any) -> None:
    rows = [{"email": ADA, "x": 1}, {"email": "ADA@Example.com", "x": 1}, {"email": ADA, "x": 2}]
    rows += [{"phone": phone, "x": 1} for phone in (PHONE, "380671234567", "+38 (067) 123-45-67")]
    result = runner.run(send(contacts=rows))
    assert (result.value["accepted"], result.value["duplicate"]) == (3, 3)
    assert [event["params"].get("email") for event in esputnik.told["events"]].count(ADA) == 2


def test_an_event_that_is_too_large_is_one_bad_row(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=SEND_EVENT, status=413, times=1, after=1)
    result = runner.run(send(contacts=CARTS, event_key="cart", max_rejected_ratio=1, concurrency=1))
    assert result.state == "success", result.error
    assert (result.value["rejected"], result.value["accepted"]) == (1, 4)
    assert "Row 2: " in result.log


def test_the_ledger_knows_what_other_runs_have_sent(send: Any, esputnik: Any, ledger: str) -> None:
    assert another_run(1).run(send(contacts=CARTS[:3], event_key="cart", ledger=ledger)).value["accepted"] == 3
    rows = [{**row, "price": 5} for row in CARTS]
    result = another_run(2).run(send(contacts=rows, event_key="cart", ledger=ledger))
    assert result.state == "success", result.error
    assert (result.value["skipped"], result.value["accepted"]) == (3, 2)
    assert sorted(key for _, key in esputnik.events) == ["0", "1", "2", "3", "4"]


def test_an_interval_between_events_for_a_contact(send: Any, esputnik: Any, ledger: str) -> None:
    rows = [{"contact_id": 5, "cart": 1}, {"contact_id": 5, "cart": 2}, {"external_customer_id": "5", "cart": 3}]
    rows = [{"contact_id": None, "external_customer_id": None, **row} for row in rows]
    interval = {"ledger": ledger, "min_interval_per_contact": timedelta(hours=1)}
    interval |= {"contact_id_column": "contact_id", "external_customer_id_column": "external_customer_id"}
    result = another_run(1).run(send(contacts=rows, event_key="cart", **interval))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["skipped"]) == (2, 1)
    assert sorted(key for _, key in esputnik.events) == ["1", "3"]


@pytest.mark.parametrize("if_in_doubt", ["skip", "resend"])
def test_a_lost_answer(send: Any, esputnik: Any, emulator: Any, ledger: str, tmp_path: Path, if_in_doubt: str) -> None:
    emulator.faults.add("lose_answer", operation=SEND_EVENT, times=1, after=1)
    rejects = tmp_path / "rejects.jsonl"
    first = another_run(1).run(
        send(contacts=CARTS, event_key="cart", ledger=ledger, rejects=rejects, concurrency=1, max_rejected_ratio=0.5)
    )
    assert first.state == "success", first.error
    assert (first.value["accepted"], first.value["in_doubt"]) == (4, 1)
    [reject] = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (reject["outcome"], reject["row_key"]) == ("in_doubt", "1")
    # Another body, or eSputnik would tell the repeat.
    rows = [{**row, "late": True} for row in CARTS]
    second = another_run(2).run(send(contacts=rows, event_key="cart", ledger=ledger, if_in_doubt=if_in_doubt))
    resent = if_in_doubt == "resend"
    assert second.value["accepted"] == int(resent)
    assert sorted(key for _, key in esputnik.events) == sorted(["0", "1", "2", "3", "4", *["1"] * resent])


def test_a_repeat_within_a_minute_has_arrived(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=SEND_EVENT, status=409, message="Duplicated request", times=1)
    result = runner.run(send(contacts=CARTS[:1], event_key="cart"))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 1


def test_too_many_requests(runner: Any, send: Any, esputnik: Any, emulator: Any, quick: list[float]) -> None:
    emulator.faults.add("status", operation=SEND_EVENT, status=429, times=2)
    result = runner.run(send(contacts=CARTS, event_key="cart"))
    assert result.state == "success", result.error
    assert len(esputnik.told["events"]) == 5
    assert quick


def test_what_is_refused_is_one_bad_row(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=SEND_EVENT, status=400, message="wrong", times=1, after=2)
    result = runner.run(send(contacts=CARTS, event_key="cart", max_rejected=1, max_rejected_ratio=1, concurrency=1))
    assert result.state == "success", result.error
    assert (result.value["rejected"], result.value["accepted"]) == (1, 4)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_is_no_row_ends_the_task(runner: Any, send: Any, esputnik: Any, emulator: Any, status: int) -> None:
    emulator.faults.add("status", operation=SEND_EVENT, status=status, times=40)
    result = runner.run(send(contacts=CARTS, event_key="cart"))
    assert result.state == "failed"
    assert esputnik.count("events.send_v2") == 1
    assert result.xcom("counts", "send")["skipped"] == 5


@needs_store
@pytest.mark.parametrize("arrives", [True, False])
def test_a_killed_worker(esputnik: Any, emulator: Any, tmp_path: Path, arrives: bool) -> None:
    how = task_of(
        tmp_path,
        EsputnikSendEventOperator,
        event_type_key="left",
        contacts=CARTS,
        event_key="cart",
        concurrency=1,
        max_rejected_ratio=1,
    )
    emulator.faults.add("kill", operation=SEND_EVENT, after=2, after_effect=arrives)
    killed(how)
    again = told(how, 2)
    sent = [key for _, key in esputnik.events]
    # The process had claimed all rows: what it has not recorded is in doubt, and not sent again.
    assert sorted(sent) == sorted(set(sent)) == ["0", "1", *(["2"] if arrives else [])]
    assert again["state"] == "success", again
    assert again["value"]["in_doubt"] == 5


def test_a_column_without_a_name_is_nobody_s_id(runner: Any, dag: Any, esputnik: Any, tmp_path: Path) -> None:
    """As a table that is written with its index has it: the ids are those of other contacts."""
    stranger = esputnik.contact("stranger@example.com")
    esputnik.contact("ada@example.com")
    path = tmp_path / "carts.csv"
    path.write_text(f",email,cart\n{stranger},ada@example.com,c1\n")
    operator = EsputnikSendEventOperator(
        task_id="send", dag=dag, event_type_key="left", contacts=FileRows(str(path)), event_key="cart", parameters=["cart"]
    )
    assert runner.run(operator).value["accepted"] == 1
    [event] = esputnik.told["events"]
    assert event["contact_id"] != stranger
    assert {*event["params"]} == {"email", "cart"}
