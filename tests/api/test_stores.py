# SPDX-License-Identifier: Apache-2.0
"""The stores that hosts share, against real servers: every change counts once, and nothing is locked."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from services import own_name, require

from airflow_provider_sendpulse.api.redis_store import KEPT, RedisAddress, RedisStore
from airflow_provider_sendpulse.api.shared import Busy, Store
from airflow_provider_sendpulse.api.sql_store import SqlAddress, SqlStore
from airflow_provider_sendpulse.api.unreachable import Unreachable

KINDS = ["redis", "postgresql", "mariadb", "sqlite"]


@dataclasses.dataclass
class Place:
    """A store of this test alone.

    :param open: returns another store of the same records, as another process has it
    :param spoil: writes what is not ours in place of a record
    :param everything: returns all that is stored, as bytes
    """

    kind: str
    address: Any
    name: str
    open: Callable[[], Any]
    spoil: Callable[[str, bytes], None]
    everything: Callable[[], bytes]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Place]:
    kind = request.param
    opened: list[Any] = []

    def opening(make: Callable[[], Any]) -> Callable[[], Any]:
        def open_() -> Any:
            opened.append(make())
            return opened[-1]

        return open_

    if kind == "redis":
        import redis

        require(kind)
        name = own_name("test") + ":"
        address: Any = RedisAddress("127.0.0.1", 6379)
        with redis.Redis.from_url(require(kind)) as client:
            try:
                yield Place(
                    kind,
                    address,
                    name,
                    opening(lambda: RedisStore(address, prefix=name)),
                    lambda key, content: client.set(name + key, content),
                    lambda: b"\n".join(key + b" " + client.get(key) for key in client.scan_iter(name + "*")),
                )
            finally:
                for key in client.scan_iter(name + "*"):
                    client.delete(key)
                for store in opened:
                    store.close()
        return

    import sqlalchemy as sa

    url = f"sqlite+pysqlite:///{tmp_path / 'coordination.db'}" if kind == "sqlite" else require(kind)
    name = own_name("test_coordination")
    address = SqlAddress(url)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")

    def run(statement: str, **values: Any) -> Any:
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement), values)
            return result.all() if result.returns_rows else None

    def spoil(key: str, content: bytes) -> None:
        text = content.partition(b"\n")[2].decode("latin-1").replace("\0", "")
        run(f"UPDATE {name} SET record = :text WHERE name = :key", key=key, text=text)

    try:
        yield Place(
            kind,
            address,
            name,
            opening(lambda: SqlStore(address, table=name)),
            spoil,
            lambda: repr(run(f"SELECT * FROM {name}")).encode(),
        )
    finally:
        for store in opened:
            store.close()
        run(f"DROP TABLE IF EXISTS {name}")
        engine.dispose()


def patiently(store: Store, key: str, change: Any) -> Any:
    while True:
        try:
            return store.try_update(key, change)
        except Busy:
            time.sleep(0.001)


def count(record: Any) -> Any:
    return {"count": (record or {}).get("count", 0) + 1}, None


def test_records(place: Place) -> None:
    one, other = place.open(), place.open()
    assert one.remote
    assert one.try_update("x", lambda record: ({"a": 1, "ї": "ґ"}, record)) is None
    assert other.try_update("x", lambda record: (None, record)) == {"a": 1, "ї": "ґ"}
    assert other.try_update("x", lambda record: ({"b": 2}, "result")) == "result"
    assert one.try_update("x", lambda record: (None, record)) == {"b": 2}
    assert one.try_update("x", lambda record: ({"b": 2}, 7)) == 7, "a record may stay what it is"
    assert one.try_update("y", lambda record: (None, record)) is None


def test_who_was_faster_wins_and_the_other_is_told(place: Place) -> None:
    one, other = place.open(), place.open()
    for before in (None, {"count": 1}):

        def meanwhile(record: Any, before: Any = before) -> Any:
            assert record == before
            other.try_update("x", count)
            return {"lost": True}, None

        with pytest.raises(Busy):
            one.try_update("x", meanwhile)
    assert one.try_update("x", lambda record: (None, record)) == {"count": 2}


def test_a_record_that_was_changed_and_changed_back_is_no_reason_to_fail_or_to_lose(place: Place) -> None:
    one, other = place.open(), place.open()
    one.try_update("x", lambda record: ({"a": 1}, None))

    def meanwhile(record: Any) -> Any:
        other.try_update("x", lambda _: ({"a": 2}, None))
        other.try_update("x", lambda _: ({"a": 1}, None))
        return {"a": 3}, None

    with pytest.raises(Busy):
        one.try_update("x", meanwhile)


def test_no_change_of_many_threads_is_lost_also_when_all_create_the_store(place: Place) -> None:
    threads, times = 8, 10
    begin = threading.Barrier(threads)

    def work(_: int) -> None:
        store = place.open()
        begin.wait()
        for _ in range(times):
            patiently(store, "x", count)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert place.open().try_update("x", lambda record: (None, record)) == {"count": threads * times}


def test_one_store_serves_many_threads(place: Place) -> None:
    store = place.open()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: patiently(store, "x", count), range(60)))
    assert store.try_update("x", lambda record: (None, record)) == {"count": 60}


def test_a_change_that_fails_changes_nothing(place: Place) -> None:
    store = place.open()
    store.try_update("x", lambda record: ({"a": 1}, None))
    with pytest.raises(ZeroDivisionError):
        store.try_update("x", lambda record: ({"a": 1 / 0}, None))
    with pytest.raises(TypeError):
        store.try_update("x", lambda record: ({"a": object()}, None))
    assert store.try_update("x", lambda record: (None, record)) == {"a": 1}


@pytest.mark.parametrize("content", [b"", b"\n", b"x\n{", b"\n[1]", b"\nnull", b"\xff\xfe\n\xff", b'\n"text"'], ids=repr)
def test_a_damaged_record_is_as_good_as_none(place: Place, content: bytes) -> None:
    store = place.open()
    store.try_update("x", lambda record: ({"a": 1}, None))
    place.spoil("x", content)
    assert store.try_update("x", lambda record: ({"b": 2}, record)) is None
    assert store.try_update("x", lambda record: (None, record)) == {"b": 2}


FORKED = """
import os, sys
from {module} import {address}, {store}

