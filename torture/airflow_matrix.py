# SPDX-License-Identifier: Apache-2.0
"""Part 2: one request of every kind, under a real Airflow; killed are the task, its supervisor, and the triggerer.

Airflow runs all the time, and every row is a run of its own, for an occasion of its own. Between two rows the emulated
accounts, the shop, and what is kept of tokens are made anew.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import folders, shop
from demo.airflow_api import AirflowApi
from demo.components import START_TIMEOUT, start_airflow
from demo.environment import Account, airflow_environment, connections, free_port, plain_environment
from demo.failure import DemoFailed, ignore_signals
from demo.processes import Processes, airflow
from torture import judgement
from torture.airflow_run import AirflowRun, Overdue
from torture.calls import TRIGGERER, WORKER, Request, Row, chosen_of, kinds, rows
from torture.ended import Ended
from torture.subjects.subject import EMULATOR, Subject
from torture.witness import Sender, WitnessedRequests, is_over

HASTE = Path(__file__).with_name("haste.py")
WEEKS = 240
"""Weeks in the shop's database: more than the runs of one example are for."""
PLACES = {"scheduler": WORKER, "triggerer": TRIGGERER}
"""Where a request comes from, by the component whose process has sent it: LocalExecutor's workers are the scheduler's."""

# Whoever is dead is to be noticed within seconds. A busy machine must not pass for a dead one, though.
CONFIGURATION = {
    "scheduler": {"task_instance_heartbeat_timeout": 10, "task_instance_heartbeat_timeout_detection_interval": 1},
    "triggerer": {"job_heartbeat_sec": 1, "triggerer_health_check_threshold": 8},
    "dag_processor": {"refresh_interval": 3600, "min_file_process_interval": 3600},
}
# As a user has it: with the limits of both services.
LIMITS: dict[str, Any] = {"requests_per_second": 10, "requests_per_minute": 1000, "esputnik_limits": True}
PATIENCE = 60.0
"""Seconds for which a task without a supervisor may live on."""


