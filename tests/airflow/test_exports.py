# SPDX-License-Identifier: Apache-2.0
"""Address books and the blacklist in files and tables."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.address_books import SendPulseExportAddressBookOperator
from airflow_provider_sendpulse.operators.blacklist import SendPulseExportBlacklistOperator
from airflow_provider_sendpulse.rows import OutputTable

pytestmark = pytest.mark.usefixtures("connect")

READERS = tuple(f"reader{number}@example.com" for number in range(250))
BLACKLISTED = ("complainer@example.com", "spam.trap@example.com")


@pytest.fixture
def book_id(account: Any) -> int:
    """A book of 250 contacts: the first has variables, the second is unsubscribed; and a blacklist."""
    book_id = int(account.book(emails=READERS))
    with account.emulator.emulator.lock:
        found = account.emulator.state.books.find(book_id).contacts
        found[READERS[0]].variables.update({"Имя": "Ада", "Age": 36})
        found[READERS[0]].phone = "+380440000001"
        found[READERS[1]].status = 4
        account.emulator.state.blacklist.update(dict.fromkeys(BLACKLISTED, ""))
    return book_id


@pytest.fixture(params=["book", "blacklist"])
def export(request: pytest.FixtureRequest, dag: Any, book_id: int) -> Callable[..., Any]:
    def make(destination: Any) -> Any:
        if request.param == "book":
            return SendPulseExportAddressBookOperator(
                task_id="export", dag=dag, address_book_id=f" {book_id} ", destination=destination
            )
        return SendPulseExportBlacklistOperator(task_id="export", dag=dag, destination=destination)

    make.kind = request.param  # type: ignore[attr-defined]
    return make


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """Return how to read from a database behind the connection ``warehouse``."""
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))

    def read(query: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()

    return read


def test_file(runner: Any, export: Any, tmp_path: Path) -> None:
    path = tmp_path / "2026-01-05.csv"
    result = runner.run(export(tmp_path / "{{ ds }}.csv"))
    assert result.state == "success", result.error
    with path.open(newline="") as stream:
        rows = [*csv.DictReader(stream)]
    if export.kind == "book":
        assert result.value == {"contacts": 250, "mailable": 249, "destination": str(path)}
        assert [row["email"] for row in rows] == [*READERS]
        assert (rows[0]["phone"], rows[0]["mailable"], json.loads(rows[0]["variables"])) == (
            "+380440000001",
            "True",
            {"Имя": "Ада", "Age": 36},
        )
        assert (rows[1]["status"], rows[1]["mailable"], rows[1]["phone"]) == ("4", "False", "")
    else:
        assert result.value == {"addresses": 2, "destination": str(path)}
        assert rows == [{"sendpulse_conn_id": "sendpulse_default", "email": email} for email in BLACKLISTED]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "@" not in result.log + json.dumps(result.value)


def test_table_is_as_the_account_is(runner: Any, export: Any, account: Any, warehouse: Any) -> None:
    task = export(OutputTable("warehouse", "{{ 'exported' }}"))
    assert runner.run(task).state == "success"
    before = warehouse("SELECT count(*) FROM exported")
    with account.emulator.emulator.lock:
        account.emulator.state.blacklist.pop(BLACKLISTED[0])
        account.emulator.state.books.find(account.books[0]["id"]).contacts.pop(READERS[7])
    result = runner.run(task, try_number=2)
    assert result.state == "success", result.error
    gone = BLACKLISTED[0] if export.kind == "blacklist" else READERS[7]
    assert warehouse("SELECT count(*) FROM exported") == [(before[0][0] - 1,)]
    assert warehouse(f"SELECT * FROM exported WHERE email = '{gone}'") == []


def test_two_books_in_one_table(runner: Any, dag: Any, account: Any, book_id: int, warehouse: Any) -> None:
    other = account.book("Buyers", ["ada@example.com"])
    mapped = SendPulseExportAddressBookOperator.partial(
        task_id="export", dag=dag, destination=OutputTable("warehouse", "contacts")
    ).expand(address_book_id=[book_id, other])
    for index in (0, 1):
        assert runner.run(mapped, map_index=index).state == "success"
    counts = warehouse("SELECT address_book_id, count(*) FROM contacts GROUP BY 1 ORDER BY 1")
    assert counts == [(book_id, 250), (other, 1)]


def test_only_active(runner: Any, dag: Any, book_id: int, tmp_path: Path) -> None:
    export = SendPulseExportAddressBookOperator(
        task_id="export", dag=dag, address_book_id=book_id, destination=f"{tmp_path}/a.jsonl", only_active=True
    )
    result = runner.run(export)
    assert (result.value["contacts"], result.value["mailable"]) == (249, 249)
    assert "has changed meanwhile" not in result.log


def test_a_book_that_changes_while_it_is_read(
    runner: Any, dag: Any, account: Any, book_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contact of the first page is removed behind our back, so one of the second moves up and is not met."""
    from airflow_provider_sendpulse.sendpulse import contacts

    listing = contacts.list(book_id).read
    pages: list[int] = []

    def meddle(answer: Any) -> Any:
        if not pages:
            with account.emulator.emulator.lock:
                account.emulator.state.books.find(book_id).contacts.pop(READERS[0])
        pages.append(len(answer))
        return listing(answer)

    original = contacts.list
    monkeypatch.setattr(contacts, "list", lambda *given, **named: _reading(original(*given, **named), meddle))
    export = SendPulseExportAddressBookOperator(
        task_id="export", dag=dag, address_book_id=book_id, destination=f"{tmp_path}/a.csv"
    )
    result = runner.run(export)
    assert result.state == "success", result.error
    # The removed one was met, and the one that moved up was not: the same number, and no way to tell.
    assert result.value["contacts"] == 249
    assert pages == [100, 100, 49]


def _reading(call: Any, read: Any) -> Any:
    from dataclasses import replace

    return replace(call, read=read)


@pytest.mark.parametrize(
    "fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 429}], ids=lambda fault: fault["kind"]
)
def test_failures_in_passing(runner: Any, export: Any, account: Any, tmp_path: Path, quick: Any, fault: Any) -> None:
    operation = "contacts.list" if export.kind == "book" else "blacklist.read"
    account.emulator.faults.add(**fault, operation=operation, after=2 if export.kind == "book" else 0)
    result = runner.run(export(tmp_path / "a.jsonl"))
    assert result.state == "success", result.error
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == (250 if export.kind == "book" else 2)


def test_it_stays_as_it_was_when_reading_fails(runner: Any, export: Any, account: Any, tmp_path: Path, quick: Any) -> None:
    (tmp_path / "a.csv").write_text("before")
    account.emulator.faults.add("status", status=403, path="emails|blacklist", after=1 if export.kind == "book" else 0)
    assert runner.run(export(tmp_path / "a.csv")).state == "failed"
    assert (tmp_path / "a.csv").read_text() == "before"


@pytest.mark.parametrize(
    ("destination", "told"),
    [(None, "destination is a NoneType"), ("a.csv", "neither absolute nor a URL"), ("/a.xlsx", "ends in neither")],
)
def test_wrong_destination(runner: Any, export: Any, account: Any, destination: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(export(destination))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


def test_missing_book(runner: Any, dag: Any, tmp_path: Path) -> None:
    export = SendPulseExportAddressBookOperator(
        task_id="export", dag=dag, address_book_id=42, destination=f"{tmp_path}/a.csv"
    )
    result = runner.run(export)
    assert "error_code 213" in str(result.error)
    assert not (tmp_path / "a.csv").exists()
