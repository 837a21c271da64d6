# SPDX-License-Identifier: Apache-2.0
"""The four processes of an Airflow, started and healthy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from demo.airflow_api import PARTS, AirflowApi
from demo.failure import DemoFailed
from demo.processes import Processes, airflow

START_TIMEOUT = 120.0
COMPONENTS = {
    "api-server": ("api-server", "--host", "127.0.0.1", "--workers", "1"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}


def start_airflow(
    processes: Processes, port: int, environment: Mapping[str, str], dag_id: str, say: Callable[[str, str], None]
) -> AirflowApi:
    """Start Airflow and return its API when all of it is healthy and a DAG may run.

    :param port: where its API server is to listen
    :param environment: connections
    :param say: is told who did what
    :raises DemoFailed: when it is not up in time
    """
    api = AirflowApi(f"http://127.0.0.1:{port}")
    for name, command in COMPONENTS.items():
        more = ("--port", str(port)) if name == "api-server" else ()
        processes.start(name, *airflow(*command, *more), environment=environment)
    say("airflow", f"starting {', '.join(COMPONENTS)}")
    deadline, before = time.monotonic() + START_TIMEOUT, dict[str, str]()
    while True:
        processes.require_running()
        health = api.health()
        for part in PARTS:
            if health.get(part) == "healthy" and before.get(part) != "healthy":
                say("airflow", f"{part} healthy")
        before = health
        if health and set(health.values()) == {"healthy"} and api.has_dag(dag_id):
            break
        if time.monotonic() > deadline:
            raise DemoFailed(f"Airflow is not up after {START_TIMEOUT:.0f} s: {health or 'its API does not answer'}")
        time.sleep(0.25)
    api.unpause(dag_id)
    say("airflow", f"up at {api.url}")
    return api


__all__ = ["START_TIMEOUT", "start_airflow"]
