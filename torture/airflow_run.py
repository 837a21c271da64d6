# SPDX-License-Identifier: Apache-2.0
"""One run of an example under a real Airflow, followed to its end although somebody in it is killed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from demo import folders
from demo.airflow_api import AirflowApi
from demo.failure import DemoFailed
from demo.followed_run import Run, run_logs
from demo.processes import Processes
from torture.ended import Ended, Occasion, TaskEnd, told_in_doubt
from torture.subjects.subject import Subject

LONGEST = 180.0
"""Seconds that a run may take; most need some twenty."""
LOOK_EVERY = 0.4


class Overdue(Exception):
    """A run has not ended in time; the message says what it waits for."""


class AirflowRun:
    """A run for one occasion. The triggerer is started again when it has ended, as a process manager would.

    :param conf: what the run is told
    """

    def __init__(
        self, subject: Subject, occasion: Occasion, conf: Mapping[str, Any], airflow: AirflowApi, processes: Processes
    ) -> None:
        self._subject = subject
        self._conf = conf
        self._airflow = airflow
        self._processes = processes
        self._triggerer = processes.child("triggerer")
        self.ended = Ended(occasion, folders.SHOP)
        self.instances: dict[str, str] = {}
        """Tasks by the ids of all their task instances."""
        self.triggerer_starts = 0
        """How often the triggerer was started again."""

    def follow(self) -> None:
        """Trigger the run and wait for its end.

        :raises Overdue: when it does not end in time
        :raises DemoFailed: when another process of Airflow has ended
        """
        begun, occasion = time.monotonic(), self.ended.occasion
        dag_id, run_id = self._subject.dag_id, occasion.run_id
        self._airflow.trigger(
            dag_id,
            run_id=run_id,
            start=occasion.start,
            end=occasion.end,
            conf=self._conf,
            logical_date=occasion.logical_date,
        )
        while True:
            if self._triggerer.process.poll() is not None:
                self._processes.start_again(self._triggerer)
                self.triggerer_starts += 1
            self._processes.require_running()
            self._look()
            if not self._unfinished() and self._airflow.run_state(dag_id, run_id) in ("success", "failed"):
                break
            if time.monotonic() - begun > LONGEST:
                raise Overdue(f"NOT OVER after {LONGEST:.0f} s, waiting for {self._unfinished()}")
            time.sleep(LOOK_EVERY)
        self._look()

    def look_at_outcome(self) -> None:
        """Note what the tasks have returned and said, now that nobody works on the run any more."""
        logs = run_logs(Run(self._subject.dag_id, self.ended.occasion.run_id, ""), "attempt=*.log")
        for task in self.ended.tasks.values():
            own = [path for path in logs if path.parent.name == f"task_id={task.task_id}"]
            task.in_doubt = told_in_doubt(*(path.read_text(errors="replace") for path in own))
        for task_id in self._subject.results:
            if self.ended.state_of(task_id) == "success":
                found = self._airflow.result(self._subject.dag_id, self.ended.occasion.run_id, task_id)
                self.ended.results[task_id] = found

    def give_up(self) -> None:
        """End a run that is overdue.

        :raises DemoFailed: when it cannot be ended
        """
        run_id = self.ended.occasion.run_id
        self._airflow.fail(self._subject.dag_id, run_id)
        deadline = time.monotonic() + LONGEST
        while self._unfinished():
            if time.monotonic() > deadline:
                raise DemoFailed(f"The run {run_id} cannot be ended: {self._unfinished()}")
            self._look()
            time.sleep(LOOK_EVERY)

    def _look(self) -> None:
        states = self._airflow.task_states(self._subject.dag_id, self.ended.occasion.run_id)
        # Not added to those seen before: a mapped task has another label once it is known how many there are of it.
        self.ended.tasks = {task.label: TaskEnd(task.task_id, task.state, task.try_number) for task in states}
        self.instances |= {task.id: task.task_id for task in states}

    def _unfinished(self) -> str:
        return ", ".join(
            f"{label} ({task.state}, try {task.tries})"
            for label, task in self.ended.tasks.items()
            if task.state in ("scheduled", "queued", "running", "deferred", "up_for_retry", "restarting")
        )


__all__ = ["LONGEST", "AirflowRun", "Overdue"]
