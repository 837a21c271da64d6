# SPDX-License-Identifier: Apache-2.0
"""Waiting until messages of eSputnik have arrived: the same outcome in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_sendpulse.emulator.esputnik.sends import Content
from airflow_provider_sendpulse.esputnik.messages import Status
from airflow_provider_sendpulse.jobs.esputnik.message_waiting import Expected, figures_of, judge_messages
from airflow_provider_sendpulse.jobs.waiting import Verdict
from airflow_provider_sendpulse.sensors.esputnik.messages import EsputnikMessageSensor

pytestmark = pytest.mark.usefixtures("connect_esputnik")
MODES: dict[str, dict[str, Any]] = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
}


@pytest.fixture(params=MODES)
def sensor_of(request: pytest.FixtureRequest, dag: Any) -> Callable[..., Any]:
    def make(request_ids: Any, **arguments: Any) -> Any:
        common = {"task_id": "wait", "dag": dag, "poke_interval": 0.001, "timeout": 20.0, **MODES[request.param]}
        return EsputnikMessageSensor(request_ids=request_ids, **{**common, **arguments})

    return make


@pytest.fixture
def sent(emulator: Any) -> Callable[..., list[str]]:
    """Return how to send messages that come to something."""

    def make(*outcomes: int) -> list[str]:
        emulator.configure(outcomes={f"reader{n}@example.com": outcome for n, outcome in enumerate(outcomes)})
        account = emulator.state.esputnik
        ids = []
        with emulator.emulator.lock:
            for number in range(len(outcomes)):
                to = f"reader{number}@example.com"
                contact = account.sends.recipient("email", to)
                ids.append(account.sends.send("email", Content("email", "News"), contact, to).request_id)
        return ids

    return make


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_all_have_arrived(runner: Any, sensor_of: Any, sent: Any, emulator: Any, count: int, collapse: bool) -> None:
    emulator.configure(esputnik_collapse=collapse, reads_per_status=2)
    result = runner.run(sensor_of(sent(*[2] * count)))
    assert result.state == "success", result.error
    figures = {"messages": count, "delivered": count, "failed": 0, "pending": 0}
    assert result.value == {**figures, "statuses": {"DELIVERED": count}}


def test_more_ids_than_one_request_takes(runner: Any, sensor_of: Any, sent: Any) -> None:
    result = runner.run(sensor_of(str(sent(*[2] * 130))))
    assert result.state == "success", result.error
    assert result.value["delivered"] == 130


@pytest.mark.parametrize("soft_fail", [False, True])
def test_one_has_failed(runner: Any, sensor_of: Any, sent: Any, soft_fail: bool) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor_of(sent(2, 6), soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == "MessageNotDelivered"
        assert "more than max_failed=0 failed: 1 delivered, 1 failed, 0 pending (1 DELIVERED, 1 UNDELIVERED)" in str(
            result.error
        )


@pytest.mark.parametrize("arguments", [{"max_failed": "{{ 1 }}"}, {"max_failed": None}, {"until": "any"}])
def test_one_may_fail(runner: Any, sensor_of: Any, sent: Any, arguments: dict[str, Any]) -> None:
    result = runner.run(sensor_of(sent(2, 6), **arguments))
    assert result.state == "success", result.error
    assert (result.value["delivered"], result.value["failed"]) == (1, 1)


def test_none_arrives(runner: Any, sensor_of: Any, sent: Any) -> None:
    result = runner.run(sensor_of(sent(6, 6), until="any"))
    assert "Of 2 messages none arrived" in str(result.error)


@pytest.mark.parametrize("until", ["all", "any"])
@pytest.mark.parametrize("none", [[], "[]"])
def test_nothing_to_wait_for(runner: Any, sensor_of: Any, emulator: Any, none: Any, until: str) -> None:
    result = runner.run(sensor_of(none, until=until))
    assert result.state == "success", result.error
    assert result.value["messages"] == 0
    assert not emulator.requests.counts().get("esputnik.messages.status")


def test_what_is_not_listed_is_waited_for(runner: Any, sensor_of: Any, sent: Any) -> None:
    result = runner.run(sensor_of([*sent(2), "unknown"], timeout=0.3))
    assert result.state == "failed"
    assert type(result.error).__name__ == "AirflowSensorTimeout"
    assert "een last: 1 delivered, 0 failed, 1 pending" in str(result.error)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"request_ids": None}, "request_ids is empty"),
        ({"request_ids": "None"}, "request_ids is empty"),
        ({"request_ids": [1]}, "not a list of words"),
        ({"request_ids": ["a"], "until": "some"}, "until is 'some'"),
    ],
)
def test_what_cannot_be_meant(runner: Any, sensor_of: Any, arguments: dict[str, Any], told: str) -> None:
    result = runner.run(sensor_of(**arguments))
    assert result.state == "failed"
    assert told in str(result.error)


@pytest.mark.parametrize(
    ("status", "failed", "delivered", "verdict"),
    [
        ("IN_QUEUE", False, False, Verdict.WAIT),
        ("NEW_ONE", False, False, Verdict.WAIT),
        ("DELIVERED", False, False, Verdict.DONE),
        ("SPAM", False, True, Verdict.DONE),
        ("UNSUBSCRIBED", False, False, Verdict.FAILED),
        ("DELIVERED", True, False, Verdict.FAILED),
    ],
)
def test_the_booleans_count_more_than_the_status(status: str, failed: bool, delivered: bool, verdict: Verdict) -> None:
    expected = Expected.of(["a"], "all", 0)
    figures = figures_of(expected, [Status("a", status, failed, delivered), Status("b", "DELIVERED", False, True)])
    assert judge_messages(expected, figures).verdict is verdict
