# SPDX-License-Identifier: Apache-2.0
"""The last sessions are waited for in the triggerer."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from contact_imports import counts, load, needs_state_store, readers
from task_runner import TaskRunner

from airflow_provider_sendpulse.rows import FileRows

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")

QUICK = 0.5
"""Seconds between two looks: in the triggerer they pass."""


def test_as_in_the_worker(runner: Any, there: Any, sent: Any, tmp_path: Path) -> None:
    rows = [*readers(5), {"email": "nobody", "phone": "", "name": "x"}]
    options = {
        "batch_size": 2,
        "max_rejected_ratio": 0.5,
        "rejects": str(tmp_path / "rejects.csv"),
        "deferrable": True,
        "poll_interval": QUICK,
    }
    result = runner.run(load(rows, **options))
    assert result.state == "success", result.error
    assert result.legs == ["deferred", "success"]
    assert result.value == counts(read=6, accepted=5, invalid=1)
    assert [len(body["contacts"]) for body in sent()] == [2, 2, 1]
    assert len(result.xcom("sessions", "load")) == 3
    assert result.xcom("counts", "load") is None
    assert (tmp_path / "rejects.csv").read_text().count("nobody") == 1


def test_without_a_state_store(sent: Any) -> None:
    result = TaskRunner(state_store=False).run(load(readers(5), batch_size=2, deferrable=True, poll_interval=QUICK))
    assert result.legs == ["deferred", "success"]
    assert result.value == counts(read=5, accepted=5)
    assert len(sent()) == 3


def test_refused_contacts_get_their_reason(runner: Any, sent: Any, tmp_path: Path) -> None:
    rows = [*readers(3), {"email": "x@example.com", "phone": "", "name": "12345"}]
    rejects = tmp_path / "rejects.csv"
    result = runner.run(load(rows, deferrable=True, poll_interval=QUICK, max_rejected_ratio=0.5, rejects=str(rejects)))
    assert result.legs == ["deferred", "success"]
    assert result.value == counts(read=4, accepted=3, rejected=1)
    assert "firstName is not valid" in rejects.read_text()
    assert [len(body["contacts"]) for body in sent()] == [4, 1]


@pytest.mark.parametrize(("outcome", "kind"), [("ERROR", "“Import failed”"), ("LOST", "does not know")])
def test_a_session_that_fails(
    runner: Any, emulator: Any, sent: Any, there: Any, outcome: str, kind: str, tmp_path: Path
) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", outcome])
    rejects = tmp_path / "rejects.csv"
    bad = {"email": "x@example.com", "phone": "", "name": "12345"}
    operator = load(
        [*readers(3), bad, *readers(1, first=4)], batch_size=2, deferrable=True, poll_interval=QUICK, rejects=str(rejects)
    )
    result = runner.run(operator)
    assert result.legs[0] == "deferred"
    assert kind in str(result.error)
    assert "Rows 3 to 4" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=5, accepted=3, rejected=1, in_doubt=1)
    with rejects.open(newline="", encoding="utf-8") as stream:
        assert [(row["source_row"], row["outcome"]) for row in csv.DictReader(stream)] == [
            ("3", "in_doubt"),
            ("4", "rejected"),
        ]
    assert len(sent()) == 3
    assert runner.run(operator, try_number=2).xcom("counts", "load")["rejected"] == 1
    assert len(there()) == 4


def test_overdue(runner: Any, emulator: Any, monkeypatch: Any) -> None:
    emulator.configure(esputnik_import_reads=1000)
    result = runner.run(load(deferrable=True, timeout=0.05, poll_interval=0.01))
    assert type(result.error).__name__ == "DeadlinePassed"
    assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)


def test_trigger_arguments_are_ids(runner: Any, emulator: Any) -> None:
    result = runner.leg(load(deferrable=True, poll_interval=QUICK))
    assert result.state == "deferred"
    assert "example.com" not in json.dumps(result.deferral)
    ids = [session["id"] for session in emulator.state.as_dict()["esputnik"]["imports"]]
    assert runner.trigger_arguments(result.deferral)["session_ids"] == ids


@needs_state_store
@pytest.mark.parametrize(
    ("begun", "counted"),
    [
        # As far as sessions have finished without a gap, the rows are still the same.
        (False, counts(read=8, accepted=2, in_doubt=6)),
        (True, counts(read=8, in_doubt=8)),
    ],
    ids=["first try", "another try"],
)
def test_rows_that_have_changed_when_a_session_has_failed(
    runner: Any, emulator: Any, tmp_path: Path, begun: bool, counted: dict[str, int]
) -> None:
    """Which rows the session held cannot be told by their numbers any more."""
    path = tmp_path / "rows.jsonl"

    def write(rows: list[dict[str, Any]]) -> None:
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    write(readers(6))
    outcomes = ["FINISHED", "ERROR"] if begun else []
    emulator.configure(esputnik_next_import_outcomes=[*outcomes, "FINISHED", "ERROR"])
    how = {"batch_size": 2, "concurrency": 1, "deferrable": True, "poll_interval": QUICK}
    if begun:
        assert runner.run(load(FileRows(str(path)), **how)).state == "failed"
    operator = load(FileRows(str(path)), **{**how, "concurrency": 4})
    others = [*readers(2), *readers(6, first=20)]
    result = runner.run(operator, try_number=2, before_trigger=lambda: write(others))
    assert result.legs == ["deferred", "failed"]
    assert "“Import failed”" in str(result.error)
    assert result.xcom("counts", "load") == counted
    assert "cannot be told" in result.log
