# SPDX-License-Identifier: Apache-2.0
"""Automation 360 events: one for every row, and none twice."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.rows import SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")
needs_state_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
HASH = "5e1f0c2b7a9d4e6f8a0b1c2d3e4f5a6b"
PEOPLE = [{"email": f"reader{number}@example.com", "cart": number} for number in range(5)]


@pytest.fixture
def carts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlRows:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE carts (id INTEGER, email TEXT, phone TEXT, language TEXT, price NUMERIC)")
        connection.executemany(
            "INSERT INTO carts VALUES (?, ?, ?, ?, ?)",
            [
                (1, "ada@example.com", "+380440000001", "uk", 185),
                (2, "bob@example.com", None, "en", 9.5),
                (3, None, "+380440000003", "uk", 20),
            ],
        )
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return SqlRows(
        "{{ 'shop' }}",
        "SELECT email, phone, id AS cart, price, "
        "CASE language WHEN 'uk' THEN {{ params.uk }} ELSE 1001 END AS automation_id FROM carts ORDER BY id",
    )


def send(dag: Any, **arguments: Any) -> SendPulseSendEventOperator:
    return SendPulseSendEventOperator(**{"task_id": "send", "dag": dag, "event_name": "cart_left", **arguments})


def test_rows_of_a_query(runner: Any, dag: Any, account: Any, carts: SqlRows) -> None:
    result = runner.run(send(dag, contacts=carts, event_key="{{ 'cart' }}", params={"uk": 1002}))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 3
    assert [event["name"] for event in account.events] == ["cart_left"] * 3
    bodies = {event["body"]["cart"]: event["body"] for event in account.events}
    assert [bodies[cart].get("automation_id") for cart in (1, 2, 3)] == [1002, 1001, 1002]
    assert bodies[2] == {"email": "bob@example.com", "automation_id": 1001, "cart": 2, "price": 9.5, "event_key": "2"}
    assert "email" not in bodies[3]


def test_row_source_without_a_key(runner: Any, dag: Any, account: Any, carts: SqlRows) -> None:
    runner.api.should_retry = True
    result = runner.run(send(dag, contacts=carts, params={"uk": 1002}))
    assert result.state == "failed"
    assert 'event_key must say which row is which, such as event_key="cart_id"' in str(result.error)
    assert account.events == []


def test_flow_of_the_rows_that_name_none(runner: Any, dag: Any, account: Any) -> None:
    rows = [{"email": "ada@example.com", "flow": 7}, {"email": "bob@example.com", "flow": None}]
    result = runner.run(send(dag, contacts=rows, automation_id="{{ 9 }}", automation_id_column="flow"))
    assert result.state == "success", result.error
    assert sorted(event["body"]["automation_id"] for event in account.events) == [7, 9]


@pytest.mark.parametrize("native", [False, True])
def test_one_contact(runner: Any, dag: Any, native_dag: Any, account: Any, native: bool) -> None:
    result = runner.run(
        send(
            native_dag if native else dag,
            event_name="order_{{ 'paid' }}",
            contact_email="{{ params.who }}",
            contact_phone="+380440000001",
            variables={"day": "{{ ds }}", "total": 12.5},
            params={"who": "ada@example.com"},
        )
    )
    assert result.state == "success", result.error
    [event] = account.events
    assert event["name"] == "order_paid"
    # Native rendering makes a number of the telephone number, which loses its plus and means the same.
    number = event["body"].pop("phone")
    assert number.removeprefix("+") == "380440000001"
    assert event["body"] == {"email": "ada@example.com", "day": "2026-01-05", "total": 12.5}
    assert result.rendered["contact_email"] == "address (not shown)"
    assert result.rendered["contact_phone"] == "telephone number (not shown)"
    assert result.rendered["variables"] == "2 variables (not shown)"


def test_contacts_of_an_upstream_task(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    result = runner.run(send(dag, contacts=upstream("people", PEOPLE)))
    assert result.value["accepted"] == 5
    assert result.rendered["contacts"] == "5 contacts (not shown)"


def test_mapped(runner: Any, dag: Any, account: Any) -> None:
    mapped = SendPulseSendEventOperator.partial(task_id="send", dag=dag, contacts=PEOPLE[:1]).expand(
        event_name=["one", "two {{ ds }}"]
    )
    for index in (0, 1):
        assert runner.run(mapped, map_index=index).state == "success"
    assert [event["name"] for event in account.events] == ["one", "two 2026-01-05"]


@pytest.mark.parametrize("form", [False, True])
def test_hash_url_by_name(runner: Any, dag: Any, account: Any, connect: Any, emulator: Any, form: bool) -> None:
    url = f"{emulator.url}/events/id/{HASH}/5000001"
    connect(extra={"event_urls": {"cart_left": url}})
    result = runner.run(send(dag, contacts=PEOPLE[:1], form=form))
    assert result.state == "success", result.error
    [event] = account.events
    assert (event["name"], event["hash"]) == (None, HASH)
    assert event["encoding"] == ("multipart" if form else "json")
    assert event["body"]["cart"] == ("0" if form else 0)
    for shown in (result.log, json.dumps(result.rendered), str(result.api.xcoms), str(result.api.store)):
        assert HASH not in shown


def test_hash_url_does_not_show_in_a_failure(runner: Any, dag: Any, account: Any, connect: Any, emulator: Any) -> None:
    connect(extra={"event_urls": {"cart_left": f"{emulator.url}/events/id/{HASH}/5000001"}})
    emulator.configure(known_events=["another"])
    result = runner.run(send(dag, contacts=PEOPLE))
    assert result.state == "failed"
    assert "HTTP 404" in str(result.error)
    assert HASH not in str(result.error) + result.log


def test_form_without_a_hash_url(runner: Any, dag: Any, account: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(send(dag, contacts=PEOPLE, form=True))
    assert result.state == "failed"
    assert "has no 'cart_left'" in str(result.error)
    assert account.events == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"event_name": "{{ '' }}", "contacts": PEOPLE}, "event_name is empty"),
        ({}, "Nobody to send the event for"),
        ({"contact_email": ""}, "Nobody to send the event for"),
        ({"contacts": PEOPLE, "contact_email": "ada@example.com"}, "Give either contacts, or contact_email"),
        ({"contact_email": "ada@example.com", "variables": ["x"]}, "variables is not a mapping"),
        ({"contacts": "ada@example.com"}, "contacts is a str"),
        ({"contacts": {"email": "ada@example.com"}}, "contacts is a dict"),
        ({"contacts": PEOPLE, "automation_id": "flow"}, "automation_id is 'flow'"),
        ({"contacts": PEOPLE, "max_rejected_ratio": 2}, "max_rejected_ratio is 2"),
    ],
)
def test_arguments_that_cannot_be_meant(runner: Any, dag: Any, account: Any, arguments: dict[str, Any], told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(send(dag, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert "ada@example.com" not in str(result.error)
    assert account.events == []


def test_share_of_wrong_rows(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(send(dag, contacts=[*PEOPLE, {"email": "nobody"}], max_rejected_ratio=0.1))
    assert type(result.error).__name__ == "DeliveryFailed"
    assert "1 of 6 rows" in str(result.error)
    assert len(account.events) == 5


def test_lost_answer_is_not_sent_again(runner: Any, dag: Any, account: Any) -> None:
    account.emulator.faults.add("lose_answer", operation="events.send", after=1)
    result = runner.run(send(dag, contacts=PEOPLE, max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert result.value["in_doubt"] == 1
    assert len(account.events) == 5


class Killed(BaseException):
    """Ends the process, as far as the code under test can tell."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, number: int, *, after_sending: bool) -> None:
    """Let the process end at a call, before or after the service has got it."""
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

    send_call = SendPulseHook.send
    calls = 0

    def deadly(self: SendPulseHook, call: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not after_sending:
            raise Killed
        answer = send_call(self, call)
        if calls == number:
            raise Killed
        return answer

    monkeypatch.setattr(SendPulseHook, "send", deadly)


@needs_state_store
@pytest.mark.parametrize("after_sending", [False, True])
def test_crash_in_the_middle(dag: Any, account: Any, monkeypatch: pytest.MonkeyPatch, after_sending: bool) -> None:
    from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger

    api = ExecutionApi()
    operator = send(dag, contacts=PEOPLE, max_rejected_ratio=1, concurrency=1)
    with monkeypatch.context() as patches:
        _kill_at(patches, 3, after_sending=after_sending)
        # A killed process does not tidy up.
        patches.setattr(KeyValueLedger, "settle", lambda *_: None)
        first = TaskRunner(api).run(operator)
        assert isinstance(first.error, Killed)
    sent = len(account.events)
    assert sent == (3 if after_sending else 2)
    again = TaskRunner(api).run(operator, try_number=2)
    assert again.state == "success", again.error
    # The window was claimed as a whole: nobody knows how far it got, and nobody is told twice.
    assert again.value["in_doubt"] == 5
    assert len(account.events) == sent
    addresses = [event["body"]["email"] for event in account.events]
    assert len(addresses) == len(set(addresses))


@needs_state_store
def test_interruption_that_can_tidy_up(dag: Any, account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = ExecutionApi()
    operator = send(dag, contacts=PEOPLE, max_rejected_ratio=1, concurrency=1)
    with monkeypatch.context() as patches:
        _kill_at(patches, 3, after_sending=True)
        TaskRunner(api).run(operator)
    again = TaskRunner(api).run(operator, try_number=2)
    assert again.state == "success", again.error
    assert {name: count for name, count in again.value.items() if count} == {
        "read": 5,
        "accepted": 2,
        "skipped": 2,
        "in_doubt": 1,
    }
    assert sorted(event["body"]["cart"] for event in account.events) == [0, 1, 2, 3, 4]


@needs_state_store
def test_outage_in_the_middle(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    account.emulator.faults.add("status", operation="events.send", after=2, times=5, status=429)
    runner.api.should_retry = True
    operator = send(dag, contacts=PEOPLE, concurrency=1)
    first = runner.run(operator)
    assert first.state == "up_for_retry"
    assert type(first.error).__name__ == "Throttled"
    assert "Events cart_left: 5 read, 2 accepted, 3 skipped" in first.log
    again = runner.run(operator, try_number=2)
    assert again.state == "success", again.error
    assert (again.value["skipped"], again.value["accepted"]) == (2, 3)
    assert len(account.events) == 5


@needs_state_store
def test_cleared_task_skips_all(runner: Any, dag: Any, account: Any) -> None:
    operator = send(dag, contacts=PEOPLE)
    assert runner.run(operator).value["accepted"] == 5
    cleared = runner.run(operator, try_number=2)
    assert cleared.state == "success"
    assert (cleared.value["skipped"], cleared.value["accepted"]) == (5, 0)
    assert len(account.events) == 5


@needs_state_store
@pytest.mark.parametrize("who", [{"contact_email": "ada@example.com"}, {"contact_phone": "+380440000001"}], ids=str)
def test_one_contact_is_the_same_whatever_its_variables(runner: Any, dag: Any, account: Any, who: dict[str, Any]) -> None:
    fields = {**who, "variables": {"at": "{{ ti.try_number }}"}}
    assert runner.run(send(dag, **fields)).value["accepted"] == 1
    assert runner.run(send(dag, **fields, task_id="send2"), try_number=1).value["accepted"] == 1
    operator = send(dag, **fields, task_id="send3")
    assert runner.run(operator).value["accepted"] == 1
    assert runner.run(operator, try_number=2).value["skipped"] == 1
    assert [event["body"]["at"] for event in account.events] == ["1", "1", "1"]


@needs_state_store
def test_store_holds_no_addresses(runner: Any, dag: Any, account: Any) -> None:
    runner.run(send(dag, contacts=PEOPLE))
    assert runner.api.store
    assert "example.com" not in json.dumps(runner.api.store)


@needs_state_store
def test_store_that_is_broken_sends_nothing(runner: Any, dag: Any, account: Any) -> None:
    runner.api.broken_store = True
    result = runner.run(send(dag, contacts=PEOPLE))
    assert result.state == "failed"
    assert account.events == []


def test_first_try_without_a_store(dag: Any, account: Any) -> None:
    result = TaskRunner(state_store=False).run(send(dag, contacts=PEOPLE))
    assert result.value["accepted"] == 5


@pytest.mark.parametrize("choice", ["skip", "resend"])
def test_retry_without_a_store_is_in_doubt(dag: Any, account: Any, choice: str) -> None:
    runner = TaskRunner(state_store=False)
    runner.api.should_retry = True
    result = runner.run(send(dag, contacts=PEOPLE, if_in_doubt=choice), try_number=2)
    if choice == "skip":
        assert result.state == "failed"
        assert "5 of 5 rows went wrong (5 read, 5 in doubt)" in str(result.error)
        assert account.events == []
    else:
        assert result.state == "success", result.error
        assert "5 events are in doubt and are sent again, because if_in_doubt is resend." in result.log
        assert len(account.events) == 5


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="needs the task state store of Airflow 3.3")
def test_a_row_with_another_price_is_the_same_row(runner: Any, dag: Any, account: Any) -> None:
    rows = [{"email": f"reader{number}@example.com", "cart_id": number, "price": number} for number in range(30)]
    account.emulator.faults.add("status", operation="events.send", after=25, times=None, status=429, retry_after="3600")
    operator = send(dag, contacts=rows, event_key="cart_id")
    runner.api.should_retry = True
    assert runner.run(operator).state == "up_for_retry"
    account.emulator.faults.clear()
    operator.contacts = [{**row, "price": row["price"] + 1} for row in rows]
    result = runner.run(operator, try_number=2)
    assert result.state == "success", result.error
    assert (result.value["skipped"], result.value["accepted"]) == (25, 5)
    assert sorted(event["body"]["cart_id"] for event in account.events) == list(range(30))


def test_an_outage_leaves_few_rows_in_doubt(runner: Any, dag: Any, account: Any) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    rows = [{"email": f"reader{number}@example.com", "cart_id": number} for number in range(60)]
    account.emulator.faults.add("status", operation="events.send", after=20, times=40, status=502)
    operator = send(dag, contacts=rows, event_key=["cart_id"], max_rejected_ratio=0.1)
    runner.api.should_retry = True
    first = runner.run(operator)
    assert first.state == "up_for_retry"
    assert " answers in a row were lost" in str(first.error)
    account.emulator.faults.clear()
    second = runner.run(operator, try_number=2)
    assert second.state == "success", second.error
    # One call after the other as soon as an answer is lost; those under way at once were four.
    counts = second.value
    assert (counts["skipped"], counts["skipped"] + counts["in_doubt"] + counts["accepted"]) == (20, 60)
    assert 3 <= counts["in_doubt"] <= 4


def test_key_that_is_no_column(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(send(dag, contacts=PEOPLE, event_key="cart_id"))
    assert result.state == "failed"
    assert "no column cart_id" in str(result.error)


@pytest.mark.parametrize("name", ["email", "phone", "automation_id"])
def test_variable_named_like_a_field_of_the_event(runner: Any, dag: Any, account: Any, name: str) -> None:
    result = runner.run(send(dag, contact_email="ada@example.com", variables={name: "1"}))
    assert result.state == "failed"
    assert f"cannot have a variable named {name}" in str(result.error)
    assert account.events == []
