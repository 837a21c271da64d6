# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves a task of SendPulse: not by logs, fields, XComs, triggers and errors, nor by files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from canaries import ADDRESS, HASH, PHONE, SECRET
from failures import OF_A_TOKEN, OF_ANY_SERVICE, set_failure
from sendpulse_tasks import NAMES, tasks
from task_kinds import task_kinds
from watch import Watch

from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind

FAILURES = {**OF_ANY_SERVICE, **OF_A_TOKEN}
ECHO = f"wrong: {ADDRESS}, {PHONE}, secret {SECRET}, /events/id/{HASH}/1"


@pytest.fixture
def task_of(dag: Any, account: Any, campaign_of: Any, upstream: Any) -> Callable[[str], Any]:
    return lambda name: tasks(account, dag, campaign_of, upstream)[name]()


def test_no_operator_or_sensor_is_forgotten(dag: Any, account: Any, campaign_of: Any, upstream: Any) -> None:
    from airflow.sdk import DAG

    kinds = set()
    for name in NAMES:
        account.emulator.reset()
        one = DAG(f"dag_of_{len(kinds)}", schedule=None)
        made = tasks(account, one, lambda **given: campaign_of(**{"dag": one, **given}), lambda *_: [])  # noqa: B023
        assert set(made) == set(NAMES)
        kinds.add(type(made[name]()))
    assert kinds == task_kinds("SendPulse")


def test_every_kind_of_fault_is_tried() -> None:
    assert {failure["kind"] for failure in FAILURES.values()} == set(get_args(FaultKind)) - {"kill"}


@pytest.mark.parametrize("name", NAMES)
def test_success(runner: Any, account: Any, task_of: Callable[[str], Any], watch: Watch, name: str) -> None:
    account.emulator.configure(outcomes={ADDRESS: 2})
    task = task_of(name)
    watch.begin()
    result = runner.run(task)
    assert len(result.legs) == (2 if "deferred" in name and "book" not in name else 1)
    assert result.state == "success", result.error
    watch.result(result, "people")
    assert any(watch.written.rglob("*.json"))
    # A hash URL is a credential of its own; everything else needs a token, which is looked for above.
    assert bool(account.emulator.state.tokens._expiry) == (name not in ("event by hash", "event for one"))


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", NAMES)
def test_failure(
    runner: Any,
    account: Any,
    task_of: Callable[[str], Any],
    watch: Watch,
    quick: Any,
    canaries: Callable[..., None],
    name: str,
    failure: str,
) -> None:
    task = task_of(name)
    if failure == "late":
        canaries(timeout=0.02)
    set_failure(account.emulator, FAILURES[failure], ECHO, path="^/(?!oauth)")
    watch.begin()
    if "sensor" in name:
        task.timeout = 0.0
    if hasattr(task, "visibility_window"):
        task.visibility_window = 0.0
    result = runner.run(task)
    assert result.state in ("failed", "success")
    watch.result(result, "people")
