# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows into eSputnik, through Airflow's task runner."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from contact_imports import MAPPING, ROWS, counts, load

from airflow_provider_sendpulse.operators.esputnik.imports import ContactMapping
from airflow_provider_sendpulse.rows import FileRows, SqlRows

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")


def test_an_import(runner: Any, there: Any, sent: Any, emulator: Any) -> None:
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


def test_what_is_named_is_cleared_and_what_is_not_stays(runner: Any, there: Any) -> None:
    runner.run(load())
    rows = [{"email": "ada@example.com", "phone": None}]
    assert runner.run(load(rows, mapping=ContactMapping(email="email", sms="phone"))).state == "success"
    ada = there()["ada@example.com"]
    assert ada["firstName"] == "Ада"
    assert [item["type"] for item in ada["channels"]] == ["email"]


def test_a_table_in_batches(runner: Any, there: Any, sent: Any, tmp_path: Path, monkeypatch: Any) -> None:
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


def test_additional_fields_are_held_against_the_account(runner: Any, there: Any, sent: Any, emulator: Any) -> None:
    rows = [{"email": "ada@example.com", "spent": 12}]
    result = runner.run(load(rows, mapping={"email": "email", "fields": {"30002": "spent"}}))
    assert result.state == "success", result.error
    [body] = sent()
    assert body["customFieldsIDs"] == [30002]
    refused = runner.run(load(rows, mapping={"email": "email", "fields": {"SPEND": "spent"}}))
    assert refused.state == "failed"
    assert "no additional field 'SPEND'" in str(refused.error)
    assert len(sent()) == 1


def test_unconfirmed_rows_are_refused(runner: Any, there: Any) -> None:
    rows = [{"email": "ada@example.com", "agreed": True}, {"email": "bob@example.com", "agreed": "no"}]
    result = runner.run(load(rows, mapping={"email": "email", "confirmed": "agreed"}, max_rejected_ratio=0.5))
    assert result.value == counts(read=2, accepted=1, invalid=1)
    assert "EsputnikSubscribeContactOperator" in result.log
    assert [*there()] == ["ada@example.com"]


@pytest.mark.parametrize(
    ("rows", "mapping"),
    [
        (ROWS, MAPPING | {"sms": "phnoe"}),
        (ROWS, MAPPING | {"sms": "{{ params.no_such }}"}),
        (ROWS, {"email": "e_mail", "sms": "phone"}),
        (["ada@example.com"], {"email": "email", "sms": "phone"}),
    ],
)
def test_a_column_that_is_not_there_clears_nothing(runner: Any, there: Any, sent: Any, rows: Any, mapping: Any) -> None:
    runner.run(load())
    before = there()
    dedupe_on = "sms" if "e_mail" in mapping.values() else "email"
    result = runner.run(load(rows, mapping=mapping, dedupe_on=dedupe_on, params={"no_such": None}))
    assert type(result.error).__name__ == "InvalidRequest"
    assert "no column" in str(result.error)
    assert len(sent()) == 1
    assert there() == before


def test_a_later_row_without_a_column_clears_nothing(runner: Any, there: Any, tmp_path: Path) -> None:
    runner.run(load())
    path = tmp_path / "rows.jsonl"
    rows = [ROWS[1], {name: value for name, value in ROWS[0].items() if name != "phone"}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    result = runner.run(load(FileRows(str(path)), max_rejected_ratio=0.5))
    assert result.value == counts(read=2, accepted=1, invalid=1), result.error
    assert "Row 2: the row has no column phone" in result.log
    assert len(there()["ada@example.com"]["channels"]) == 2


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_row_takes_the_external_id_away(runner: Any, there: Any, nothing: Any) -> None:
    mapping = {"email": "email", "external_customer_id": "id"}
    rows = [{"email": "ada@example.com", "id": 42}, {"email": "bob@example.com", "id": 43}]
    assert runner.run(load(rows, mapping=mapping)).state == "success"
    rows[0]["id"] = nothing
    result = runner.run(load(rows, mapping=mapping, max_rejected_ratio=0.5))
    assert result.value == counts(read=2, accepted=1, invalid=1), result.error
    assert "does not name it" in result.log
    assert there()["ada@example.com"]["externalCustomerId"] == "42"


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("bad", [1, 2])
def test_contacts_that_are_refused_at_once(
    runner: Any, there: Any, emulator: Any, tmp_path: Path, collapse: bool, bad: int
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


def test_too_many_are_refused(runner: Any) -> None:
    result = runner.run(load([*ROWS, {"email": "x@example.com", "phone": "", "name": "12345"}]))
    assert result.state == "failed"
    assert "1 of 4 rows went wrong" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=4, accepted=3, rejected=1)
    assert len(result.xcom("sessions", "load")) == 1


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
        ({"group_names": "News", "group_names_exclude": ["Old", "News"]}, "join and leave one segment: News"),
        ({"restore_deleted": "false"}, "restore_deleted is 'false'"),
        ({"settle_window": 0}, "settle_window is 0"),
        ({"mapping_output": 7}, "it is a path"),
    ],
)
def test_what_cannot_be_meant(runner: Any, sent: Any, arguments: dict[str, Any], message: str) -> None:
    rows = arguments.pop("contacts", ROWS)
    result = runner.run(load(rows, **arguments))
    assert result.state == "failed"
    assert message in str(result.error)
    assert sent() == []


def test_an_event_key_that_may_not_be_taken_is_told_of(runner: Any) -> None:
    result = runner.run(load(event_key_for_new_contacts="from-shop"))
    assert result.state == "success", result.error
    assert "Latin letters and digits" in result.log
