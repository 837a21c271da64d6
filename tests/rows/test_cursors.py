# SPDX-License-Identifier: Apache-2.0
"""Which queries leave their result at a PostgreSQL server."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse.rows.cursors import streaming

# The driver is recognised by the module of its connection.
Connection = type("Connection", (), {"__module__": "psycopg", "autocommit": False})


class Cursor:
    def close(self):
        pass


def is_left_at_the_server(sql):
    names = []
    connection = Connection()
    connection.cursor = lambda *name, **settings: names.append(name) or Cursor()
    with streaming(connection, sql, another=Connection):
        [name] = names
        return bool(name)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email FROM log WHERE action = 'update'",
        "SELECT email FROM log WHERE action IN ('it''s a delete', E'o\\'insert into') ORDER BY 1;",
        'SELECT "update", email AS "insert into" FROM log',
        "-- delete; update\nSELECT /* into; insert */ email FROM log -- merge",
        "WITH x AS (SELECT $$ delete $$, $a$ ; update $a$) SELECT * FROM x WHERE y <> ';update z' ;",
        "(SELECT 1)",
        "VALUES ('delete')",
    ],
)
def test_what_only_reads(sql):
    assert is_left_at_the_server(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH gone AS (DELETE FROM log RETURNING email) SELECT email FROM gone",
        "SELECT email INTO copy FROM log WHERE action = 'update'",
        "SELECT email FROM log FOR UPDATE",
        "UPDATE log SET a = 'select' RETURNING email",
        "SELECT 1; DELETE FROM log",
        "SELECT 'a' -- '\n; DELETE FROM log",
        "CALL readers()",
    ],
)
def test_what_may_write(sql):
    assert not is_left_at_the_server(sql)
