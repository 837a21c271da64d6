# SPDX-License-Identifier: Apache-2.0
"""An Airflow Execution API in memory: what the real task runner needs to run tasks without a metadata database.

It keeps XComs, rendered fields, the task state store and the outcome of every run, and can lose its answers on request.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
from airflow.sdk.api.datamodels._generated import DagRun

LOGICAL_DATE = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
INTERVAL_START = datetime(2025, 12, 29, 6, 0, tzinfo=UTC)


@dataclass
class ExecutionApi:
    """State of the fake API; one instance is one DAG run.

    :param data_interval: whether the run has a logical date and a data interval
    :param logical_date: of a run that has one; the end of its interval when left out
    :param run_after: when the run was due
    :param clear_number: how often the run was cleared
    :param store: the task state store, which outlives the tries of a task
    :param broken_store: answer every call to the task state store with an error
    :param broken_xcoms: answer everybody who pushes an XCom with an error
    :param states: what the last leg reported; ``reported``: what all legs did
    :param skipped: the tasks that another one has told to be skipped
    :param rescheduled: how often the task was rescheduled, and since when
    """

    dag_id: str = "a_dag"
    run_id: str = "scheduled__2026-01-05"
    data_interval: bool = True
    run_after: datetime = LOGICAL_DATE
    interval: tuple[datetime, datetime] = (INTERVAL_START, LOGICAL_DATE)
    logical_date: datetime | None = None
    clear_number: int = 0
    run_type: str = "scheduled"
    conf: dict[str, Any] = field(default_factory=dict)
    xcoms: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    rendered: dict[str, Any] = field(default_factory=dict)
    store: dict[str, Any] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    reported: list[dict[str, Any]] = field(default_factory=list)
    next_method: str | None = None
    next_kwargs: Any = None
    max_tries: int = 0
    should_retry: bool = False
    broken_store: bool = False
    broken_xcoms: bool = False
    rescheduled: int = 0
    first_reschedule: datetime | None = None
    running: tuple[str, int] | None = None
    skipped: set[str] = field(default_factory=set)

    def client(self) -> Any:
        from airflow.sdk.api.client import Client

        client = Client(base_url=None, token="", dry_run=True, transport=httpx.MockTransport(self.answer))
        client.base_url = httpx.URL("http://execution.invalid/")
        return client

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path.strip("/"))
        body = json.loads(request.content) if request.content else None
        if re.fullmatch(r"task-instances/[^/]+/run", path):
            return httpx.Response(200, json=self._run_context())
        if re.fullmatch(r"task-instances/[^/]+/state", path):
            self.states.append(body)
            self.reported.append(body)
            return httpx.Response(204)
        if re.fullmatch(r"task-instances/[^/]+/skip-downstream", path):
            self.skipped |= {task if isinstance(task, str) else task[0] for task in body["tasks"]}
            return httpx.Response(204)
        if re.fullmatch(r"task-instances/[^/]+/rtif", path):
            self.rendered = body
            return httpx.Response(201, json={})
        if match := re.fullmatch(r"xcoms/([^/]+)/([^/]+)/([^/]+)/(.+?)(/slice|/item/-?\d+)?", path):
            if match[5] == "/slice":
                return httpx.Response(200, json=self._all_maps(match[3], match[4]))
            if match[5]:
                return httpx.Response(200, json=self._all_maps(match[3], match[4])[int(match[5].rpartition("/")[2])])
            if request.method == "HEAD":
                count = len(self._all_maps(match[3], match[4]))
                return httpx.Response(200, headers={"Content-Range": f"map_indexes {count}"})
            return self._xcom(request, match[3], match[4], body)
        if match := re.fullmatch(r"store/ti/[^/]+/(.+)", path):
            return self._store(request, match[1], body)
        if re.fullmatch(r"task-reschedules/[^/]+/start_date", path):
            start = self.first_reschedule
            return httpx.Response(200, json=start and start.isoformat())
        if path.startswith(("connections/", "variables/")):
            return httpx.Response(404, json={"detail": {"reason": "not_found", "message": "not found"}})
        return httpx.Response(200, json={"ok": True})

    def _run_context(self) -> dict[str, Any]:
        start, end = (moment.isoformat() for moment in self.interval)
        # Airflow 3.1 refuses what it does not know.
        newer = {"partition_key": None} if "partition_key" in DagRun.model_fields else {}
        return {
            "dag_run": {
                **newer,
                "dag_id": self.dag_id,
                "run_id": self.run_id,
                "logical_date": (self.logical_date or self.interval[1]).isoformat() if self.data_interval else None,
                "data_interval_start": start if self.data_interval else None,
                "data_interval_end": end if self.data_interval else None,
                "run_after": self.run_after.isoformat(),
                "start_date": end,
                "end_date": None,
                "clear_number": self.clear_number,
                "run_type": self.run_type,
                "state": "running",
                "conf": self.conf,
                "consumed_asset_events": [],
            },
            "task_reschedule_count": self.rescheduled,
            "max_tries": self.max_tries,
            "variables": [],
            "connections": [],
            "xcom_keys_to_clear": self._keys_to_clear(),
            "should_retry": self.should_retry,
            "next_method": self.next_method,
            "next_kwargs": self.next_kwargs,
        }

    def _keys_to_clear(self) -> list[str]:
        """Every try starts without the XComs of the one before; a resumed task keeps them."""
        if self.running is None or self.next_method is not None:
            return []
        return [key for task_id, key, map_index in self.xcoms if (task_id, map_index) == self.running]

    def _xcom(self, request: httpx.Request, task_id: str, key: str, value: Any) -> httpx.Response:
        place = (task_id, key, int(request.url.params.get("map_index", -1)))
        if request.method == "POST" and self.broken_xcoms:
            return httpx.Response(400, json={"detail": {"reason": "broken", "message": "XComs are broken"}})
        if request.method == "POST":
            self.xcoms[place] = value
            return httpx.Response(201, json={"message": "done"})
        if request.method == "DELETE":
            self.xcoms.pop(place, None)
            return httpx.Response(200, json={})
        if place not in self.xcoms:
            return httpx.Response(404, json={"detail": {"reason": "not_found", "message": "no such XCom"}})
        return httpx.Response(200, json={"key": key, "value": self.xcoms[place]})

    def _all_maps(self, task_id: str, key: str) -> list[Any]:
        found = {place[2]: value for place, value in self.xcoms.items() if place[:2] == (task_id, key)}
        return [found[map_index] for map_index in sorted(found)]

    def _store(self, request: httpx.Request, key: str, body: Any) -> httpx.Response:
        if self.broken_store:
            return httpx.Response(400, json={"detail": {"reason": "broken", "message": "the store is broken"}})
        # Every task has a store of its own, and a mapped one has one for every index.
        task_id, map_index = self.running or ("", -1)
        key = f"{task_id}[{map_index}] {key}"
        if request.method == "PUT":
            self.store[key] = body["value"]
            return httpx.Response(204)
        if request.method == "DELETE":
            self.store.pop(key, None)
            return httpx.Response(204)
        if key not in self.store:
            return httpx.Response(404, json={"detail": {"reason": "not_found", "message": "no such key"}})
        return httpx.Response(200, json={"value": self.store[key]})
