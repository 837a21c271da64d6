# SPDX-License-Identifier: Apache-2.0
"""Rows of a file: CSV or JSON Lines, on this machine or in a store behind an Airflow connection."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, TextIO

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows.column_names import are_names, listed
from airflow_provider_sendpulse.rows.source import Row
from airflow_provider_sendpulse.rows.storage import as_template, storage_path

_LONGEST = 1_000_000
"""Characters of a line that is still taken for one; more is another kind of file."""

_SUFFIXES = (".csv", ".jsonl")


class FileRows:
    """The rows of a CSV or JSON Lines file, read as they are needed: memory does not grow with their number.

    The name says which it is: ``.csv`` or ``.jsonl``, or either with ``.gz``. A value of a CSV file is text, as it stands
    there; an empty one stays empty text. Empty lines are left out.

    :param path: an absolute path, or a URL such as ``s3://my_connection@bucket/readers.csv`` (templated)
    :param columns: a mapping renames columns (name in the file to name of the row's column) and keeps the others; a list
        names the columns of a CSV file that has no header
    :param delimiter: what separates the values of a CSV file
    :param encoding: of the text; a byte order mark is left out
    """

    template_fields: Sequence[str] = ("path",)

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Mapping[str, str] | Sequence[str] | None = None,
        delimiter: str = ",",
        encoding: str = "utf-8-sig",
    ) -> None:
        self.path: str | os.PathLike[str] = as_template(path)
        self.columns = columns
        self.delimiter = delimiter
        self.encoding = encoding

    def rows(self) -> Iterator[Row]:
        """Read the file and yield its rows.

        :raises InvalidRequest: when it is not there, or a line cannot be read; the message has the line's number
        """
        path = storage_path(self.path, "rows")
        name = path.name.removesuffix(".gz")
        if not name.endswith(_SUFFIXES):
            raise InvalidRequest(f"{path.name} ends in neither {' nor '.join(_SUFFIXES)}, with .gz or without.")
        try:
            raw = path.open("rb")
        except FileNotFoundError:
            raise InvalidRequest(f"There is no file {path}.") from None
        with raw, _text(raw, path.name.endswith(".gz"), self.encoding) as stream:
            yield from self._csv(stream) if name.endswith(".csv") else self._json_lines(stream)

    def _csv(self, stream: TextIO) -> Iterator[Row]:
        lines = _Lines(stream)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        # A list of names stands for the header; a mapping, or nothing, leaves it to the file.
        columns = None if self.columns is None or isinstance(self.columns, Mapping) else [*self.columns]
        while True:
            start = lines.number + 1
            values, fault = _next(reader)
            if fault:
                raise InvalidRequest(f"Line {start}: {fault}.")
            if values is None:
                return
            if not values:
                continue
            if columns is None:
                columns = self._renamed(values, start)
            elif len(values) != len(columns):
                raise InvalidRequest(f"Line {start}: {len(values)} values, and there are {len(columns)} columns.")
            else:
                yield dict(zip(columns, values, strict=True))

    def _json_lines(self, stream: TextIO) -> Iterator[Row]:
        lines = _Lines(stream)
        for line in lines:
            if not line.strip():
                continue
            value: Any = None
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(line)
            # Not inside a handler: its error holds the line.
            if not isinstance(value, dict):
                raise InvalidRequest(f"Line {lines.number}: not a JSON object.")
            if isinstance(self.columns, Mapping):
                value = {self.columns.get(name, name): item for name, item in value.items()}
            yield value

    def _renamed(self, header: list[str], line: int) -> list[str]:
        names = [name.strip() for name in header]
        if isinstance(self.columns, Mapping):
            if missing := [name for name in self.columns if name not in names]:
                raise InvalidRequest(f"The file has no column {', '.join(missing)}; it has {listed(names)}.")
            names = [self.columns.get(name, name) for name in names]
        if len(set(names)) != len(names):
            if not are_names(names):
                raise InvalidRequest(f"Line {line}: two columns have one name; there are {listed(names)}.")
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InvalidRequest(f"Line {line}: more than one column named {', '.join(twice)}.")
        return names

    def __str__(self) -> str:
        return f"FileRows({str(self.path)!r})"


class _Lines:
    """The lines of a text, counted, none of them without an end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._stream.readline(_LONGEST)
        except UnicodeError:
            fault = "the text is not in the encoding that was said"
        except (EOFError, OSError, zlib.error) as error:
            if not isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
                raise
            fault = "the compressed file is damaged here"
        else:
            if not line:
                raise StopIteration
            self.number += 1
            if len(line) < _LONGEST:
                return line
            raise InvalidRequest(f"Line {self.number}: longer than {_LONGEST:,} characters.")
        raise InvalidRequest(f"After line {self.number}: {fault}.")


def _next(reader: Any) -> tuple[list[str] | None, str]:
    """Return the next values, or ``None`` at the end, and what is wrong with them."""
    try:
        return next(reader, None), ""
    except csv.Error as error:
        return None, str(error)


@contextlib.contextmanager
def _text(raw: IO[bytes], is_compressed: bool, encoding: str) -> Iterator[TextIO]:
    with contextlib.ExitStack() as stack:
        binary: Any = stack.enter_context(gzip.open(raw)) if is_compressed else raw
        try:
            stream = io.TextIOWrapper(binary, encoding=encoding, newline="")
        except LookupError:
            raise InvalidRequest(f"There is no encoding {encoding}.") from None
        try:
            yield stream
        finally:
            stream.detach()


__all__ = ["FileRows"]
