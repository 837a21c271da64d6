# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves a task of eSputnik, whatever eSputnik answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from canaries import CANARIES, SECRET
from esputnik_state import EsputnikState
from esputnik_tasks import CASES, Case
from esputnik_there import prepared
from failures import OF_AN_OPERATION, OF_ANY_SERVICE, failures_of, set_failure
from task_kinds import task_kinds
from watch import Watch

from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind

# A mapped task differs in its fields alone.
OF_A_MAPPED_TASK = ("not valid", "lost", "html", "errorMessage in a 200")
# Another call, or another way to name the contact, of an operator that meets all of them: where the service says something.
OF_A_FURTHER_CASE = ("unavailable", "unauthorised", "error in a 200", "lost", "half a JSON", "html", "wrong type", "late")


def failures() -> list[tuple[str, str]]:
    """Return every task with every failure of its call."""
    found: list[tuple[str, str]] = []
    met: set[tuple[type[Any], bool]] = set()
    for name, case in CASES.items():
        kind = (case.kind, bool(case.given.get("deferrable")))
        if case.mapped:
            names = [*OF_A_MAPPED_TASK]
        elif kind not in met:
            names = [*failures_of(case.operation)]
        else:
            own = failures_of(case.operation).keys() - OF_ANY_SERVICE.keys()
            names = [*OF_A_FURTHER_CASE, *sorted(own)]
        if not case.mapped:
            met.add(kind)
        found += [(name, failure) for failure in names]
    return found


@pytest.fixture
def task_of(dag: Any, esputnik: EsputnikState, watch: Watch, contact_file: str) -> Callable[[Case], Any]:
    def make(case: Case) -> Any:
        return case.task(dag, prepared(esputnik, watch.kept, contact_file))

    return make


def test_no_operator_or_sensor_is_forgotten() -> None:
    assert {case.kind for case in CASES.values() if not case.mapped} == task_kinds("Esputnik")
    assert {case.kind for case in CASES.values() if case.mapped} == task_kinds("Esputnik")
    can_wait = {kind for kind in task_kinds("Esputnik") if "execute_complete" in dir(kind)}
    assert {case.kind for case in CASES.values() if case.given.get("deferrable")} == can_wait


def test_no_personal_field_is_forgotten() -> None:
    kinds = task_kinds("Esputnik")
    tried = {
        (case.kind, name)
        for case in CASES.values()
        for name in case.given
        if name in getattr(case.kind, "personal_fields", ())
    }
    # The link comes from the server that it leads to.
    tried |= {(case.kind, "link") for case in CASES.values() if "link" in getattr(case.kind, "personal_fields", ())}
    assert tried == {(kind, name) for kind in kinds for name in getattr(kind, "personal_fields", ())}
    assert all({*getattr(kind, "personal_fields", ())} <= {*kind.template_fields} for kind in kinds)


def test_every_operator_and_sensor_meets_every_failure() -> None:
    for kind in task_kinds("Esputnik"):
        names = {name for name, case in CASES.items() if case.kind is kind and not case.mapped}
        assert {failure for name, failure in failures() if name in names} >= failures_of("").keys()


def test_every_kind_of_fault_and_every_partial_failure_is_tried() -> None:
    assert {fault["kind"] for fault in failures_of("").values()} == set(get_args(FaultKind)) - {"kill"}
    assert {case.operation for case in CASES.values()} >= OF_AN_OPERATION.keys()


@pytest.mark.parametrize("name", CASES)
def test_success(runner: Any, esputnik: EsputnikState, task_of: Any, watch: Watch, passing_time: Any, name: str) -> None:
    case = CASES[name]
    esputnik.emulator.configure(open_share=1, bounce_share=0)
    task = task_of(case)
    watch.begin()
    result = runner.run(task, map_index=case.map_index)
    assert result.state == "success", result.error
    assert len(result.legs) == (case.legs if case.given.get("deferrable") else 1)
    watch.result(result)
    assert any(watch.written.rglob("*.json"))
    assert esputnik.count(case.operation) > 0
    # The data has arrived all the same.
    requests = [[record.path, record.query, record.body] for record in esputnik.emulator.requests.records()]
    arrived = json.dumps(requests, ensure_ascii=False)
    if getattr(case.kind, "personal_fields", ()) and "link" not in case.kind.personal_fields and "contacts" in arrived:
        assert any(canary in arrived for canary in CANARIES) or "%40" in arrived or "empty_segment" in case.given


@pytest.mark.parametrize(("name", "failure"), failures())
def test_failure(
    runner: Any,
    esputnik: EsputnikState,
    task_of: Any,
    watch: Watch,
    passing_time: Any,
    canaries: Callable[..., None],
    name: str,
    failure: str,
) -> None:
    case = CASES[name]
    task = task_of(case)
    if failure == "late":
        canaries(timeout=0.02)
    echo = f"wrong: {', '.join((*case.sent, SECRET))}"
    operation = f"esputnik.{case.operation}"
    set_ = set_failure(esputnik.emulator, failures_of(case.operation)[failure], echo, operation=operation)
    watch.begin()
    if "Sensor" in case.kind.__name__ and not case.mapped:
        task.timeout = 0.0
    result = runner.run(task, map_index=case.map_index)
    assert result.state in ("failed", "success")
    assert set_.fired > 0
    watch.result(result)
