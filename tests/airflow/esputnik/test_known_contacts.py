# SPDX-License-Identifier: Apache-2.0
"""What is not to make contacts: everybody is looked up when the rows are read, and before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from execution_api import ExecutionApi
from fresh_dag import anew
from task_runner import Result, TaskRunner

from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator

SEARCH = "contacts.search"
KINDS = {"messages": "messages.smartsend", "orders": "orders.add"}
"""Rows to the operation that sends them."""


class Watched:
    """Rows of which it is told when their source is closed.

    :param closed: is called then
    """

    def __init__(self, rows: list[dict[str, Any]], closed: Callable[[], None]) -> None:
        self._rows = rows
        self._closed = closed

    def rows(self) -> Iterator[Mapping[str, Any]]:
        try:
            yield from self._rows
        finally:
            self._closed()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def send(dag: Any, emulator: Any, esputnik: Any, kind: str, ledger: str) -> Callable[..., Result]:
    """Send rows in a run of their own."""
    with emulator.emulator.lock:
        content = {"name": "Cart", "from": "Shop", "subject": "Cart", "htmlText": "<p>"}
        message = emulator.state.esputnik.messages.create("email", content)

    def run(rows: list[dict[str, Any]], *, source: Any = None, most: int | None = None, run_id: str = "1") -> Result:
        common = {"task_id": "send", "dag": anew(dag), "ledger": ledger, "create_contacts": False, "per_call": 3}
        if kind == "messages":
            task: Any = EsputnikSendMessageOperator(
                **common, message_id=message.id, contacts=source or rows, row_key="external_order_id", max_messages=most
            )
        else:
            task = EsputnikSendOrdersOperator(**common, orders=source or rows, max_orders=most)
        return TaskRunner(ExecutionApi(run_id=run_id)).run(task)

    return run


def rows_of(*numbers: int) -> list[dict[str, Any]]:
    order = {"total_cost": 1, "status": "DELIVERED", "date": "2026-01-05T10:00:00+02:00", "currency": "UAH"}
    return [{"external_order_id": number, "email": f"buyer{number}@example.com", **order} for number in numbers]


def recorded(tmp_path: Path) -> int:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    try:
        with engine.connect() as connection:
            return len(connection.execute(sa.text("SELECT * FROM sendpulse_ledger")).all())
    finally:
        engine.dispose()


def test_the_source_is_closed_before_anybody_is_looked_up(send: Any, esputnik: Any, kind: str) -> None:
    esputnik.contact("buyer2@example.com")
    searched: list[int] = []
    result = send([], source=Watched(rows_of(1, 2, 3), lambda: searched.append(esputnik.count(SEARCH))))
    assert result.state == "success", result.error
    assert (result.value["read"], result.value["accepted"], result.value["skipped"]) == (3, 1, 2)
    assert searched == [0]
    assert esputnik.count(SEARCH) == 3
    assert esputnik.count(KINDS[kind]) == 1
    assert len(esputnik.contacts) == 1


def test_who_is_skipped_is_not_in_the_ledger(send: Any, esputnik: Any, kind: str, tmp_path: Path) -> None:
    for number in (1, 4):
        esputnik.contact(f"buyer{number}@example.com")
    rows = rows_of(1, 2, 3, 4)
    first = send(rows, most=2)
    assert first.state == "success", first.error
    assert (first.value["accepted"], first.value["skipped"]) == (2, 2)
    assert recorded(tmp_path) == 2
    # What was sent is not looked up again; who has become a contact meanwhile is sent to.
    esputnik.contact("buyer3@example.com")
    before = esputnik.count(SEARCH)
    second = send(rows, most=1, run_id="2")
    assert second.state == "success", second.error
    assert (second.value["accepted"], second.value["skipped"]) == (1, 3)
    assert esputnik.count(SEARCH) == before + 2
    assert recorded(tmp_path) == 3
    assert len(esputnik.contacts) == 3


def test_with_too_many_known_ones_nothing_is_sent(send: Any, esputnik: Any, kind: str, tmp_path: Path) -> None:
    for number in (1, 2):
        esputnik.contact(f"buyer{number}@example.com")
    result = send(rows_of(1, 2, 3), most=1)
    assert result.state == "failed"
    assert f"2 {kind}" in str(result.error)
    assert f"more than max_{kind}=1. Nothing was sent." in str(result.error)
    assert esputnik.count(KINDS[kind]) == 0
    assert recorded(tmp_path) == 0
