# SPDX-License-Identifier: Apache-2.0
"""Part 1: every request of the weekly digest, in Airflow's task runner; the task is killed before its effect, and after."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop
from demo.failure import DemoFailed
from torture.calls import chosen_of
from torture.example_run import ExampleRun, Told, shop_interval
from torture.execution_server import ExecutionServer

EVENTS = "send_cart_events"
# A new campaign is listed late: a retry that does not know of it finds nothing.
EMULATOR: dict[str, Any] = {
    "transitions": "reads",
    "requests_per_second": None,
    "requests_per_minute": None,
    "campaign_visibility_seconds": 5,
}


class RequestsMatrix:
    """The rows of the table.

    :param say: prints a line
    :param only: numbers of the requests to kill at; all when empty
    :param deadline: when to stop, by the monotonic clock
    :param folder: for what the runs write
    """

    def __init__(self, say: Callable[[str], None], only: Collection[int], deadline: float, folder: Path) -> None:
        self._say = say
        self._only = only
        self._deadline = deadline
        self._folder = folder
        self._count = 0

    def run(self) -> int:
        """Run the rows, and return how many failed.

        :raises DemoFailed: when the example does not run even though nobody is killed, or the time is up
        """
        multiprocessing.get_context("forkserver").set_forkserver_preload(["torture.leg"])
        with _quiet_processes(), RunningEmulator(**EMULATOR) as emulator, ExecutionServer() as server:
            self._emulator, self._server = emulator, server
            return self._rows(self.baseline())

    def _rows(self, operations: Sequence[str]) -> int:
        self._say(f"{len(operations)} requests; killed at each, before and after it is carried out.\n")
        self._say(f"{'':4}{'request':34}{'killed':8}{'tries':7}{'outcome':40}{'seconds':>8}")
        failed = 0
        numbered = [*enumerate(operations, start=1)]
        for number, operation in chosen_of({row[0]: row for row in numbered}, self._only):
            for after_effect in (False, True):
                if time.monotonic() > self._deadline:
                    raise DemoFailed(f"The time is up before row {number}: not everything was tried.")
                failed += not self.kill(number, operation, after_effect=after_effect)
        return failed

    def baseline(self) -> list[str]:
        """Run once without a kill, and return the operation of every request."""
        told, faults = self._run()
        if faults or set(told.states.values()) != {"success"}:
            raise DemoFailed(f"The example does not run even without being killed: {faults} {told.states} {told.errors}")
        return [record.operation for record in self._emulator.requests.records()]

    def kill(self, number: int, operation: str, *, after_effect: bool) -> bool:
        """Kill one request of a run, print the row, and return whether all is well."""
        began = time.monotonic()
        told, faults = self._run(lambda: self._emulator.faults.add("kill", after=number - 1, after_effect=after_effect))
        if told.kills != 1:
            faults.append(f"{told.kills} kills")
        tries = max(told.tries.values())
        outcome = "; ".join(faults) or _described(told)
        moment = "after" if after_effect else "before"
        seconds = time.monotonic() - began
        self._say(f"{number:<4}{operation:34}{moment:8}{tries:<7}{outcome:40}{seconds:8.1f}")
        return not faults

    def _run(self, prepare: object = None) -> tuple[Told, list[str]]:
        self._emulator.reset()
        if callable(prepare):
            prepare()
        self._count += 1
        run = ExampleRun(self._folder / str(self._count), self._emulator, self._server)
        told = run.run()
        return told, self._faults(run, told)

    def _faults(self, run: ExampleRun, told: Told) -> list[str]:
        """Return what is wrong in the end."""
        start, end = shop_interval()
        wanted = {person.email for person in shop.buyers(run.shop, start.date(), end.date())} | {"digest@shop.example.com"}
        state = self._emulator.state
        mailed = Counter(message.to for message in state.mailbox)
        faults = []
        if twice := sum(count > 1 for count in mailed.values()):
            faults.append(f"{twice} MAILED TWICE")
        if missing := wanted - set(mailed):
            faults.append(f"{len(missing)} not mailed")
        if strangers := set(mailed) - wanted:
            faults.append(f"{len(strangers)} strangers mailed")
        campaigns = [*state.campaigns]
        if len(campaigns) != 1:
            faults.append(f"{len(campaigns)} campaigns")
        events = Counter((event.body.get("email"), event.body.get("cart_id")) for event in state.events)
        if repeated := sum(count > 1 for count in events.values()):
            faults.append(f"{repeated} EVENTS TWICE")
        carts = shop.abandoned_carts(run.shop, start.date(), end.date())
        in_doubt = _is_in_doubt(told)
        if len(events) != len(carts) and not in_doubt:
            faults.append(f"{len(events)} of {len(carts)} events, and no task failed")
        if bad := {task: why for task, why in told.errors.items() if told.states.get(task) == "failed"}:
            faults += [f"{task}: {why[:200]}" for task, why in bad.items() if task != EVENTS or not in_doubt]
        return faults


def _described(told: Told) -> str:
    return "once; events in doubt are listed" if _is_in_doubt(told) else "once"


def _is_in_doubt(told: Told) -> bool:
    """Whether the run has ended as documented for events that were being sent when their task was killed."""
    return told.states.get(EVENTS) == "failed" and told.tries[EVENTS] > 1 and " in doubt" in told.errors[EVENTS]


@contextlib.contextmanager
def _quiet_processes() -> Iterator[None]:
    """Keep what task processes print, which is what Airflow's listeners have to say, out of the table."""
    terminal, printing = os.dup(1), sys.stdout
    silence = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    os.dup2(silence, 1)
    sys.stdout = os.fdopen(os.dup(terminal), "w")
    try:
        yield
    finally:
        sys.stdout.close()
        sys.stdout = printing
        os.dup2(terminal, 1)
        os.close(silence)
        os.close(terminal)


__all__ = ["RequestsMatrix"]
