# SPDX-License-Identifier: Apache-2.0
"""Part 2: one request of every kind, under a real Airflow; killed are the task, its supervisor, and the triggerer.

Airflow runs all the time, and every row is a run of its own, for a week of its own. Between two rows the emulated account
and what is kept of its token are made anew.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import folders, shop
from demo.components import START_TIMEOUT, start_airflow
from demo.emulator_api import EmulatorApi
from demo.environment import Account, airflow_environment, connections, free_port, plain_environment
from demo.failure import DemoFailed, ignore_signals
from demo.processes import Processes, airflow
from demo.week import DAG_ID, Week
from torture import judgement
from torture.airflow_run import AirflowRun, Ended, Overdue
from torture.calls import TRIGGERER, WORKER, Request, Row, chosen_of, kinds, rows
from torture.witness import Sender, WitnessedRequests, is_over

HASTE = Path(__file__).with_name("haste.py")
WEEKS = 120
"""Weeks in the shop's database: more than there are rows."""
OLD_BOOK = "Weekly digest until 2025-12-29"
"""What the run is to delete."""
PLACES = {"scheduler": WORKER, "triggerer": TRIGGERER}
"""Where a request comes from, by the component whose process has sent it: LocalExecutor's workers are the scheduler's."""

# Whoever is dead is to be noticed within seconds. A busy machine must not pass for a dead one, though.
CONFIGURATION = {
    "scheduler": {"task_instance_heartbeat_timeout": 10, "task_instance_heartbeat_timeout_detection_interval": 1},
    "triggerer": {"job_heartbeat_sec": 1, "triggerer_health_check_threshold": 8},
    "dag_processor": {"refresh_interval": 3600, "min_file_process_interval": 3600},
}
# States move with the reads, so that every run makes the same requests in the same order, and not before the trigger looks.
# All weeks are too small for a moderator. A new campaign is listed late: a retry that does not know of it finds nothing.
EMULATOR: dict[str, Any] = {
    "transitions": "reads",
    "reads_in_status": {13: 2},
    "book_load_reads": 2,
    "campaigns_per_window": None,
    "campaign_visibility_seconds": 15,
    "moderation_from_recipients": 1000,
}
PATIENCE = 60.0
"""Seconds for which a task without a supervisor may live on."""


