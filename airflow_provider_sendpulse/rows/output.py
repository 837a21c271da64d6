# SPDX-License-Identifier: Apache-2.0
"""Where figures, statuses and contacts go that come back from the service: a file, or a table of a database."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows import tables
from airflow_provider_sendpulse.rows.formulas import guarded
from airflow_provider_sendpulse.rows.replaced_files import replacing, why_not_writable
from airflow_provider_sendpulse.rows.spool import Spool
from airflow_provider_sendpulse.rows.storage import as_template, storage_path

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

Record = Mapping[str, Any]
"""A value for each column of a layout; ``None`` for what is not known."""

_SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class Layout:
    """What records look like.

    :param noun: what they are, in the plural
    :param columns: name to kind, in their order: ``str``, ``int``, ``float``, ``bool``, or ``dict`` for what is written as
        JSON. None of the names is a reserved word of a database
    :param key: the columns that say which record is which; their text has at most 320 characters
    """

    noun: str
    columns: Mapping[str, type]
    key: tuple[str, ...]


class Output(Protocol):
    """Takes records. Its ``str`` says where, and shows no secret."""

    def prepare(self, layout: Layout, *, adding: bool = False) -> None:
        """Find out, before anything is asked for, whether records can be written there.

        :param adding: whether they are to be added to what is there
        :raises InvalidRequest: when they cannot
        """
        ...

    def write(self, layout: Layout, records: Iterable[Record], *, of: Mapping[str, Any] | None = None) -> int:
        """Write records in place of what is there of them, all or none, and return how many.

        :param of: what they are all the records of, as values of columns: whatever else is there of it is deleted
        """
        ...

    def add(self, layout: Layout, records: Iterable[Record]) -> int:
        """Add records to what is there, each key once, all or none, and return how many were given."""
        ...


class OutputFile:
    """A CSV or JSON Lines file, by its suffix. It is written anew each time, and readable by its owner only.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe in front.

    :param path: an absolute path, or a URL such as ``s3://my_connection@bucket/readers/{{ ds }}.csv`` (templated)
    """

    template_fields: Sequence[str] = ("path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: str | os.PathLike[str] = as_template(path)

    def prepare(self, layout: Layout, *, adding: bool = False) -> None:
        """See whether the file may be written, or added to.

        :raises InvalidRequest: when it may not, its suffix is neither ``.csv`` nor ``.jsonl``, or it is to be added to and
            holds something else
        """
        path = self._place(layout)
        if trouble := why_not_writable(path, str(self)):
            raise InvalidRequest(trouble)
        if adding:
            for _ in self._there(path, layout):
                pass

    def write(self, layout: Layout, records: Iterable[Record], *, of: Mapping[str, Any] | None = None) -> int:
        """Write the file anew; without records it holds none."""
        path = self._place(layout)
        with replacing(path) as stream:
            if path.name.endswith(".csv"):
                writer = csv.writer(stream, lineterminator="\r\n")
                writer.writerow(layout.columns)
                return _counted(writer.writerow, map(_cells, _ordered(layout, records)))
            lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in _ordered(layout, records))
            return _counted(stream.write, lines)

    def add(self, layout: Layout, records: Iterable[Record]) -> int:
        """Write the file anew with what it holds already and these records, each key once."""
        path = self._place(layout)
        with contextlib.closing(Spool()) as news, contextlib.closing(Spool()) as kept:
            for record in _ordered(layout, records):
                news.add(record)
            news.flush()
            keys = {self._key(record, layout) for record in news}
            # Before the file is opened for writing, which empties it in a store.
            for row in self._there(path, layout):
                if self._key(row, layout) not in keys:
                    kept.add(row)
            kept.flush()
            with replacing(path) as stream:
                if path.name.endswith(".csv"):
                    writer = csv.writer(stream, lineterminator="\r\n")
                    writer.writerow(layout.columns)
                    # What is there is guarded already.
                    _counted(writer.writerow, (row.values() for row in kept))
                    _counted(writer.writerow, map(_cells, news))
                else:
                    _counted(stream.write, (json.dumps(row, ensure_ascii=False) + "\n" for row in chain(kept, news)))
            return len(news)

    def _there(self, path: Any, layout: Layout) -> Iterator[dict[str, Any]]:
        """Yield what a file holds as it stands there; nothing where there is none."""
        if not path.exists():
            return
        with path.open("r", encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream) if path.name.endswith(".csv") else (_object(line) for line in stream)
            for row in rows:
                if [*row] != [*layout.columns] or None in row.values():
                    raise InvalidRequest(
                        f"{self} holds something else than {layout.noun}, which can only be added to such."
                    )
                yield row

    @staticmethod
    def _key(record: Record, layout: Layout) -> tuple[str, ...]:
        return tuple(str(record[name]) for name in layout.key)

    def _place(self, layout: Layout) -> Any:
        path = storage_path(self.path, layout.noun)
        if not path.name.endswith(_SUFFIXES):
            raise InvalidRequest(f"The path of {layout.noun} ends in neither {' nor '.join(_SUFFIXES)}.")
        return path

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"OutputFile({str(self.path)!r})"


class OutputTable:
    """A table of a SQL database, which is created when it is missing. A record replaces the one with its key.

    :param conn_id: Airflow connection of the database (templated)
    :param table: name of the table, with its schema or without (templated)
    """

    template_fields: Sequence[str] = ("conn_id", "table")

    def __init__(self, conn_id: str, table: str) -> None:
        self.conn_id = conn_id
        self.table = table

    def prepare(self, layout: Layout, *, adding: bool = False) -> None:
        """Create the table if it is missing.

        :raises InvalidRequest: when its name is none, or it is there with other columns
        """
        table = self._table(layout)
        with tables.opened(self.conn_id) as engine:
            tables.create(engine, table)
            tables.require_columns(engine, table, layout.columns, str(self))

    def write(self, layout: Layout, records: Iterable[Record], *, of: Mapping[str, Any] | None = None) -> int:
        """Replace records, in one transaction; it begins when the last one was read."""
        import sqlalchemy as sa

        table = self._table(layout)
        keys = sa.tuple_(*(table.c[name] for name in layout.key))

        def change(connection: Connection) -> int:
            if of is not None:
                connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in of.items())))
            written = 0
            for batch in tables.batches(spool):
                # A list that changes while it is read can hold a record twice.
                unique = {tuple(record[name] for name in layout.key): record for record in batch}
                connection.execute(sa.delete(table).where(keys.in_(unique)))
                connection.execute(sa.insert(table), [_cell_texts(record) for record in unique.values()])
                written += len(unique)
            return written

        with contextlib.closing(Spool()) as spool:
            for record in _ordered(layout, records):
                spool.add(record)
            spool.flush()
            with tables.opened(self.conn_id) as engine:
                return tables.transaction(engine, change)

    def add(self, layout: Layout, records: Iterable[Record]) -> int:
        """Add records: a table keeps the others."""
        return self.write(layout, records)

    def _table(self, layout: Layout) -> Table:
        import sqlalchemy as sa

        # Compared byte by byte: to MySQL, addresses that differ in an accent would be one.
        key_text = sa.String(320).with_variant(sa.String(320, collation="utf8mb4_bin"), "mysql", "mariadb")
        kinds: dict[type, Any] = {
            str: sa.Text(),
            dict: sa.Text(),
            int: sa.BigInteger(),
            float: sa.Float(53),
            bool: sa.Boolean(),
        }
        columns = [
            sa.Column(
                name,
                key_text if kind is str and name in layout.key else kinds[kind],
                primary_key=name in layout.key,
                autoincrement=False,
                nullable=name not in layout.key,
            )
            for name, kind in layout.columns.items()
        ]
        return tables.table_of(self.table, columns, layout.noun)

    def __str__(self) -> str:
        return f"the table {self.table} of the connection {self.conn_id}"

    def __repr__(self) -> str:
        return f"OutputTable(conn_id={self.conn_id!r}, table={self.table!r})"


def output_of(value: Any, name: str = "output") -> Output:
    """Return what an argument means that says where to write: a path or URL of a file, or an output.

    :raises InvalidRequest: for anything else
    """
    if isinstance(value, OutputFile | OutputTable):
        return value
    if isinstance(value, str | os.PathLike) or hasattr(value, "protocol"):
        return OutputFile(value)
    raise InvalidRequest(f"{name} is a {type(value).__name__}; it is a path, an OutputFile or an OutputTable.")


def distinct_outputs(values: Mapping[str, Any]) -> dict[str, Output]:
    """Return what the arguments of one operator mean that say where to write; ``None`` among them means nowhere.

    :param values: name of an argument to its value
    :raises InvalidRequest: when two of them are the same place, or one is no output
    """
    outputs = {name: output_of(value, name) for name, value in values.items() if value is not None}
    seen: dict[str, str] = {}
    for name, output in outputs.items():
        first = seen.setdefault(_spelled(output), name)
        if first != name:
            raise InvalidRequest(f"{first} and {name} are the same place, {output}, and one would replace the other.")
    return outputs


def _spelled(output: Output) -> str:
    """Return a text that is the same for outputs of the same place, however their path is written."""
    text = str(output)
    return os.path.normpath(text) if text.startswith("/") else text


def _ordered(layout: Layout, records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield records with the columns of the layout in their order; another column is an error of ours."""
    for record in records:
        if record.keys() != layout.columns.keys():
            raise ValueError(f"a record of {layout.noun} has other columns than its layout")
        yield {name: record[name] for name in layout.columns}


def _cell_texts(record: Record) -> dict[str, Any]:
    """Return a record with what is written as JSON as text."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list | tuple) else value
        for name, value in record.items()
    }


def _cells(record: Record) -> list[Any]:
    return [guarded(value) for value in _cell_texts(record).values()]


def _object(line: str) -> dict[str, Any]:
    """Return the object of a line of JSON Lines; an empty one when there is none."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _counted(write: Callable[[Any], Any], items: Iterable[Any]) -> int:
    count = 0
    for item in items:
        write(item)
        count += 1
    return count


__all__ = ["Layout", "Output", "OutputFile", "OutputTable", "Record", "distinct_outputs", "output_of"]
