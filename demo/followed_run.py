# SPDX-License-Identifier: Apache-2.0
"""A run of an example, followed from its trigger to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.airflow_api import AirflowApi, TaskState
from demo.failure import DemoFailed
from demo.folders import TASK_LOGS, shown
from demo.processes import Processes
from demo.progress import Progress

TIMEOUT = 300.0
"""Seconds that a run may take; it needs some thirty."""
LOOK_INTERVAL = 0.25
FAILURES = frozenset({"failed", "up_for_retry", "upstream_failed"})
PASSING = frozenset({None, "none", "scheduled", "queued"})


@dataclass(frozen=True)
class Run:
    """A run of a DAG.

    :param label: how it is shown
    """

    dag_id: str
    run_id: str
    label: str


class FollowedRun:
    """Follows a run that was triggered, and says what changes in Airflow."""

    def __init__(self, run: Run, airflow: AirflowApi, processes: Processes, progress: Progress) -> None:
        self._run = run
        self._airflow = airflow
        self._processes = processes
        self._progress = progress
        self._tasks: dict[str, str | None] = {}

    def to_its_end(self, look: Callable[[], object]) -> None:
        """Follow it.

        :param look: is called between two looks at Airflow
        :raises DemoFailed: as soon as a task fails or is to be tried again, or a process has ended
        """
        run, begun = self._run, time.monotonic()
        while True:
            self._processes.require_running()
            look()
            self._look_at_tasks()
            state = self._airflow.run_state(run.dag_id, run.run_id)
            if state == "success":
                break
            if state == "failed":
                raise DemoFailed(f"The run {run.run_id} has failed.")
            if time.monotonic() - begun > TIMEOUT:
                unfinished = ", ".join(
                    f"{task} ({state or 'not scheduled'})"
                    for task, state in sorted(self._tasks.items())
                    if state not in ("success", "skipped")
                )
                raise DemoFailed(f"{run.label} is not over after {TIMEOUT:.0f} s. Unfinished: {unfinished}")
            time.sleep(LOOK_INTERVAL)
        self._look_at_tasks()

    def result(self, task_id: str) -> Any:
        """Return what a task returned."""
        return self._airflow.result(self._run.dag_id, self._run.run_id, task_id)

    def say(self, what: str) -> None:
        """Say something of this run."""
        self._progress.say(self._run.label, what)

    def _look_at_tasks(self) -> None:
        for task in self._airflow.task_states(self._run.dag_id, self._run.run_id):
            before = self._tasks.get(task.label)
            if task.state == before:
                continue
            self._tasks[task.label] = task.state
            if task.state not in PASSING:
                self.say(f"  {task.label:<26} {task.state}")
            if task.state in FAILURES:
                raise DemoFailed(self._failure(task))

    def _failure(self, task: TaskState) -> str:
        verb = "is to be tried again" if task.state == "up_for_retry" else "has failed"
        logs = sorted(run_logs(self._run, "*"), key=lambda path: path.stat().st_mtime)
        own = [
            path
            for path in logs
            if path.parent.name == f"task_id={task.task_id}" or f"task_id={task.task_id}/" in str(path)
        ]
        if not own:
            return f"{task.label} of {self._run.label} {verb}, and left no log."
        return f"{task.label} of {self._run.label} {verb}. The end of {shown(own[-1])}:\n{task_log_tail(own[-1])}"


def run_logs(run: Run, pattern: str) -> list[Path]:
    """Return the logs of a run whose names match a pattern."""
    folder = TASK_LOGS / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
    return [path for path in folder.rglob(pattern) if path.is_file()]


def waited_in_triggerer(run: Run) -> frozenset[str]:
    """Return the tasks of a run that waited in the triggerer."""
    return frozenset(path.parent.name.removeprefix("task_id=") for path in run_logs(run, "*.trigger.*"))


def task_log_tail(path: Path, lines: int = 15) -> str:
    """Return the end of a task's log, which is a JSON object a line, in readable form."""
    readable: list[str] = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            readable.append(line)
            continue
        event = str(record.get("event", "")).rstrip().splitlines() or [""]
        readable.append(f"{str(record.get('level', '')).upper():<8} {event[0]}")
        readable += [" " * 9 + more for more in event[1:]]
        for cause in record.get("error_detail") or []:
            readable.append(f"         {cause.get('exc_type')}: {cause.get('exc_value')}")
    return "\n".join("    " + line for line in readable[-lines:])


__all__ = ["FollowedRun", "Run", "run_logs", "task_log_tail", "waited_in_triggerer"]
