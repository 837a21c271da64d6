# SPDX-License-Identifier: Apache-2.0
"""A coordination connection: how it is read, and that hosts share a token and a budget through it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from services import own_name, require

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.api.databases import Driver
from airflow_provider_sendpulse.api.redis_store import PREFIX, RedisAddress
from airflow_provider_sendpulse.api.sql_store import TABLE, SqlAddress
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks import coordination
from airflow_provider_sendpulse.hooks.coordination import address_of
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger

SECRET = "c4n4ry5ecret0f0ne5t0re"


def connection(conn_type: str, extra: Any = None, **fields: Any) -> Any:
    from airflow.sdk import Connection

    return Connection(conn_id="coordination", conn_type=conn_type, extra=json.dumps(extra) if extra else None, **fields)


class TestAddresses:
    """The fields mean what they mean to Airflow's own hooks."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, RedisAddress()),
            ({"host": "r.example", "port": 6380}, RedisAddress("r.example", 6380)),
            (
                {"host": "r", "login": "u", "password": SECRET, "extra": {"db": 3}},
                RedisAddress("r", username="u", password=SECRET, database=3),
            ),
            ({"host": "r", "extra": {"db": "4"}}, RedisAddress("r", database=4)),
            ({"host": "r", "schema": "2"}, RedisAddress("r", database=2)),
            ({"host": "r", "extra": {"db": None, "ssl": False}}, RedisAddress("r")),
            (
                {"host": "r", "extra": {"ssl": True}},
                RedisAddress("r", tls=(("ssl_cert_reqs", "required"), ("ssl_check_hostname", True))),
            ),
            (
                {
                    "host": "r",
                    "extra": {"ssl": "true", "ssl_cert_reqs": "CERT_NONE", "ssl_ca_certs": "/ca.pem", "ssl_keyfile": ""},
                },
                RedisAddress(
                    "r", tls=(("ssl_ca_certs", "/ca.pem"), ("ssl_cert_reqs", "none"), ("ssl_check_hostname", False))
                ),
            ),
        ],
    )
    def test_redis(self, fields: dict[str, Any], expected: RedisAddress) -> None:
        assert address_of(connection("redis", **fields)) == expected

    def test_redis_as_a_uri(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_COORDINATION", f"redis://:{SECRET}@r.example:6380/5?ssl=true")
        address = address_of(SendPulseHook.get_connection("coordination"))
        assert isinstance(address, RedisAddress)
        assert (address.host, address.port, address.database, address.password) == ("r.example", 6380, 5, SECRET)
        assert address.tls

    @pytest.mark.parametrize("conn_type", ["postgres", "postgresql"])
    def test_postgresql(self, conn_type: str) -> None:
        fields = {"host": "p.example", "port": 5433, "login": "u@x", "password": "p:/@", "schema": "s"}
        extra = {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "cursor": "dictcursor", "sslkey": ""}
        address = address_of(connection(conn_type, extra, **fields))
        assert isinstance(address, SqlAddress)
        assert address.url == f"postgresql+psycopg://{quote('u@x')}:{quote('p:/@', safe='')}@p.example:5433/s"
        assert json.loads(address.arguments) == {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}

    @pytest.mark.parametrize("conn_type", ["mysql", "mariadb"])
    @pytest.mark.parametrize("ssl", [{"ca": "/ca.pem"}, '{"ca": "/ca.pem"}'])
    def test_mariadb(self, conn_type: str, ssl: Any) -> None:
        address = address_of(connection(conn_type, {"ssl": ssl, "charset": "x"}, host="m", login="u", schema="s"))
        assert isinstance(address, SqlAddress)
        assert address.url == "mysql+pymysql://u@m/s"
        assert json.loads(address.arguments) == {"ssl": {"ca": "/ca.pem"}}

    @pytest.mark.parametrize("fields", [{"host": "/x/y.db"}, {"schema": "/x/y.db"}])
    def test_sqlite(self, fields: dict[str, Any]) -> None:
        assert address_of(connection("sqlite", **fields)) == SqlAddress("sqlite+pysqlite:////x/y.db")

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            (connection("sendpulse"), "is of type 'sendpulse'"),
            (connection("http"), "is of type 'http'"),
            (connection("redis", {"db": "first"}), "db that is not a number"),
            (connection("redis", schema=SECRET), "db that is not a number"),
            (connection("redis", {"ssl": True, "ssl_cert_reqs": "maybe"}), "ssl_cert_reqs"),
            (connection("sqlite"), "no path"),
            (connection("mysql", {"ssl": "yes"}), "ssl that is not a JSON object"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_meant_is_told(self, wrong: Any, told: str) -> None:
        with pytest.raises(InvalidRequest, match=told) as caught:
            address_of(wrong)
        assert "'coordination'" in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_secrets_do_not_show(self) -> None:
        for kind in ("redis", "postgres", "mysql"):
            assert SECRET not in repr(address_of(connection(kind, host="h", login="u", password=SECRET)))

    @pytest.mark.parametrize(("kind", "extra"), [("redis", "redis"), ("postgres", "psycopg"), ("mysql", "pymysql")])
    def test_what_is_not_installed_is_told(self, monkeypatch: pytest.MonkeyPatch, kind: str, extra: str) -> None:
        monkeypatch.setitem(sys.modules, "redis", None)
        monkeypatch.setattr(Driver, "is_installed", False)
        with pytest.raises(InvalidRequest, match=r"not installed|none is installed") as caught:
            coordination.coordination_of(connection(kind, host=f"{own_name('h')}.invalid"))
        assert extra in str(caught.value)

    def test_one_address_has_one_store(self) -> None:
        one = coordination.coordination_of(connection("redis", host="h.invalid"))
        assert coordination.coordination_of(connection("redis", host="h.invalid")) is one


@pytest.fixture(params=["redis", "postgresql", "mariadb", "sqlite"])
def coordinated(
    request: pytest.FixtureRequest, connect: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[], bytes]]:
    """Let ``sendpulse_default`` share through a store; returns how to see all that is kept there."""
    import sqlalchemy as sa

    kind = request.param
    connect(extra={"coordination_conn_id": "coordination", "requests_per_second": 20})
    with contextlib.ExitStack() as stack:
        if kind == "redis":
            import redis

            url = urlsplit(require(kind))
            fields: dict[str, Any] = {"conn_type": "redis", "host": url.hostname, "port": url.port}
            client = stack.enter_context(redis.Redis.from_url(require(kind)))
            whose = SendPulseHook().settings.account
            keys = [PREFIX + key for key in (whose.token_key, whose.budget_key, whose.leases_key)]
            stack.callback(lambda: client.delete(*keys))

            def everything() -> bytes:
                return b"\n".join(client.get(key) or b"" for key in keys)

        else:
            if kind == "sqlite":
                fields = {"conn_type": "sqlite", "host": str(tmp_path / "coordination.db")}
                engine = sa.create_engine(f"sqlite:///{fields['host']}")
            else:
                # A database of its own: the table's name is always the same.
                name = own_name("test_coordination")
                admin = sa.create_engine(require(kind), isolation_level="AUTOCOMMIT")
                stack.callback(admin.dispose)
                run(admin, f"CREATE DATABASE {name}")
                stack.callback(run, admin, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgresql" else ""))
                address = sa.make_url(require(kind)).set(database=name)
                engine = sa.create_engine(address)
                conn_type = "postgres" if kind == "postgresql" else "mysql"
                fields = {"conn_type": conn_type, "host": address.host, "port": address.port, "login": address.username}
                fields |= {"password": address.password, "schema": name}
            stack.callback(engine.dispose)

            def everything() -> bytes:
                with engine.connect() as connection:
                    return repr(connection.execute(sa.text(f"SELECT * FROM {TABLE}")).all()).encode()

        monkeypatch.setenv("AIRFLOW_CONN_COORDINATION", json.dumps(fields))
        stack.callback(close_all)
        yield everything


def run(engine: Any, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def close_all() -> None:
    from airflow_provider_sendpulse.api.coordination import _stores

    for store in _stores.values():
        store._far.close()
    _stores.clear()


def test_two_hosts_make_one_token_call_and_keep_one_budget(coordinated: Any, account: Any, tmp_path: Path) -> None:
    calls, per_second = 15, 20
    # Both are waiting for it by then.
    account.emulator.faults.add("slow", operation="tokens.issue", seconds=0.5, times=None)
    program = Path(__file__).parents[1] / "support" / "shared_calls.py"
    with contextlib.ExitStack() as stack:
        hosts = []
        for host in ("one", "two"):
            process = subprocess.Popen(
                [sys.executable, str(program), str(calls)],
                env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / host)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            hosts.append(process)
        for process in hosts:
            # Airflow logs to the same stream.
            assert any(line == "ready\n" for line in iter(process.stdout.readline, ""))
        for process in hosts:
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in hosts:
            process.communicate(timeout=60)
            assert process.returncode == 0
    requests = account.emulator.requests
    assert requests.counts() == {"tokens.issue": 1, "address_books.list": 2 * calls}
    times = sorted(record.ticks for record in requests.records("address_books.list"))
    # However slow the machine is, the n-th request comes no earlier than its place.
    assert times[-1] - times[0] >= (2 * calls - 1) / per_second - 0.1
    assert requests.busiest_second() <= per_second + 3
    assert not list(tmp_path.glob("*/airflow-provider-sendpulse/*.json")), "nothing is kept on the hosts"


def test_nothing_readable_is_kept(coordinated: Any, account: Any) -> None:
    with SendPulseHook() as hook:
        hook.send(sp.address_books.list())
        hook.lease("mailing-x", "the_dag\0the_run").take(10)
        settings = hook.settings.account.credentials
    stored = coordinated()
    assert b"token" in stored
    assert b"until" in stored
    [token] = account.emulator.state.tokens._expiry
    for secret in (settings.client_id, settings.client_secret, "the_dag", token):
        assert secret.encode() not in stored


def test_a_trigger_shares_too(coordinated: Any, account: Any, own_cache: Path) -> None:
    campaign_id = account.campaign(3)
    with SendPulseHook() as hook:
        hook.send(sp.address_books.list())

    async def wait() -> Any:
        trigger = SendPulseCampaignTrigger(
            campaign_id=campaign_id,
            sendpulse_conn_id="sendpulse_default",
            poll_interval=0.01,
            deadline=time.time() + 60,
        )
        async for event in trigger.run():
            return event.payload

    assert asyncio.run(wait())["code"] == 3
    assert account.emulator.requests.counts()["tokens.issue"] == 1
    assert not list(own_cache.rglob("*.json"))


def test_the_test_button_looks_at_it(coordinated: Any, account: Any) -> None:
    works, message = SendPulseHook().test_connection()
    assert works
    assert "coordination" not in message


@pytest.mark.usefixtures("connect")
class TestTrouble:
    """A store that is not there keeps nobody from working; one that cannot be meant does."""

    @pytest.fixture
    def away(self, connect: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        import socket

        connect(extra={"coordination_conn_id": "coordination"})
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            fields = {"conn_type": "redis", "host": "127.0.0.1", "port": closed.getsockname()[1], "password": SECRET}
            monkeypatch.setenv("AIRFLOW_CONN_COORDINATION", json.dumps(fields))
            yield
        close_all()

    @pytest.mark.usefixtures("away")
    def test_it_is_away(self, account: Any, own_cache: Path, caplog: Any) -> None:
        for _ in range(2):
            with SendPulseHook() as hook:
                hook.send(sp.address_books.list())
        assert account.emulator.requests.counts()["tokens.issue"] == 1
        assert list(own_cache.rglob("token-*.json"))
        warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len(warnings) == 1
        assert "coordination store cannot be reached" in warnings[0]
        assert SECRET not in caplog.text

    @pytest.mark.usefixtures("away")
    def test_the_test_button_says_so(self) -> None:
        works, message = SendPulseHook().test_connection()
        assert works
        assert "But the coordination connection 'coordination' does not work (ConnectionError)." in message

    def test_there_is_no_such_connection(self, connect: Any) -> None:
        connect(extra={"coordination_conn_id": "missing"})
        with pytest.raises(Exception, match="missing"):
            SendPulseHook().get_conn()
        works, message = SendPulseHook().test_connection()
        assert works
        assert "'missing' does not work" in message

    def test_it_cannot_coordinate(self, connect: Any) -> None:
        connect(extra={"coordination_conn_id": "sendpulse_default"})
        with pytest.raises(InvalidRequest, match="is of type 'sendpulse'"):
            SendPulseHook().get_conn()
        with pytest.raises(InvalidRequest, match="is of type 'sendpulse'"):
            asyncio.run(SendPulseHook().aget_conn())
        works, message = SendPulseHook().test_connection()
        assert works
        assert "But there is no coordination: The coordination connection 'sendpulse_default' is of type" in message


@pytest.mark.usefixtures("connect")
def test_the_campaign_operator_takes_the_right_of_its_task(
    runner: Any, account: Any, campaign_of: Any, jumping_clock: Any
) -> None:
    from airflow_provider_sendpulse.jobs.marker import Marker

    book = account.book()
    marker = Marker.of(deployment="", mailing_key="key", edition=1)
    with SendPulseHook() as hook:
        # Of another task, which died.
        assert hook.lease(f"mailing-{marker.digest}", "other").take(600) == 0
        waited = runner.run(campaign_of(mailing_key="key", address_book_id=book))
        assert waited.state == "success", waited.error
        assert sum(jumping_clock) >= 590
        assert "Another task is creating the mailing" in waited.log
        # Of the same task, which died.
        second = Marker.of(deployment="", mailing_key="key", edition=2)
        mine = "\0".join(("a_dag", "scheduled__2026-01-05", "again", "-1"))
        assert hook.lease(f"mailing-{second.digest}", mine).take(600) == 0
        slept = len(jumping_clock)
        again = campaign_of(task_id="again", mailing_key="key", edition=2, address_book_id=book)
        result = runner.run(again)
    assert result.state == "success", result.error
    assert not [seconds for seconds in jumping_clock[slept:] if seconds >= 1]
    assert len(account.campaigns) == 2
