# SPDX-License-Identifier: Apache-2.0
"""Looks for what must not be found: a customer or a secret in Airflow's logs or anywhere in its database."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from demo.folders import shown

BEARER = re.compile(r"bearer\s+[a-z0-9._~+/-]{12,}", re.IGNORECASE)


class Wanted:
    """Texts to look for, in the shapes in which a log or a database could hold them.

    :param texts: the text, by what it is
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        shapes: dict[str, str] = {}
        for what, text in texts.items():
            for shape in (text, json.dumps(text)[1:-1], quote(text, safe="")):
                shapes[shape.casefold()] = what
        self._shapes = shapes
        # One pass over a text finds all of them; the longest first, so that none hides another.
        self._pattern = re.compile("|".join(re.escape(shape) for shape in sorted(shapes, key=len, reverse=True)))

    def found_in(self, text: str) -> set[str]:
        """Return what of it is in a text."""
        found = {self._shapes[match] for match in self._pattern.findall(text.casefold())}
        if BEARER.search(text):
            found.add("a bearer token")
        return found


def in_files(wanted: Wanted, *folders: Path) -> tuple[int, dict[str, set[str]]]:
    """Look through all files of some folders.

    :return: how many files there were, and what was found by file
    """
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    found = {shown(path): wanted.found_in(path.read_text(errors="replace")) for path in files}
    return len(files), {path: what for path, what in found.items() if what}


def in_database(wanted: Wanted, path: Path) -> tuple[int, dict[str, set[str]]]:
    """Look through every column of every table.

    :return: how many values there were, and what was found by column
    """
    count, found = 0, dict[str, set[str]]()
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        for place, text in _values(connection):
            count += 1
            if what := wanted.found_in(text):
                found.setdefault(place, set()).update(what)
    return count, found


def _values(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608
        columns = [column[0] for column in rows.description]
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, bytes):
                    yield f"{table}.{column}", value.decode(errors="replace")
                elif isinstance(value, str):
                    yield f"{table}.{column}", value


__all__ = ["Wanted", "in_database", "in_files"]
