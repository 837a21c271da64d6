# SPDX-License-Identifier: Apache-2.0
"""Run by the tests as a program: one task of a DAG file, through Airflow's task runner, in a process that may be killed.

The argument is JSON: ``path`` of the DAG file, ``dag_id``, ``task_id``, ``run_id``, ``try_number``, and perhaps

* ``now``, the moment that it is, and ``jump``: to let whoever sleeps find the time passed at once;
* ``map_index`` of a mapped task, and ``xcoms``: what other tasks have returned, by their ids;
* ``pushed``, the key of an XCom of the task, which is then told as well;
* ``store``, a file for the task state store, which other tries read;
* ``together``: to say when all is ready, and begin with a line of input.

What the task came to is the last line of the output.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.api.clock import SystemClock


class StoreFile(dict[str, Any]):
    """The values of a task state store, written to a file with every change."""

    def __init__(self, path: Path) -> None:
        super().__init__(json.loads(path.read_text()) if path.exists() else {})
        self._path = path

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._path.write_text(json.dumps(self))


def main(how: dict[str, Any]) -> None:
    import importlib.util

    from airflow.sdk.definitions._internal.contextmanager import DagContext

    DagContext.autoregistered_dags.clear()
    DagContext.current_autoregister_module_name = "one_task"
    spec = importlib.util.spec_from_file_location("one_task", Path(how["path"]))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["one_task"] = module  # where Airflow looks its DAGs up
    spec.loader.exec_module(module)
    [task] = [dag.get_task(how["task_id"]) for dag, _ in DagContext.autoregistered_dags if dag.dag_id == how["dag_id"]]
    api = ExecutionApi(dag_id=how["dag_id"], run_id=how["run_id"])
    if "now" in how:
        api.run_after = now = datetime.fromisoformat(how["now"])
        SystemClock.now = lambda _: now.timestamp()  # type: ignore[method-assign]
    if "store" in how:
        api.store = StoreFile(Path(how["store"]))
    api.xcoms = {(name, "return_value", -1): value for name, value in how.get("xcoms", {}).items()}
    if "jump" in how:
        slept: list[float] = []
        now = SystemClock.now
        SystemClock.sleep = lambda _, seconds: slept.append(seconds)  # type: ignore[method-assign]
        SystemClock.now = lambda clock: now(clock) + sum(slept)  # type: ignore[method-assign]
    if "together" in how:
        print("ready", flush=True)
        sys.stdin.readline()
    result = TaskRunner(api).run(task, try_number=int(how["try_number"]), map_index=how.get("map_index", -1))
    told = {"state": result.state, "error": str(result.error or ""), "value": result.value}
    if "pushed" in how:
        told["pushed"] = result.xcom(how["pushed"], how["task_id"], how.get("map_index", -1))
    print(json.dumps(told))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
