# SPDX-License-Identifier: Apache-2.0
"""Part 1: every request of an example, in Airflow's task runner; the task is killed before its effect, and after."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Self

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo.failure import DemoFailed
from torture import judgement
from torture.calls import chosen_of
from torture.ended import Ended
from torture.example_run import ExampleRun
from torture.execution_server import ExecutionServer
from torture.subjects.subject import EMULATOR, Subject


class RequestsMatrix:
    """The rows of one subject's table. Within its block there is an emulator for them.

    :param say: prints a line
    :param folder: for what the runs write
    """

    def __init__(self, subject: Subject, say: Callable[[str], None], folder: Path) -> None:
        self._subject = subject
        self._say = say
        self._folder = folder
        self._count = 0
        self._usual: Ended | None = None
        self._left = contextlib.ExitStack()

    def __enter__(self) -> Self:
        # Every process reads the program's main module again: what that imports is there already.
        main = getattr(sys.modules["__main__"], "__spec__", None)
        preload = ["torture.leg", *([main.name] if main else [])]
        multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
        with contextlib.ExitStack() as stack:
            self._emulator = stack.enter_context(RunningEmulator(**{**EMULATOR, **self._subject.settings}))
            self._server = stack.enter_context(ExecutionServer())
            self._surroundings = stack.enter_context(self._subject.surroundings())
            self._left = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    def run(self, only: Collection[int], deadline: float) -> tuple[int, int]:
        """Run the rows, and return how many there were, and how many of them failed.

        :param only: numbers of the requests to kill at; all when empty
        :param deadline: when to stop, by the monotonic clock
        :raises DemoFailed: when the example does not run even though nobody is killed, or the time is up
        """
        operations = self.baseline()
        self._say(
            f"{self._subject.name}: {len(operations)} requests; killed at each, before and after it is carried out.\n"
        )
        self._say(f"{'':4}{'request':34}{'killed':8}{'tries':7}{'seconds':>8}  outcome")
        rows = failed = 0
        numbered = [*enumerate(operations, start=1)]
        for number, operation in chosen_of({row[0]: row for row in numbered}, only):
            for after_effect in (False, True):
                if time.monotonic() > deadline:
                    raise DemoFailed(f"The time is up before row {number}: not everything was tried.")
                rows += 1
                failed += bool(self.kill(number, operation, after_effect=after_effect))
        return rows, failed

    def baseline(self) -> list[str]:
        """Run once without a kill, and return the operation of every request.

        :raises DemoFailed: when that is not as it should be
        """
        self._usual = None
        run, known = self._prepared()
        self._usual = run.run()
        if faults := judgement.faults(self._subject, self._usual, None, None):
            raise DemoFailed(f"{self._subject.name} does not run even without being killed: {'; '.join(faults)}")
        return [record.operation for record in self._emulator.requests.records()[known:]]

    def kill(self, number: int, operation: str, *, after_effect: bool) -> list[str]:
        """Kill one request of a run, print the row, and return what is wrong in the end.

        :param number: which request of the run it is
        :param operation: what it is, by the run without a kill
        """
        began = time.monotonic()
        run, _ = self._prepared()
        fault = self._emulator.faults.add("kill", after=number - 1, after_effect=after_effect)
        ended = run.run()
        faults = []
        met = [record.operation for record in self._emulator.requests.records() if record.fault == fault.id]
        if [*met] != [operation]:
            faults.append(f"the kill has met {met or 'no request'}")
        if len(run.kills) != 1:
            faults.append(f"{len(run.kills)} KILLED")
        tried_again = next((task_id for what, task_id in run.kills if what == "work"), None)
        faults += judgement.faults(self._subject, ended, self._usual, tried_again)
        well = "once; rows in doubt are said" if judgement.is_in_doubt(ended, self._subject.is_doubtful) else "once"
        moment, tries = "after" if after_effect else "before", max(task.tries for task in ended.tasks.values())
        seconds = time.monotonic() - began
        self._say(f"{number:<4}{operation:34}{moment:8}{tries:<7}{seconds:8.1f}  {'; '.join(faults) or well}")
        return faults

    def _prepared(self) -> tuple[ExampleRun, int]:
        """Return a run that has not begun, and how many requests there were already."""
        self._emulator.reset()
        self._count += 1
        folder = self._folder / f"{self._subject.name}-{self._count}"
        run = ExampleRun(self._subject, folder, self._emulator, self._server, self._surroundings)
        return run, len(self._emulator.requests)


__all__ = ["RequestsMatrix"]
