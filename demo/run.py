# SPDX-License-Identifier: Apache-2.0
"""Two weekly mailings and an audience for eSputnik under a real Airflow, against the emulator: ``python -m demo.run``."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import signal
import sys
import time

from demo import folders, shop
from demo.audience import FollowedAudience
from demo.checks import Checks, check, check_audience
from demo.components import START_TIMEOUT, start_airflow
from demo.emulator_api import SETTINGS, EmulatorApi
from demo.environment import Account, airflow_environment, connections, free_port, plain_environment
from demo.failure import DemoFailed, Stopped, ignore_signals, stop_on_signals
from demo.processes import Processes, airflow
from demo.progress import Progress
from demo.report import time_report, weeks_report
from demo.week import DAG_ID, Followed, Outcome, Week

WEEKS = (Week(1, keep=4), Week(2, keep=1))


class Demo:
    """Starts everything, runs two weeks, checks and reports.

    :param keep: leave everything up afterwards, to look at
    """

    def __init__(self, progress: Progress, *, keep: bool) -> None:
        self._progress = progress
        self._keep = keep
        self._account = Account()
        self.is_over = False

    def run(self) -> None:
        """Do it all.

        :raises DemoFailed: when anything is not as it should be
        """
        progress = self._progress
        progress.say("demo", f"Airflow {importlib.metadata.version('apache-airflow')}, Python {platform.python_version()}")
        with folders.fresh_folders():
            rows = shop.create(folders.SHOP)
            counts = ", ".join(f"{count} {table}" for table, count in rows.items())
            progress.say("shop", f"{counts} in {folders.shown(folders.SHOP)}")
            port = free_port()
            processes = Processes({**plain_environment(), **airflow_environment(port)})
            try:
                self._run(processes, port)
            finally:
                ignore_signals()
                with progress.phase("shutdown"):
                    processes.end()

    def _run(self, processes: Processes, port: int) -> None:
        progress = self._progress
        with progress.phase("database"):
            emulator_url = self._start_emulator(processes)
            progress.say("emulator", f"up at {emulator_url}, inbox at {emulator_url}/ui/inbox")
            processes.run("airflow db migrate", *airflow("db", "migrate"), timeout=START_TIMEOUT)
            progress.say("airflow", "database made")
        emulator = EmulatorApi(emulator_url)
        with progress.phase("Airflow start"):
            api = start_airflow(processes, port, connections(emulator_url, self._account), DAG_ID, progress.say)
        outcomes: list[Outcome] = []
        for week in WEEKS:
            with progress.phase(week.label):
                outcomes.append(Followed(week, api, emulator, processes, progress).run())
        with progress.phase("eSputnik"):
            audience = FollowedAudience(outcomes[-1], api, emulator, processes, progress).run()
        checks = Checks(progress.say)
        with progress.phase("checks"):
            check_audience(checks, outcomes[-1], audience)
            check(checks, outcomes, emulator, self._account)
        if checks.failures:
            raise DemoFailed(f"{len(checks.failures)} of {checks.count} checks failed.\n" + "\n".join(checks.failures))
        print(f"\n{weeks_report(outcomes)}\n", flush=True)
        print(f"  {checks.count} checks hold; {emulator.total_requests()} requests to the emulator\n", flush=True)
        if self._keep:
            self.is_over = True
            print(time_report(progress))
            print(
                f"\n  Airflow:  {api.url}/dags/{DAG_ID}  (no login is needed)\n"
                f"  Inbox:    {emulator.url}/ui/inbox\n  Account:  {emulator.url}/\n\n"
                "Both stay up until Ctrl-C.",
                flush=True,
            )
            while True:
                time.sleep(1)
                processes.require_running()

    def _start_emulator(self, processes: Processes) -> str:
        settings, port_file = folders.ROOT / "emulator.json", folders.OUTPUT / "emulator.port"
        settings.write_text(
            json.dumps(
                {
                    **SETTINGS,
                    "client_id": self._account.client_id,
                    "client_secret": self._account.client_secret,
                    "esputnik_keys": [self._account.esputnik_key],
                }
            )
        )
        command = [sys.executable, "-m", "airflow_provider_sendpulse.emulator", "--port", "0"]
        child = processes.start("emulator", *command, "--port-file", str(port_file), "--settings", str(settings))
        deadline = time.monotonic() + START_TIMEOUT
        while not port_file.exists():
            child.require_running()
            if time.monotonic() > deadline:
                raise DemoFailed(f"The emulator did not start; see {folders.shown(child.output)}.")
            time.sleep(0.05)
        return f"http://127.0.0.1:{port_file.read_text().strip()}"


def main() -> int:
    """Run the demo and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo.run", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave Airflow and the inbox up until Ctrl-C")
    parser.add_argument("--started", type=float, default=time.time(), help="when it all began, for the account of time")
    options = parser.parse_args()
    stop_on_signals()
    progress = Progress(options.started)
    progress.note("environment", progress.elapsed)
    demo = Demo(progress, keep=options.keep)
    try:
        demo.run()
    except DemoFailed as failure:
        print(
            f"\nThe demo failed: {failure}\n\n"
            f"Everything it wrote is below {folders.shown(folders.ROOT)}/: the logs of tasks in "
            f"{folders.shown(folders.TASK_LOGS)}/, those of processes in {folders.shown(folders.OUTPUT)}/.",
            file=sys.stderr,
            flush=True,
        )
        return 1
    except Stopped as stopped:
        if demo.is_over:
            print("\nEnded.", flush=True)
            return 0
        print(f"\nStopped by {signal.Signals(stopped.signal_number).name}.", file=sys.stderr, flush=True)
        return 128 + stopped.signal_number
    print(time_report(progress))
    print("\n`make demo KEEP=1` leaves Airflow and the inbox up to look at.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
