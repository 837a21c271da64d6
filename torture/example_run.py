# SPDX-License-Identifier: Apache-2.0
"""One run of an example, every leg in a process of its own; a killed one is tried again, as Airflow would."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow.task.trigger_rule import TriggerRule
from examples import expanded_over, mapped_count, ordered
from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop
from torture.ended import Ended, TaskEnd, told_in_doubt
from torture.execution_server import ExecutionServer
from torture.leg import DAGS, Leg, wait, work
from torture.subjects.subject import Subject

MOST_TRIES = 4


class ExampleRun:
    """A run with its own shop, records and DAG run.

    :param surroundings: what the example finds in its environment beside its connections
    """

    def __init__(
        self,
        subject: Subject,
        folder: Path,
        emulator: RunningEmulator,
        server: ExecutionServer,
        surroundings: Mapping[str, str],
    ) -> None:
        self._subject = subject
        self._dag = DAGS[subject.dag_id]
        self._emulator = emulator
        self._server = server
        folder.mkdir(parents=True)
        shop.create(folder / "shop.db")
        occasion = subject.occasion(1)
        self.ended = Ended(occasion, folder / "shop.db")
        conf = {**occasion.conf, **subject.prepare(emulator, self.ended.shop)}
        server.api = self.api = ExecutionApi(
            dag_id=subject.dag_id,
            run_id=occasion.run_id,
            interval=(occasion.start, occasion.end),
            run_after=occasion.end,
            logical_date=occasion.logical_date,
            conf=conf,
            should_retry=True,
            max_tries=MOST_TRIES - 1,
        )
        self._environment = {
            **surroundings,
            **_connections(emulator, self.ended.shop),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        self._processes = multiprocessing.get_context("forkserver")
        self.kills: list[tuple[str, str]] = []
        """Every process that was killed: ``work`` or ``wait``, and its task."""

    def run(self) -> Ended:
        """Run all tasks in order, those that get their turn by their trigger rules."""
        states: dict[str, str] = {}
        for task in ordered(self._dag):
            states[task.task_id] = self._verdict(task, states) or self._task(task)
            if states[task.task_id] in ("skipped", "upstream_failed"):
                self.ended.tasks.setdefault(task.task_id, TaskEnd(task.task_id, states[task.task_id]))
        self.ended.results = {name: value for (name, key, _), value in self.api.xcoms.items() if key == "return_value"}
        self._subject.settle(self._emulator)
        with self._emulator.emulator.lock:
            self.ended.account = self._emulator.state.as_dict()
        return self.ended

    def _verdict(self, task: Any, states: Mapping[str, str]) -> str | None:
        """Return the state of a task that does not get its turn."""
        before = {states[name] for name in task.upstream_task_ids}
        if before & {"failed", "upstream_failed"}:
            return "upstream_failed"
        if task.task_id in self.api.skipped:
            return "skipped"
        if task.trigger_rule == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            return None if "success" in before else "skipped"
        if task.trigger_rule != TriggerRule.ALL_SUCCESS:
            raise NotImplementedError(f"{task.task_id} has the trigger rule {task.trigger_rule}")
        return "skipped" if "skipped" in before else None

    def _task(self, task: Any) -> str:
        if not task.is_mapped:
            return self._instance(task.task_id, -1)
        states = {self._instance(task.task_id, place) for place in range(mapped_count(self.api, expanded_over(task)))}
        return "skipped" if not states else "success" if states == {"success"} else "failed"

    def _instance(self, task_id: str, map_index: int) -> str:
        end = self.ended.tasks[task_id if map_index < 0 else f"{task_id}[{map_index}]"] = TaskEnd(task_id, "failed", 0)
        while end.tries < MOST_TRIES:
            end.tries += 1
            leg = Leg(
                self._subject.dag_id,
                task_id,
                end.tries,
                map_index,
                self._server.url,
                self._environment,
                self._subject.changes,
            )
            state, end.error = self._try(leg)
            end.in_doubt = told_in_doubt(end.error)
            if state in ("success", "skipped", "failed"):
                end.state = state
                break
        return str(end.state)

    def _try(self, leg: Leg) -> tuple[str, str]:
        while True:
            self.api.states.clear()
            self.api.running = (leg.task_id, leg.map_index)
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
                event = self._process(wait, replace(leg, deferral=deferral))
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
            self.kills.append((target.__name__, leg.task_id))
            return None
        except BaseException:
            process.kill()
            raise
        finally:
            process.join()
            receiver.close()


def _connections(emulator: RunningEmulator, shop: Path) -> dict[str, str]:
    """Return the connections of an example. Nobody keeps within limits that nobody watches."""
    fast = {"requests_per_second": 1000, "account_timezone": emulator.settings.time_zone}
    connections: dict[str, dict[str, Any]] = {
        "SHOP": {"conn_type": "sqlite", "host": str(shop)},
        "SENDPULSE_DEFAULT": {
            "conn_type": "sendpulse",
            "host": emulator.url,
            "login": emulator.settings.client_id,
            "password": emulator.settings.client_secret,
            "extra": {**fast, "requests_per_minute": 60000},
        },
        "ESPUTNIK_DEFAULT": {
            "conn_type": "esputnik",
            "host": emulator.esputnik_url,
            "password": emulator.esputnik_key,
            "extra": fast,
        },
    }
    return {f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in connections.items()}


__all__ = ["ExampleRun"]
