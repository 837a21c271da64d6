# SPDX-License-Identifier: Apache-2.0
"""Rows of a query, through real databases and Airflow connections."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from services import require

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


def test_what_it_shows_holds_no_address(shop):
    source = SqlRows("shop", "SELECT email FROM customers WHERE email = 'secret@example.com' AND phone = '+380501234567'")
    assert str(source) == (
        "SqlRows(conn_id='shop', sql=\"SELECT email FROM customers WHERE email = '<address>' AND phone = '<number>'\")"
    )


# The same through servers. Each driver is met as an Airflow hook hands it out.

SERIES = {
    "postgresql": "SELECT 'reader@example.com' AS email, n AS \"Ім'я\" FROM generate_series(1, {count}) AS n "
    "WHERE n > %s ORDER BY n",
    "mariadb": "SELECT 'reader@example.com' AS email, seq AS `Ім'я` FROM seq_1_to_{count} WHERE seq > %s ORDER BY seq",
}


def connect_psycopg(url, **arguments):
    import psycopg

    return psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database, **arguments)


def connect_psycopg2(url, **arguments):
    psycopg2 = pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    return psycopg2.connect(host=url.host, port=url.port, user=url.username, dbname=url.database, **arguments)


def connect_pymysql(url, **arguments):
    import pymysql

    names = {"user": url.username, "password": url.password or "", "database": url.database}
    return pymysql.connect(host=url.host, port=url.port, charset="utf8mb4", **names, **arguments)


DRIVERS = {
    "psycopg": ("postgresql", connect_psycopg),
    "psycopg2": ("postgresql", connect_psycopg2),
    "pymysql": ("mariadb", connect_pymysql),
}


class Hook:
    """Hands out connections, and remembers them."""

    def __init__(self, connect, url, **arguments):
        self._connect = lambda: connect(url, **arguments)
        self.opened = []

    def get_conn(self):
        self.opened.append(self._connect())
        return self.opened[-1]

    def get_hook(self):
        return self

    def all_closed(self):
        return all(bool(getattr(one, "closed", False)) or getattr(one, "open", None) is False for one in self.opened)


@pytest.fixture(params=[*DRIVERS, "airflow"])
def server(request, monkeypatch):
    """The kind of database behind the connection ``server``, and how to set more up."""
    service, connect = DRIVERS.get(request.param, ("postgresql", None))
    url = sa.make_url(require(service))

    def use(**arguments):
        if connect is None:
            pytest.importorskip("airflow.providers.postgres", reason="Airflow's postgres provider is not installed")
            names = {"login": url.username, "password": url.password, "port": url.port, "schema": url.database}
            connection = {"conn_type": "postgres", "host": url.host, **names}
            monkeypatch.setenv("AIRFLOW_CONN_SERVER", json.dumps(connection))
            return None
        from airflow.sdk import BaseHook

        hook = Hook(connect, url, **arguments)
        monkeypatch.setattr(BaseHook, "get_connection", lambda _: hook)
        return hook

    return service, request.param, use


def test_through_a_server(server):
    service, _, use = server
    hook = use()
    rows = [*SqlRows("server", SERIES[service].format(count=2500), [3], fetch_size=100).rows()]
    assert rows[0] == {"email": "reader@example.com", "Ім'я": 4}
    assert [row["Ім'я"] for row in rows] == [*range(4, 2501)]
    assert hook is None or hook.all_closed()


def test_no_rows_of_a_server(server):
    service, _, use = server
    use()
    assert [*SqlRows("server", SERIES[service].format(count=1), [3]).rows()] == []


@pytest.mark.parametrize("parameters", [[3], None])
def test_columns_of_one_name_through_a_server(server, parameters):
    _, _, use = server
    use()
    for where in ("n = 1", "n = 0"):
        source = SqlRows("server", f"SELECT n AS x, n AS x FROM (SELECT 1 AS n) AS s WHERE {where}")
        with pytest.raises(InvalidRequest, match="more than one column named x"):
            next(source.rows())


def test_a_server_is_left_alone_when_reading_stops_early(server):
    service, _, use = server
    hook = use()
    # Without an order, the server does not produce all of them before the first one.
    sql = SERIES[service].format(count=20_000_000).partition(" ORDER BY")[0]
    if service == "postgresql":
        function = "generate_series(1, 20000000)"
        sql = sql.replace(f"{function} AS n", f"(SELECT {function} AS n) AS s")
    rows = SqlRows("server", sql, [3], fetch_size=100).rows()
    next(rows)
    begin = time.monotonic()
    rows.close()
    gc.collect()
    # To read on to the end would take a minute.
    assert time.monotonic() - begin < 5
    assert hook is None or hook.all_closed()


@pytest.mark.parametrize(
    "sql",
    [
        "WITH s AS (SELECT 1 AS n) SELECT n FROM s",
        "/* all; of; them */ -- what\n (SELECT 1 AS n)",
        "SELECT 1 AS n;",
        "SELECT 1 AS n; -- that is it",
        "SELECT 'insert into x' IS NULL OR 1 AS n",
    ],
)
def test_other_ways_to_ask(server, sql):
    _, _, use = server
    use()
    if "OR" in sql and server[0] == "postgresql":
        sql = "SELECT 1 AS n WHERE 'insert into x' IS NOT NULL"
    assert [*SqlRows("server", sql).rows()] == [{"n": 1}]


def test_what_cannot_be_a_cursor_on_the_server(server):
    service, _, use = server
    use()
    sql = "SHOW server_version" if service == "postgresql" else "SHOW VARIABLES LIKE 'version'"
    assert len([*SqlRows("server", sql).rows()]) == 1


def test_a_connection_outside_transactions(server):
    service, driver, use = server
    hook = use(autocommit=True) if driver in ("psycopg", "pymysql") else use()
    if driver == "psycopg2":
        connect = hook.get_conn

        def committing():
            connection = connect()
            connection.autocommit = True
            return connection

        hook.get_conn = committing
    rows = SqlRows("server", SERIES[service].format(count=2500), [0], fetch_size=1000).rows()
    assert len([*rows]) == 2500


def test_connections_that_return_mappings(server):
    service, driver, use = server
    if driver == "psycopg":
        from psycopg.rows import dict_row

        use(row_factory=dict_row)
    elif driver == "psycopg2":
        extras = pytest.importorskip("psycopg2.extras", reason="psycopg2 is not installed")
        use(cursor_factory=extras.RealDictCursor)
    elif driver == "pymysql":
        from pymysql.cursors import DictCursor

        use(cursorclass=DictCursor)
    else:
        pytest.skip("the provider's own setting of this comes to one of the others")
    [row] = SqlRows("server", SERIES[service].format(count=4), [3]).rows()
    assert row == {"email": "reader@example.com", "Ім'я": 4}


def test_a_mysql_server_waits_for_a_slow_delivery(server):
    service, _, use = server
    if service != "mariadb":
        pytest.skip("only MySQL servers give up on a slow reader")
    use()
    assert [*SqlRows("server", "SELECT @@SESSION.net_write_timeout AS seconds").rows()] == [{"seconds": 86400}]


MEASURE = """
    import contextlib, json, os, resource, sys
    sys.path[:0] = sys.argv[4:]
    import sqlalchemy as sa
    import test_sql
    from airflow.sdk import BaseHook
    from airflow_provider_sendpulse.rows import SqlRows

    driver, url = sys.argv[1], sa.make_url(sys.argv[2])
    service, connect = test_sql.DRIVERS[driver]
    hook = test_sql.Hook(connect, url)
    BaseHook.get_connection = classmethod(lambda *_: hook)

    def read(count):
        return sum(1 for _ in SqlRows("server", test_sql.SERIES[service].format(count=count), [0]).rows())

    read(10_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(read(int(sys.argv[3])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("driver", DRIVERS)
def test_memory_does_not_grow_with_the_rows(driver, tmp_path):
    url = require(DRIVERS[driver][0])
    pytest.importorskip(driver, reason=f"{driver} is not installed")
    arguments = [
        sys.executable,
        "-c",
        textwrap.dedent(MEASURE),
        driver,
        url,
        "300000",
        str(Path(__file__).parent),
        *sys.path,
    ]
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    ran = subprocess.run(arguments, check=True, timeout=300, capture_output=True, text=True, env=environment)
    count, grown = ran.stdout.split()[-2:]
    assert int(count) == 300_000
    assert int(grown) < 10_000  # KB
