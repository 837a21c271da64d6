# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows into eSputnik, through Airflow's task runner."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.esputnik.imports import ContactMapping, EsputnikImportContactsOperator
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")

needs_state_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")

SUPPORT = Path(__file__).parents[2] / "support"
IMPORT, STATUS = "esputnik.contacts.import", "esputnik.imports.read"
ROWS = [
    {"email": "ada@example.com", "phone": "+380440000001", "name": "Ада"},
    {"email": "bob@example.com", "phone": "", "name": "Bob"},
    {"email": "eve@example.com", "phone": None, "name": "Eve"},
]
MAPPING = {"email": "email", "sms": "phone", "first_name": "name"}


@pytest.fixture
def load() -> Callable[..., Any]:
    def make(rows: Any = ROWS, **arguments: Any) -> EsputnikImportContactsOperator:
        dag = DAG("a_dag", schedule=None)  # another one each time: a file may have been changed between two tries
        return EsputnikImportContactsOperator(
            **{"task_id": "load", "dag": dag, "contacts": rows, "mapping": MAPPING, "poll_interval": 10, **arguments}
        )

    return make


@pytest.fixture
def there(emulator: Any) -> Callable[[], dict[str, Any]]:
    """The emulated account's contacts by their address."""

    def contacts() -> dict[str, Any]:
        found = {}
        for contact in emulator.state.as_dict()["esputnik"]["contacts"]:
            [email] = [item["value"] for item in contact["channels"] if item["type"] == "email"] or [""]
            found[email] = contact
        return found

    return contacts


@pytest.fixture
def sent(emulator: Any) -> Callable[..., list[Any]]:
    return lambda operation=IMPORT: [record.body for record in emulator.requests.records(operation)]


