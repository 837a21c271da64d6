# SPDX-License-Identifier: Apache-2.0
"""Waiting for an import session that somebody else has started."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.rows import OutputTable
from airflow_provider_sendpulse.sensors.esputnik.imports import EsputnikImportSensor

pytestmark = pytest.mark.usefixtures("connect_esputnik", "quick")

MODES = {"poke": {}, "reschedule": {"mode": "reschedule"}, "deferred": {"deferrable": True}}


@pytest.fixture
def started(connect_esputnik: Any) -> Callable[..., str]:
    """Start an import and return its session's id."""

    def start(*emails: str) -> str:
        contacts = [Contact.reached(email=email) for email in emails or ("ada@example.com",)]
        with EsputnikHook() as hook:
            session = hook.send(import_sessions.start(contacts, dedupe_on="email", contact_fields=["email"])).session_id
        assert session is not None
        return session

    return start


@pytest.fixture
def wait(dag: Any) -> Callable[..., EsputnikImportSensor]:
    def make(session_id: str, **arguments: Any) -> EsputnikImportSensor:
        defaults = {"task_id": "wait", "dag": dag, "poke_interval": 0.001, "timeout": 60, "deferrable": False}
        return EsputnikImportSensor(session_id=session_id, **{**defaults, **arguments})

    return make


@pytest.mark.parametrize("mode", MODES)
def test_finished(runner: Any, wait: Any, started: Any, emulator: Any, mode: str) -> None:
    emulator.configure(esputnik_import_reads=2)
    result = runner.run(wait(started(), **MODES[mode]))
    assert result.state == "success", result.error
    assert result.value["status"] == "FINISHED"
    # Rescheduled, every look is a process of its own.
    seen = ["FINISHED"] if mode == "reschedule" else ["STARTED", "IMPORTING", "FINISHED"]
    assert [code for code, _ in result.value["history"]] == seen


@pytest.mark.parametrize("mode", MODES)
def test_in_error(runner: Any, wait: Any, started: Any, emulator: Any, mode: str) -> None:
    emulator.configure(esputnik_next_import_outcomes=["ERROR"])
    session_id = started()
    with emulator.emulator.lock:
        [session] = emulator.state.esputnik.imports
    result = runner.run(wait(session_id, **MODES[mode]))
    assert type(result.error).__name__ == "ImportFailed"
    assert f"Import session {session.id} ended in ERROR: “Import failed”" in str(result.error)
    assert result.state == "failed"


def test_what_the_service_says_of_it_shows_nobody(runner: Any, wait: Any, started: Any, emulator: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["ERROR"])
    session_id = started()
    assert runner.run(wait(session_id)).state == "failed"
    with emulator.emulator.lock:
        [session] = emulator.state.esputnik.imports
        session.description = "No contact ada@example.com, +380440000001"
    result = runner.run(wait(session_id, task_id="again"))
    assert "No contact <address>, <number>" in str(result.error)


@pytest.mark.parametrize(
    ("answer", "error"), [("not_found", "Refused"), ("error", "ImportFailed"), ("empty", "ImportFailed")]
)
@pytest.mark.parametrize("mode", MODES)
def test_not_known(runner: Any, wait: Any, emulator: Any, mode: str, answer: str, error: str) -> None:
    emulator.configure(esputnik_unknown_session=answer)
    result = runner.run(wait("no-such-session", **MODES[mode]))
    assert type(result.error).__name__ == error
    assert result.state == "failed"


@pytest.mark.parametrize("mode", ["poke", "deferred"])
def test_the_mapping_in_a_table(
    runner: Any, wait: Any, started: Any, emulator: Any, tmp_path: Path, monkeypatch: Any, mode: str
) -> None:
    path = tmp_path / "ids.db"
    monkeypatch.setenv("AIRFLOW_CONN_IDS", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    session_id = started("ada@example.com", "bob@example.com")
    output = OutputTable(conn_id="ids", table="{{ 'ids' }}")
    result = runner.run(wait(f"{{{{ '{session_id}' }}}}", mapping_output=output, **MODES[mode]))
    assert result.state == "success", result.error
    contacts = emulator.state.as_dict()["esputnik"]["contacts"]
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT dedupe_value, contact_id, session_id FROM ids ORDER BY dedupe_value").fetchall()
    assert found == [
        ("ada@example.com", contacts[0]["id"], session_id),
        ("bob@example.com", contacts[1]["id"], session_id),
    ]
    assert "example.com" not in json.dumps(result.event)


@pytest.mark.parametrize("session_id", ["", "None", "{{ none }}"])
def test_no_session(runner: Any, wait: Any, emulator: Any, session_id: str) -> None:
    result = runner.run(wait(session_id))
    assert type(result.error).__name__ == "InvalidRequest"
    assert "session_id is empty" in str(result.error)


def test_where_the_mapping_cannot_go_is_found_out_first(runner: Any, wait: Any, started: Any, emulator: Any) -> None:
    result = runner.run(wait(started(), mapping_output="ids.txt"))
    assert type(result.error).__name__ == "InvalidRequest"
    assert emulator.requests.records("esputnik.imports.read") == []


def test_not_over_in_time(runner: Any, wait: Any, started: Any, emulator: Any) -> None:
    emulator.configure(esputnik_import_reads=1000)
    result = runner.run(wait(started(), timeout=0.05, deferrable=True))
    assert type(result.error).__name__ == "AirflowSensorTimeout"
    assert "The last status was STARTED." in str(result.error)
