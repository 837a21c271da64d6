# SPDX-License-Identifier: Apache-2.0
"""Waiting for figures of a flow and of its elements, in every mode of the sensor, with one outcome."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fresh_dag import anew

from airflow_provider_sendpulse.sensors.flows import SendPulseFlowSensor

MODES = ("poke", "reschedule", "deferred")
ELEMENTS = [{"type": "email", "subject": "Hello"}, {"type": "sms", "delay_seconds": 3600}, {"type": "goal"}]
pytestmark = pytest.mark.usefixtures("connect")


def sensor(dag: Any, mode: str, **arguments: Any) -> SendPulseFlowSensor:
    deferrable = mode == "deferred"
    return SendPulseFlowSensor(
        task_id="wait",
        dag=anew(dag),
        mode="poke" if deferrable else mode,
        deferrable=deferrable,
        **{"poke_interval": 0.001, **arguments},
    )


@pytest.fixture
def flow(account: Any) -> Any:
    """A flow with two people in it, one of whom has left it again."""
    with account.emulator.emulator.lock:
        made = account.emulator.state.flows.create("Welcome", "signed_up", ELEMENTS, stop_event="bought")
    enter(account, made, 2)
    made.runs.pop()
    return made


def enter(account: Any, flow: Any, count: int) -> None:
    """Let people enter a flow: they pass its first element at once, and wait before the second."""
    from airflow_provider_sendpulse.emulator.events import Event

    state = account.emulator.emulator.state
    for number in range(count):
        email = f"reader{flow.starts + number}@example.com"
        now = state.clock.now()
        state.flows.receive(Event(number, "signed_up", None, None, "json", {"email": email}, now))


def grow(account: Any, flow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one more enter at every look."""
    flows = account.emulator.emulator.state.flows
    find = flows.find

    def found(flow_id: int) -> Any:
        enter(account, flow, 1)
        return find(flow_id)

    monkeypatch.setattr(flows, "find", found)


FIGURES = {"starts": 2, "in_queue": 1, "end_count": 0, "send_messages": 2, "conversions": 0}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "bounds",
    [
        {"figure": "starts", "at_least": 2},
        {"figure": "{{ 'starts' }}", "at_least": "{{ 1 + 1 }}", "at_most": "2"},
        {"figure": "in_queue", "at_most": 1},
        {"at_least": 0},
    ],
)
def test_reached(runner: Any, dag: Any, flow: Any, bounds: Any, mode: str) -> None:
    result = runner.run(sensor(dag, mode, flow_id=f" {flow.id} ", **bounds))
    assert result.state == "success", result.error
    assert result.legs == ["success"]
    assert result.value == FIGURES


@pytest.mark.parametrize("mode", MODES)
def test_waited_for(runner: Any, dag: Any, account: Any, flow: Any, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    grow(account, flow, monkeypatch)
    result = runner.run(sensor(dag, mode, flow_id=flow.id, figure="starts", at_least=6))
    assert result.state == "success", result.error
    assert len(result.legs) == {"poke": 1, "reschedule": 4, "deferred": 2}[mode]
    assert result.value == {**FIGURES, "starts": 6, "in_queue": 5, "send_messages": 6}
    if mode != "reschedule":
        # Figures change at every look: each process tells the first that it sees, and the one that ends the wait.
        assert result.log.count("is waited for") == len(result.legs)
        assert result.log.count("all that was waited for") == 1


@pytest.mark.parametrize("mode", MODES)
def test_figures_of_an_element(
    runner: Any, dag: Any, account: Any, flow: Any, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    trigger, email, sms, goal = flow.elements
    for element, figure in ((trigger, "executed"), (goal, "executed"), (sms, "delivered")):
        arguments = {"flow_id": flow.id, "element_id": element.id, "figure": figure, "at_least": 0}
        result = runner.run(sensor(dag, mode, **arguments))
        assert result.state == "success", (element.kind, result.error)
        assert result.value[figure] == element.executed
    grow(account, flow, monkeypatch)
    result = runner.run(sensor(dag, mode, flow_id=flow.id, element_id=str(email.id), figure="sent", at_least=0, at_most=9))
    assert result.state == "success", result.error
    assert {"sent", "delivered", "opened", "clicked"} <= {*result.value}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"figure": "finished"}, "no figure 'finished' here; there are starts, in_queue, end_count"),
        ({"element_id": 7}, "has no element 7; it has 900001 (maintrigger), 900002 (email)"),
        ({"element_id": 900003, "figure": "opened"}, "no figure 'opened' here; there are executed, sent"),
    ],
)
def test_what_there_is_not(runner: Any, dag: Any, flow: Any, arguments: Any, told: str, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, flow_id=flow.id, at_least=1, **arguments))
    assert result.state == "failed"
    assert type(result.error).__name__ == "InvalidRequest"
    assert told in str(result.error)