def readers(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [{"email": f"reader{n}@example.com", "phone": "", "name": "Reader"} for n in range(first, first + count)]


def counts(**others: int) -> dict[str, int]:
    nothing = dict.fromkeys(["read", "accepted", "duplicate", "invalid", "rejected", "skipped", "in_doubt"], 0)
    return nothing | others


def test_an_import(runner: Any, load: Any, there: Any, sent: Any, emulator: Any) -> None:
    result = runner.run(load(group_names="Readers, News", event_key_for_new_contacts="fromShop", restore_deleted=True))
    assert result.state == "success", result.error
    assert result.value == counts(read=3, accepted=3)
    assert sorted(there()) == ["ada@example.com", "bob@example.com", "eve@example.com"]
    assert there()["ada@example.com"]["firstName"] == "Ада"
    account = emulator.state.as_dict()["esputnik"]
    assert [(segment["name"], len(segment["contacts"])) for segment in account["segments"]] == [("Readers", 3), ("News", 3)]
    assert [event["eventTypeKey"] for event in account["events"]] == ["fromShop"] * 3
    [body] = sent()
    assert (body["contactFields"], body["dedupeOn"], body["restoreDeleted"]) == (
        ["email", "sms", "firstName"],
        "email",
        True,
    )
    assert "customFieldsIDs" not in body
    assert result.xcom("sessions", "load") == [session["id"] for session in account["imports"]]
    assert result.rendered["contacts"] == "3 contacts (not shown)"
    assert "example.com" not in result.log
    assert "Ада" not in result.log


def test_what_is_named_is_cleared_and_what_is_not_stays(runner: Any, load: Any, there: Any) -> None:
    runner.run(load())
    rows = [{"email": "ada@example.com", "phone": None}]
    assert runner.run(load(rows, mapping=ContactMapping(email="email", sms="phone"))).state == "success"
    ada = there()["ada@example.com"]
    assert ada["firstName"] == "Ада"
    assert [item["type"] for item in ada["channels"]] == ["email"]


def test_a_table_in_batches(runner: Any, load: Any, there: Any, sent: Any, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE readers (mail TEXT, day TEXT)")
        database.executemany("INSERT INTO readers VALUES (?, 'x')", [(f"r{n}@example.com",) for n in range(7)])
        database.execute("INSERT INTO readers VALUES ('no address', 'x'), ('R3@example.com', 'x')")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    rows = SqlRows(conn_id="shop", sql="SELECT * FROM readers WHERE day = '{{ params.day }}' ORDER BY rowid")
    result = runner.run(
        load(
            rows,
            mapping={"email": "{{ 'mail' }}"},
            params={"day": "x"},
            batch_size=3,
            max_rejected_ratio=0.2,
            rejects=str(tmp_path / "rejects.csv"),
        )
    )
    assert result.state == "success", result.error
    assert result.value == counts(read=9, accepted=7, duplicate=1, invalid=1)
    assert [len(body["contacts"]) for body in sent()] == [3, 3, 1]
    assert "no address" in (tmp_path / "rejects.csv").read_text()


@pytest.mark.parametrize(
    ("mapping", "odd", "told"),
    [
        ({"email": "email", "first_name": "odd"}, "A\ud800", "the first_name holds broken text"),
        ({"email": "email", "external_customer_id": "odd"}, "A\ud800", "the external_customer_id holds broken text"),
        ({"email": "odd"}, b"ada@example.com", "the column odd holds bytes"),
        ({"email": "email", "external_customer_id": "odd"}, b"a-1", "the external_customer_id holds bytes"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_one_row_that_cannot_be_sent(
    runner: Any, load: Any, there: Any, mapping: dict[str, str], odd: Any, told: str, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [{**row, "odd": f"c{number}"} for number, row in enumerate(readers(6))]
    if "email" not in mapping.values():
        rows = [{"odd": row["email"]} for row in rows]
    rows[4]["odd"] = odd
    rejects = tmp_path / "rejects.jsonl"
    arguments = {"batch_size": 2, "max_rejected_ratio": 0.2, "rejects": str(rejects)}
    result = runner.run(load(rows, mapping=mapping, **arguments))
    assert result.state == "success", result.error
    assert result.value == counts(read=6, accepted=5, invalid=1)
    assert len(there()) == 5
    [rejected] = map(json.loads, rejects.read_text().splitlines())
    assert (rejected["source_row"], rejected["outcome"]) == (5, "invalid")
    assert told in rejected["reason"]


def test_additional_fields_are_held_against_the_account(
    runner: Any, load: Any, there: Any, sent: Any, emulator: Any
) -> None:
    rows = [{"email": "ada@example.com", "spent": 12}]
    result = runner.run(load(rows, mapping={"email": "email", "fields": {"30002": "spent"}}))
    assert result.state == "success", result.error
    [body] = sent()
    assert body["customFieldsIDs"] == [30002]
    refused = runner.run(load(rows, mapping={"email": "email", "fields": {"SPEND": "spent"}}))
    assert refused.state == "failed"
    assert "no additional field 'SPEND'" in str(refused.error)
    assert len(sent()) == 1


def test_unconfirmed_rows_are_refused(runner: Any, load: Any, there: Any) -> None:
    rows = [{"email": "ada@example.com", "agreed": True}, {"email": "bob@example.com", "agreed": "no"}]
    result = runner.run(load(rows, mapping={"email": "email", "confirmed": "agreed"}, max_rejected_ratio=0.5))
    assert result.value == counts(read=2, accepted=1, invalid=1)
    assert "EsputnikSubscribeContactOperator" in result.log
    assert [*there()] == ["ada@example.com"]


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("bad", [1, 2])
def test_contacts_that_are_refused_at_once(
    runner: Any, load: Any, there: Any, emulator: Any, tmp_path: Path, collapse: bool, bad: int
) -> None:
    emulator.configure(esputnik_collapse=collapse)
    rows = [*ROWS, *({"email": f"x{n}@example.com", "phone": "", "name": "12345"} for n in range(bad))]
    rejects = tmp_path / "rejects.csv"
    result = runner.run(load(rows, max_rejected_ratio=0.5, rejects=str(rejects)))
    assert result.state == "success", result.error
    assert result.value == counts(read=3 + bad, accepted=3, rejected=bad)
    with rejects.open(newline="", encoding="utf-8") as stream:
        found = [*csv.DictReader(stream)]
    assert [(row["source_row"], row["email"], row["outcome"]) for row in found] == [
        (str(4 + n), f"x{n}@example.com", "rejected") for n in range(bad)
    ]
    assert all("firstName is not valid" in row["reason"] for row in found)
    assert len(there()) == 3


def test_too_many_are_refused(runner: Any, load: Any) -> None:
    result = runner.run(load([*ROWS, {"email": "x@example.com", "phone": "", "name": "12345"}]))
    assert result.state == "failed"
    assert "1 of 4 rows went wrong" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=4, accepted=3, rejected=1)
    assert len(result.xcom("sessions", "load")) == 1


class TestSessions:
    """What becomes of a session."""

    def test_in_error(self, runner: Any, load: Any, there: Any, sent: Any, emulator: Any) -> None:
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
        operator = load(readers(5), batch_size=2, concurrency=1)
        result = runner.run(operator)
        assert result.state == "up_for_retry" or result.state == "failed"
        assert "Rows 3 to 4: Import session" in str(result.error)
        assert "“Import failed”" in str(result.error)
        assert "does no harm" in str(result.error)
        # The last row was not read: nothing more is sent after a failure but what was read already.
        assert result.xcom("counts", "load")["in_doubt"] == 2
        assert result.xcom("counts", "load")["accepted"] == 2
        assert len(there()) == 2
        again = runner.run(operator, try_number=2)
        assert again.state == "success", again.error
        assert len(there()) == 5
        if AIRFLOW_V_3_3_PLUS:
            assert again.value == counts(read=5, skipped=2, accepted=3)
            assert [len(body["contacts"]) for body in sent()] == [2, 2, 2, 1]

    @pytest.mark.parametrize("answer", ["not_found", "error", "empty"])
    def test_lost(self, runner: Any, load: Any, emulator: Any, there: Any, answer: str) -> None:
        emulator.configure(esputnik_next_import_outcomes=["LOST"], esputnik_unknown_session=answer)
        operator = load()
        result = runner.run(operator)
        assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)
        assert "Another try imports these rows again." in str(result.error)
        assert runner.run(operator, try_number=2).value == counts(read=3, accepted=3)
        assert len(there()) == 3

    def test_overdue(self, runner: Any, load: Any, emulator: Any, sent: Any, there: Any) -> None:
        emulator.configure(esputnik_import_reads=1000)
        operator = load(timeout=60)
        result = runner.run(operator)
        assert type(result.error).__name__ == "DeadlinePassed"
        assert "seen last: status STARTED (Queued)" in str(result.error)
        assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)
        if not AIRFLOW_V_3_3_PLUS:
            return
        second = runner.run(operator, try_number=2)
        assert type(second.error).__name__ == "DeadlinePassed"
        assert len(sent()) == 1
        emulator.configure(esputnik_import_reads=1)
        third = runner.run(operator, try_number=3)
        assert third.value == counts(read=3, accepted=3)
        assert len(sent()) == 2
        assert len(there()) == 3

    def test_refused_with_200(self, runner: Any, load: Any, emulator: Any) -> None:
        emulator.configure(esputnik_next_import_outcomes=["REFUSED"])
        result = runner.run(load())
        assert type(result.error).__name__ == "DeliveryFailed"
        assert "Rows 1 to 3" in str(result.error)
        assert "Contacts cannot be imported now" in str(result.error)
        assert result.xcom("counts", "load") == counts(read=3, skipped=3)
        assert result.xcom("sessions", "load") == []

    def test_other_batches_are_settled_when_one_is_refused(self, runner: Any, load: Any, emulator: Any) -> None:
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "REFUSED", "FINISHED"])
        result = runner.run(load(readers(9), batch_size=3, mapping={"email": "email"}))
        assert "Rows 4 to 6" in str(result.error)
        assert result.xcom("counts", "load") == counts(read=6, accepted=3, skipped=3)

    def test_a_repeat_within_a_minute(self, runner: Any, load: Any, emulator: Any, jumping_clock: Any, there: Any) -> None:
        emulator.faults.add("status", operation=IMPORT, status=409, times=2)
        result = runner.run(load(event_key_for_new_contacts="fromShop"))
        assert result.value == counts(read=3, accepted=3)
        assert [seconds for seconds in jumping_clock if seconds >= 60] == [60.0, 60.0]

    def test_a_lost_answer(self, runner: Any, load: Any, emulator: Any, there: Any, sent: Any) -> None:
        emulator.faults.add("lose_answer", operation=IMPORT, times=1)
        result = runner.run(load())
        assert result.value == counts(read=3, accepted=3)
        assert len(sent()) == 2
        assert len(there()) == 3

    def test_no_answer_at_all(self, runner: Any, load: Any, emulator: Any, there: Any) -> None:
        emulator.faults.add("drop", operation=IMPORT, times=None)
        result = runner.run(load())
        assert type(result.error).__name__ == "ServiceUnavailable"
        assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)

    def test_looks_that_fail_in_passing(self, runner: Any, load: Any, emulator: Any) -> None:
        emulator.faults.add("status", operation=STATUS, status=500, times=12)
        assert runner.run(load()).value == counts(read=3, accepted=3)

    def test_contacts_that_were_deleted(self, runner: Any, load: Any, emulator: Any, there: Any) -> None:
        runner.run(load())
        with emulator.emulator.lock:
            for contact in emulator.state.esputnik.contacts:
                if contact.email == "bob@example.com":
                    contact.is_deleted = True
        result = runner.run(load())
        assert result.value == counts(read=3, accepted=3)
        assert "tells the ids of 2 of its 3 contacts" in result.log
        assert "restore_deleted=True" in result.log
        assert "tells the ids" not in runner.run(load(restore_deleted=True)).log


