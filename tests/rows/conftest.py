# SPDX-License-Identifier: Apache-2.0
"""Databases that rows go to."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from services import require

TYPES = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request, tmp_path, monkeypatch):
    """An engine for looking, of the database behind the connection ``shop``."""
    text = f"sqlite:///{tmp_path}/shop.db" if request.param == "sqlite" else require(request.param)
    url = sa.make_url(text)
    backend = url.get_backend_name()
    names = {"login": url.username, "password": url.password, "port": url.port, "schema": url.database}
    connection = {"conn_type": TYPES[backend], "host": url.host, **names}
    if backend == "sqlite":
        connection = {"conn_type": "sqlite", "host": url.database}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(connection))
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
