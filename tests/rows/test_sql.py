# SPDX-License-Identifier: Apache-2.0
"""Rows of a query, through real databases and Airflow connections."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import os
import socket
import sqlite3

import pytest

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows import RowSource, SqlRows

COUNT = 2500


@pytest.fixture
def shop(tmp_path, monkeypatch):
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE customers (email TEXT, name TEXT, orders INTEGER)")
        rows = [(f"reader{number}@example.com", f"Олена {number}", number) for number in range(COUNT)]
        database.executemany("INSERT INTO customers VALUES (?, ?, ?)", rows)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


@pytest.fixture
def connections(monkeypatch):
    """Every connection that the hook opens, with whether it was closed."""
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    opened = []
    connect = SqliteHook.get_conn

    class Watched:
        def __init__(self, connection):
            self._connection = connection
            self.is_closed = False
            self.fetched = []

        def cursor(self):
            cursor, watched = self._connection.cursor(), self

            class Cursor:
                def __getattr__(self, name):
                    return getattr(cursor, name)

                def fetchmany(self, size):
                    batch = cursor.fetchmany(size)
                    watched.fetched.append(len(batch))
                    return batch

            return Cursor()

        def close(self):
            self.is_closed = True
            self._connection.close()

    def watch(hook):
        opened.append(Watched(connect(hook)))
        return opened[-1]

    monkeypatch.setattr(SqliteHook, "get_conn", watch)
    return opened


def test_all_rows(shop, connections):
    source = SqlRows("shop", 'SELECT email, name AS "Ім\'я", orders FROM customers ORDER BY orders')
    rows = [*source.rows()]
    assert len(rows) == COUNT
    assert rows[-1] == {"email": "reader2499@example.com", "Ім'я": "Олена 2499", "orders": 2499}
    assert isinstance(source, RowSource)
    [connection] = connections
    assert connection.is_closed
    assert connection.fetched == [1000, 1000, 500, 0]


def test_read_again_from_the_beginning(shop, connections):
    source = SqlRows("shop", "SELECT email FROM customers LIMIT 2")
    assert [*source.rows()] == [*source.rows()]
    assert [connection.is_closed for connection in connections] == [True, True]


@pytest.mark.parametrize("size", [1, 7, COUNT, 10_000])
def test_fetch_size(shop, connections, size):
    source = SqlRows("shop", "SELECT email FROM customers LIMIT 21", fetch_size=size)
    assert len([*source.rows()]) == 21
    assert connections[0].fetched == {1: [1] * 21 + [0], 7: [7, 7, 7, 0]}.get(size, [21, 0])


@pytest.mark.parametrize(
    ("where", "parameters"),
    [("orders = ?", [7]), ("orders = ?", (7,)), ("orders = :orders", {"orders": 7}), ("name LIKE ?", ["Олена 7"])],
)
def test_parameters(shop, where, parameters):
    source = SqlRows("shop", f"SELECT email FROM customers WHERE {where}", parameters)
    assert [*source.rows()] == [{"email": "reader7@example.com"}]


def test_no_parameters_leave_placeholders_alone(shop):
    assert [*SqlRows("shop", "SELECT '%s ? :x' AS text").rows()] == [{"text": "%s ? :x"}]


def test_no_rows(shop, connections):
    assert [*SqlRows("shop", "SELECT email FROM customers WHERE 1 = 0").rows()] == []
    assert connections[0].is_closed


@pytest.mark.parametrize("columns", ["email, email", "email, name AS email, orders, orders", "1 AS x, 2 AS x"])
def test_columns_of_one_name_are_refused(shop, connections, columns):
    with pytest.raises(InvalidRequest, match=r"more than one column named .*rename with AS"):
        next(SqlRows("shop", f"SELECT {columns} FROM customers").rows())
    gc.collect()
    assert connections[0].is_closed


def test_nothing_is_opened_before_the_first_row(shop, connections):
    SqlRows("shop", "SELECT 1").rows()
    assert connections == []


def test_the_connection_is_closed_when_reading_stops_early(shop, connections):
    rows = SqlRows("shop", "SELECT email FROM customers").rows()
    next(rows)
    assert not connections[0].is_closed
    rows.close()
    assert connections[0].is_closed


def test_the_connection_is_closed_when_the_reader_fails(shop, connections):
    def read():
        for _ in SqlRows("shop", "SELECT email FROM customers").rows():
            raise RuntimeError("stop")

    with contextlib.suppress(RuntimeError):
        read()
    gc.collect()
    assert connections[0].is_closed


def test_the_connection_is_closed_when_the_query_fails(shop, connections):
    with pytest.raises(sqlite3.OperationalError):
        next(SqlRows("shop", "SELECT nothing FROM nowhere").rows())
    assert connections[0].is_closed


def test_what_it_shows_says_where_rows_come_from(shop):
    source = SqlRows("shop", "SELECT email FROM customers WHERE email = ?", ["secret@example.com"])
    assert str(source) == "SqlRows(conn_id='shop', sql='SELECT email FROM customers WHERE email = ?')"


def test_fields_to_render():
    assert SqlRows.template_fields == ("conn_id", "sql", "parameters")


# The same through servers, where they and Airflow's provider for them are there.

SERVERS = {
    "postgres": (
        5432,
        "SELECT 'reader@example.com' AS email, n AS \"Ім'я\" FROM generate_series(1, 2500) AS n WHERE n > %s",
    ),
    "mysql": (
        3306,
        "WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < 900) "
        "SELECT 'reader@example.com' AS email, n AS `Ім'я` FROM s WHERE n > %s",
    ),
}


@pytest.fixture(params=SERVERS)
def server(request, monkeypatch):
    kind = request.param
    port, query = SERVERS[kind]
    if (
        importlib.util.find_spec("airflow.providers") is None
        or importlib.util.find_spec(f"airflow.providers.{kind}") is None
    ):
        pytest.skip(f"Airflow's {kind} provider is not installed")
    connection = os.environ.get(f"TEST_{kind.upper()}_CONNECTION")
    if connection is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if os.environ.get("CI") == "true":
                pytest.fail(f"nothing answers on port {port}")
            pytest.skip(f"nothing answers on port {port}")
        names = {"login": "test", "password": "test", "schema": "test"}
        connection = json.dumps({"conn_type": kind, "host": "127.0.0.1", "port": port, **names})
    monkeypatch.setenv("AIRFLOW_CONN_SERVER", connection)
    return query


def test_through_a_server(server):
    rows = [*SqlRows("server", server, [3], fetch_size=100).rows()]
    assert rows[0] == {"email": "reader@example.com", "Ім'я": 4}
    assert len(rows) > 800


def test_a_server_is_left_alone_when_reading_stops_early(server):
    rows = SqlRows("server", server, [3], fetch_size=100).rows()
    next(rows)
    rows.close()
