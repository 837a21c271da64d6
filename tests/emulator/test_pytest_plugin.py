# SPDX-License-Identifier: Apache-2.0
"""The fixtures that people use to test their own DAGs, as they would use them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = 'pytest_plugins = ["airflow_provider_sendpulse.emulator.pytest_plugin"]\n'
TESTS = """
import pytest
from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.exceptions import ServiceUnavailable
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook


@pytest.mark.parametrize("again", [1, 2])
def test_it_is_empty_every_time(sendpulse_connection, sendpulse_emulator, again):
    with SendPulseHook() as hook:
        hook.send(sp.address_books.create("Mine"))
    assert len(sendpulse_emulator.state.books) == 1


def test_another_connection(sendpulse_connection):
    sendpulse_connection("other", login="wrong")
    worked, told = SendPulseHook("other").test_connection()
    assert not worked and "401" in told


def test_it_fails_on_request(sendpulse_connection, sendpulse_emulator):
    sendpulse_emulator.faults.add("lose_answer", operation="address_books.create")
    from airflow_provider_sendpulse.exceptions import AmbiguousOutcome
    with SendPulseHook() as hook, pytest.raises(AmbiguousOutcome):
        hook.send(sp.address_books.create("Mine"))
    assert len(sendpulse_emulator.state.books) == 1


def test_esputnik(esputnik_connection, sendpulse_emulator):
    import json, os, requests
    connection = json.loads(os.environ["AIRFLOW_CONN_ESPUTNIK_DEFAULT"])
    assert connection["conn_type"] == "esputnik"
    url = connection["host"] + "/v1/account/info"
    assert requests.get(url, auth=("", connection["password"]), timeout=5).json()["orgId"]
    esputnik_connection("other", password="wrong")
    connection = json.loads(os.environ["AIRFLOW_CONN_OTHER"])
    assert requests.get(url, auth=("", connection["password"]), timeout=5).status_code == 401
"""


def test_own_tests_use_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "5 passed" in ended.stdout, ended.stdout + ended.stderr
