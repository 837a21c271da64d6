# SPDX-License-Identifier: Apache-2.0
"""An account that has a name in its connection stays the same account when its credentials change."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.operators.ledgers import account_identity

CARTS = [{"email": "ada@example.com", "cart": 1}]

Connect = Callable[..., None]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "ledger.db")}))
    return "ledger"


@pytest.fixture(params=["SendPulse", "eSputnik"])
def service(request: pytest.FixtureRequest, emulator: Any, connect: Connect, connect_esputnik: Connect) -> Any:
    """Set the connection of a service with the first or the second of its credentials, and return its hook's class."""
    emulator.configure(esputnik_keys=["first", "second"])

    def use(which: str, extra: dict[str, Any]) -> Any:
        if request.param == "eSputnik":
            connect_esputnik(password=which, extra=extra)
            return EsputnikHook
        emulator.configure(client_id=which)
        connect(login=which, extra=extra)
        return SendPulseHook

    return use


def send(hook: Any, ledger: str, run: str) -> Any:
    """Send the event of each cart in a run of its own."""
    from airflow.sdk import DAG

    from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
    from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator

    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    arguments: Any = {"task_id": "send", "dag": dag, "contacts": CARTS, "event_key": "cart", "ledger": ledger}
    operator = (
        EsputnikSendEventOperator(event_type_key="cart_left", **arguments)
        if hook is EsputnikHook
        else SendPulseSendEventOperator(event_name="cart_left", **arguments)
    )
    result = TaskRunner(ExecutionApi(run_id=run)).run(operator)
    assert result.state == "success", result.error
    return result.value


@pytest.mark.parametrize(("extra", "again"), [({}, 1), ({"account": "  "}, 1), ({"account": "shop"}, 0)])
def test_the_ledger_knows_it_by_its_name(service: Any, ledger: str, extra: dict[str, Any], again: int) -> None:
    assert send(service("first", extra), ledger, "one")["accepted"] == 1
    second = send(service("second", extra), ledger, "two")
    assert (second["accepted"], second["skipped"]) == (again, 1 - again)


def test_what_processes_share_goes_by_its_name(service: Any) -> None:
    def account(which: str, **extra: str) -> Any:
        return service(which, extra)().settings.account

    unnamed = [account("first"), account("second")]
    named = [account("first", account="shop"), account("second", account="shop")]
    other = account("second", account="other")
    for key in ("budget_key", "leases_key", "quotas_key"):
        assert len({getattr(one, key) for one in (*unnamed, other)}) == 3
        assert len({getattr(one, key) for one in (*named, other)}) == 2
        assert getattr(named[0], key) != getattr(unnamed[0], key)
    assert len({account_identity(one) for one in (*unnamed, *named, other)}) == 4


def test_a_token_goes_by_its_credentials(emulator: Any, connect: Connect) -> None:
    keys = set()
    for which in ("first", "second"):
        connect(login=which, extra={"account": "shop"})
        keys.add(SendPulseHook().settings.account.token_key)
    assert len(keys) == 2


def test_a_name_is_never_taken_for_credentials(connect_esputnik: Connect) -> None:
    connect_esputnik(password="shop")
    unnamed = account_identity(EsputnikHook().settings.account)
    connect_esputnik(extra={"account": "shop"})
    assert account_identity(EsputnikHook().settings.account) != unnamed


def test_services_do_not_share_a_name(connect: Connect, connect_esputnik: Connect) -> None:
    connect(extra={"account": "shop"})
    connect_esputnik(extra={"account": "shop"})
    accounts = [SendPulseHook().settings.account, EsputnikHook().settings.account]
    assert len({account_identity(account) for account in accounts}) == 2
    assert len({account.budget_key for account in accounts}) == 2