store = {store}({address}(*{arguments!r}), **{options!r})
count = lambda record: ({{"count": (record or {{}}).get("count", 0) + 1}}, None)
store.try_update("x", count)
child = os.fork()
for _ in range(50):
    while True:
        try:
            store.try_update("x", count)
            break
        except Exception as error:
            if type(error).__name__ != "Busy":
                raise
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
store.try_update("x", count)
"""


def test_a_forked_process_has_connections_of_its_own(place: Place) -> None:
    kind = "Redis" if place.kind == "redis" else "Sql"
    script = FORKED.format(
        module=f"airflow_provider_sendpulse.api.{kind.lower()}_store",
        address=f"{kind}Address",
        store=f"{kind}Store",
        arguments=dataclasses.astuple(place.address),
        options={"prefix" if place.kind == "redis" else "table": place.name},
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert place.open().try_update("x", lambda record: (None, record)) == {"count": 102}


@pytest.mark.parametrize("place", ["redis"], indirect=True)
def test_redis_forgets_what_nobody_changes(place: Place) -> None:
    import redis

    store = place.open()
    store.try_update("x", count)
    with redis.Redis.from_url(require("redis")) as client:
        assert KEPT - 5 < client.ttl(place.name + "x") <= KEPT
        client.expire(place.name + "x", 10)
        store.try_update("x", lambda record: (None, None))
        assert client.ttl(place.name + "x") <= 10, "reading does not prolong"
        store.try_update("x", count)
        assert KEPT - 5 < client.ttl(place.name + "x") <= KEPT


@pytest.mark.parametrize("place", ["redis"], indirect=True)
def test_a_write_to_redis_whose_answer_was_lost_counts_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.connection import Connection
    from redis.exceptions import ConnectionError as Lost

    store = place.open()
    store.try_update("x", count)
    lost: list[str] = []
    read = Connection.read_response

    def lose(connection: Any, *arguments: Any, **options: Any) -> Any:
        answer = read(connection, *arguments, **options)
        if answer == 1 and not lost:
            lost.append("once")
            connection.disconnect()
            raise Lost
        return answer

    monkeypatch.setattr(Connection, "read_response", lose)
    store.try_update("x", count)
    assert lost
    assert store.try_update("x", lambda record: (None, record)) == {"count": 2}


def test_a_connection_that_was_closed_while_it_lay_idle_is_replaced(place: Place) -> None:
    store = place.open()
    store.try_update("x", count)
    if place.kind == "redis":
        store._redis.connection_pool._available_connections[0]._sock.shutdown(2)
    elif place.kind != "sqlite":
        with store._engine.connect() as connection:
            raw = connection.connection.driver_connection
            descriptor = raw.fileno() if place.kind == "postgresql" else raw._sock.fileno()
        import socket

        with socket.socket(fileno=os.dup(descriptor)) as same:
            same.shutdown(socket.SHUT_RDWR)
    store.try_update("x", count)
    assert store.try_update("x", lambda record: (None, record)) == {"count": 2}


@pytest.mark.parametrize("place", KINDS[1:], indirect=True)
def test_a_table_that_was_removed_comes_back(place: Place) -> None:
    store = place.open()
    store.try_update("x", count)
    with store._engine.connect() as connection:
        connection.exec_driver_sql(f"DROP TABLE {place.name}")
    with pytest.raises(Unreachable):
        store.try_update("x", count)
    store.try_update("x", count)


def closed_port() -> int:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def unreachable(kind: str) -> Any:
    port = closed_port()
    if kind == "redis":
        return RedisAddress("127.0.0.1", port, username="the-user", password="the-password")
    scheme = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}[kind]
    return SqlAddress(f"{scheme}://the-user:the-password@127.0.0.1:{port}/the-database")


@pytest.mark.parametrize("kind", ["redis", "postgresql", "mariadb"])
def test_nobody_listens(kind: str) -> None:
    address = unreachable(kind)
    store = address.open()
    with pytest.raises(Unreachable) as caught:
        store.try_update("x", count)
    store.close()
    told = f"{caught.value} {caught.value!r} {caught.value.__cause__} {address!r}"
    for secret in ("the-user", "the-password", "the-database"):
        assert secret not in told


def test_a_wrong_password_is_told_by_its_kind() -> None:
    require("mariadb")
    store = SqlStore(SqlAddress("mysql+pymysql://nobody:the-password@127.0.0.1:3306/test"))
    with pytest.raises(Unreachable, match=r"^OperationalError \d+$"):
        store.try_update("x", count)
    store.close()


def test_a_killed_process_leaves_nothing_locked(place: Place) -> None:
    store = place.open()
    store.try_update("x", count)
    kind = "Redis" if place.kind == "redis" else "Sql"
    named = "prefix" if kind == "Redis" else "table"
    script = f"""
