# SPDX-License-Identifier: Apache-2.0
"""Where the rows are that could not be delivered, and what the task says of them."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator
from airflow_provider_sendpulse.rows import RejectsFile, RejectsTable

pytestmark = pytest.mark.usefixtures("connect")

GOOD = ["ada@example.com", "bob@example.com", "eve@example.com"]
BAD = "bad,address"


@pytest.fixture
def add(dag: Any, account: Any) -> Any:
    book_id = account.book(emails=[])

    def operator(contacts: Any = (*GOOD, BAD), **arguments: Any) -> Any:
        return SendPulseAddEmailsOperator(
            task_id="add",
            dag=dag,
            address_book_id=book_id,
            contacts=[*contacts],
            **{"max_rejected_ratio": 0.5, **arguments},
        )

    return operator


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [*csv.DictReader(stream)]


def test_below_the_threshold_it_is_green_with_a_warning(runner: Any, add: Any, tmp_path: Path) -> None:
    result = runner.run(add(rejects=f"{tmp_path}/{{{{ ds }}}}/{{{{ run_id }}}}.csv"))
    assert result.state == "success", result.error
    path = tmp_path / "2026-01-05" / "scheduled__2026-01-05.csv"
    [row] = rows(path)
    assert (row["source_row"], row["outcome"], row["reason"], row["email"]) == ("4", "invalid", "not an address", BAD)
    assert (row["dag_id"], row["task_id"], row["run_id"], row["map_index"]) == (
        "a_dag",
        "add",
        "scheduled__2026-01-05",
        "-1",
    )
    assert result.xcom("rejects", "add") == result.rendered["rejects"] == str(path)
    assert result.xcom("counts", "add") is None
    lines = result.log.splitlines()
    message = "1 of 4 rows went wrong (4 read, 3 accepted, 1 invalid). The thresholds allow that."
    assert f"WARNING Contacts: {message} They are in {path}." in lines
    assert BAD not in result.log


def test_above_the_threshold_it_fails_and_says_where_they_are(runner: Any, add: Any, tmp_path: Path) -> None:
    path = tmp_path / "add.csv"
    runner.api.should_retry = True
    result = runner.run(add(rejects=path, max_rejected=0))
    assert result.state == "failed"
    assert str(result.error).endswith(f"max_rejected=0 allows. They are in {path}.")
    assert result.xcom("counts", "add")["accepted"] == 3
    assert len(rows(path)) == 1


@pytest.mark.parametrize("rejects", [None, "file"])
def test_rejects_are_never_silent(runner: Any, add: Any, tmp_path: Path, rejects: str | None) -> None:
    place = rejects and str(tmp_path / "add.csv")
    operator = add(rejects=place)
    for limit, state in ((0.25, "success"), (0.24, "failed")):
        operator.max_rejected_ratio = limit
        result = runner.run(operator)
        assert result.state == state
        assert ("WARNING Contacts: 1 of 4 rows" in result.log) is (state == "success")
        assert "WARNING Row 4: not an address" in result.log
        assert ("1 of 4 rows went wrong" in str(result.error)) is (state == "failed")


def test_nothing_wrong_leaves_nothing(runner: Any, add: Any, tmp_path: Path) -> None:
    path = tmp_path / "add.csv"
    operator = add(rejects=str(path))
    assert runner.run(operator).xcom("rejects", "add") == str(path)
    operator.contacts = GOOD
    result = runner.run(operator, try_number=2)
    assert result.state == "success"
    assert not path.exists()
    assert result.xcom("rejects", "add") is None
    assert "WARNING" not in result.log


def test_file_with_a_retention(runner: Any, add: Any, tmp_path: Path) -> None:
    path = tmp_path / "add.jsonl"
    result = runner.run(add(rejects=RejectsFile(f"{tmp_path}/{{{{ task.task_id }}}}.jsonl", retention=timedelta(days=7))))
    assert result.state == "success", result.error
    [entry] = [json.loads(line) for line in path.read_text().splitlines()]
    assert entry["email"] == BAD
    assert entry["expires_at"] > entry["recorded_at"]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of universal_pathlib, under Airflow 3.1
def test_path_object(runner: Any, add: Any, tmp_path: Path) -> None:
    from airflow.sdk import ObjectStoragePath

    result = runner.run(add(rejects=ObjectStoragePath(f"file://{tmp_path}") / "add.csv"))
    assert result.state == "success", result.error
    assert len(rows(tmp_path / "add.csv")) == 1


def test_table(runner: Any, add: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "shop.db")}))
    result = runner.run(add(rejects=RejectsTable("{{ 'shop' }}", "rejects_{{ ds_nodash }}")))
    assert result.state == "success", result.error
    assert result.xcom("rejects", "add") == "the table rejects_20260105 of the connection shop"
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        found = database.execute("SELECT source_row, outcome, email FROM rejects_20260105").fetchall()
    assert found == [(4, "invalid", BAD)]


def test_mapped_tasks_have_files_of_their_own(runner: Any, dag: Any, account: Any, tmp_path: Path) -> None:
    book_id = account.book(emails=[])

    def mapped(path: str) -> Any:
        partial = SendPulseAddEmailsOperator.partial(
            task_id="add", dag=dag, address_book_id=book_id, max_rejected_ratio=1, rejects=path
        )
        return partial.expand(contacts=[["no"], ["nor"]])

    operator = mapped(f"{tmp_path}/{{{{ ti.map_index }}}}.csv")
    for index in (0, 1):
        result = runner.run(operator, map_index=index)
        assert result.state == "success", result.error
    assert [rows(tmp_path / f"{index}.csv")[0]["email"] for index in (0, 1)] == ["no", "nor"]


def test_mapped_tasks_with_one_file_fail_before_anything_is_sent(
    runner: Any, dag: Any, account: Any, tmp_path: Path
) -> None:
    operator = SendPulseAddEmailsOperator.partial(
        task_id="add", dag=dag, address_book_id=account.book(emails=[]), max_rejected_ratio=1, rejects=f"{tmp_path}/all.csv"
    ).expand(contacts=[["no"], ["nor", "ada@example.com"]])
    assert runner.run(operator, map_index=0).state == "success"
    result = runner.run(operator, map_index=1)
    assert result.state == "failed"
    assert "holds the rejects of another task" in str(result.error)
    assert account.sent("contacts.add") == []


@pytest.mark.parametrize(
    ("rejects", "told"),
    [
        ("rejects.csv", "neither absolute"),
        (7, "rejects is a int; it is a path, a RejectsFile or a RejectsTable"),
        (RejectsTable("shop", "a b"), "plain name"),
    ],
)
def test_places_that_cannot_be_meant(runner: Any, account: Any, add: Any, rejects: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(add(rejects=rejects))
    assert result.state == "failed"
    assert told in str(result.error)
    assert account.sent("contacts.add") == []


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, f"No space left on device for {BAD} of reader1@example.com")

    monkeypatch.setattr(RejectsFile, "replace", fail)


def test_rejects_that_cannot_be_written_fail_the_task(
    runner: Any, add: Any, account: Any, tmp_path: Path, broken: None
) -> None:
    runner.api.should_retry = True
    result = runner.run(add(rejects=f"{tmp_path}/add.csv"))
    # A retry writes them again, and loads nobody twice.
    assert result.state == "up_for_retry"
    assert type(result.error).__name__ == "RejectsNotWritten"
    assert f"could not be written to {tmp_path}/add.csv: OSError" in str(result.error)
    assert "The delivery itself has ended (4 read, 3 accepted, 1 invalid)" in str(result.error)
    assert result.xcom("counts", "add")["accepted"] == 3
    assert result.xcom("rejects", "add") is None
    assert "reader1" not in str(result.error) + result.log


def test_both_are_told_when_the_threshold_is_passed_too(runner: Any, add: Any, tmp_path: Path, broken: None) -> None:
    result = runner.run(add(rejects=f"{tmp_path}/add.csv", max_rejected=0))
    assert type(result.error).__name__ == "DeliveryFailed"
    assert "max_rejected=0" in str(result.error)
    assert "could not be written" in str(result.error)
    assert "They are in" not in str(result.error)


def test_the_error_of_the_delivery_is_not_hidden(runner: Any, add: Any, account: Any, tmp_path: Path, broken: None) -> None:
    account.emulator.faults.add("status", operation="contacts.add", times=None, status=403)
    result = runner.run(add(rejects=f"{tmp_path}/add.csv"))
    assert result.state == "failed"
    assert "HTTP 403" in str(result.error)
    assert "ERROR Rejected rows could not be written" in result.log
    assert result.xcom("counts", "add")["read"] == 4


def test_an_xcom_that_cannot_be_pushed_does_not_hide_it_either(
    runner: Any, add: Any, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.emulator.faults.add("status", operation="contacts.add", times=None, status=403)
    xcom = type(runner.api)._xcom

    def refuse(self: Any, request: Any, task_id: str, key: str, value: Any) -> Any:
        import httpx

        if key == "counts" and request.method == "POST":
            return httpx.Response(409, json={"detail": {"reason": "not_running", "message": "replaced"}})
        return xcom(self, request, task_id, key, value)

    monkeypatch.setattr(type(runner.api), "_xcom", refuse)
    result = runner.run(add())
    assert "HTTP 403" in str(result.error)
    assert "The XCom counts could not be pushed" in result.log
