# SPDX-License-Identifier: Apache-2.0
"""The part of Airflow's REST API that the demo uses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from demo.failure import DemoFailed

ATTEMPTS = 5
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(frozen=True)
class TaskState:
    """A task of a run, at a moment.

    :param id: the task instance's; every try has one of its own
    """

    id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int

    @property
    def label(self) -> str:
        """The task as it is shown."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class AirflowApi:
    """Talks to an API server on this machine, where everybody is an administrator.

    :param url: the server's address
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._token: str | None = None

    def health(self) -> dict[str, str]:
        """Return the status of each part of Airflow; empty while the server does not answer."""
        try:
            answer = self._client.get("/api/v2/monitor/health")
            parts = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return {}
        return {name: (parts.get(name) or {}).get("status") or "missing" for name in PARTS}

    def has_dag(self, dag_id: str) -> bool:
        """Whether the DAG has been read; fails when it cannot be."""
        errors = self._send("GET", "/api/v2/importErrors")["import_errors"]
        if errors:
            raise DemoFailed(f"Airflow cannot read {errors[0]['filename']}:\n{errors[0]['stack_trace']}")
        return any(dag["dag_id"] == dag_id for dag in self._send("GET", "/api/v2/dags")["dags"])

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._send("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        *,
        run_id: str,
        start: datetime,
        end: datetime,
        conf: Mapping[str, object],
        logical_date: datetime | None = None,
    ) -> None:
        """Start a run for an interval.

        :param logical_date: the end of the interval when left out; Airflow runs nothing that is dated in the future
        """
        self._send(
            "POST",
            f"/api/v2/dags/{dag_id}/dagRuns",
            {
                "dag_run_id": run_id,
                "logical_date": (logical_date or end).isoformat(),
                "data_interval_start": start.isoformat(),
                "data_interval_end": end.isoformat(),
                "conf": dict(conf),
            },
        )

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def fail(self, dag_id: str, run_id: str) -> None:
        """End a run, and what is running of it."""
        self._send("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})

    def task_states(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Return the state of each task of a run."""
        answer = self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")
        return [
            TaskState(item["id"], item["task_id"], item["map_index"], item["state"], item["try_number"])
            for item in answer["task_instances"]
        ]

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._send("GET", path + "?deserialize=false&stringify=false")["value"]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, method: str, path: str, body: object = None) -> Any:
        problem = ""
        for attempt in range(ATTEMPTS):
            # A database of one file answers some requests late, and then the server says 500.
            if attempt:
                time.sleep(0.5 * attempt)
            try:
                if self._token is None:
                    self._token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
                answer = self._client.request(method, path, json=body, headers={"Authorization": f"Bearer {self._token}"})
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if answer.status_code == 409 and attempt:
                # The attempt before had an effect after all.
                return {}
            if answer.status_code < 500:
                if answer.is_error:
                    raise DemoFailed(f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:500]}")
                return answer.json()
            problem = f"{answer.status_code} {answer.text[:300]}"
        raise DemoFailed(f"Airflow does not answer {method} {path}: {problem}")


__all__ = ["AirflowApi", "TaskState"]
