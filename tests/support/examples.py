# SPDX-License-Identifier: Apache-2.0
"""Example DAGs, found and run as Airflow would: every task in Airflow's own task runner."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from execution_api import ExecutionApi
from task_runner import Result, TaskRunner

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_dags"


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def dags_of(name: str) -> dict[str, Any]:
    """Return a file's DAGs, found as Airflow finds them: a DAG needs no name in its module."""
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    DagContext.autoregistered_dags.clear()
    DagContext.current_autoregister_module_name = f"example_{name}"
    try:
        load(EXAMPLES / f"{name}.py", f"example_{name}")
        dags = {dag.dag_id: dag for dag, _ in DagContext.autoregistered_dags}
    finally:
        DagContext.current_autoregister_module_name = None
        DagContext.autoregistered_dags.clear()
    for dag in dags.values():
        for task in dag.tasks:
            if hasattr(task, "poke_interval"):
                task.poke_interval = 0.001
    return dags


SHOP = load(ROOT / "demo" / "shop.py", "example_shop")


def api_of(dag_id: str, week: int = 0, **fields: Any) -> ExecutionApi:
    """Return a run for one week of the shop: from its Monday to the next."""
    monday = datetime.combine(SHOP.FIRST_MONDAY, time(6), tzinfo=UTC) + week * timedelta(days=7)
    following = monday + timedelta(days=7)
    return ExecutionApi(
        dag_id=dag_id,
        run_id=f"scheduled__{following:%Y-%m-%d}",
        interval=(monday, following),
        run_after=following,
        **fields,
    )


def run(dag: Any, api: ExecutionApi) -> dict[str, Result | list[Result]]:
    """Run all tasks of a DAG, each after those before it."""
    runner = TaskRunner(api)
    results: dict[str, Result | list[Result]] = {}
    for task in ordered(dag):
        if task.is_mapped:
            count = mapped_count(api, expanded_over(task))
            runs = [runner.run(task, map_index=index) for index in range(count)]
            results[task.task_id] = runs
        else:
            runs = [runner.run(task)]
            results[task.task_id] = runs[0]
        assert all(result.state == "success" for result in runs), (task.task_id, runs[-1].error, runs[-1].log)
    return results


def expanded_over(task: Any) -> str:
    """Return the task whose result a mapped task is expanded over."""
    [source] = task.upstream_task_ids
    return str(source)


def mapped_count(api: ExecutionApi, source: str) -> int:
    """Return how often a task is mapped that is expanded over what another one has returned, itself mapped or not."""
    if (source, "return_value", -1) in api.xcoms:
        return len(api.xcoms[(source, "return_value", -1)])
    return sum(index >= 0 for name, key, index in api.xcoms if (name, key) == (source, "return_value"))


def ordered(dag: Any) -> Iterator[Any]:
    left, done = dict(dag.task_dict), set()
    while left:
        ready = [task for task in left.values() if task.upstream_task_ids <= done]
        assert ready
        for task in ready:
            yield task
            done.add(task.task_id)
            del left[task.task_id]


def one_task(how: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a task in a process of its own."""
    program = ROOT / "tests" / "support" / "one_task.py"
    path = os.pathsep.join([str(ROOT), str(program.parent)])
    return subprocess.run(
        [sys.executable, str(program), json.dumps(how)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )


__all__ = ["EXAMPLES", "ROOT", "SHOP", "api_of", "dags_of", "one_task", "ordered", "run"]
