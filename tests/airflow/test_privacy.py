# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves a task: not by its logs, fields, XComs, triggers and errors, nor by files."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
)
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator, SendPulseUpdateVariableOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.sensors.address_books import SendPulseAddressBookUnlockedSensor
from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

SECRET = "canary5ecret0123456789"
HASH = "0c4n4ry0hash0000000000000000cafe"
ADDRESS = "canary.reader+tag@private.example.org"
PHONE = "+380671234567"
NAME = "Канарка-Таємна"
CANARIES = (SECRET, HASH, ADDRESS, "canary.reader", PHONE, PHONE[1:], NAME)
PERSON = {"email": ADDRESS, "phone": PHONE, "name": NAME}


@pytest.fixture(autouse=True)
def canaries(connect: Any, emulator: Any) -> None:
    emulator.configure(client_secret=SECRET)
    connect(password=SECRET, extra={"event_urls": {"paid": f"{emulator.url}/events/id/{HASH}/5000001"}})


def tasks(account: Any, dag: Any, campaign_of: Any, upstream: Any) -> dict[str, Callable[[], Any]]:
    """Return every operator and sensor with a person in all places where there can be one."""
    book_id = account.book("Everybody", emails=[ADDRESS])

    def sensor(kind: Any, **arguments: Any) -> Any:
        return kind(task_id="task", dag=dag, poke_interval=0.001, **arguments)

    return {
        "create book": lambda: SendPulseCreateAddressBookOperator(task_id="task", dag=dag, name="Readers"),
        "delete book": lambda: SendPulseDeleteAddressBookOperator(task_id="task", dag=dag, address_book_id=book_id),
        "add": lambda: SendPulseAddEmailsOperator(task_id="task", dag=dag, address_book_id=book_id, contacts=[PERSON]),
        "add from upstream": lambda: SendPulseAddEmailsOperator(
            task_id="task", dag=dag, address_book_id=book_id, contacts=upstream("people", [PERSON])
        ),
        "double opt-in": lambda: SendPulseAddEmailsOperator(
            task_id="task",
            dag=dag,
            address_book_id=book_id,
            contacts=[PERSON],
            double_opt_in=True,
            sender_email="shop@example.com",
        ),
        "update": lambda: SendPulseUpdateVariableOperator(
            task_id="task", dag=dag, address_book_id=book_id, contact_email=ADDRESS, variables={"name": NAME}
        ),
        "event": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="left", contacts=[PERSON]),
        "event by hash": lambda: SendPulseSendEventOperator(task_id="task", dag=dag, event_name="paid", contacts=[PERSON]),
        "event for one": lambda: SendPulseSendEventOperator(
            task_id="task", dag=dag, event_name="paid", contact_email=ADDRESS, contact_phone=PHONE, variables={"name": NAME}
        ),
        "campaign": lambda: campaign_of(
            task_id="task", address_book_id=book_id, attachments={"list.csv": f"{ADDRESS},{NAME}"}
        ),
        "campaign, deferred": lambda: campaign_of(
            task_id="task", address_book_id=book_id, wait_for_completion=True, deferrable=True
        ),
        "campaign, waiting": lambda: campaign_of(task_id="task", address_book_id=book_id, wait_for_completion=True),
        "campaign sensor": lambda: sensor(SendPulseCampaignSensor, campaign_id=account.campaign(2, 3)),
        "campaign sensor, deferred": lambda: sensor(
            SendPulseCampaignSensor, campaign_id=account.campaign(2, 3), deferrable=True
        ),
        "book sensor": lambda: sensor(SendPulseAddressBookUnlockedSensor, address_book_id=book_id),
        "book sensor, deferred": lambda: sensor(
            SendPulseAddressBookUnlockedSensor, address_book_id=book_id, deferrable=True
        ),
    }


NAMES = (
    "create book",
    "delete book",
    "add",
    "add from upstream",
    "double opt-in",
    "update",
    "event",
    "event by hash",
    "event for one",
    "campaign",
    "campaign, deferred",
    "campaign, waiting",
    "campaign sensor",
    "campaign sensor, deferred",
    "book sensor",
    "book sensor, deferred",
)

FAILURES = {
    "refused": {"kind": "status", "status": 422},
    "unavailable": {"kind": "status", "status": 503},
    "unauthorised": {"kind": "status", "status": 401},
    "lost": {"kind": "drop"},
    "html": {"kind": "html", "status": 200},
}


