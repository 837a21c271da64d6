# SPDX-License-Identifier: Apache-2.0
"""Cursors that leave a result at the server and fetch it bit by bit.

psycopg, psycopg2, PyMySQL and mysqlclient read the whole result of a query into memory otherwise. They are recognised by
their connections, and none is imported here. Other drivers stream by themselves.
"""

from __future__ import annotations

import contextlib
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

# A cursor on a PostgreSQL server is for one statement that only reads.
_NOT_WORDS = re.compile(
    r"(?is)\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/"
)
_READS = re.compile(r"(?is)[(\s]*(?:select|with|values|table)\b(?!.*;\s*[^\s;])")
_WRITES = re.compile(r"(?i)\b(?:insert|update|delete|merge|into)\b")

_MYSQL = {"pymysql": "pymysql.cursors", "MySQLdb": "MySQLdb.cursors"}

_WRITE_TIMEOUT = 24 * 3600
"""Seconds. A MySQL server gives up a result that nobody reads for a minute, and deliveries can be that slow."""


@contextlib.contextmanager
def streaming(connection: Any, sql: str, another: Callable[[], Any]) -> Iterator[Any]:
    """Yield a cursor for a query that does not read everything at once, and close it in the end.

    :param connection: of any DB-API driver
    :param sql: the query, which is not carried out here
    :param another: opens a second connection to the same server
    """
    drivers = {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}
    if drivers & {"psycopg", "psycopg2"} and _only_reads(sql):
        # Outside a transaction a cursor has to be kept beyond the end of its statement.
        cursor = connection.cursor(f"airflow_{uuid.uuid4().hex}", withhold=bool(connection.autocommit))
        with contextlib.closing(cursor):
            yield cursor
    elif module := next((module for driver, module in _MYSQL.items() if driver in drivers), None):
        with _mysql(connection, sys.modules[module].SSCursor, another) as cursor:
            yield cursor
    else:
        with contextlib.closing(connection.cursor()) as cursor:
            yield cursor


def _only_reads(sql: str) -> bool:
    words = _NOT_WORDS.sub(lambda found: " " if found[0].startswith(("--", "/*")) else " _ ", sql)
    return bool(_READS.match(words) and not _WRITES.search(words))


@contextlib.contextmanager
def _mysql(connection: Any, kind: Any, another: Callable[[], Any]) -> Iterator[Any]:
    with contextlib.closing(connection.cursor()) as settings:
        settings.execute(f"SET SESSION net_write_timeout = {_WRITE_TIMEOUT}")
    cursor = connection.cursor(kind)
    try:
        yield cursor
    except BaseException:
        # Closing reads on to the end of the result, which may be far away.
        with (
            contextlib.suppress(Exception),
            contextlib.closing(another()) as other,
            contextlib.closing(other.cursor()) as killer,
        ):
            killer.execute(f"KILL QUERY {int(connection.thread_id())}")
        with contextlib.suppress(Exception):
            cursor.close()
        raise
    cursor.close()


__all__ = ["streaming"]
