# SPDX-License-Identifier: Apache-2.0
"""The process is killed at any moment; another try waits for what is under way and imports the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contact_imports import IMPORT, STATUS, counts, needs_state_store
from import_tasks import overlapping

pytestmark = [pytest.mark.usefixtures("connect_esputnik"), needs_state_store]

SUPPORT = Path(__file__).parents[2] / "support"
DAG_FILE = """
from airflow.sdk import DAG
from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportContactsOperator

with DAG("killed", schedule=None):
    EsputnikImportContactsOperator(
        task_id="load",
        contacts=[{"email": f"reader{n}@example.com"} for n in range(1, 7)],
        mapping={"email": "email"},
        batch_size=2,
        concurrency=2,
        poll_interval=0.01,
        settle_window=0.6,
        event_key_for_new_contacts="fromShop",
    )
"""


@pytest.fixture
def attempt(tmp_path: Path) -> Callable[[int], subprocess.CompletedProcess[str]]:
    path = tmp_path / "killed.py"
    path.write_text(DAG_FILE)
    how = {"path": str(path), "dag_id": "killed", "task_id": "load", "run_id": "run", "store": str(tmp_path / "store")}

    def run(try_number: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SUPPORT / "one_task.py"), json.dumps({**how, "try_number": try_number})],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT.parents[1]), str(SUPPORT)])},
        )

    return run


@pytest.mark.parametrize(
    ("fault", "imports", "skipped"),
    [
        # Before the first import arrives, after it has and before its session is written down, and the second one.
        ({"operation": IMPORT}, 3, 0),
        ({"operation": IMPORT, "after_effect": True}, 4, 0),
        ({"operation": IMPORT, "after_effect": True, "after": 1}, 4, 2),
        # Both sessions are written down: the retry waits for them and sends only what is left.
        ({"operation": STATUS}, 3, 4),
        ({"operation": STATUS, "after": 1}, 3, 4),
        ({"operation": STATUS, "after": 4}, 3, 4),
    ],
)
def test_a_retry_goes_on(
    attempt: Any, emulator: Any, there: Any, sent: Any, fault: Any, imports: int, skipped: int
) -> None:
    # By the clock: a session that nobody asks for is carried out all the same.
    emulator.configure(transitions="clock", esputnik_import_seconds=0.1)
    emulator.faults.add("kill", times=1, **fault)
    killed = attempt(1)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = attempt(2)
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout.splitlines()[-1])
    assert told["state"] == "success", told
    assert told["value"] == counts(read=6, accepted=6 - skipped, skipped=skipped)
    assert len([record for record in emulator.requests.records(IMPORT) if record.handled_status]) == imports
    account = emulator.state.as_dict()["esputnik"]
    assert sorted(there()) == [f"reader{n}@example.com" for n in range(1, 7)]
    assert len(account["events"]) == 6
    assert overlapping(emulator) == []