def check(result: Any, account: Any, capfd: Any, cache: Path) -> None:
    output = capfd.readouterr()
    canaries = (*CANARIES, *account.emulator.state.tokens._expiry)
    told = {
        "log": result.log,
        "stdout": output.out,
        "stderr": output.err,
        "rendered": json.dumps(result.rendered, ensure_ascii=False),
        "XCom": str({place: value for place, value in result.api.xcoms.items() if place[0] != "people"}),
        "state store": json.dumps(result.api.store, ensure_ascii=False),
        "reports, with the arguments of triggers": json.dumps(result.api.reported, ensure_ascii=False),
        "event": json.dumps(result.event, ensure_ascii=False),
        "error": str(result.error),
        "arguments of the error": repr(getattr(result.error, "__dict__", {})),
        "trace": "".join(traceback.format_exception(result.error)) if result.error else "",
    }
    for place, text in told.items():
        # The emulator's own server writes the paths that it serves.
        lines = [line for line in text.splitlines() if "uvicorn" not in line]
        for canary in canaries:
            assert not any(canary in line for line in lines), f"{canary} in {place}"
    for path in cache.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
            content = path.read_bytes()
            assert not any(canary.encode() in content for canary in canaries), path


@pytest.mark.parametrize("name", NAMES)
def test_success(
    runner: Any, dag: Any, account: Any, campaign_of: Any, upstream: Any, capfd: Any, own_cache: Path, name: str
) -> None:
    made = tasks(account, dag, campaign_of, upstream)
    assert set(made) == set(NAMES)
    capfd.readouterr()
    result = runner.run(made[name]())
    assert len(result.legs) == (2 if "deferred" in name and "book" not in name else 1)
    assert result.state == "success", result.error
    check(result, account, capfd, own_cache)
    assert any(own_cache.rglob("*.json"))
    # A hash URL is a credential of its own; everything else needs a token, which is looked for above.
    assert bool(account.emulator.state.tokens._expiry) == (name not in ("event by hash", "event for one"))


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", NAMES)
def test_failure(
    runner: Any,
    dag: Any,
    account: Any,
    campaign_of: Any,
    upstream: Any,
    capfd: Any,
    own_cache: Path,
    quick: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    failure: str,
) -> None:
    task = tasks(account, dag, campaign_of, upstream)[name]()
    # The service repeats what it was sent, as services do.
    words = f"wrong: {ADDRESS}, {PHONE}, secret {SECRET}, /events/id/{HASH}/1"
    account.emulator.faults.add(**{"path": "^/(?!oauth)", "times": 40, "message": words, **FAILURES[failure]})
    capfd.readouterr()
    if "sensor" in name:
        task.timeout = 0.0
    if hasattr(task, "visibility_window"):
        task.visibility_window = 0.0
    result = runner.run(task)
    assert result.state in ("failed", "success")
    check(result, account, capfd, own_cache)


@pytest.mark.parametrize("name", ["add", "event", "update"])
def test_rendering_that_fails(
    runner: Any, dag: Any, account: Any, campaign_of: Any, upstream: Any, capfd: Any, own_cache: Path, name: str
) -> None:
    task = tasks(account, dag, campaign_of, upstream)[name]()
    task.sendpulse_conn_id = "{{ missing.name }}"
    capfd.readouterr()
    result = runner.run(task)
    assert result.state == "failed"
    check(result, account, capfd, own_cache)


@pytest.mark.parametrize("name", ["update", "event for one"])
@pytest.mark.parametrize("retry", [False, True])
def test_alert_is_not_mailed_to_a_contact(
    runner: Any,
    dag: Any,
    account: Any,
    campaign_of: Any,
    upstream: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    retry: bool,
) -> None:
    from airflow.sdk.execution_time import task_runner as airflow_runner

    mailed: list[Any] = []
    for function in ("_send_error_email_notification", "_send_task_error_email"):
        if hasattr(airflow_runner, function):
            monkeypatch.setattr(airflow_runner, function, lambda *arguments, **_: mailed.append(arguments))
    task = tasks(account, dag, campaign_of, upstream)[name]()
    task.event_name = task.address_book_id = ""
    if retry:
        monkeypatch.setenv("AIRFLOW_CONN_SENDPULSE_DEFAULT", "{")
        runner.api.should_retry = True
    result = runner.run(task)
    assert result.state in ("failed", "up_for_retry")
    assert mailed == []


@pytest.mark.filterwarnings("ignore:Setting email")
def test_recipients_of_alerts_are_no_contacts(runner: Any, account: Any) -> None:
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    dag = DAG(
        "a_dag",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        default_args={"email": ["operations@example.com"]},
    )
    send = SendPulseSendEventOperator(task_id="task", dag=dag, event_name="left", contacts=[{"email": "ada@example.com"}])
    assert runner.run(send).state == "success"