class RunningAirflow:
    """An Airflow with the examples of some subjects, and the emulator that these talk to. Leaving the block ends it all."""

    processes: Processes
    emulator: RunningEmulator
    api: AirflowApi

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._left = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._running())
            self._left = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        port, account = free_port(), Account()
        with folders.fresh_folders():
            for subject in self._subjects:
                for file in (folders.PROJECT / "example_dags").glob(f"{subject.file}.*"):
                    shutil.copy(file, folders.DAGS)
            shop.create(folders.SHOP, WEEKS)
            configuration = folders.AIRFLOW_HOME / "config"
            configuration.mkdir()
            shutil.copy(HASTE, configuration / "airflow_local_settings.py")
            changes = json.dumps({subject.dag_id: dict(subject.changes) for subject in self._subjects})
            environment = {**plain_environment(), **airflow_environment(port, CONFIGURATION), "TORTURE_CHANGES": changes}
            # The processes need no other modules than Airflow's and the provider's.
            self.processes = Processes({**environment, "PYTHONPATH": str(folders.PROJECT)})
            try:
                with RunningEmulator(
                    client_id=account.client_id,
                    client_secret=account.client_secret,
                    esputnik_keys=[account.esputnik_key],
                    **{**EMULATOR, **LIMITS},
                ) as self.emulator:
                    self.processes.run("airflow db migrate", *airflow("db", "migrate"), timeout=START_TIMEOUT)
                    known = connections(self.emulator.url, account)
                    first, *others = (subject.dag_id for subject in self._subjects)
                    self.api = start_airflow(self.processes, port, known, first, lambda _, __: None)
                    for dag_id in others:
                        self._unpause(dag_id)
                    yield
            finally:
                ignore_signals()
                self.processes.end()

    def _unpause(self, dag_id: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self.api.has_dag(dag_id):
            self.processes.require_running()
            if time.monotonic() > deadline:
                raise DemoFailed(f"Airflow has not read {dag_id} after {START_TIMEOUT:.0f} s.")
            time.sleep(0.25)
        self.api.unpause(dag_id)


class AirflowMatrix:
    """The rows of one subject's table.

    :param say: prints a line
    """

    def __init__(self, subject: Subject, running: RunningAirflow, say: Callable[[str], None]) -> None:
        self._subject = subject
        self._running = running
        self._emulator = running.emulator
        self._say = say
        self._runs = 0
        self._usual: Ended | None = None
        self._requests = WitnessedRequests(running.processes.name_of)

    def run(self, only: Collection[int], deadline: float) -> tuple[int, int]:
        """Run the rows, and return how many there were, and how many of them failed.

        :param only: numbers of the rows to run; all when empty
        :param deadline: when to stop, by the monotonic clock
        :raises DemoFailed: when Airflow cannot be kept running, the example does not run even though nobody is killed, or
            the time is up
        """
        planned = self._plan()
        chosen = chosen_of({row.number: row for row in planned}, only)
        self._say(f"{'':4}{'call':28}{'in':11}{'task':27}{'killed':20}{'tries':7}{'s':>4}  {'arrived':34}outcome")
        failed = 0
        for row in chosen:
            if time.monotonic() > deadline:
                raise DemoFailed(f"The time is up before row {row.number}: not everything was tried.")
            failed += not self._row(row)
        return len(chosen), failed

    def _plan(self) -> list[Row]:
        """Run once without a kill, and return the rows for what that run has asked of the emulator."""
        began = time.monotonic()
        run = self._prepared()
        self._follow(run)
        if wrong := judgement.faults(self._subject, run.ended, None, tried_again=None):
            raise DemoFailed(f"{self._subject.name} does not run even without being killed: {'; '.join(wrong)}")
        self._usual = run.ended
        made = []
        for record in self._requests.records():
            sender = self._requests.senders.get(record.number)
            if sender is None or sender.component not in PLACES:
                raise DemoFailed(f"Nobody knows who has sent the request {record.operation}: {sender}")
            made.append(self._request(record.operation, sender, run))
        found = kinds(made)
        planned = rows(found)
        self._say(
            f"{self._subject.name}: {len(made)} requests of {len(found)} kinds in {time.monotonic() - began:.0f} s; "
            f"{len(planned)} rows.\n"
        )
        return planned

    def _row(self, row: Row) -> bool:
        """Run a row, print it, and return whether all is well."""
        request, began = row.kind.request, time.monotonic()
        run = self._prepared()
        fault = self._emulator.faults.add(
            "kill",
            operation=request.operation,
            after=row.kind.skipped,
            after_effect=row.after_effect,
            victim=row.victim.fault,
        )
        tried_again = request.task_id if request.place == WORKER else None
        try:
            self._follow(run)
        except Overdue as overdue:
            wrong = [str(overdue), *self._of_kill(row, fault.id, run)]
        else:
            wrong = self._of_kill(row, fault.id, run)
            wrong += judgement.faults(self._subject, run.ended, self._usual, tried_again)
        ended = run.ended
        tries = max((task.tries for task in ended.tasks.values()), default=0)
        well = "once; rows in doubt are said" if judgement.is_in_doubt(ended, self._subject.is_doubtful) else "once"
        self._say(
            f"{row.number:<4}{request.operation:28}{request.place:11}{request.task_id or '':27}"
            f"{f'{row.victim.name}, {row.moment}':20}{tries:<7}{time.monotonic() - began:4.0f}  "
            f"{self._subject.numbers(ended) if ended.account else '?':34}{'; '.join(wrong) or well}"
        )
        return not wrong

    def _prepared(self) -> AirflowRun:
        """Forget everything in the accounts, the shop, and what the provider keeps outside of Airflow; return a new run."""
        # The triggerer goes on using the folder, so that stays.
        for record in folders.CACHE.rglob("*.json"):
            record.unlink()
        for database in folders.ROOT.glob(f"{folders.SHOP.name}*"):
            database.unlink()
        shop.create(folders.SHOP, WEEKS)
        self._emulator.reset()
        self._emulator.configure(**{**self._subject.settings, **(self._subject.under_airflow or {})})
        self._runs += 1
        occasion = self._subject.occasion(self._runs)
        conf = {**occasion.conf, **self._subject.prepare(self._emulator, folders.SHOP)}
        with self._emulator.emulator.lock:
            requests = self._emulator.emulator.requests = WitnessedRequests(self._running.processes.name_of)
        self._requests = requests
        return AirflowRun(self._subject, occasion, conf, self._running.api, self._running.processes)

    def _follow(self, run: AirflowRun) -> None:
        """Follow a run until nobody works on it any more, and note what there is then."""
        try:
            run.follow()
        except Overdue:
            run.give_up()
            self._wait_for_tasks()
            raise
        self._wait_for_tasks()
        run.look_at_outcome()
        self._subject.settle(self._emulator)
        with self._emulator.emulator.lock:
            run.ended.account = self._emulator.state.as_dict()
        # The next run has a shop of its own.
        run.ended.shop = folders.OUTPUT / f"{self._subject.name}-{self._runs}.db"
        shutil.copy(folders.SHOP, run.ended.shop)

    def _wait_for_tasks(self) -> None:
        """Wait until nobody is left who could ask anything of the services for this run.

        A task whose supervisor was killed lives on, and may not have found out yet that it is not wanted any more.
        """
        deadline = time.monotonic() + PATIENCE
        senders = [*self._requests.senders.values()]
        tasks = {sender.process for sender in senders if PLACES.get(sender.component or "") == WORKER}
        while left := [process for process in tasks if not is_over(process)]:
            if time.monotonic() > deadline:
                for process in left:
                    process.kill()
                raise Overdue(f"THE PROCESS OF A TASK was still there {PATIENCE:.0f} s after the end of the run")
            time.sleep(0.2)

    def _of_kill(self, row: Row, fault: int, run: AirflowRun) -> list[str]:
        """Return what is wrong with the kill itself: a row in which nobody was killed says nothing."""
        sender = self._sender(fault)
        if sender is None:
            return ["NOBODY WAS KILLED: that request was not made"]
        victim = sender.process if row.victim.is_sender else sender.parent
        found = []
        if victim is None or not is_over(victim):
            found.append("NOBODY WAS KILLED: the process lives")
        met = self._request(row.kind.request.operation, sender, run)
        if met != row.kind.request:
            found.append(f"the kill has met {met}")
        if row.kind.request.place == TRIGGERER and run.triggerer_starts != 1:
            found.append(f"the triggerer was started again {run.triggerer_starts} times")
        return found

    def _sender(self, fault: int | None) -> Sender | None:
        for record in self._requests.records():
            if fault is not None and record.fault == fault:
                return self._requests.senders.get(record.number)
        return None

    def _request(self, operation: str, sender: Sender, run: AirflowRun) -> Request:
        return Request(
            place=PLACES.get(sender.component or "", "?"),
            task_id=run.instances.get(sender.task_instance) if sender.task_instance else None,
            operation=operation,
        )


__all__ = ["AirflowMatrix", "RunningAirflow"]
