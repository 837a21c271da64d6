# SPDX-License-Identifier: Apache-2.0
"""What Airflow itself tells of a task that cannot begin, or has failed: nothing of a person, and not to a contact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from esputnik_state import EsputnikState
from esputnik_tasks import CASES
from esputnik_there import prepared
from sendpulse_tasks import tasks
from watch import Watch

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator


@pytest.fixture
def task_of(
    dag: Any, account: Any, campaign_of: Any, upstream: Any, esputnik: EsputnikState, watch: Watch, contact_file: str
) -> Callable[[str, str], Any]:
    def make(service: str, name: str) -> Any:
        if service == "sendpulse":
            return tasks(account, dag, campaign_of, upstream)[name]()
        return CASES[name].task(dag, prepared(esputnik, watch.kept, contact_file))

    return make


@pytest.mark.parametrize(
    ("service", "name"),
    [
        *(("sendpulse", name) for name in ("add", "event", "update")),
        *(("esputnik", name) for name, case in CASES.items() if hasattr(case.kind, "personal_fields") and not case.mapped),
    ],
)
def test_rendering_that_fails(runner: Any, task_of: Callable[..., Any], watch: Watch, service: str, name: str) -> None:
    task = task_of(service, name)
    setattr(task, f"{service}_conn_id", "{{ missing.name }}")
    watch.begin()
    result = runner.run(task)
    assert result.state == "failed"
    watch.result(result, "people")


@pytest.mark.parametrize(
    ("service", "name", "emptied"),
    [
        ("sendpulse", "update", "address_book_id"),
        ("sendpulse", "event for one", "event_name"),
        ("esputnik", "event for one", "event_type_key"),
        ("esputnik", "upsert", "contact_email"),
        ("esputnik", "update", "find_by"),
        ("esputnik", "subscribe one", "contact_email"),
    ],
)
@pytest.mark.parametrize("retry", [False, True])
def test_alert_is_not_mailed_to_a_contact(
    runner: Any,
    task_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    name: str,
    emptied: str,
    retry: bool,
) -> None:
    from airflow.sdk.execution_time import task_runner as airflow_runner

    mailed: list[Any] = []
    for function in ("_send_error_email_notification", "_send_task_error_email"):
        if hasattr(airflow_runner, function):
            monkeypatch.setattr(airflow_runner, function, lambda *arguments, **_: mailed.append(arguments))
    task = task_of(service, name)
    setattr(task, emptied, "")
    if emptied == "contact_email":
        task.contact_phone = ""
    if retry:
        monkeypatch.setenv(f"AIRFLOW_CONN_{service.upper()}_DEFAULT", "{")
        runner.api.should_retry = True
    result = runner.run(task)
    assert result.state in ("failed", "up_for_retry")
    assert mailed == []


@pytest.mark.filterwarnings("ignore:Setting email")
@pytest.mark.parametrize(
    ("kind", "event"), [(SendPulseSendEventOperator, "event_name"), (EsputnikSendEventOperator, "event_type_key")]
)
def test_recipients_of_alerts_are_no_contacts(runner: Any, account: Any, kind: Any, event: str) -> None:
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    dag = DAG(
        "a_dag",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        default_args={"email": ["operations@example.com"]},
    )
    send = kind(task_id="task", dag=dag, **{event: "left"}, contacts=[{"email": "ada@example.com"}])
    assert runner.run(send).state == "success"