class TestConcurrency:
    """Never two sessions under way that may hold the same contact."""

    ROWS: ClassVar = [{"email": f"r{n}@example.com", "phone": f"+38044000{n:04}", "id": f"c-{n}"} for n in range(12)]

    @pytest.mark.parametrize(
        ("options", "mapping", "at_once"),
        [
            ({}, {"email": "email"}, 4),
            ({"dedupe_on": "sms"}, {"email": "email", "sms": "phone"}, 4),
            ({"dedupe_on": "externalCustomerId"}, {"email": "email", "external_customer_id": "id"}, 4),
            ({"dedupe_on": "email_or_sms"}, {"email": "email", "sms": "phone"}, 1),
            ({}, {"email": "email", "external_customer_id": "id"}, 1),
            ({"concurrency": 2}, {"email": "email"}, 2),
        ],
    )
    def test_sessions_at_a_time(
        self, runner: Any, load: Any, emulator: Any, options: Any, mapping: Any, at_once: int
    ) -> None:
        emulator.configure(esputnik_import_order="reversed")
        result = runner.run(load(self.ROWS, mapping=mapping, batch_size=2, **options))
        assert result.value == counts(read=12, accepted=12), result.error
        operations = [record.operation for record in emulator.requests.records() if record.operation in (IMPORT, STATUS)]
        assert operations.index(STATUS) == at_once
        assert ("external id wins" in result.log) == ("id" in mapping.values() and "dedupe_on" not in options)
        assert ("One import session at a time" in result.log) == (at_once == 1)

    def test_the_first_one_makes_the_segments(self, runner: Any, load: Any, emulator: Any) -> None:
        result = runner.run(load(self.ROWS, mapping={"email": "email"}, batch_size=2, group_names=["Readers"]))
        assert result.value == counts(read=12, accepted=12)
        operations = [record.operation for record in emulator.requests.records() if record.operation in (IMPORT, STATUS)]
        assert operations[:2] == [IMPORT, STATUS]

    def test_an_additional_field_tells_contacts_apart(self, runner: Any, load: Any, emulator: Any) -> None:
        rows = [{"email": f"r{n}@example.com", "card": f"card {n % 2}"} for n in range(4)] + [{"email": "x@example.com"}]
        rows[-1]["card"] = None
        options = {"dedupe_on": "fieldId", "field_id": "30004", "max_rejected_ratio": 0.5}
        result = runner.run(load(rows, mapping={"email": "email", "fields": {30004: "card"}}, **options))
        assert result.value == counts(read=5, accepted=2, duplicate=2, invalid=1), result.error
        assert "no value of the additional field 30004" in result.log


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mapping": {"name": "x"}}, "mapping has name"),
        ({"mapping": {"first_name": "name"}}, "neither email nor sms"),
        ({"dedupe_on": "e-mail"}, "eSputnik knows"),
        ({"dedupe_on": "id"}, "no mapping can give"),
        ({"dedupe_on": "sms", "mapping": {"email": "email"}}, "mapping names no sms"),
        ({"dedupe_on": "externalCustomerId"}, "mapping names no external_customer_id"),
        ({"dedupe_on": "fieldId"}, "field_id belongs to"),
        ({"dedupe_on": "fieldId", "field_id": 30004}, "which mapping.fields does not name"),
        ({"field_id": 30004}, "field_id belongs to"),
        ({"batch_size": 3001}, "batch_size is 3001"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"timeout": 0}, "timeout is 0"),
        ({"poll_interval": -1}, "poll_interval is -1"),
        ({"event_key_for_new_contacts": "from, shop"}, "event type key holds ,"),
        ({"contacts": 7}, "contacts is a int"),
        ({"mapping": {"email": "mail"}}, "no column mail"),
        ({"mapping_output": "ids.txt"}, "contact ids"),
        ({"mapping_output": 7}, "it is a path"),
    ],
)
def test_what_cannot_be_meant(runner: Any, load: Any, sent: Any, arguments: dict[str, Any], message: str) -> None:
    rows = arguments.pop("contacts", ROWS)
    result = runner.run(load(rows, **arguments))
    assert result.state == "failed"
    assert message in str(result.error)
    assert sent() == []


