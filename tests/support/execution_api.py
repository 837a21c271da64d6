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

LOGICAL_DATE = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
INTERVAL_START = datetime(2025, 12, 29, 6, 0, tzinfo=UTC)


@dataclass
class ExecutionApi:
    """State of the fake API; one instance is one DAG run."""

    dag_id: str = "a_dag"
    run_id: str = "scheduled__2026-01-05"
    data_interval: bool = True
    xcoms: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    rendered: dict[str, Any] = field(default_factory=dict)
    store: dict[str, Any] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    next_method: str | None = None
    next_kwargs: Any = None
    max_tries: int = 0
    should_retry: bool = False

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
            return httpx.Response(204)
        if re.fullmatch(r"task-instances/[^/]+/rtif", path):
            self.rendered = body
            return httpx.Response(201, json={})
        if match := re.fullmatch(r"xcoms/([^/]+)/([^/]+)/([^/]+)/(.+?)(/slice|/item/-?\d+)?", path):
            if match[5] == "/slice":
                return httpx.Response(200, json=self._all_maps(match[3], match[4]))
            return self._xcom(request, match[3], match[4], body)
        if match := re.fullmatch(r"store/ti/[^/]+/(.+)", path):
            return self._store(request, match[1], body)
        if re.fullmatch(r"task-reschedules/[^/]+/start_date", path):
            return httpx.Response(200, json=None)
        if path.startswith(("connections/", "variables/")):
            return httpx.Response(404, json={"detail": {"reason": "not_found", "message": "not found"}})
        return httpx.Response(200, json={"ok": True})

    def _run_context(self) -> dict[str, Any]:
        moment = LOGICAL_DATE.isoformat()
        return {
            "dag_run": {
                "dag_id": self.dag_id,
                "run_id": self.run_id,
                "logical_date": moment if self.data_interval else None,
                "data_interval_start": INTERVAL_START.isoformat() if self.data_interval else None,
                "data_interval_end": moment if self.data_interval else None,
                "run_after": moment,
                "start_date": moment,
                "end_date": None,
                "clear_number": 0,
                "run_type": "scheduled",
                "state": "running",
                "conf": {},
                "consumed_asset_events": [],
                "partition_key": None,
            },
            "task_reschedule_count": 0,
            "max_tries": self.max_tries,
            "variables": [],
            "connections": [],
            "xcom_keys_to_clear": [],
            "should_retry": self.should_retry,
            "next_method": self.next_method,
            "next_kwargs": self.next_kwargs,
        }

    def _xcom(self, request: httpx.Request, task_id: str, key: str, value: Any) -> httpx.Response:
        place = (task_id, key, int(request.url.params.get("map_index", -1)))
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
        if request.method == "PUT":
            self.store[key] = body["value"]
            return httpx.Response(204)
        if request.method == "DELETE":
            self.store.pop(key, None)
            return httpx.Response(204)
        if key not in self.store:
            return httpx.Response(404, json={"detail": {"reason": "not_found", "message": "no such key"}})
        return httpx.Response(200, json={"value": self.store[key]})
