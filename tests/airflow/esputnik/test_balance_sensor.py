# SPDX-License-Identifier: Apache-2.0
"""Waiting for money and paid messages of an organisation, in every mode of the sensor, with one outcome."""

from __future__ import annotations

from typing import Any

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.sensors.esputnik.balance import EsputnikBalanceSensor

MODES = ("poke", "reschedule", "deferred")
OPERATION = "esputnik.balance.read"
pytestmark = pytest.mark.usefixtures("connect_esputnik")


def sensor(dag: Any, mode: str, **arguments: Any) -> EsputnikBalanceSensor:
    deferrable = mode == "deferred"
    return EsputnikBalanceSensor(
        task_id="wait",
        dag=anew(dag),
        mode="poke" if deferrable else mode,
        deferrable=deferrable,
        **{"poke_interval": 0.001, **arguments},
    )


def answer(**fields: Any) -> dict[str, Any]:
    return {
        "currentBalance": 14.5,
        "creditLimit": 100,
        "currency": "UAH",
        "bonusEmails": 500,
        "bonusSmses": 5,
        **fields,
    }


def say(emulator: Any, times: int | None = None, **fields: Any) -> None:
    emulator.faults.add("status", operation=OPERATION, times=times, status=200, body=answer(**fields))


@pytest.mark.parametrize("mode", MODES)
def test_enough(runner: Any, dag: Any, emulator: Any, mode: str) -> None:
    say(emulator)
    wanted = {"min_balance": "{{ 14.5 }}", "min_bonus_emails": 500, "min_bonus_smses": "5", "currency": "uah"}
    result = runner.run(sensor(dag, mode, **wanted))
    assert result.state == "success", result.error
    assert result.legs == ["success"]
    figures = {"balance": 14.5, "currency": "UAH", "credit_limit": 100.0, "bonus_emails": 500, "bonus_smses": 5}
    assert result.value == figures


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("short", "minimum"),
    [
        ({"currentBalance": 9.99}, {"min_balance": 10}),
        ({"currentBalance": "-3.5"}, {"min_balance": 0}),
        ({"bonusEmails": 9}, {"min_bonus_emails": 10}),
        ({"bonusSmses": None}, {"min_bonus_smses": 1}),
    ],
)
def test_too_little_is_waited_for(runner: Any, dag: Any, emulator: Any, short: Any, minimum: Any, mode: str) -> None:
    say(emulator, 3, **short)
    say(emulator)
    result = runner.run(sensor(dag, mode, **minimum))
    assert result.state == "success", result.error
    assert len(result.legs) == {"poke": 1, "reschedule": 4, "deferred": 2}[mode]
    assert emulator.requests.counts()[OPERATION] == 4


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
def test_timeout(runner: Any, dag: Any, emulator: Any, mode: str, soft_fail: bool) -> None:
    say(emulator)
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, min_balance=15, min_bonus_emails=501, timeout=0, soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")
    assert "the balance is 14.5 UAH, of 15" in result.log
    assert "500 bonus e-mails are left, of 501" in result.log


@pytest.mark.parametrize("mode", MODES)
def test_another_currency_than_is_meant(runner: Any, dag: Any, emulator: Any, mode: str) -> None:
    say(emulator)
    result = runner.run(sensor(dag, mode, min_balance=1, currency="USD"))
    assert result.state == "failed"
    assert "The balance was asked for in USD, and eSputnik tells it in UAH." in str(result.error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "Give at least one of min_balance, min_bonus_emails and min_bonus_smses."),
        ({"currency": "UAH", "min_bonus_emails": 1}, "currency is the one of min_balance"),
        ({"min_balance": "much"}, "min_balance is 'much'"),
        ({"min_bonus_emails": 1.5}, "min_bonus_emails is 1.5"),
    ],
)
def test_wrong_arguments(runner: Any, dag: Any, emulator: Any, mode: str, arguments: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert OPERATION not in emulator.requests.counts()


@pytest.mark.parametrize("mode", MODES)
def test_key_that_is_not_accepted(runner: Any, dag: Any, connect_esputnik: Any, mode: str) -> None:
    connect_esputnik(password="k-3f9a71")
    result = runner.run(sensor(dag, mode, min_balance=1))
    assert type(result.error).__name__ == "AuthenticationFailed"
    assert "k-3f9a71" not in result.log
