# SPDX-License-Identifier: Apache-2.0
"""What docs/ledger.md says of the operators of both services: how many rows are claimed, and how rows are settled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from broadcasting import Newsletter
from execution_api import ExecutionApi
from fresh_dag import anew
from task_runner import TaskRunner

from airflow_provider_sendpulse.jobs.database_ledger import DatabaseLedger
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator
from airflow_provider_sendpulse.operators.esputnik.contacts import EsputnikSubscribeContactOperator
from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.operators.ledgers import SqlLedger
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect", "connect_esputnik")

PAGE = (Path(__file__).parents[3] / "docs" / "ledger.md").read_text()
ROWS = 130
PEOPLE = [{"email": f"reader{number}@example.com", "cart": number} for number in range(ROWS)]
ORDER = {
    "total_cost": 5,
    "status": "delivered",
    "date": "2026-01-05T10:00:00+02:00",
    "currency": "UAH",
    "email": "ada@example.com",
}


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


@pytest.fixture
def message(newsletter: Newsletter) -> int:
    return newsletter.message


@pytest.fixture
def claimed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were claimed, each time."""
    counts: list[int] = []
    claim = DatabaseLedger.claim

    def claiming(self: DatabaseLedger, contacts: Any, **given: Any) -> Any:
        counts.append(len(contacts))
        return claim(self, contacts, **given)

    monkeypatch.setattr(DatabaseLedger, "claim", claiming)
    return counts


def operators(account: Any, message: int) -> dict[str, Callable[..., Any]]:
    """Return what makes a task of every operator that the page names, of a number of rows."""
    orders = [{**ORDER, "external_order_id": number} for number in range(ROWS)]
    book = account.book("Readers", ())
    return {
        "SendPulseSendEventOperator": lambda rows=ROWS, **given: SendPulseSendEventOperator(
            event_name="left", contacts=PEOPLE[:rows], event_key="cart", **given
        ),
        "EsputnikSendEventOperator": lambda rows=ROWS, **given: EsputnikSendEventOperator(
            event_type_key="left", contacts=PEOPLE[:rows], event_key="cart", **given
        ),
        "EsputnikSendMessageOperator": lambda rows=ROWS, **given: EsputnikSendMessageOperator(
            message_id=message, contacts=PEOPLE[:rows], row_key="cart", **given
        ),
        "EsputnikSendOrdersOperator": lambda rows=ROWS, **given: EsputnikSendOrdersOperator(orders=orders[:rows], **given),
        "EsputnikSubscribeContactOperator": lambda rows=ROWS, **given: EsputnikSubscribeContactOperator(
            contacts=PEOPLE[:rows], mapping={"email": "email"}, **given
        ),
        "SendPulseAddEmailsOperator": lambda rows=ROWS, **given: SendPulseAddEmailsOperator(
            address_book_id=book,
            contacts=PEOPLE[:rows],
            double_opt_in=True,
            sender_email="shop@example.com",
            **given,
        ),
    }


def table() -> dict[str, list[str]]:
    """Return the cells of the table of operators, by the operator of each."""
    lines = [line for line in PAGE.splitlines() if re.match(r"\| `\w+Operator`", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.findall(r"\w+Operator", first)[0]: others for first, *others in cells}


def number_in(cell: str) -> int:
    """Return the number of a cell: the default of a parameter in brackets, else the first."""
    return int((re.findall(r"\((\d+)\)", cell) or re.findall(r"\d+", cell))[0])


@pytest.mark.parametrize("name", table())
def test_claims(name: str, account: Any, dag: Any, message: int, ledger: Path, claimed: list[int]) -> None:
    task = operators(account, message)[name](task_id="send", dag=dag, ledger="ledger")
    result = TaskRunner(ExecutionApi()).run(task)
    assert result.state == "success", result.error
    assert result.value["accepted"] == ROWS
    _, per_call, at_once, calls, _ = table()[name]
    assert max(claimed) == number_in(at_once)
    assert getattr(task, "concurrency", 1) == number_in(calls) or name == "SendPulseAddEmailsOperator"
    if "per_call" in per_call:
        assert task.per_call == number_in(per_call)


def test_all_operators_with_a_ledger_are_in_the_table(account: Any, message: int) -> None:
    assert table().keys() == operators(account, message).keys()


@pytest.mark.parametrize(("per_call", "concurrency", "claims"), [(3, 2, 20), (30, 3, 90)])
def test_claims_of_messages(
    dag: Any, message: int, ledger: Path, claimed: list[int], per_call: int, concurrency: int, claims: int
) -> None:
    task = EsputnikSendMessageOperator(
        task_id="send",
        dag=dag,
        message_id=message,
        contacts=PEOPLE,
        row_key="cart",
        per_call=per_call,
        concurrency=concurrency,
        ledger="ledger",
    )
    assert TaskRunner(ExecutionApi()).run(task).value["accepted"] == ROWS
    assert max(claimed) == claims


@pytest.mark.parametrize("name", table())
def test_a_retry_sends_only_what_was_not_sent(
    name: str, account: Any, dag: Any, message: int, ledger: Path, emulator: Any
) -> None:
    make = operators(account, message)[name]
    runner = TaskRunner(state_store=False)
    assert runner.run(make(50, task_id="send", dag=anew(dag), ledger="ledger")).value["accepted"] == 50
    again = runner.run(make(task_id="send", dag=anew(dag), ledger="ledger"), try_number=2)
    assert again.state == "success", again.error
    assert (again.value["skipped"], again.value["accepted"]) == (50, ROWS - 50)


@pytest.mark.parametrize("name", table())
@pytest.mark.parametrize(
    "has_store",
    [
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
        ),
    ],
)
def test_a_retry_without_a_ledger(name: str, account: Any, dag: Any, message: int, emulator: Any, has_store: bool) -> None:
    make = operators(account, message)[name]
    runner = TaskRunner(state_store=has_store)
    assert runner.run(make(50, task_id="send", dag=anew(dag))).value["accepted"] == 50
    before = emulator.requests.total
    again = runner.run(make(task_id="send", dag=anew(dag), max_rejected_ratio=1), try_number=2)
    assert again.state == "success", again.error
    if has_store:
        assert (again.value["skipped"], again.value["accepted"]) == (50, ROWS - 50)
    else:
        # What the first try has not sent is in doubt just as well: nothing tells them apart.
        assert again.value["in_doubt"] == ROWS
        assert emulator.requests.total == before


