# SPDX-License-Identifier: Apache-2.0
"""Rejects in tables of real databases."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from rejected import RUN, keep, row
from services import own_name

from airflow_provider_sendpulse.exceptions import InvalidRequest, RejectsNotWritten
from airflow_provider_sendpulse.rows import RejectsTable
from airflow_provider_sendpulse.rows.rejects import COLUMNS
from airflow_provider_sendpulse.rows.rejects_spool import SpooledRejects


@pytest.fixture
def table(database):
    name = own_name("rejects")
    yield name
    with database.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))


def entries(database, table):
    with database.connect() as connection:
        found = connection.execute(
            sa.text(f"SELECT * FROM {table} ORDER BY dag_id, task_id, run_id, map_index, source_row")
        )
        return [dict(one) for one in found.mappings()]


def numbers(database, table):
    return [entry["source_row"] for entry in entries(database, table)]


def test_what_is_written(database, table):
    keep(RejectsTable("shop", table), row(7, "in_doubt", "lost 🌻", "7/Олена", "олена@example.com", "+380 44 000-00-01"))
    [entry] = entries(database, table)
    assert tuple(entry) == COLUMNS
    assert {name: entry[name] for name in COLUMNS[:11]} == {
        "dag_id": "a_dag",
        "run_id": "scheduled__2026-01-05",
        "task_id": "add",
        "map_index": -1,
        "try_number": 1,
        "source_row": 7,
        "outcome": "in_doubt",
        "row_key": "7/Олена",
        "reason": "lost 🌻",
        "email": "олена@example.com",
        "phone": "+380 44 000-00-01",
    }


def test_a_retry_replaces_its_own_rows_only(database, table):
    place = RejectsTable("shop", table)
    others = [{"run_id": "another"}, {"map_index": 1}, {"task_id": "other"}, {"dag_id": "other"}]
    for other in others:
        keep(place, row(1), run=dataclasses.replace(RUN, **other))
    keep(place, row(1), row(2))
    retry = dataclasses.replace(RUN, try_number=2)
    keep(place, row(2), row(3), run=retry)
    keep(place, row(2), row(3), run=retry)
    mine = [
        entry for entry in entries(database, table) if all(entry[n] == v for n, v in RUN.as_entry().items() if n[0] != "t")
    ]
    assert sorted((entry["source_row"], entry["try_number"]) for entry in mine if entry["task_id"] == "add") == [
        (2, 2),
        (3, 2),
    ]
    assert len(entries(database, table)) == 2 + len(others)
    keep(place, run=retry)
    assert len(entries(database, table)) == len(others)


def test_many_rows(database, table):
    keep(RejectsTable("shop", table), *(row(number) for number in range(1, 2502)))
    assert numbers(database, table) == [*range(1, 2502)]


def test_what_is_too_old_is_deleted_whoever_wrote_it(database, table):
    def run(name):
        return dataclasses.replace(RUN, run_id=name)

    keep(RejectsTable("shop", table, retention=timedelta(days=1)), row(1), run=run("day"))
    keep(RejectsTable("shop", table), row(1), run=run("month"))
    keep(RejectsTable("shop", table, retention=None), row(1), run=run("for ever"))
    with database.begin() as connection:
        connection.execute(sa.text(f"UPDATE {table} SET expires_at = '2026-01-01T00:00:00Z' WHERE run_id = 'day'"))
    keep(RejectsTable("shop", table), run=run("another"))
    assert {entry["run_id"] for entry in entries(database, table)} == {"month", "for ever"}


def test_nothing_changes_when_it_cannot_be_written(database, table, monkeypatch):
    place = RejectsTable("shop", table)
    keep(place, row(1))
    with pytest.raises(RejectsNotWritten, match="IntegrityError") as caught:
        # Two outcomes for one row: the database would not have it either.
        keep(place, *(row(number) for number in range(1, 700)), row(5, email="secret@example.com"))
    assert numbers(database, table) == [1]
    assert "example.com" not in str(caught.value)
    assert caught.value.__context__ is None


def test_broken_text_is_written(database, table):
    keep(RejectsTable("shop", table), row(1, email="a\ud83d\0@example.com", key="x" * 70_000, reason="'; DROP TABLE x; --"))
    [entry] = entries(database, table)
    assert entry["email"] == "a\\ud83d\\x00@example.com"
    assert entry["reason"] == "'; DROP TABLE x; --"


def test_tasks_that_write_side_by_side(database, table):
    place = RejectsTable("shop", table)
    barrier, errors = threading.Barrier(6), []

    def work(index):
        run = dataclasses.replace(RUN, map_index=index)
        try:
            barrier.wait(timeout=30)
            place.prepare(run)
            for _ in range(3):
                rejects = SpooledRejects(place, run, place.retention)
                for number in range(1, 61):
                    rejects.write(row(number))
                rejects.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert errors == []
    assert len(entries(database, table)) == 6 * 60


def test_a_table_of_somebody_else_is_left_alone(database, table):
    with database.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {table} (email VARCHAR(100))"))
        connection.execute(sa.text(f"INSERT INTO {table} VALUES ('ada@example.com')"))
    with pytest.raises(InvalidRequest, match=r"is there and has no columns dag_id, run_id"):
        keep(RejectsTable("shop", table), row(1))
    assert entries_of_somebody(database, table) == ["ada@example.com"]


def entries_of_somebody(database, table):
    with database.connect() as connection:
        return [*connection.execute(sa.text(f"SELECT email FROM {table}")).scalars()]


@pytest.mark.parametrize("name", ["", "a b", "a;b", 'a"b', "a`b", "1a", "a.b.c", ".a", "a.", "таблиця", "a" * 64, "a\n"])
def test_names_that_are_none(name, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": "/nowhere/x.db"}))
    with pytest.raises(InvalidRequest, match="needs a plain name"):
        RejectsTable("shop", name).prepare(RUN)


def test_a_table_in_a_schema(database, table):
    if database.dialect.name == "sqlite":
        schema = "main"
    else:
        schema = "public" if database.dialect.name == "postgresql" else database.url.database
    keep(RejectsTable("shop", f"{schema}.{table}"), row(1))
    assert numbers(database, table) == [1]


def test_a_connection_that_is_no_database(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sendpulse", "password": "secret"}))
    with pytest.raises(InvalidRequest, match="no installed provider"):
        RejectsTable("shop").prepare(RUN)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "unheard_of", "password": "secret"}))
    with pytest.raises(InvalidRequest, match="no installed provider"):
        RejectsTable("shop").prepare(RUN)


def test_its_text_says_where():
    place = RejectsTable("shop", "rejects")
    assert (str(place), repr(place)) == (
        "the table rejects of the connection shop",
        "RejectsTable(conn_id='shop', table='rejects')",
    )
    assert RejectsTable.template_fields == ("conn_id", "table")
