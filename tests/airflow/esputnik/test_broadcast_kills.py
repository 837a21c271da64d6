# SPDX-License-Identifier: Apache-2.0
"""A broadcast's task is killed at each of its requests, or two of them begin at once: nobody is mailed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from broadcasting import Newsletter
from examples import ROOT, one_task
from execution_api import ExecutionApi
from fresh_dag import anew
from task_runner import TaskRunner

from airflow_provider_sendpulse.operators.esputnik.broadcasts import EsputnikCreateBroadcastOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

READERS = {f"reader{number}@example.com" for number in range(3)}
REQUESTS = ("broadcasts.list", "segments.list", "broadcasts.create")
PROGRAM = """
from datetime import UTC, datetime

from airflow.sdk import DAG

from airflow_provider_sendpulse.operators.esputnik.broadcasts import EsputnikCreateBroadcastOperator

with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    EsputnikCreateBroadcastOperator(
        task_id="broadcast",
        title="News",
        message_id={message},
        groups="Readers",
        mailing_key={key!r},
        visibility_window=10,
    )
"""
stored = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="needs the task state store of Airflow 3.3")


@pytest.fixture
def how(newsletter: Newsletter, tmp_path: Path) -> dict[str, Any]:
    """How the task is run in a process of its own."""
    newsletter.readers()
    file = tmp_path / "a_dag.py"
    file.write_text(PROGRAM.format(message=newsletter.message, key="weekly"))
    store = tmp_path / "store.json"
    return {"path": str(file), "dag_id": "a_dag", "task_id": "broadcast", "run_id": "r", "store": str(store)}


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_these_are_all_requests(dag: Any, newsletter: Newsletter) -> None:
    newsletter.readers()
    operator = EsputnikCreateBroadcastOperator(
        task_id="broadcast", dag=anew(dag), title="News", message_id=newsletter.message, groups="Readers"
    )
    assert TaskRunner(ExecutionApi()).run(operator).state == "success"
    operations = [record.operation for record in newsletter.emulator.requests.records()]
    # An empty page ends the list.
    assert operations == [f"esputnik.{name}" for name in REQUESTS]


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_killed_at_a_request(newsletter: Newsletter, how: dict[str, Any], request_name: str, after_effect: bool) -> None:
    # What was created just before the kill is not listed when the next try looks first.
    newsletter.emulator.configure(esputnik_broadcast_visibility_seconds=9)
    newsletter.emulator.faults.add("kill", operation=f"esputnik.{request_name}", after_effect=after_effect)
    killed = one_task({**how, "try_number": 1})
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    arrived = request_name == "broadcasts.create" and after_effect
    assert len(newsletter.broadcasts) == int(arrived)
    again = told(one_task({**how, "try_number": 2}))
    [broadcast] = newsletter.broadcasts
    assert again == {"state": "success", "error": "", "value": broadcast["id"]}
    assert newsletter.mailed == dict.fromkeys(READERS, 1)
    if arrived:
        # The first look of each try, and more.
        assert newsletter.count("broadcasts.list") > 2


@stored
def test_killed_again_and_again(newsletter: Newsletter, how: dict[str, Any]) -> None:
    for number, name in enumerate((*REQUESTS, "broadcasts.create"), start=1):
        newsletter.emulator.faults.add("kill", operation=f"esputnik.{name}", after_effect=number == 4)
        assert one_task({**how, "try_number": number}).returncode == -signal.SIGKILL
    assert told(one_task({**how, "try_number": 5}))["state"] == "success"
    assert len(newsletter.broadcasts) == 1
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


@pytest.mark.parametrize("deployments", [("", ""), ("production", "staging")], ids=["one", "two"])
def test_two_tasks_at_once(
    newsletter: Newsletter, how: dict[str, Any], connect_esputnik: Any, deployments: tuple[str, str]
) -> None:
    newsletter.emulator.configure(esputnik_broadcast_visibility_seconds=2)
    newsletter.emulator.faults.add("slow", operation="esputnik.broadcasts.create", seconds=1.0, times=None)
    processes = []
    for number, deployment in enumerate(deployments):
        connect_esputnik(extra={"deployment": deployment})
        processes.append(_start({**how, "run_id": f"r{number}", "store": f"{how['store']}{number}", "together": True}))
    for process in processes:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "ready":
            assert process.poll() is None
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    values = set()
    for process in processes:
        output, _ = process.communicate(timeout=120)
        answer = json.loads(output.splitlines()[-1])
        assert answer["state"] == "success", answer
        values.add(answer["value"])
    mailings = len({*deployments})
    assert values == {broadcast["id"] for broadcast in newsletter.broadcasts}
    assert len(values) == newsletter.count("broadcasts.create") == mailings
    assert newsletter.mailed == dict.fromkeys(READERS, mailings)


def _start(how: dict[str, Any]) -> subprocess.Popen[str]:
    program = ROOT / "tests" / "support" / "one_task.py"
    path = os.pathsep.join([str(ROOT), str(program.parent)])
    return subprocess.Popen(
        [sys.executable, str(program), json.dumps({**how, "try_number": 1})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
