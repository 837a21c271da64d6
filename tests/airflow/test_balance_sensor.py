# SPDX-License-Identifier: Apache-2.0
"""Waiting for money, messages and days, in every mode of the sensor, with one outcome."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.sensors.balance import SendPulseBalanceSensor

MODES = ("poke", "reschedule", "deferred")
pytestmark = pytest.mark.usefixtures("connect")


def sensor(dag: Any, mode: str, **arguments: Any) -> SendPulseBalanceSensor:
    deferrable = mode == "deferred"
    return SendPulseBalanceSensor(
        task_id="wait",
        dag=dag,
        mode="poke" if deferrable else mode,
        deferrable=deferrable,
        **{"poke_interval": 0.001, **arguments},
    )


def plan(**fields: Any) -> dict[str, Any]:
    """Return an answer with an email plan that has enough of everything else."""
    enough = {"tariff_name": "Standard", "finished_time": "2099-12-31 00:00:00", "emails_left": 100}
    return {"balance": {"main": "1.00", "bonus": "0", "currency": "USD"}, "email": {**enough, **fields}}


NO_PLAN = {"balance": {"main": "1.00", "bonus": "0", "currency": "USD"}, "email": None}


def tomorrow(days: float, zone: str = "Europe/Kyiv") -> str:
    return (datetime.now(ZoneInfo(zone)) + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("mode", MODES)
def test_enough(runner: Any, dag: Any, account: Any, mode: str) -> None:
    account.emulator.configure(plan_recipients=500, plan_finished_time=tomorrow(3.0))
    result = runner.run(sensor(dag, mode, min_balance=14.36, min_emails_left=500, min_days_left=2.9))
    assert result.state == "success", result.error
    assert result.legs == ["success"]
    days = result.value.pop("days_left")
    assert 2.9 <= days <= 3.1
    assert result.value == {"balance": 14.36, "currency": "USD", "emails_left": 500}


@pytest.mark.parametrize("mode", MODES)
def test_only_what_there_is_a_minimum_for_is_read(runner: Any, dag: Any, account: Any, mode: str) -> None:
    assert runner.run(sensor(dag, mode, min_balance="{{ 10 }}", currency="UAH")).value == {
        "balance": 574.4,
        "currency": "UAH",
    }
    assert set(account.emulator.requests.counts()) == {"tokens.issue", "balance.read"}
    assert "emails_left" in runner.run(sensor(anew(dag), mode, min_emails_left="1")).value
    assert account.emulator.requests.counts()["balance.read"] == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("answer", "minimum"),
    [
        ({"currency": "USD", "balance_currency": 9.99}, {"min_balance": 10}),
        (plan(emails_left=9), {"min_emails_left": 10}),
        (plan(emails_left="9"), {"min_emails_left": 10}),
        (NO_PLAN, {"min_emails_left": 10}),
        (NO_PLAN, {"min_days_left": 10}),
        (plan(finished_time=""), {"min_days_left": 10}),
        (plan(finished_time="0000-00-00 00:00:00"), {"min_days_left": 10}),
        (plan(finished_time="2020-01-01 00:00:00"), {"min_days_left": 0}),
    ],
)
def test_too_little_is_waited_for(runner: Any, dag: Any, account: Any, answer: Any, minimum: Any, mode: str) -> None:
    operation = "balance.read" if "min_balance" in minimum else "balance.detail"
    account.emulator.faults.add("status", operation=operation, times=3, status=200, body=answer)
    result = runner.run(sensor(dag, mode, **minimum))
    assert result.state == "success", result.error
    assert len(result.legs) == {"poke": 1, "reschedule": 4, "deferred": 2}[mode]
    assert account.emulator.requests.counts()[operation] == 4
    [(name, value)] = minimum.items()
    assert result.value[name.removeprefix("min_")] >= value
    # The last of many looks: no history travels along.
    assert "history" not in result.value


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
def test_timeout(runner: Any, dag: Any, account: Any, mode: str, soft_fail: bool) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, min_balance=15, timeout=0, soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")
    assert "the balance is 14.36 USD, of 15" in result.log
    if not soft_fail:
        assert type(result.error).__name__ == "AirflowSensorTimeout"
    if not soft_fail:
        assert "een last: the balance is 14.36 USD, of 15" in str(result.error)


def test_all_that_is_missing_is_told(runner: Any, dag: Any, account: Any) -> None:
    account.emulator.configure(has_email_plan=False)
    result = runner.run(sensor(dag, "poke", min_balance=15, min_emails_left=1, min_days_left=1, timeout=0))
    for part in ("the balance is 14.36 USD, of 15", "how many emails are left", "how many days are left"):
        assert part in result.log


@pytest.mark.parametrize("mode", MODES)
def test_end_of_the_plan_is_in_the_time_of_the_account(
    runner: Any, dag: Any, account: Any, connect: Any, mode: str
) -> None:
    # Noon of one zone, read as the noon of one that is 14 hours ahead of it, is over already.
    account.emulator.configure(plan_finished_time=tomorrow(0.25, "UTC"))
    connect(extra={"account_timezone": "UTC"})
    result = runner.run(sensor(dag, mode, min_days_left=0))
    assert result.value["days_left"] == pytest.approx(0.25, abs=0.02)
    connect(extra={"account_timezone": "Pacific/Kiritimati"})
    assert runner.run(sensor(anew(dag), mode, min_days_left=0, timeout=0)).state == "failed"


@pytest.mark.parametrize("mode", MODES)
def test_no_time_zone(runner: Any, dag: Any, account: Any, connect: Any, mode: str) -> None:
    connect(extra={"account_timezone": None})
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, min_days_left=1))
    assert result.state == "failed"
    assert "min_days_left needs the connection's account_timezone" in str(result.error)
    assert runner.run(sensor(anew(dag), mode, min_emails_left=1)).state == "success"


@pytest.mark.parametrize("asked", ["rub", "RUB", "RUR", "rur"])
def test_one_currency_of_two_names(runner: Any, dag: Any, account: Any, asked: str) -> None:
    assert runner.run(sensor(dag, "poke", min_balance=1, currency=asked)).value["currency"] == "RUR"


@pytest.mark.parametrize("mode", MODES)
def test_another_currency_than_was_asked_for(runner: Any, dag: Any, account: Any, mode: str) -> None:
    answer = {"currency": "USD", "balance_currency": 500}
    account.emulator.faults.add("status", operation="balance.read", times=None, status=200, body=answer)
    result = runner.run(sensor(dag, mode, min_balance=400, currency="UAH"))
    assert result.state == "failed"
    assert "The balance was asked for in UAH, and SendPulse tells it in USD." in str(result.error)


def test_unknown_currency(runner: Any, dag: Any, account: Any) -> None:
    assert "was refused" in str(runner.run(sensor(dag, "poke", min_balance=1, currency="XXX")).error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "at least one of min_balance, min_emails_left and min_days_left"),
        ({"min_balance": "", "min_emails_left": "None"}, "at least one of"),
        ({"currency": "USD", "min_emails_left": 1}, "currency is the one of min_balance"),
        ({"min_balance": "much"}, "min_balance is 'much'"),
        ({"min_balance": -1}, "min_balance is -1"),
        ({"min_days_left": True}, "min_days_left is True"),
        ({"min_days_left": "nan"}, "min_days_left is 'nan'"),
        ({"min_emails_left": 1.5}, "min_emails_left is 1.5"),
    ],
)
def test_wrong_arguments(runner: Any, dag: Any, account: Any, arguments: Any, told: str, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


@pytest.mark.parametrize("event", [{"kind": "seen", "code": 3}, {"kind": "seen", "code": None, "figures": [1]}])
def test_event_without_figures_is_no_success(runner: Any, dag: Any, account: Any, event: Any) -> None:
    task = sensor(dag, "deferred", min_balance=15)
    first = runner.leg(task)
    result = runner.resume(task, first.deferral, event)
    assert result.state == "failed"


def test_figures_that_are_not_enough_are_no_success(runner: Any, dag: Any, account: Any) -> None:
    task = sensor(dag, "deferred", min_balance=15)
    first = runner.leg(task)
    event = {"kind": "seen", "figures": {"balance": 14.5, "currency": "USD"}}
    result = runner.resume(task, first.deferral, event)
    assert result.state == "failed"
    assert "the balance is 14.5 USD, of 15, which is not what is waited for" in str(result.error)


def test_trigger_holds_figures_only(runner: Any, dag: Any, account: Any) -> None:
    deferral = runner.leg(sensor(dag, "deferred", min_balance="15", min_emails_left=1, currency=" usd ")).deferral
    arguments = runner.trigger_arguments(deferral)
    assert {name: arguments[name] for name in ("min_balance", "min_emails_left", "min_days_left", "currency")} == {
        "min_balance": 15.0,
        "min_emails_left": 1,
        "min_days_left": None,
        "currency": "usd",
    }
    assert json.loads(json.dumps(arguments)) == arguments
    assert arguments["history"] == []
