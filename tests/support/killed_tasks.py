# SPDX-License-Identifier: Apache-2.0
"""DAG files of one task, which runs in a process of its own and is killed there; its task state store outlives it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from examples import one_task

PROGRAM = """
from datetime import UTC, datetime

from airflow.sdk import DAG

from {module} import {operator}

with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    {operator}(task_id="task", {arguments})
"""


def task_of(folder: Path, operator: type, **arguments: Any) -> dict[str, Any]:
    """Write a DAG whose one task this is, and return how it is run; see :mod:`one_task`.

    :param arguments: of the operator; only what is its own ``repr``
    """
    file = folder / "a_dag.py"
    told = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    file.write_text(PROGRAM.format(module=operator.__module__, operator=operator.__name__, arguments=told))
    return {
        "path": str(file),
        "dag_id": "a_dag",
        "task_id": "task",
        "run_id": "r",
        "store": str(folder / "store.json"),
    }


def killed(how: dict[str, Any], try_number: int = 1) -> None:
    """Run a try that the emulator kills."""
    done = one_task({**how, "try_number": try_number})
    assert done.returncode == -signal.SIGKILL, done.stderr


def told(how: dict[str, Any], try_number: int) -> dict[str, Any]:
    """Run a try to its end, and return what it came to."""
    done = one_task({**how, "try_number": try_number})
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
