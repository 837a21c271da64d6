# SPDX-License-Identifier: Apache-2.0
"""What all tests share: an Airflow home of their own, one emulator, a connection to it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

# Before anything imports Airflow.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] = "False"
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]


def pytest_configure(config: pytest.Config) -> None:
    """Let older Airflow releases warn of themselves: they and current providers use names that have moved."""
    if tuple(map(int, version("apache-airflow-core").split(".")[:2])) < (3, 3):
        config.addinivalue_line("filterwarnings", "ignore::FutureWarning")
        config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test its own shared records, so that no token or budget survives it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def served_emulator() -> Iterator[Any]:
    from airflow_provider_sendpulse.emulator.server import RunningEmulator

    no_limits = {"requests_per_second": None, "requests_per_minute": None, "esputnik_limits": False}
    with RunningEmulator(transitions="reads", **no_limits) as running:
        yield running


@pytest.fixture
def emulator(served_emulator: Any) -> Iterator[Any]:
    """A SendPulse of this machine: no rate limits, and states move with every read."""
    served_emulator.reset()
    yield served_emulator
    served_emulator.reset()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, emulator: Any) -> Callable[..., None]:
    """Set the Airflow connection ``sendpulse_default``; fast unless told otherwise."""

    def set_connection(conn_id: str = "sendpulse_default", extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = {
            "conn_type": "sendpulse",
            "host": emulator.url,
            "login": emulator.settings.client_id,
            "password": emulator.settings.client_secret,
            **fields,
            "extra": {
                "requests_per_second": 1000,
                "requests_per_minute": 60000,
                "account_timezone": "Europe/Kyiv",
                **(extra or {}),
            },
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    set_connection()
    return set_connection


@pytest.fixture
def connect_esputnik(monkeypatch: pytest.MonkeyPatch, emulator: Any) -> Callable[..., None]:
    """Set the Airflow connection ``esputnik_default``; fast unless told otherwise."""

    def set_connection(conn_id: str = "esputnik_default", extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = {
            "conn_type": "esputnik",
            "host": emulator.esputnik_url,
            "password": emulator.esputnik_key,
            **fields,
            "extra": {"requests_per_second": 1000, "account_timezone": "Europe/Kyiv", **(extra or {})},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    emulator.configure(esputnik_limits=False)
    set_connection()
    return set_connection


@pytest.fixture
def runner() -> Any:
    from task_runner import TaskRunner

    return TaskRunner()
