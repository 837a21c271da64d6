# SPDX-License-Identifier: Apache-2.0
"""What people and schedulers do to a run, done by Airflow itself, and what the task is given when it is started next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from metadata_database import MetadataDatabase, Start


@dataclass(frozen=True)
class Action:
    """What a task was given before somebody did something, and what it was given after.

    :param then: ``None`` when Airflow starts nothing
    """

    first: Start
    then: Start | None


def perform_all() -> dict[str, Action]:
    """Do everything in a process of its own and return it by name."""
    with tempfile.TemporaryDirectory(prefix="airflow-actions-") as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        environment |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__API_AUTH__JWT_SECRET": os.urandom(32).hex(),
            "AIRFLOW__CORE__DAGS_FOLDER": f"{home}/dags",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        result = Path(home, "actions.json")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, str(result)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"Airflow's actions could not be performed:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
        return {
            name: Action(_start(action["first"]), action["then"] and _start(action["then"]))
            for name, action in json.loads(result.read_text()).items()
        }


class Actions:
    """Everything that is done, each to a DAG of its own."""

    def __init__(self, database: MetadataDatabase) -> None:
        self._database = database

    def retry(self, first: Start) -> Start | None:
        """The task fails, or its worker is killed; it has retries left."""
        self._database.fail(first)
        return self._again(first)

    def clear_task(self, first: Start) -> Start | None:
        """Somebody clears the task that has succeeded."""
        self._database.set_state(first, "success")
        self._clear_task(first)
        return self._again(first)

    def clear_failed_task(self, first: Start) -> Start | None:
        """Somebody clears the task that has failed for good."""
        self._database.set_state(first, "failed")
        self._clear_task(first)
        return self._again(first)

    def clear_deferred_task(self, first: Start) -> Start | None:
        """Somebody clears the task while it waits in the triggerer."""
        self._database.set_state(first, "deferred")
        self._clear_task(first)
        return self._again(first)

    def clear_running_task(self, first: Start) -> Start | None:
        """Somebody clears the task while it runs: its worker is told to end it."""
        self._clear_task(first)
        self._database.fail(first)
        return self._again(first)

    def clear_run(self, first: Start) -> Start | None:
        """Somebody clears the whole run."""
        self._database.set_state(first, "success")
        self._database.call("POST", f"{self._path(first)}/clear", {"dry_run": False})
        return self._again(first)

    def mark_success_then_clear(self, first: Start) -> Start | None:
        """Somebody marks the running task as success, and clears it later."""
        self._mark_success(first)
        self._clear_task(first)
        return self._again(first)

    def mark_success_before_it_runs(self, first: Start) -> Start | None:
        """Somebody marks the task of the next run as success before it has run, and clears it later."""
        self._database.set_state(first, "success")
        run_id = self._database.scheduled_run(first.dag_id)
        waiting = replace(first, run_id=run_id)
        self._mark_success(waiting)
        self._clear_task(waiting)
        return self._again(waiting)

    def delete_run(self, first: Start) -> Start | None:
        """Somebody deletes the run, and the scheduler, for which it is due again, creates it."""
        self._delete(first)
        return self._database.start(first.dag_id, self._database.scheduled_run(first.dag_id))

    def trigger_without_date(self, first: Start) -> Start | None:
        """Somebody triggers a run that has no logical date."""
        return self._trigger(first, {"logical_date": None})

    def trigger_same_day(self, first: Start) -> Start | None:
        """Somebody triggers a run later on the day of the scheduled one."""
        return self._trigger(first, {"logical_date": (first.run_after + timedelta(hours=3)).isoformat()})

    def trigger_next_day(self, first: Start) -> Start | None:
        """Somebody triggers a run on the day after the scheduled one."""
        return self._trigger(first, {"logical_date": (first.run_after + timedelta(days=1)).isoformat()})

    def trigger_same_interval(self, first: Start) -> Start | None:
        """Somebody triggers a run and gives it the data interval of the scheduled one."""
        start, end = first.data_interval_start, first.data_interval_end
        assert start is not None
        assert end is not None
        dates = {"logical_date": end, "data_interval_start": start, "data_interval_end": end}
        return self._trigger(first, {name: date.isoformat() for name, date in dates.items()})

    def trigger_same_logical_date(self, first: Start) -> Start | None:
        """Somebody triggers a run with the logical date of the scheduled one."""
        assert first.logical_date is not None
        body = {"logical_date": first.logical_date.isoformat()}
        self._database.call("POST", f"/dags/{first.dag_id}/dagRuns", body, refused=409)
        return None

    def backfill(self, first: Start) -> Start | None:
        """Somebody has the dates backfilled whose runs are missing."""
        self._database.set_state(first, "success")
        return self._backfill(first, "none")

    def backfill_completed(self, first: Start) -> Start | None:
        """Somebody has the dates backfilled again whose runs are complete."""
        self._database.set_state(first, "success")
        return self._backfill(first, "completed")

    def delete_run_then_backfill(self, first: Start) -> Start | None:
        """Somebody deletes the run and has its date backfilled."""
        self._delete(first)
        return self._backfill(first, "none")

    def rename_task(self, first: Start) -> Start | None:
        """Somebody renames the task and clears the run, which then runs the DAG as it is now."""
        self._database.set_state(first, "success")
        self._database.write_dags(**{first.dag_id: "mailing"})
        self._database.call("POST", f"{self._path(first)}/clear", {"dry_run": False, "run_on_latest_version": True})
        return self._again(first)

    def rename_dag(self, first: Start) -> Start | None:
        """Somebody renames the DAG: for the scheduler a new one, of which the same run is due."""
        name = f"new_{first.dag_id}"
        self._database.write_dags(**{name: first.task_id})
        return self._database.start(name, self._database.scheduled_run(name))

    def new_metadata_database(self, first: Start) -> Start | None:
        """Somebody starts with a new metadata database and the same DAGs."""
        self._database.replace()
        self._database.write_dags(**{first.dag_id: first.task_id})
        return self._database.start(first.dag_id, self._database.scheduled_run(first.dag_id))

    def _again(self, first: Start) -> Start | None:
        return self._database.start(first.dag_id, first.run_id)

    def _clear_task(self, start: Start) -> None:
        body = {"dry_run": False, "only_failed": False, "dag_run_id": start.run_id, "task_ids": [start.task_id]}
        self._database.call("POST", f"/dags/{start.dag_id}/clearTaskInstances", body)

    def _mark_success(self, start: Start) -> None:
        self._database.call("PATCH", f"{self._path(start)}/taskInstances/{start.task_id}", {"new_state": "success"})

    def _delete(self, start: Start) -> None:
        self._database.set_state(start, "success")
        self._database.call("DELETE", self._path(start))

    def _trigger(self, first: Start, body: dict[str, Any]) -> Start | None:
        self._database.set_state(first, "success")
        run = self._database.call("POST", f"/dags/{first.dag_id}/dagRuns", body)
        return self._database.start(first.dag_id, run["dag_run_id"])

    def _backfill(self, first: Start, reprocess: str) -> Start | None:
        around = {
            "from_date": (first.run_after - timedelta(days=1)).isoformat(),
            "to_date": (first.run_after + timedelta(days=1)).isoformat(),
        }
        path = f"/dags/{first.dag_id}/dagRuns"
        before = {run["dag_run_id"]: run["state"] for run in self._database.call("GET", path)["dag_runs"]}
        body = {"dag_id": first.dag_id, "reprocess_behavior": reprocess, **around}
        self._database.call("POST", "/backfills", body)
        after = {run["dag_run_id"]: run["state"] for run in self._database.call("GET", path)["dag_runs"]}
        changed = [run_id for run_id, state in after.items() if before.get(run_id) != state]
        if not changed:
            return None
        [run_id] = changed
        return self._database.start(first.dag_id, run_id)

    @staticmethod
    def _path(start: Start) -> str:
        return f"/dags/{start.dag_id}/dagRuns/{start.run_id}"


def _start(fields: dict[str, Any]) -> Start:
    dates = ("logical_date", "data_interval_start", "data_interval_end", "run_after")
    parsed = {name: fields[name] and datetime.fromisoformat(fields[name]) for name in dates}
    return Start(**{**fields, **parsed})


def _performed(database: MetadataDatabase) -> dict[str, Action]:
    actions = Actions(database)
    by_name: dict[str, Callable[[Start], Start | None]] = {
        name: getattr(actions, name) for name in vars(Actions) if not name.startswith("_")
    }
    performed = {}
    with database.rest_api():
        for name, act in by_name.items():
            database.write_dags(**{name: "campaign"})
            first = database.start(name, database.scheduled_run(name))
            assert first is not None
            database.keep_state(first)
            performed[name] = Action(first, act(first))
    return performed


def _main(result: Path) -> None:
    database = MetadataDatabase(Path(os.environ["AIRFLOW_HOME"]))
    performed = {name: asdict(action) for name, action in _performed(database).items()}
    result.write_text(json.dumps(performed, default=datetime.isoformat))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
