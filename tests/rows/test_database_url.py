# SPDX-License-Identifier: Apache-2.0
"""From an Airflow connection to a database, with its provider and without."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.sdk import BaseHook, Connection

from airflow_provider_sendpulse.api.databases import Driver
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows import database


def connection(**fields: Any) -> Connection:
    extra = fields.pop("extra", None)
    return Connection(conn_id="base", extra=json.dumps(extra) if extra else None, **fields)


@pytest.fixture
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Any, **__: Any) -> Any:
        raise RuntimeError("no such provider: password")

    monkeypatch.setattr(Connection, "get_hook", missing)


@pytest.mark.usefixtures("no_provider")
@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (
            {"conn_type": "postgres", "host": "db", "port": 5433, "login": "me", "password": "p@ss/word", "schema": "shop"},
            "postgresql+psycopg://me:p%40ss%2Fword@db:5433/shop",
        ),
        (
            {"conn_type": "postgresql", "host": "db", "schema": "shop", "extra": {"sslmode": "require", "other": 1}},
            "postgresql+psycopg://db/shop?sslmode=require",
        ),
        ({"conn_type": "mysql", "host": "db", "login": "me", "schema": "shop"}, "mysql+pymysql://me@db/shop"),
        ({"conn_type": "mariadb", "host": "db", "extra": {"charset": "utf8mb4"}}, "mysql+pymysql://db?charset=utf8mb4"),
        ({"conn_type": "sqlite", "host": "/var/lib/shop.db"}, "sqlite:////var/lib/shop.db"),
    ],
)
def test_from_fields(fields: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = ("psycopg", "pymysql", "sqlite3")
    monkeypatch.setattr(Driver, "is_installed", property(lambda driver: driver.module in installed))
    assert database.database_url(connection(**fields)).render_as_string(hide_password=False) == url


@pytest.mark.usefixtures("no_provider")
def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Driver, "is_installed", False)
    with pytest.raises(InvalidRequest, match="install psycopg or psycopg2 or pg8000"):
        database.database_url(connection(conn_type="postgres", host="db"))


@pytest.mark.usefixtures("no_provider")
def test_of_no_database() -> None:
    with pytest.raises(InvalidRequest, match="is of type 'http'"):
        database.database_url(connection(conn_type="http", host="example.com", password="secret"))


def test_the_hook_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hook:
        sqlalchemy_url = sa.make_url("sqlite:////elsewhere.db")

    monkeypatch.setattr(Connection, "get_hook", lambda _: Hook())
    assert str(database.database_url(connection(conn_type="anything"))) == "sqlite:////elsewhere.db"


def test_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(BaseHook, "get_connection", lambda _: connection(conn_type="sqlite", host=str(tmp_path / "a.db")))
    engine = database.engine_of("base")
    with engine.connect() as connected:
        assert connected.execute(sa.text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_installed() -> None:
    assert Driver("json.decoder", "json").is_installed
    assert not Driver("nothing.of.that.name", "nothing").is_installed
