# SPDX-License-Identifier: Apache-2.0
"""``make torture``: kill the weekly digest at every request, before it is carried out and after, and count the mails."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop
from torture.example_run import ExampleRun, Told, shop_interval
from torture.execution_server import ExecutionServer

LONGEST = 30 * 60.0
"""Seconds after which it stops by itself."""


def main() -> int:
    """Run the matrix and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, action="append", help="kill at these requests only")
    arguments = parser.parse_args()
    started = time.monotonic()
    logging.disable(logging.CRITICAL)
    # Task processes print what Airflow's listeners have to say; the table is what is wanted here.
    table = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = os.fdopen(table, "w")
    multiprocessing.get_context("forkserver").set_forkserver_preload(["torture.leg"])
    folder = Path(tempfile.mkdtemp(prefix="sendpulse-torture-"))
    failed = 0
    try:
        with (
            RunningEmulator(transitions="reads", requests_per_second=None, requests_per_minute=None) as emulator,
            ExecutionServer() as server,
        ):
            matrix = Matrix(folder, emulator, server)
            operations = matrix.baseline()
            print(f"{len(operations)} requests; killed at each, before and after it is carried out.\n")
            print(f"{'':4}{'request':34}{'killed':8}{'tries':7}{'outcome':40}{'seconds':>8}")
            for index, operation in enumerate(operations):
                if arguments.only and index not in arguments.only:
                    continue
                for after_effect in (False, True):
                    if time.monotonic() - started > LONGEST:
                        print(f"Stopped after {LONGEST / 60:.0f} minutes: not all requests were tried.")
                        return 1
                    failed += not matrix.kill(index, operation, after_effect=after_effect)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{'Every recipient was mailed exactly once.' if not failed else f'{failed} rows failed.'}")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if failed else 0


class Matrix:
    """The rows of the table."""

    def __init__(self, folder: Path, emulator: RunningEmulator, server: ExecutionServer) -> None:
        self._folder = folder
        self._emulator = emulator
        self._server = server
        self._count = 0

    def baseline(self) -> list[str]:
        """Run once without a kill, and return the operation of every request."""
        told, faults = self._run()
        if faults or set(told.states.values()) != {"success"}:
            raise SystemExit(f"The example does not run even without being killed: {faults} {told.states} {told.errors}")
        return [record.operation for record in self._emulator.requests.records()]

    def kill(self, index: int, operation: str, *, after_effect: bool) -> bool:
        """Kill one request of a run, print the row, and return whether all is well."""
        began = time.monotonic()
        told, faults = self._run(lambda: self._emulator.faults.add("kill", after=index, after_effect=after_effect))
        if told.kills != 1:
            faults.append(f"{told.kills} kills")
        tries = max(told.tries.values())
        outcome = "; ".join(faults) or _described(told)
        moment = "after" if after_effect else "before"
        seconds = time.monotonic() - began
        print(f"{index:<4}{operation:34}{moment:8}{tries:<7}{outcome:40}{seconds:8.1f}", flush=True)
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
        in_doubt = told.states.get("send_cart_events") == "failed"
        if len(events) != len(carts) and not in_doubt:
            faults.append(f"{len(events)} of {len(carts)} events, and no task failed")
        if bad := {task: why for task, why in told.errors.items() if told.states.get(task) == "failed"}:
            faults += [f"{task}: {why[:200]}" for task, why in bad.items() if task != "send_cart_events"]
        return faults


def _described(told: Told) -> str:
    if told.states.get("send_cart_events") == "failed":
        return "once; events in doubt are listed"
    return "once"


if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))
    sys.exit(main())