def test_an_event_key_that_may_not_be_taken_is_told_of(runner: Any, load: Any) -> None:
    result = runner.run(load(event_key_for_new_contacts="from-shop"))
    assert result.state == "success", result.error
    assert "Latin letters and digits" in result.log


class TestMappingOutput:
    """Which contact each key belongs to."""

    def test_a_file(self, runner: Any, load: Any, there: Any, tmp_path: Path) -> None:
        path = tmp_path / "ids.csv"
        result = runner.run(load(readers(5), batch_size=2, mapping={"email": "email"}, mapping_output=str(path)))
        assert result.state == "success", result.error
        with path.open(newline="", encoding="utf-8") as stream:
            found = {row["dedupe_value"]: int(row["contact_id"]) for row in csv.DictReader(stream)}
        assert found == {email: contact["id"] for email, contact in there().items()}
        assert path.stat().st_mode & 0o777 == 0o600

    @needs_state_store
    def test_a_table_and_a_retry(
        self, runner: Any, load: Any, there: Any, emulator: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
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


class TestDeferral:
    """The last sessions are waited for in the triggerer."""

    def test_as_in_the_worker(self, runner: Any, load: Any, there: Any, sent: Any, tmp_path: Path) -> None:
        rows = [*readers(5), {"email": "nobody", "phone": "", "name": "x"}]
        options = {"batch_size": 2, "max_rejected_ratio": 0.5, "rejects": str(tmp_path / "rejects.csv"), "deferrable": True}
        result = runner.run(load(rows, **options))
        assert result.state == "success", result.error
        assert result.legs == ["deferred", "success"]
        assert result.value == counts(read=6, accepted=5, invalid=1)
        assert [len(body["contacts"]) for body in sent()] == [2, 2, 1]
        assert len(result.xcom("sessions", "load")) == 3
        assert result.xcom("counts", "load") is None
        assert (tmp_path / "rejects.csv").read_text().count("nobody") == 1

    def test_without_a_state_store(self, load: Any, sent: Any) -> None:
        from task_runner import TaskRunner

        result = TaskRunner(state_store=False).run(load(readers(5), batch_size=2, deferrable=True))
        assert result.legs == ["deferred", "success"]
        assert result.value == counts(read=5, accepted=5)
        assert len(sent()) == 3

    def test_refused_contacts_get_their_reason(self, runner: Any, load: Any, sent: Any, tmp_path: Path) -> None:
        rows = [*readers(3), {"email": "x@example.com", "phone": "", "name": "12345"}]
        rejects = tmp_path / "rejects.csv"
        result = runner.run(load(rows, deferrable=True, max_rejected_ratio=0.5, rejects=str(rejects)))
        assert result.legs == ["deferred", "success"]
        assert result.value == counts(read=4, accepted=3, rejected=1)
        assert "firstName is not valid" in rejects.read_text()
        assert [len(body["contacts"]) for body in sent()] == [4, 1]

    @pytest.mark.parametrize(("outcome", "kind"), [("ERROR", "“Import failed”"), ("LOST", "does not know")])
    def test_a_session_that_fails(
        self, runner: Any, load: Any, emulator: Any, sent: Any, there: Any, outcome: str, kind: str, tmp_path: Path
    ) -> None:
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", outcome])
        rejects = tmp_path / "rejects.csv"
        bad = {"email": "x@example.com", "phone": "", "name": "12345"}
        operator = load([*readers(3), bad, *readers(1, first=4)], batch_size=2, deferrable=True, rejects=str(rejects))
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

    def test_overdue(self, runner: Any, load: Any, emulator: Any, monkeypatch: Any) -> None:
        emulator.configure(esputnik_import_reads=1000)
        result = runner.run(load(deferrable=True, timeout=0.05, poll_interval=0.01))
        assert type(result.error).__name__ == "DeadlinePassed"
        assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)

    def test_trigger_arguments_are_ids(self, runner: Any, load: Any, emulator: Any) -> None:
        result = runner.leg(load(deferrable=True))
        assert result.state == "deferred"
        assert "example.com" not in json.dumps(result.deferral)
        ids = [session["id"] for session in emulator.state.as_dict()["esputnik"]["imports"]]
        assert runner.trigger_arguments(result.deferral)["session_ids"] == ids


