# SPDX-License-Identifier: Apache-2.0
"""A metadata database of SQLite in which Airflow itself creates runs and starts tasks, without a scheduler or a worker.

What people do goes through Airflow's REST API. The scheduler's part is done by the methods that it calls:
``create_dagrun`` for a run that is due, ``handle_failure`` for a task that failed or whose worker was killed, and
``schedule_tis``, which counts the tries.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STATE_STORE_KEY = "kept"

DAG_FILE = """\
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, BaseOperator

try:
    from airflow.sdk import CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.trigger import CronTriggerTimetable


class Mailing(BaseOperator):
    def execute(self, context):
        raise NotImplementedError


for dag_id, task_id in json.loads(Path(__file__).with_name("mailings.json").read_text()).items():
    with DAG(
        dag_id,
        schedule=CronTriggerTimetable("0 8 * * 1", timezone="Europe/Kyiv", interval=timedelta(days=7)),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=True,
        default_args={"retries": 3, "retry_delay": timedelta(0)},
    ):
        Mailing(task_id=task_id)
"""


@dataclass(frozen=True)
class Start:
    """One start of a task, as the metadata database says.

    :param stored: whether the task state store still holds what the first try has written; ``None`` below Airflow 3.3
    """

    dag_id: str
    task_id: str
    run_id: str
    run_type: str
    try_number: int
    clear_number: int
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    stored: bool | None


class MetadataDatabase:
    """A metadata database, the folder of DAGs that it was filled from, and the REST API on top."""

    def __init__(self, home: Path) -> None:
        self._file = home / "airflow.db"
        self._new = home / "new.db"
        self._mailings = home / "dags" / "mailings.json"
        self._mailings.parent.mkdir()
        self._mailings.with_name("weekly.py").write_text(DAG_FILE)
        self._command("db", "migrate")
        _copy(self._file, self._new)

    def replace(self) -> None:
        """Put a new, empty database in place of this one."""
        from airflow import settings

        settings.engine.dispose()
        _copy(self._new, self._file)

    def write_dags(self, **tasks: str) -> None:
        """Deploy DAGs: their ids, and the id of the one task in each."""
        self._mailings.write_text(json.dumps(tasks))
        self._parse()

    @contextmanager
    def rest_api(self) -> Iterator[None]:
        """Serve the REST API, with rights to do everything."""
        from airflow.api_fastapi.app import create_app
        from starlette.testclient import TestClient

        with TestClient(create_app(apps="core"), base_url="http://airflow.invalid") as client:
            token = client.get("/auth/token").json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            self._client = client
            yield

    def call(self, method: str, path: str, body: Any = None, *, refused: int | None = None) -> Any:
        """Call the REST API; ``refused`` is the status of a refusal that is expected."""
        answer = self._client.request(method, f"/api/v2{path}", json=body)
        if refused is None:
            answer.raise_for_status()
        elif answer.status_code != refused:
            raise AssertionError(f"{method} {path} was answered with {answer.status_code}, not {refused}")
        return answer.json() if answer.content else None

    def scheduled_run(self, dag_id: str) -> str:
        """Create the run that is due next, as the scheduler does, and return its id.

        The very first run of a DAG has no tasks where its data interval begins before the DAG's start date: the one after
        it is the first that mails.
        """
        from airflow.models.dag import DagModel
        from airflow.timetables.base import DataInterval
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        # When the file is parsed again, what is due follows from the runs that are there.
        self._parse()
        with create_session() as session:
            model = session.get(DagModel, dag_id)
            dag = self._dag(dag_id, session)
            interval = DataInterval(model.next_dagrun_data_interval_start, model.next_dagrun_data_interval_end)
            run_after = model.next_dagrun_create_after
            run_id = dag.timetable.generate_run_id(
                run_type=DagRunType.SCHEDULED, run_after=run_after, data_interval=interval
            )
            dag.create_dagrun(
                run_id=run_id,
                logical_date=model.next_dagrun,
                data_interval=interval,
                run_after=run_after,
                run_type=DagRunType.SCHEDULED,
                triggered_by=DagRunTriggeredByType.TIMETABLE,
                state=DagRunState.QUEUED,
                session=session,
            )
            is_too_early = model.next_dagrun < dag.start_date
        return self.scheduled_run(dag_id) if is_too_early else str(run_id)

    def start(self, dag_id: str, run_id: str) -> Start | None:
        """Let the scheduler start what is to be started in a run, and a worker take it; ``None`` when that is nothing."""
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState, TaskInstanceState

        with create_session() as session:
            run = self._run(dag_id, run_id, session)
            if run.state not in (DagRunState.QUEUED, DagRunState.RUNNING):
                return None
            run.dag = self._dag(dag_id, session)
            run.state = DagRunState.RUNNING
            schedulable, _ = run.update_state(session=session, execute_callbacks=False)
            if not run.schedule_tis(schedulable, session=session):
                return None
            session.flush()
            session.expire_all()
            [ti] = [ti for ti in run.get_task_instances(session=session) if ti.state == TaskInstanceState.SCHEDULED]
            ti.state = TaskInstanceState.RUNNING
            ti.start_date = datetime.now(UTC)
            return Start(
                dag_id=dag_id,
                task_id=ti.task_id,
                run_id=run_id,
                run_type=str(getattr(run.run_type, "value", run.run_type)),
                try_number=ti.try_number,
                clear_number=run.clear_number,
                logical_date=run.logical_date,
                data_interval_start=run.data_interval_start,
                data_interval_end=run.data_interval_end,
                run_after=run.run_after,
                stored=self._is_stored(dag_id, run_id, ti.task_id),
            )

    def keep_state(self, start: Start) -> None:
        """Write into the task state store, as the first try does."""
        if start.stored is not None:
            self.call("PUT", f"{self._store(start.dag_id, start.run_id, start.task_id)}/{STATE_STORE_KEY}", {"value": 1})

    def set_state(self, start: Start, state: str) -> None:
        """Note what became of a task on its worker, and what follows for its run."""
        from airflow.utils.session import create_session

        with create_session() as session:
            run = self._run(start.dag_id, start.run_id, session)
            run.dag = self._dag(start.dag_id, session)
            [ti] = run.get_task_instances(session=session)
            ti.state = state
            session.flush()
            run.update_state(session=session, execute_callbacks=False)

    def fail(self, start: Start) -> None:
        """Let a task fail, or be found dead: the scheduler treats both alike."""
        from airflow.utils.session import create_session

        with create_session() as session:
            run = self._run(start.dag_id, start.run_id, session)
            [ti] = run.get_task_instances(session=session)
            ti.task = self._dag(start.dag_id, session).get_task(start.task_id)
            ti.handle_failure("the worker is gone", session=session)

    def _parse(self) -> None:
        self._command("dags", "reserialize")

    def _is_stored(self, dag_id: str, run_id: str, task_id: str) -> bool | None:
        from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

        if not AIRFLOW_V_3_3_PLUS:
            return None
        listed = self.call("GET", self._store(dag_id, run_id, task_id))
        return bool(listed["total_entries"])

    @staticmethod
    def _store(dag_id: str, run_id: str, task_id: str) -> str:
        return f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"

    @staticmethod
    def _dag(dag_id: str, session: Any) -> Any:
        from airflow.models.dagbag import DBDagBag

        return DBDagBag().get_latest_version_of_dag(dag_id, session=session)

    @staticmethod
    def _run(dag_id: str, run_id: str, session: Any) -> Any:
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        return session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))

    @staticmethod
    def _command(*arguments: str) -> None:
        from airflow.cli import cli_parser

        parsed = cli_parser.get_parser().parse_args(arguments)
        parsed.func(parsed)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as readable, closing(sqlite3.connect(target)) as writable:
        readable.backup(writable)