import os, signal
from airflow_provider_sendpulse.api.{kind.lower()}_store import {kind}Address, {kind}Store
store = {kind}Store({kind}Address(*{dataclasses.astuple(place.address)!r}), {named}={place.name!r})
store.try_update("x", lambda record: os.kill(os.getpid(), signal.SIGKILL))
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    store.try_update("x", count)


def test_nothing_readable_is_kept(place: Place, lab: Any) -> None:
    from airflow_provider_sendpulse.api.call import Call
    from airflow_provider_sendpulse.api.lease import Lease

    token = "canary-token-value"
    lab.token_replies = [lab.reply(json={"access_token": token, "expires_in": 3600})]
    lab.answer(lab.reply(429), lab.reply(json={"result": True}))
    whose = lab.account()
    client = lab.client(whose, store=place.open())
    client.send(Call.raw("GET", "/books"))
    Lease(place.open(), whose.leases_key, "mailing-0123456789abcdef", "the_dag\0the_run\0the_task", lab.clock).take(100)
    stored = place.everything()
    for key in (whose.token_key, whose.budget_key, whose.leases_key):
        assert key.encode() in stored
    for secret in (token, "the-client-id", "the-client-secret", "api.invalid", "the_dag", "the_run", "the_task"):
        assert secret.encode() not in stored
    assert lab.received[-1].bearer == token