class TestRetries:
    """What another try knows."""

    @needs_state_store
    def test_clearing_a_task_that_has_succeeded_imports_again(self, runner: Any, load: Any, sent: Any) -> None:
        assert runner.run(load()).value == counts(read=3, accepted=3)
        assert runner.run(load(), try_number=2).value == counts(read=3, accepted=3)
        assert len(sent()) == 2

    @needs_state_store
    def test_other_rows_start_over(self, runner: Any, load: Any, emulator: Any, there: Any) -> None:
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
        assert runner.run(load(readers(4), batch_size=2, concurrency=1)).state == "failed"
        result = runner.run(load(readers(4, first=3), batch_size=2), try_number=2)
        assert result.value == counts(read=4, accepted=4)
        assert "starting over" in result.log
        assert len(there()) == 6

    @needs_state_store
    def test_another_segment_starts_over(self, runner: Any, load: Any, emulator: Any) -> None:
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
        assert runner.run(load(readers(4), batch_size=2, concurrency=1)).state == "failed"
        result = runner.run(load(readers(4), batch_size=2, group_names=["Readers"]), try_number=2)
        assert result.value == counts(read=4, accepted=4)

    @needs_state_store
    def test_refused_rows_are_sent_again(self, runner: Any, load: Any, emulator: Any, sent: Any) -> None:
        rows = [*readers(2), {"email": "x@example.com", "phone": "", "name": "12345"}, *readers(3, first=3)]
        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "FINISHED", "ERROR"])
        assert runner.run(load(rows, batch_size=2, concurrency=1)).state == "failed"
        result = runner.run(load(rows, batch_size=2, max_rejected_ratio=0.5), try_number=2)
        assert result.value == counts(read=6, skipped=3, accepted=2, rejected=1), result.error
        assert [item["channels"][0]["value"] for item in sent()[-2]["contacts"] + sent()[-1]["contacts"]] == [
            "x@example.com",
            "reader4@example.com",
            "reader5@example.com",
        ]

    def test_without_a_state_store_it_starts_over(self, load: Any, emulator: Any, there: Any) -> None:
        from task_runner import TaskRunner

        emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
        runner = TaskRunner(state_store=False)
        operator = load(readers(4), batch_size=2, concurrency=1, event_key_for_new_contacts="fromShop")
        assert runner.run(operator).state == "failed"
        assert runner.run(operator, try_number=2).value == counts(read=4, accepted=4)
        # The event goes to those that are new, once.
        assert len(emulator.state.as_dict()["esputnik"]["events"]) == 4