def test_rows_are_settled_by_hand(account: Any, dag: Any, message: int, ledger: Path, emulator: Any) -> None:
    """The page's own lines find the rows, and its statements settle them."""
    assert f"message {message}" in PAGE
    cart = {"email": "ada@example.com", "cart": 1001, "step": 2}
    how = {"dag": dag, "ledger": "ledger", "max_rejected_ratio": 1}
    tasks: dict[str, Callable[..., Any]] = {
        "events.send": lambda rows=ROWS, **given: SendPulseSendEventOperator(
            event_name="cart_left",
            contacts=[cart, {**cart, "automation_id": 4711}],
            event_key="cart || step",
            **given,
        ),
        "esputnik.events.send_v2": lambda rows=ROWS, **given: EsputnikSendEventOperator(
            event_type_key="cartLeft", contacts=[cart], event_key="cart || step", **given
        ),
        "esputnik.messages.smartsend": lambda rows=ROWS, **given: EsputnikSendMessageOperator(
            message_id=message, contacts=[cart], row_key="cart || step", **given
        ),
        "esputnik.orders.add": lambda rows=ROWS, **given: EsputnikSendOrdersOperator(
            orders=[{**ORDER, "external_order_id": "A-1001"}], **given
        ),
    }

    def run(number: int) -> dict[str, int]:
        """Run all tasks, each in a run of its own; return how many rows had which outcome."""
        counts = {"accepted": 0, "skipped": 0, "in_doubt": 0}
        for place, make in enumerate(tasks.values()):
            task = make(task_id=f"send{number}{place}", **how)
            result = TaskRunner(ExecutionApi(run_id=f"run {number} {place}")).run(task)
            assert result.state == "success", result.error
            counts = {name: count + result.value[name] for name, count in counts.items()}
        return counts

    for operation in tasks:
        emulator.faults.add("lose_answer", operation=operation, times=2)
    assert run(1) == {"accepted": 0, "skipped": 0, "in_doubt": 5}

    keys = [eval(line, {"SqlLedger": SqlLedger}) for line in re.findall(r"^SqlLedger\.row_key\([^)]*\)", PAGE, re.M)]
    look, record, forget = (
        re.search(rf"^{word} [^;]*;", PAGE, re.MULTILINE)[0]  # type: ignore[index]
        for word in ("SELECT", "UPDATE", "DELETE FROM")
    )
    engine = sa.create_engine(f"sqlite:///{ledger}")
    with engine.begin() as connection:
        found = {row.row_key: row for row in connection.execute(sa.text(look))}
        assert {*found} == {*keys}
        assert {row.event for row in found.values()} == {"cart_left", "cartLeft", f"message {message}", "orders"}
        for key in keys:
            statement = record if key == keys[-1] else forget
            where = statement.replace("scope = '…'", f"scope = '{found[key].scope}'").replace("'…'", f"'{key}'")
            assert connection.execute(sa.text(where)).rowcount == 1
    engine.dispose()
    # What was deleted is sent again, what was recorded is not.
    emulator.faults.clear()
    assert run(2) == {"accepted": 4, "skipped": 1, "in_doubt": 0}
