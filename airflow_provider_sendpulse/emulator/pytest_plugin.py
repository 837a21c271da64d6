# SPDX-License-Identifier: Apache-2.0
"""Fixtures to test your own DAGs against the emulator.

Opt in from your ``conftest.py``::

    pytest_plugins = ["airflow_provider_sendpulse.emulator.pytest_plugin"]

Then a test that asks for ``sendpulse_connection`` has an Airflow connection ``sendpulse_default`` to an emulator that is
empty again for every test, and ``sendpulse_emulator`` looks into it, pushes its clock, and makes it fail.
``esputnik_connection`` does the same for ``esputnik_default``, an account of eSputnik in the same emulator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.emulator.server import RunningEmulator


@pytest.fixture(scope="session")
def sendpulse_emulator_settings() -> dict[str, Any]:
    """Return settings of the emulator that differ from its defaults; override it to choose your own.

    Here states move with every read and no request limit applies, so that tests are fast and repeatable.
    """
    return {
        "transitions": "reads",
        "requests_per_second": None,
        "requests_per_minute": None,
        "esputnik_limits": False,
    }


@pytest.fixture(scope="session")
def served_sendpulse_emulator(sendpulse_emulator_settings: dict[str, Any]) -> Iterator[RunningEmulator]:
    """Serve one emulator for the whole session."""
    with RunningEmulator(**sendpulse_emulator_settings) as running:
        yield running


@pytest.fixture
def sendpulse_emulator(served_sendpulse_emulator: RunningEmulator) -> Iterator[RunningEmulator]:
    """Return the emulator, emptied before and after the test."""
    served_sendpulse_emulator.reset()
    yield served_sendpulse_emulator
    served_sendpulse_emulator.reset()


@pytest.fixture
def sendpulse_connection(
    sendpulse_emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., None]:
    """Set the Airflow connection ``sendpulse_default`` to the emulator, and return what sets others.

    The returned function takes a connection id, an ``extra`` and any other field of a connection.
    """

    def usual() -> dict[str, Any]:
        settings = sendpulse_emulator.settings
        return {
            "conn_type": "sendpulse",
            "host": sendpulse_emulator.url,
            "login": settings.client_id,
            "password": settings.client_secret,
            "extra": {
                "account_timezone": settings.time_zone,
                "requests_per_second": 1000,
                "requests_per_minute": 60000,
            },
        }

    return _connector("sendpulse_default", usual, monkeypatch, tmp_path)


@pytest.fixture
def esputnik_connection(
    sendpulse_emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., None]:
    """Set the Airflow connection ``esputnik_default`` to the emulator, and return what sets others.

    The returned function takes a connection id, an ``extra`` and any other field of a connection.
    """

    def usual() -> dict[str, Any]:
        return {
            "conn_type": "esputnik",
            "host": sendpulse_emulator.esputnik_url,
            "password": sendpulse_emulator.esputnik_key,
            "extra": {},
        }

    return _connector("esputnik_default", usual, monkeypatch, tmp_path)


def _connector(
    default_id: str, usual: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., None]:
    # A token or a budget of another test, or of the person who runs them, is none of this one's business.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "sendpulse-cache"))

    def connect(conn_id: str = default_id, extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = usual()
        connection |= {**fields, "extra": {**connection["extra"], **(extra or {})}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    connect()
    return connect
