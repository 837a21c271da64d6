# SPDX-License-Identifier: Apache-2.0
"""Which contact each key belongs to."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from contact_imports import counts, load, needs_state_store, readers

from airflow_provider_sendpulse.rows import OutputTable

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")


def test_a_file(runner: Any, there: Any, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    result = runner.run(load(readers(5), batch_size=2, mapping={"email": "email"}, mapping_output=str(path)))
    assert result.state == "success", result.error
    with path.open(newline="", encoding="utf-8") as stream:
        found = {row["dedupe_value"]: int(row["contact_id"]) for row in csv.DictReader(stream)}
    assert found == {email: contact["id"] for email, contact in there().items()}
    assert path.stat().st_mode & 0o777 == 0o600


@needs_state_store
def test_a_table_and_a_retry(runner: Any, there: Any, emulator: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "ids.db"
    monkeypatch.setenv("AIRFLOW_CONN_IDS", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    operator = load(
        readers(5),
        batch_size=2,
        concurrency=1,
        mapping={"email": "email"},
        mapping_output=OutputTable(conn_id="ids", table="{{ 'ids' }}"),
    )
    assert runner.run(operator).state == "failed"
    assert runner.run(operator, try_number=2).state == "success"
    with closing(sqlite3.connect(path)) as database:
        found = dict(database.execute("SELECT dedupe_value, contact_id FROM ids").fetchall())
    assert found == {email: contact["id"] for email, contact in there().items()}
    assert len(found) == 5


def test_people_who_share_an_address(runner: Any, there: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "ids.db"
    monkeypatch.setenv("AIRFLOW_CONN_IDS", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    rows = [{"email": "family@example.com", "id": number} for number in (1, 2)]
    mapping = {"email": "email", "external_customer_id": "id"}
    result = runner.run(load(rows, mapping=mapping, mapping_output=OutputTable(conn_id="ids", table="ids")))
    assert result.value["accepted"] == 2
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT dedupe_value, contact_id FROM ids").fetchall()
    assert len({*found}) == 2
    assert {value for value, _ in found} == {"family@example.com"}


@needs_state_store
@pytest.mark.parametrize("answer", ["not_found", "empty"])
@pytest.mark.parametrize(
    ("dedupe_on", "mapping"),
    [
        ("email", {"email": "email", "sms": "phone"}),
        ("sms", {"email": "email", "sms": "phone"}),
        ("email_or_sms", {"email": "email", "sms": "phone"}),
        ("email", {"email": "email", "external_customer_id": "id"}),
        ("externalCustomerId", {"email": "email", "external_customer_id": "id"}),
    ],
)
def test_a_session_that_is_forgotten(
    runner: Any, emulator: Any, tmp_path: Path, answer: str, dedupe_on: str, mapping: dict[str, str]
) -> None:
    """Another try cannot read it any more; its contacts are looked for."""
    path = tmp_path / "ids.csv"
    rows = [{"email": f"r{n}@example.com", "phone": f"+38044000000{n}", "id": f"c-{n}"} for n in range(4)]
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"], esputnik_unknown_session=answer)
    options = {"dedupe_on": dedupe_on, "mapping": mapping, "batch_size": 2, "concurrency": 1}
    operator = load(rows, mapping_output=str(path), **options)
    assert runner.run(operator).state == "failed"
    with emulator.emulator.lock:
        first, *_ = emulator.state.esputnik.imports
        first.outcome = "LOST"
    result = runner.run(operator, try_number=2)
    assert result.value == counts(read=4, skipped=2, accepted=2), result.error
    with path.open(newline="", encoding="utf-8") as stream:
        found = {row["dedupe_value"]: int(row["contact_id"]) for row in csv.DictReader(stream)}
    column = {"sms": "phone", "email_or_sms": "phone", "externalCustomerId": "id"}.get(dedupe_on, "email")
    by_email = {
        channel["value"]: contact["id"]
        for contact in emulator.state.as_dict()["esputnik"]["contacts"]
        for channel in contact["channels"]
    }
    assert found == {row[column]: by_email[row["email"]] for row in rows}


@needs_state_store
def test_a_contact_of_a_forgotten_session_that_is_gone(runner: Any, emulator: Any, tmp_path: Path) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    path = tmp_path / "ids.csv"
    operator = load(readers(4), batch_size=2, concurrency=1, mapping={"email": "email"}, mapping_output=str(path))
    assert runner.run(operator).state == "failed"
    with emulator.emulator.lock:
        first, *_ = emulator.state.esputnik.imports
        first.outcome = "LOST"
        next(iter(emulator.state.esputnik.contacts)).is_deleted = True
    result = runner.run(operator, try_number=2)
    assert result.state == "success", result.error
    assert "1 contacts of such sessions were not found" in result.log
    with path.open(newline="", encoding="utf-8") as stream:
        assert len([*csv.DictReader(stream)]) == 3
