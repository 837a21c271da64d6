# SPDX-License-Identifier: Apache-2.0
"""What comes back from the service, written to files and tables of real databases."""

from __future__ import annotations

import csv
import json
import stat
import threading

import pytest
import sqlalchemy as sa
from services import own_name

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows import OutputFile, OutputTable
from airflow_provider_sendpulse.rows.output import Layout, output_of

LAYOUT = Layout(
    "contacts",
    {"address_book_id": int, "email": str, "status": int, "share": float, "mailed": bool, "variables": dict},
    ("address_book_id", "email"),
)


def record(email, book=7, **fields):
    values = {"status": 1, "share": 0.25, "mailed": True, "variables": {"Имя": "Олена"}}
    return {"email": email, "address_book_id": book, **values, **fields}


class TestFile:
    """CSV and JSON Lines."""

    def test_csv(self, tmp_path):
        path = tmp_path / "new" / "readers.csv"
        output = output_of(path)
        output.prepare(LAYOUT)
        assert output.write(LAYOUT, iter([record("=1+1@example.com"), record("b@example.com", status=None)])) == 2
        lines = [*csv.reader(path.read_text().splitlines())]
        assert lines == [
            ["address_book_id", "email", "status", "share", "mailed", "variables"],
            ["7", "'=1+1@example.com", "1", "0.25", "True", '{"Имя": "Олена"}'],
            ["7", "b@example.com", "", "0.25", "True", '{"Имя": "Олена"}'],
        ]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_json_lines(self, tmp_path):
        path = tmp_path / "readers.jsonl"
        OutputFile(path).write(LAYOUT, [record("a@example.com")])
        assert [json.loads(line) for line in path.read_text().splitlines()] == [record("a@example.com")]

    def test_it_stays_as_it_was_when_reading_fails(self, tmp_path):
        path = tmp_path / "readers.csv"
        path.write_text("before")

        def broken():
            yield record("a@example.com")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            OutputFile(path).write(LAYOUT, broken())
        assert path.read_text() == "before"
        assert [*tmp_path.iterdir()] == [path]

    def test_no_records(self, tmp_path):
        path = tmp_path / "readers.csv"
        assert OutputFile(path).write(LAYOUT, []) == 0
        assert len(path.read_text().splitlines()) == 1

    def test_what_cannot_be_written_is_known_before(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(InvalidRequest, match="path of contacts ends in neither"):
            OutputFile(tmp_path / "readers.xlsx").prepare(LAYOUT)
        with pytest.raises(InvalidRequest, match="not a folder that this task may write to"):
            OutputFile(tmp_path / "file" / "readers.csv").prepare(LAYOUT)

    @pytest.mark.parametrize("wrong", [None, 7, ["a.csv"]])
    def test_what_is_no_output(self, wrong):
        with pytest.raises(InvalidRequest, match="OutputTable"):
            output_of(wrong)


class TestTable:
    """A table of each kind of database."""

    @pytest.fixture
    def table(self, database):
        name = own_name("output")
        yield name
        with database.begin() as connection:
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))

    def found(self, database, table):
        with database.connect() as connection:
            rows = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY address_book_id, email")).mappings()
            return [{**row, "mailed": bool(row["mailed"]), "variables": json.loads(row["variables"])} for row in rows]

    def test_what_is_written(self, database, table):
        output = OutputTable("shop", table)
        output.prepare(LAYOUT)
        output.prepare(LAYOUT)
        assert output.write(LAYOUT, iter([record("a@example.com"), record("á@example.com")])) == 2
        assert self.found(database, table) == [record("a@example.com"), record("á@example.com")]

    def test_a_record_replaces_the_one_with_its_key(self, database, table):
        output = OutputTable("shop", table)
        output.prepare(LAYOUT)
        output.write(LAYOUT, [record("a@example.com"), record("b@example.com")])
        output.write(LAYOUT, [record("a@example.com", status=4), record("a@example.com", status=5)])
        assert [(one["email"], one["status"]) for one in self.found(database, table)] == [
            ("a@example.com", 5),
            ("b@example.com", 1),
        ]

    def test_what_is_not_there_any_more(self, database, table):
        output = OutputTable("shop", table)
        output.prepare(LAYOUT)
        output.write(LAYOUT, [record("a@example.com"), record("b@example.com"), record("a@example.com", book=8)])
        output.write(LAYOUT, [record("b@example.com")], of={"address_book_id": 7})
        assert [(one["address_book_id"], one["email"]) for one in self.found(database, table)] == [
            (7, "b@example.com"),
            (8, "a@example.com"),
        ]

    def test_all_or_none(self, database, table):
        output = OutputTable("shop", table)
        output.prepare(LAYOUT)
        output.write(LAYOUT, [record("a@example.com")])

        def broken():
            yield from (record(f"{number}@example.com") for number in range(2000))
            raise RuntimeError

        with pytest.raises(RuntimeError):
            output.write(LAYOUT, broken(), of={"address_book_id": 7})
        assert [one["email"] for one in self.found(database, table)] == ["a@example.com"]

    def test_many_and_side_by_side(self, database, table):
        output = OutputTable("shop", table)
        output.prepare(LAYOUT)

        def write(book):
            output.write(
                LAYOUT, (record(f"{number}@example.com", book) for number in range(1200)), of={"address_book_id": book}
            )

        threads = [threading.Thread(target=write, args=(book,)) for book in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(self.found(database, table)) == 3600

    def test_another_table(self, database, table):
        with database.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {table} (email VARCHAR(100))"))
        with pytest.raises(InvalidRequest, match="has no columns address_book_id, status"):
            OutputTable("shop", table).prepare(LAYOUT)

    def test_no_name(self):
        with pytest.raises(InvalidRequest, match="table of contacts needs a plain name"):
            OutputTable("shop", "a; DROP TABLE b").prepare(LAYOUT)