class AirflowMatrix:
    """The rows of the table.

    :param say: prints a line
    :param only: numbers of the rows to run; all when empty
    :param deadline: when to stop, by the monotonic clock
    """

    def __init__(self, say: Callable[[str], None], only: Collection[int], deadline: float) -> None:
        self._say = say
        self._only = only
        self._deadline = deadline
        self._account = Account()
        self._weeks = 0

    def run(self) -> int:
        """Run the rows, and return how many failed.

        :raises DemoFailed: when Airflow cannot be kept running, or runs no week even though nobody is killed
        """
        port = free_port()
        with folders.fresh_folders():
            shop.create(folders.SHOP, WEEKS)
            configuration = folders.AIRFLOW_HOME / "config"
            configuration.mkdir()
            shutil.copy(HASTE, configuration / "airflow_local_settings.py")
            environment = {**plain_environment(), **airflow_environment(port, CONFIGURATION)}
            # The processes need no other modules than Airflow's and the provider's.
            processes = Processes({**environment, "PYTHONPATH": str(folders.PROJECT)})
            try:
                account = self._account
                with RunningEmulator(
                    client_id=account.client_id, client_secret=account.client_secret, **EMULATOR
                ) as emulator:
                    return self._run(processes, port, emulator)
            finally:
                ignore_signals()
                processes.end()

    def _run(self, processes: Processes, port: int, emulator: RunningEmulator) -> int:
        self._processes, self._emulator = processes, emulator
        processes.run("airflow db migrate", *airflow("db", "migrate"), timeout=START_TIMEOUT)
        environment = connections(emulator.url, self._account)
        self._airflow = start_airflow(processes, port, environment, DAG_ID, lambda _, __: None)
        self._requests = self._fresh_account()
        planned = self._plan()
        chosen = chosen_of({row.number: row for row in planned}, self._only)
        self._say(f"{'':4}{'call':26}{'in':11}{'task':22}{'killed':20}{'tries':7}{'mails':7}{'events':8}{'s':>4}  outcome")
        return sum(not self._row(row) for row in chosen)

    def _plan(self) -> list[Row]:
        """Run a week in which nobody is killed, and return the rows for what it has asked of the emulator."""
        began = time.monotonic()
        ended = self._follow()
        if wrong := judgement.faults(ended, tried_again=None):
            raise DemoFailed(f"The example does not run even without being killed: {'; '.join(wrong)}")
        made = []
        for record in self._requests.records():
            sender = self._requests.senders.get(record.number)
            if sender is None or sender.component not in PLACES:
                raise DemoFailed(f"Nobody knows who has sent the request {record.operation}: {sender}")
            made.append(self._request(record.operation, sender, ended))
        found = kinds(made)
        planned = rows(found)
        self._say(f"{len(made)} requests of {len(found)} kinds in {time.monotonic() - began:.0f} s; {len(planned)} rows.\n")
        return planned

    def _row(self, row: Row) -> bool:
        """Run a row, print it, and return whether all is well."""
        if time.monotonic() > self._deadline:
            raise DemoFailed(f"The time is up before row {row.number}: not everything was tried.")
        request, began = row.kind.request, time.monotonic()
        self._requests = self._fresh_account()
        fault = self._emulator.faults.add(
            "kill",
            operation=request.operation,
            after=row.kind.skipped,
            after_effect=row.after_effect,
            victim=row.victim.fault,
        )
        try:
            ended = self._follow()
        except Overdue as overdue:
            ended = overdue.ended
            wrong = [str(overdue), *self._of_kill(row, fault.id, ended)]
        else:
            wrong = self._of_kill(row, fault.id, ended)
            wrong += judgement.faults(ended, request.task_id if request.place == WORKER else None)
        mails, events = judgement.numbers(ended)
        tries = max((task.try_number for task in ended.tasks.values()), default=0)
        well = "once; events in doubt are said" if judgement.is_in_doubt(ended) else "once"
        self._say(
            f"{row.number:<4}{request.operation:26}{request.place:11}{request.task_id or '':22}"
            f"{f'{row.victim.name}, {row.moment}':20}{tries:<7}{mails:7}{events:8}{time.monotonic() - began:4.0f}  "
            f"{'; '.join(wrong) or well}"
        )
        return not wrong

    def _follow(self) -> Ended:
        self._weeks += 1
        week = Week(self._weeks, keep=1)
        run = AirflowRun(week, self._airflow, EmulatorApi(self._emulator.url), self._processes)
        try:
            ended = run.follow()
        except Overdue:
            run.give_up()
            self._wait_for_tasks(run.ended)
            raise
        self._wait_for_tasks(ended)
        run.look_at_outcome()
        return ended

    def _wait_for_tasks(self, ended: Ended) -> None:
        """Wait until nobody is left who could ask anything of SendPulse for this run.

        A task whose supervisor was killed lives on, and may not have found out yet that it is not wanted any more.
        """
        deadline = time.monotonic() + PATIENCE
        senders = [*self._requests.senders.values()]
        tasks = {sender.process for sender in senders if PLACES.get(sender.component or "") == WORKER}
        while left := [process for process in tasks if not is_over(process)]:
            if time.monotonic() > deadline:
                for process in left:
                    process.kill()
                raise Overdue(f"THE PROCESS OF A TASK was still there {PATIENCE:.0f} s after the end of the run", ended)
            time.sleep(0.2)

    def _of_kill(self, row: Row, fault: int, ended: Ended) -> list[str]:
        """Return what is wrong with the kill itself: a row in which nobody was killed says nothing."""
        sender = self._sender(fault)
        if sender is None:
            return ["NOBODY WAS KILLED: that request was not made"]
        victim = sender.process if row.victim.is_sender else sender.parent
        found = []
        if victim is None or not is_over(victim):
            found.append("NOBODY WAS KILLED: the process lives")
        met = self._request(row.kind.request.operation, sender, ended)
        if met != row.kind.request:
            found.append(f"the kill has met {met}")
        if row.kind.request.place == TRIGGERER and ended.triggerer_starts != 1:
            found.append(f"the triggerer was started again {ended.triggerer_starts} times")
        return found

    def _sender(self, fault: int | None) -> Sender | None:
        for record in self._requests.records():
            if fault is not None and record.fault == fault:
                return self._requests.senders.get(record.number)
        return None

    def _request(self, operation: str, sender: Sender, ended: Ended) -> Request:
        return Request(
            place=PLACES.get(sender.component or "", "?"),
            task_id=ended.instances.get(sender.task_instance) if sender.task_instance else None,
            operation=operation,
        )

    def _fresh_account(self) -> WitnessedRequests:
        """Forget everything in the account, and what the provider keeps of it outside of Airflow."""
        # The triggerer goes on using the folder, so that stays.
        for record in folders.CACHE.rglob("*.json"):
            record.unlink()
        self._emulator.reset()
        with self._emulator.emulator.lock:
            self._emulator.state.books.create(OLD_BOOK)
            requests = self._emulator.emulator.requests = WitnessedRequests(self._processes.name_of)
        return requests


__all__ = ["AirflowMatrix"]