DAG_FILE = """
from airflow.sdk import DAG
from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportContactsOperator

with DAG("killed", schedule=None):
    EsputnikImportContactsOperator(
        task_id="load",
        contacts=[{"email": f"reader{n}@example.com"} for n in range(1, 7)],
        mapping={"email": "email"},
        batch_size=2,
        concurrency=2,
        poll_interval=0.01,
        event_key_for_new_contacts="fromShop",
    )
"""


@needs_state_store
class TestKilled:
    """The process is killed at any moment; another try waits for what is under way and imports the rest."""

    @pytest.fixture
    def attempt(self, tmp_path: Path) -> Callable[[int], subprocess.CompletedProcess[str]]:
        path = tmp_path / "killed.py"
        path.write_text(DAG_FILE)
        how = {"path": str(path), "dag_id": "killed", "task_id": "load", "run_id": "run", "store": str(tmp_path / "store")}

        def run(try_number: int) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, str(SUPPORT / "one_task.py"), json.dumps({**how, "try_number": try_number})],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT.parents[1]), str(SUPPORT)])},
            )

        return run

    @pytest.mark.parametrize(
        ("fault", "imports", "skipped"),
        [
            # Before the first import arrives, after it has and before its session is written down, and the second one.
            ({"operation": IMPORT}, 3, 0),
            ({"operation": IMPORT, "after_effect": True}, 4, 0),
            ({"operation": IMPORT, "after_effect": True, "after": 1}, 4, 2),
            # Both sessions are written down: the retry waits for them and sends only what is left.
            ({"operation": STATUS}, 3, 4),
            ({"operation": STATUS, "after": 1}, 3, 4),
            ({"operation": STATUS, "after": 4}, 3, 4),
        ],
    )
    def test_a_retry_goes_on(
        self, attempt: Any, emulator: Any, there: Any, sent: Any, fault: Any, imports: int, skipped: int
    ) -> None:
        emulator.faults.add("kill", times=1, **fault)
        killed = attempt(1)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        again = attempt(2)
        assert again.returncode == 0, again.stderr
        told = json.loads(again.stdout.splitlines()[-1])
        assert told["state"] == "success", told
        assert told["value"] == counts(read=6, accepted=6 - skipped, skipped=skipped)
        assert len([record for record in emulator.requests.records(IMPORT) if record.handled_status]) == imports
        account = emulator.state.as_dict()["esputnik"]
        assert sorted(there()) == [f"reader{n}@example.com" for n in range(1, 7)]
        assert len(account["events"]) == 6
