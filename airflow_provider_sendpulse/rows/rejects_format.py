# SPDX-License-Identifier: Apache-2.0
"""Rejects as CSV or JSON Lines, and how a file of ours is recognised."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.formulas import guarded
from airflow_provider_sendpulse.rows.rejects import COLUMNS, Entry

_HEADER = ",".join(COLUMNS)
_WHOLE_NUMBERS = ("map_index", "try_number", "source_row")


class Format(Protocol):
    """How rejects are written to a file."""

    def write(self, stream: TextIO, entries: Iterable[Entry]) -> None:
        """Write entries."""
        ...

    def read(self, stream: TextIO) -> Iterator[Entry]:
        """Yield the entries of a file.

        :raises NotOurs: when it was not written here
        """
        ...


class NotOurs(Exception):
    """A file was not written here."""


class CsvFormat:
    """Comma-separated values in UTF-8, safe to open in a spreadsheet.

    A value that a spreadsheet would run as a formula gets an apostrophe in front, as one would type it there. Reading takes
    it away again.
    """

    def write(self, stream: TextIO, entries: Iterable[Entry]) -> None:
        """Write a header and a line for each entry."""
        writer = csv.writer(stream, lineterminator="\r\n")
        stream.write(_HEADER + "\r\n")
        for entry in entries:
            writer.writerow([guarded(entry[column]) for column in COLUMNS])

    def read(self, stream: TextIO) -> Iterator[Entry]:
        """Yield the entries.

        :raises NotOurs: when the first line is not our header
        """
        try:
            if stream.readline(10_000).rstrip("\r\n") != _HEADER:
                raise NotOurs
            for values in csv.reader(stream):
                if len(values) != len(COLUMNS):
                    raise NotOurs
                yield _entry({name: value.removeprefix("'") for name, value in zip(COLUMNS, values, strict=True)})
        except (csv.Error, UnicodeError, ValueError):
            raise NotOurs from None


class JsonLinesFormat:
    """A JSON object on every line, values as they are."""

    def write(self, stream: TextIO, entries: Iterable[Entry]) -> None:
        """Write a line for each entry."""
        for entry in entries:
            stream.write(json.dumps({column: entry[column] for column in COLUMNS}, ensure_ascii=False) + "\n")

    def read(self, stream: TextIO) -> Iterator[Entry]:
        """Yield the entries.

        :raises NotOurs: when a line is not an object with our keys
        """
        try:
            while line := stream.readline(100_000):
                values = json.loads(line)
                if not isinstance(values, dict) or tuple(values) != COLUMNS:
                    raise NotOurs
                yield _entry(values)
        except (UnicodeError, ValueError, TypeError):
            raise NotOurs from None


FORMATS: dict[str, Format] = {".csv": CsvFormat(), ".jsonl": JsonLinesFormat()}


def format_of(name: str) -> tuple[str, Format]:
    """Return the suffix and the format of a file name.

    :raises InvalidRequest: for another suffix
    """
    for suffix, found in FORMATS.items():
        if name.endswith(suffix):
            return suffix, found
    raise InvalidRequest(f"The path of rejects ends in {' or '.join(FORMATS)}, and this one does not.")


def _entry(values: dict[str, str | int | None]) -> Entry:
    return {
        name: int(value)
        if name in _WHOLE_NUMBERS and value is not None
        else (value or None if name == "expires_at" else value)
        for name, value in values.items()
    }


__all__ = ["FORMATS", "CsvFormat", "Format", "JsonLinesFormat", "NotOurs", "format_of"]
