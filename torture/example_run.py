# SPDX-License-Identifier: Apache-2.0
"""One run of the weekly digest, every leg in a process of its own; a killed one is tried again, as Airflow would."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop
from torture.execution_server import ExecutionServer
from torture.leg import Leg, wait, work

MOST_TRIES = 4
TASKS = (
    "require_data_interval",
    "select_audience",
    "create_address_book",
    "add_contacts",
    "best_customer",
    "wait_until_unlocked",
    "create_campaign",
    "wait_until_sent",
    "send_cart_events",
    "note_the_week",
    "store_statistics",
    "old_address_books",
)


@dataclass
class Told:
    """What became of a run: state and tries of every task, and why one failed."""

    states: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    kills: int = 0


class ExampleRun:
    """A run with its own shop, records and DAG run."""

    def __init__(self, folder: Path, emulator: RunningEmulator, server: ExecutionServer) -> None:
        self._server = server
        self._folder = folder
        folder.mkdir(parents=True)
        self.shop = folder / "shop.db"
        shop.create(self.shop)
        server.api = self.api = ExecutionApi(dag_id="weekly_digest", should_retry=True, max_tries=MOST_TRIES - 1)
        self.api.interval = shop_interval()
        self._environment = {
            "XDG_CACHE_HOME": str(folder / "cache"),
            "AIRFLOW_CONN_SHOP": json.dumps({"conn_type": "sqlite", "host": str(self.shop)}),
            "AIRFLOW_CONN_SENDPULSE_DEFAULT": json.dumps(
                {
                    "conn_type": "sendpulse",
                    "host": emulator.url,
                    "login": emulator.settings.client_id,
                    "password": emulator.settings.client_secret,
                    "extra": {"requests_per_second": 1000, "requests_per_minute": 60000},
                }
            ),
        }
        self._processes = multiprocessing.get_context("forkserver")
        self.told = Told()

    def run(self) -> Told:
        """Run all tasks in order; a task that fails for good does not keep those from running that do not need it."""
        for task_id in TASKS:
            self.told.states[task_id] = self._task(task_id)
            if self.told.states[task_id] != "success" and task_id != "send_cart_events":
                break
        return self.told

    def _task(self, task_id: str) -> str:
        for try_number in range(1, MOST_TRIES + 1):
            self.told.tries[task_id] = try_number
            state, error = self._try(task_id, try_number)
            if state in ("success", "skipped"):
                return state
            self.told.errors[task_id] = error
            if state == "failed":
                return state
        return "failed"

    def _try(self, task_id: str, try_number: int) -> tuple[str, str]:
        leg = Leg(task_id, try_number, -1, self._server.url, self._environment)
        while True:
            self.api.states.clear()
            self.api.running = (task_id, -1)
            reported = self._process(work, leg)
            self.api.next_method = self.api.next_kwargs = None
            if reported is None:
                return "killed", "killed"
            state, error = reported
            if state != "deferred":
                return state, error
            deferral = next(body for body in self.api.states if body.get("state") == "deferred")
            event = None
            while event is None:  # a triggerer that dies is started again, with the same triggers
                event = self._process(wait, Leg(task_id, try_number, -1, self._server.url, self._environment, deferral))
            self.api.next_method = deferral["next_method"]
            self.api.next_kwargs = TaskRunner._resumed(deferral, event)

    def _process(self, target: Callable[..., None], leg: Leg) -> Any:
        receiver, sender = self._processes.Pipe(duplex=False)
        process = self._processes.Process(target=target, args=(leg, sender))
        process.start()
        sender.close()
        try:
            return receiver.recv()
        except EOFError:
            process.join()
            if process.exitcode != -signal.SIGKILL:
                raise RuntimeError(f"{leg.task_id} ended with {process.exitcode} and said nothing") from None
            self.told.kills += 1
            return None
        except BaseException:
            process.kill()
            raise
        finally:
            process.join()
            receiver.close()


def shop_interval() -> tuple[Any, Any]:
    """Return the first of the two weeks in the shop's data."""
    from datetime import UTC, datetime

    return datetime(2026, 1, 5, 6, tzinfo=UTC), datetime(2026, 1, 12, 6, tzinfo=UTC)


__all__ = ["TASKS", "ExampleRun", "Told"]
