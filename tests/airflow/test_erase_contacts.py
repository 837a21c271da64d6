# SPDX-License-Identifier: Apache-2.0
"""Contacts that are erased everywhere, and what their receipts say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from receipts import digest, read

from airflow_provider_sendpulse.operators.erasure import SendPulseEraseContactsOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"


@pytest.fixture
def books(account: Any) -> list[int]:
    return [account.book("Readers", [ADA, BOB, EVE]), account.book("Buyers", [ADA])]


@pytest.fixture
def erase(dag: Any, receipts: Path) -> Callable[..., Any]:
    def make(contacts: Any, **arguments: Any) -> Any:
        return SendPulseEraseContactsOperator(
            **{"task_id": "erase", "dag": dag, "contacts": contacts, "receipt": str(receipts), **arguments}
        )

    return make


def left(account: Any) -> set[str]:
    return {contact["email"] for book in account.books for contact in book["contacts"]}


def test_erased(runner: Any, erase: Any, account: Any, books: list[int], receipts: Path) -> None:
    result = runner.run(erase(["Ada@example.com", BOB, "nobody@example.com", BOB]))
    assert result.state == "success", result.error
    assert result.value == {
        "read": 4,
        "accepted": 3,
        "duplicate": 1,
        "invalid": 0,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
        "found": 2,
        "memberships": 3,
        "receipt": str(receipts),
    }
    assert left(account) == {EVE}
    ada, bob, nobody = read(receipts)
    assert (ada["contact"], ada["address_books"]) == (digest(ADA), books)
    assert (bob["contact"], bob["address_books"], bob["blacklisted"]) == (digest(BOB), books[:1], False)
    assert nobody["address_books"] == []
    assert account.emulator.state.blacklist == {}


def test_with_the_blacklist_and_the_address(
    runner: Any, erase: Any, account: Any, books: list[int], receipts: Path
) -> None:
    task = erase([ADA], blacklist=True, comment="asked on {{ ds }}", receipt_contact="address")
    result = runner.run(task)
    assert result.state == "success", result.error
    assert account.emulator.state.blacklist == {ADA: "asked on 2026-01-05"}
    [receipt] = read(receipts)
    assert (receipt["contact"], receipt["blacklisted"]) == (ADA, True)


def test_receipts_in_a_table_are_added(
    runner: Any, erase: Any, account: Any, books: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    task = erase([ADA], receipt=OutputTable("{{ 'warehouse' }}", "receipts"))
    for number in (1, 2):
        assert runner.run(task, try_number=number).state == "success"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT contact, address_books FROM receipts ORDER BY erased_at, length(address_books) DESC"
        )
        # The second time there was nothing left, and the receipt is the same.
        again = [] if AIRFLOW_V_3_3_PLUS else [(digest(ADA), "[]")]
        assert rows.fetchall() == [(digest(ADA), str(books)), *again]


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
@pytest.mark.parametrize("operation", ["addresses.remove", "addresses.where"])
def test_a_retry_knows_what_was_found(
    runner: Any, erase: Any, account: Any, books: list[int], receipts: Path, quick: Any, operation: str
) -> None:
    after = 1 if operation == "addresses.remove" else 2  # two are looked up before the first is removed
    account.emulator.faults.add("lose_answer", operation=operation, after=after, times=30)
    runner.api.should_retry = True
    task = erase([ADA, BOB])
    assert runner.run(task).state == "up_for_retry"
    assert "@" not in json.dumps([*runner.api.store.values()])
    account.emulator.faults.clear()
    result = runner.run(task, try_number=2)
    assert result.state == "success", result.error
    assert {receipt["contact"]: receipt["address_books"] for receipt in read(receipts)} == {
        digest(ADA): books,
        digest(BOB): books[:1],
    }
    assert "@" not in json.dumps([*runner.api.store.values()])


def test_receipts_of_a_task_that_fails(
    runner: Any, erase: Any, account: Any, books: list[int], receipts: Path, quick: Any
) -> None:
    account.emulator.faults.add("status", status=403, operation="addresses.remove", after=1, times=30)
    result = runner.run(erase([ADA, BOB]))
    assert result.state == "failed"
    assert [receipt["contact"] for receipt in read(receipts)] == [digest(ADA)]
    assert left(account) == {BOB, EVE}


def test_one_that_is_refused(runner: Any, erase: Any, account: Any, books: list[int], receipts: Path) -> None:
    account.emulator.faults.add("status", status=422, error_code=17, operation="addresses.remove")
    runner.api.should_retry = True
    result = runner.run(erase([ADA, BOB]))
    assert result.state == "failed"
    assert "1 of 2 rows went wrong" in str(result.error)
    assert result.xcom("counts", "erase")["rejected"] == 1
    assert [receipt["contact"] for receipt in read(receipts)] == [digest(BOB)]


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 429}], ids=lambda one: one["kind"])
@pytest.mark.parametrize("operation", ["addresses.remove", "addresses.where", "blacklist.add"])
def test_failures_in_passing(
    runner: Any, erase: Any, account: Any, books: list[int], quick: Any, fault: Any, operation: str
) -> None:
    account.emulator.faults.add(**fault, operation=operation)
    result = runner.run(erase([ADA], blacklist=True))
    assert result.state == "success", result.error
    assert (result.value["found"], result.value["memberships"]) == (1, 2)
    assert left(account) == {BOB, EVE}


def test_a_bound_that_is_none(runner: Any, erase: Any, account: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(erase([ADA], max_contacts=""))
    assert result.state == "failed"
    assert "max_contacts is empty" in str(result.error)
    assert not account.emulator.requests.total


def test_a_source_that_grows(
    runner: Any, erase: Any, account: Any, books: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE t (email text); INSERT INTO t VALUES ('{ADA}')")
    monkeypatch.setenv("AIRFLOW_CONN_PEOPLE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    real, readings = Audience.reading, []

    @contextmanager
    def reading(self: Any) -> Any:
        readings.append(1)
        if len(readings) == 2:
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(f"INSERT INTO t VALUES ('{BOB}')")
        with real(self) as persons:
            yield persons

    monkeypatch.setattr(Audience, "reading", reading)
    result = runner.run(erase(SqlRows("people", "SELECT email FROM t"), max_contacts=1))
    assert result.state == "success", result.error
    assert (len(readings), left(account)) == (1, {BOB, EVE})
