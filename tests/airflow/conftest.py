# SPDX-License-Identifier: Apache-2.0
"""A DAG, and short ways to put an account of the emulator into a state."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def dag() -> Any:
    from airflow.sdk import DAG

    return DAG("a_dag", schedule=None, start_date=START)


@pytest.fixture
def native_dag() -> Any:
    from airflow.sdk import DAG

    return DAG("a_dag", schedule=None, start_date=START, render_template_as_native_obj=True)


@pytest.fixture
def deliver(runner: Any) -> Callable[..., None]:
    """Put a value into XCom as if an upstream task had returned it."""

    def put(task_id: str, value: Any, *, key: str = "return_value", map_index: int = -1) -> None:
        runner.api.xcoms[(task_id, key, map_index)] = json.loads(json.dumps(value))

    return put


@pytest.fixture
def upstream(dag: Any, deliver: Callable[..., None]) -> Callable[..., Any]:
    """Return an upstream task whose result is in XCom already."""
    from airflow.sdk import task

    def make(task_id: str, value: Any) -> Any:
        deliver(task_id, value)

        @task(task_id=task_id, dag=dag)
        def returned() -> Any:
            return value

        return returned()

    return make


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop's database, behind the connection ``shop``."""
    from examples import SHOP

    path = tmp_path / "shop.db"
    SHOP.create(path)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


@pytest.fixture(params=["poke", "reschedule", "deferred"])
def waiting(request: pytest.FixtureRequest, dag: Any) -> dict[str, Any]:
    """Arguments of a sensor that looks often, in each of the modes."""
    mode = {"deferrable": True} if request.param == "deferred" else {"mode": request.param}
    return {"task_id": "wait", "dag": dag, "poke_interval": 0.001, "timeout": 20.0, **mode}


@pytest.fixture
def receipts(tmp_path: Path) -> Path:
    """Where receipts of an erasure go."""
    return tmp_path / "receipts.jsonl"


@pytest.fixture
def account(emulator: Any) -> Account:
    return Account(emulator)


class Account:
    """The emulator's account, changed behind the client's back."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator

    def book(self, name: str = "Readers", emails: Iterable[str] = ("ada@example.com",), **fields: Any) -> int:
        return self._command("add_book", {"name": name, "emails": [*emails], **fields})["id"]

    def campaign(self, status: int, *then: int) -> int:
        """Make a campaign that is in a status, and goes through others as it is read."""
        books = [*self.emulator.state.books]
        fields = {
            "sender_name": "The Shop",
            "sender_email": "shop@example.com",
            "subject": "News",
            "body": "PHA+TmV3czwvcD4=",
            "list_id": books[0].id if books else self.book(),
        }
        campaign_id = self._command("add_campaign", fields)["id"]
        self.force(campaign_id, status, *then)
        return campaign_id

    def force(self, campaign_id: int, status: int, *then: int) -> None:
        state = self.emulator.state
        with self.emulator.emulator.lock:
            state.course.force(state.campaigns.find(campaign_id), status, [*then])

    def set_book_status(self, book_id: int, status: int | None) -> None:
        with self.emulator.emulator.lock:
            self.emulator.state.books.find(book_id).forced_status = status

    @property
    def campaigns(self) -> list[dict[str, Any]]:
        return self.emulator.state.as_dict()["campaigns"]

    @property
    def books(self) -> list[dict[str, Any]]:
        return self.emulator.state.as_dict()["books"]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.emulator.state.as_dict()["events"]

    def sent(self, operation: str) -> list[Any]:
        """Return the bodies of all requests of an operation."""
        return [record.body for record in self.emulator.requests.records(operation)]

    def _command(self, name: str, fields: dict[str, Any]) -> Any:
        from airflow_provider_sendpulse.emulator import control

        with self.emulator.emulator.lock:
            return getattr(control, name)(self.emulator.emulator, None, fields)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let every wait of a client pass at once; returns what was waited for."""
    import asyncio

    from airflow_provider_sendpulse.api.clock import SystemClock

    waits: list[float] = []

    async def asleep(_: Any, seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: waits.append(seconds))
    monkeypatch.setattr(SystemClock, "asleep", asleep)
    return waits


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits look as often as they are told to, not once a second for all of them together."""
    from airflow_provider_sendpulse.triggers import sharing

    monkeypatch.setattr(sharing, "PACE", 0.0)


@pytest.fixture
def jumping_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let whoever sleeps find the time passed at once; returns how long was slept, each time."""
    import time

    from airflow_provider_sendpulse.api.clock import SystemClock

    slept: list[float] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: slept.append(seconds))
    monkeypatch.setattr(SystemClock, "now", lambda _: time.time() + sum(slept))
    return slept


@pytest.fixture
def passing_time(quick: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let every wait of a client pass at once, and whoever has waited find the time passed; returns the waits."""
    import time

    from airflow_provider_sendpulse.api.clock import SystemClock

    monkeypatch.setattr(SystemClock, "now", lambda _: time.time() + sum(quick))
    return quick


@pytest.fixture
def campaign_of(dag: Any, account: Account) -> Callable[..., Any]:
    """Return how to make a campaign operator that says little more than what a test is about."""
    from airflow_provider_sendpulse.operators.campaigns import SendPulseCreateCampaignOperator

    def make(**arguments: Any) -> Any:
        if "address_book_id" not in arguments:
            arguments["address_book_id"] = account.book(f"Book {len(account.books)}")
        if not {"body", "body_file", "template_id"} & arguments.keys():
            arguments["body"] = "<p>News</p>"
        return SendPulseCreateCampaignOperator(
            **{
                "task_id": "campaign",
                "dag": dag,
                "name": "News",
                "subject": "News",
                "sender_name": "The Shop",
                "sender_email": "shop@example.com",
                "poll_interval": 0.001,
                **arguments,
            }
        )

    return make


@pytest.fixture(autouse=True)
def _nothing_masked() -> None:
    """Forget the secrets of other tests: Airflow looks for all of them in every line, and would hide ours as well."""
    for name in ("airflow.sdk._shared.secrets_masker.secrets_masker", "airflow._shared.secrets_masker.secrets_masker"):
        if name in sys.modules:
            masker = sys.modules[name]._secrets_masker()
            masker.patterns.clear()
            masker.replacer = None
