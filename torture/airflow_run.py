# SPDX-License-Identifier: Apache-2.0
"""One run of the weekly digest under a real Airflow, followed to its end although somebody in it is killed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from demo.airflow_api import AirflowApi, TaskState
from demo.emulator_api import EmulatorApi
from demo.failure import DemoFailed
from demo.followed_run import run_logs, waited_in_triggerer
from demo.processes import Processes
from demo.week import DAG_ID, Outcome, Week

LONGEST = 120.0
"""Seconds that a run may take; most need some twenty."""
LOOK_EVERY = 0.4
_IN_DOUBT = re.compile(r"(\d+) in doubt")


@dataclass
class Ended:
    """What became of a run.

    :param tasks: the last state of every task, by its label
    :param instances: tasks by the ids of all their task instances
    :param outcome: ``None`` when the run has not come as far as to create its campaign
    :param triggerer_starts: how often the triggerer was started again
    """

    week: Week
    state: str = ""
    tasks: dict[str, TaskState] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    triggerer_starts: int = 0

    def in_doubt(self, task_id: str) -> int:
        """Return how many rows a task has told to be in doubt, in its log."""
        told = [
            int(count)
            for path in run_logs(self.week.run, "attempt=*.log")
            if path.parent.name == f"task_id={task_id}"
            for count in _IN_DOUBT.findall(path.read_text(errors="replace"))
        ]
        return max(told, default=0)


class Overdue(Exception):
    """A run has not ended in time; the message says what it waits for.

    :param ended: what was seen of it
    """

    def __init__(self, message: str, ended: Ended) -> None:
        super().__init__(message)
        self.ended = ended


class AirflowRun:
    """A run of one week. The triggerer is started again when it has ended, as a process manager would."""

    def __init__(self, week: Week, airflow: AirflowApi, emulator: EmulatorApi, processes: Processes) -> None:
        self._week = week
        self._airflow = airflow
        self._emulator = emulator
        self._processes = processes
        self._triggerer = processes.child("triggerer")
        self.ended = Ended(week)
        self._begun = 0.0

    def follow(self) -> Ended:
        """Trigger the run and wait for its end.

        :raises Overdue: when it does not end in time
        :raises DemoFailed: when another process of Airflow has ended
        """
        self._begun = time.monotonic()
        start, end = self._week.interval
        self._airflow.trigger(DAG_ID, run_id=self._week.run_id, start=start, end=end, conf={"keep": self._week.keep})
        while True:
            if self._triggerer.process.poll() is not None:
                self._processes.start_again(self._triggerer)
                self.ended.triggerer_starts += 1
            self._processes.require_running()
            self._look()
            if not self._unfinished():
                self.ended.state = self._airflow.run_state(DAG_ID, self._week.run_id)
                if self.ended.state in ("success", "failed"):
                    break
            if time.monotonic() - self._begun > LONGEST:
                raise Overdue(f"NOT OVER after {LONGEST:.0f} s, waiting for {self._unfinished()}", self.ended)
            time.sleep(LOOK_EVERY)
        self._look()
        return self.ended

    def look_at_outcome(self) -> None:
        """Note what the run came to, now that nobody works on it any more."""
        if self._state_of("create_campaign") == "success":
            self.ended.outcome = self._outcome()

    def give_up(self) -> None:
        """End a run that is overdue.

        :raises DemoFailed: when it cannot be ended
        """
        self._airflow.fail(DAG_ID, self._week.run_id)
        deadline = time.monotonic() + LONGEST
        while self._unfinished():
            if time.monotonic() > deadline:
                raise DemoFailed(f"The run {self._week.run_id} cannot be ended: {self._unfinished()}")
            self._look()
            time.sleep(LOOK_EVERY)

    def _look(self) -> None:
        states = self._airflow.task_states(DAG_ID, self._week.run_id)
        # Not added to those seen before: a mapped task has another label once it is known how many there are of it.
        self.ended.tasks = {task.label: task for task in states}
        self.ended.instances |= {task.id: task.task_id for task in states}

    def _state_of(self, label: str) -> str | None:
        task = self.ended.tasks.get(label)
        return task.state if task else None

    def _unfinished(self) -> str:
        return ", ".join(
            f"{task.label} ({task.state}, try {task.try_number})"
            for task in self.ended.tasks.values()
            if task.state in ("scheduled", "queued", "running", "deferred", "up_for_retry", "restarting")
        )

    def _outcome(self) -> Outcome:
        def result(task_id: str) -> dict[str, int]:
            done = self._state_of(task_id) == "success"
            return dict(self._airflow.result(DAG_ID, self._week.run_id, task_id)) if done else {}

        return Outcome(
            week=self._week,
            seconds=time.monotonic() - self._begun,
            account=self._emulator.account(),
            campaign_id=int(self._airflow.result(DAG_ID, self._week.run_id, "create_campaign")),
            book_id=int(self._airflow.result(DAG_ID, self._week.run_id, "create_address_book")),
            contacts=result("add_contacts"),
            events=result("send_cart_events"),
            deferred=waited_in_triggerer(self._week.run),
        )


__all__ = ["LONGEST", "AirflowRun", "Ended", "Overdue"]