def test_type_that_the_api_has_no_figures_for(runner: Any, dag: Any, flow: Any) -> None:
    flow.elements[1].kind = "telegraph"
    result = runner.run(sensor(dag, "poke", flow_id=flow.id, element_id=flow.elements[1].id, at_least=1))
    assert "is of type 'telegraph'" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_unknown_flow(runner: Any, dag: Any, account: Any, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, flow_id=42, at_least=1))
    assert result.state == "failed"
    assert type(result.error).__name__ == "Refused"


@pytest.mark.parametrize("mode", MODES)
def test_flow_that_is_gone_during_the_wait(runner: Any, dag: Any, account: Any, flow: Any, mode: str) -> None:
    account.emulator.faults.add("status", operation="flows.read", after=2, times=None, status=404)
    result = runner.run(sensor(dag, mode, flow_id=flow.id, at_least=1))
    assert result.state == "failed"
    assert type(result.error).__name__ == "Refused"


@pytest.mark.parametrize("mode", MODES)
def test_timeout(runner: Any, dag: Any, flow: Any, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, flow_id=flow.id, figure="in_queue", at_most=0, timeout=0))
    assert result.state == "failed"
    assert type(result.error).__name__ == "AirflowSensorTimeout"
    assert "in_queue is 1, at most 0 is waited for" in result.log
    assert "een last: in_queue is 1" in str(result.error)


def test_inactive_flow_is_told(runner: Any, dag: Any, flow: Any) -> None:
    flow.is_active = False
    result = runner.run(sensor(dag, "poke", flow_id=flow.id, figure="starts", at_least=2))
    assert result.state == "success"
    assert "is not active" in result.log


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "Give at_least, at_most, or both"),
        ({"figure": " ", "at_least": 1}, "figure is empty"),
        ({"at_least": 2, "at_most": 1}, "No figure is at least 2 and at most 1"),
        ({"at_least": "many"}, "at_least is 'many'"),
        ({"flow_id": "", "at_least": 1}, "flow_id is empty"),
        ({"at_least": 1, "element_id": "first"}, "element_id is 'first'"),
    ],
)
def test_wrong_arguments(runner: Any, dag: Any, account: Any, arguments: Any, told: str, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, **{"flow_id": 40001, **arguments}))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


def test_trigger_holds_figures_only(runner: Any, dag: Any, flow: Any) -> None:
    task = sensor(dag, "deferred", flow_id=str(flow.id), figure="starts", at_least="9")
    arguments = runner.trigger_arguments(runner.leg(task).deferral)
    expected = {"flow_id": flow.id, "figure": "starts", "at_least": 9, "at_most": None, "element_id": None}
    assert {name: arguments[name] for name in expected} == expected
    assert json.loads(json.dumps(arguments)) == arguments


@pytest.mark.parametrize("event", [{"kind": "seen", "code": 3}, {"kind": "seen", "figures": {"starts": 2}}])
def test_event_that_is_not_what_is_waited_for(runner: Any, dag: Any, flow: Any, event: Any) -> None:
    task = sensor(dag, "deferred", flow_id=flow.id, figure="starts", at_least=9)
    result = runner.resume(task, runner.leg(task).deferral, event)
    assert result.state == "failed"
    assert result.value is None
