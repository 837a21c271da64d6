# SPDX-License-Identifier: Apache-2.0
"""Waiting until a message is delivered: the same outcome in every mode."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_sendpulse.emulator.smtp import SmtpMessage
from airflow_provider_sendpulse.jobs.message_delivery import judge_message
from airflow_provider_sendpulse.jobs.waiting import Verdict
from airflow_provider_sendpulse.sensors.emails import SendPulseEmailDeliveredSensor

pytestmark = pytest.mark.usefixtures("connect")

ADA = "ada@example.com"
MODES: dict[str, dict[str, Any]] = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
}


@pytest.fixture(params=MODES)
def sensor_of(request: pytest.FixtureRequest, dag: Any) -> Callable[..., Any]:
    def make(message_id: Any, **arguments: Any) -> Any:
        common = {"task_id": "wait", "dag": dag, "poke_interval": 0.001, "timeout": 20.0, **MODES[request.param]}
        return SendPulseEmailDeliveredSensor(message_id=message_id, **{**common, **arguments})

    return make


@pytest.fixture
def send(emulator: Any) -> Callable[..., str]:
    """Return how to send a message that comes to something."""

    def make(outcome: int = 2) -> str:
        emulator.configure(outcomes={ADA: outcome})
        with emulator.emulator.lock:
            wanted = SmtpMessage("Shop", "shop@example.com", "Order", "<p>", "", [ADA])
            return str(emulator.state.smtp.send(wanted))

    return make


@pytest.mark.parametrize("outcome", [2, 3, 4])
def test_delivered(runner: Any, sensor_of: Any, send: Any, outcome: int) -> None:
    result = runner.run(sensor_of(send(outcome)))
    assert result.state == "success", result.error
    assert result.value["status"] == 250
    assert [code for code, _ in result.value["history"]] == [250]


@pytest.mark.parametrize(("outcome", "code", "words"), [(6, 550, "does not exist"), (10, 552, "full"), (12, 554, "spam")])
@pytest.mark.parametrize("soft_fail", [False, True])
def test_refused(runner: Any, sensor_of: Any, send: Any, outcome: int, code: int, words: str, soft_fail: bool) -> None:
    runner.api.should_retry = True
    message_id = send(outcome)
    result = runner.run(sensor_of(message_id, soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == "MessageNotDelivered"
        assert f"Message {message_id} was not delivered: the recipient's server answered {code} (" in str(result.error)
        assert words in str(result.error)


@pytest.mark.parametrize("seen", ["nothing yet", "for now", "unknown"])
def test_waits(runner: Any, sensor_of: Any, send: Any, emulator: Any, seen: str) -> None:
    """An answer that is not final is followed by another one."""
    message_id = send(17 if seen == "for now" else 2)
    [record] = emulator.state.smtp
    message = record.message
    if seen == "nothing yet":
        record.message = None
    if seen == "unknown":
        record.id = "other"
    sensor = sensor_of(message_id)
    looks = emulator.requests

    def settle() -> None:
        message.detail, record.message, record.id = 2, message, message_id

    def when_seen() -> None:
        while len(looks.records("smtp.read_many")) < 2 and not stop.wait(0.005):
            pass
        settle()

    stop = threading.Event()
    thread = threading.Thread(target=when_seen)
    thread.start()
    try:
        result = runner.run(sensor)
    finally:
        stop.set()
        thread.join()
    assert result.state == "success", result.error
    first = 451 if seen == "for now" else 0
    assert result.value["status"] == 250
    if sensor.mode != "reschedule":
        assert [code for code, _ in result.value["history"]] == [first, 250]


def test_timeout(runner: Any, sensor_of: Any) -> None:
    result = runner.run(sensor_of("unknown", timeout=0.05))
    assert result.state == "failed"
    assert type(result.error).__name__ == "AirflowSensorTimeout"
    assert "een last: " in str(result.error)


@pytest.mark.parametrize("nothing", ["", None, "None"])
def test_no_message(runner: Any, sensor_of: Any, nothing: Any) -> None:
    result = runner.run(sensor_of(nothing))
    assert "message_id is empty" in str(result.error)


def test_trigger_is_made_of_ids(runner: Any, dag: Any) -> None:
    sensor = SendPulseEmailDeliveredSensor(task_id="wait", dag=dag, message_id="unknown", deferrable=True)
    deferral = runner.leg(sensor).deferral
    assert deferral["classpath"].endswith("emails.SendPulseEmailDeliveredTrigger")
    assert runner.trigger(deferral).serialize()[1]["message_id"] == "unknown"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0, Verdict.WAIT),
        (200, Verdict.DONE),
        (250, Verdict.DONE),
        (299, Verdict.DONE),
        (300, Verdict.WAIT),
        (400, Verdict.WAIT),
        (499, Verdict.WAIT),
        (500, Verdict.FAILED),
        (599, Verdict.FAILED),
        (600, Verdict.WAIT),
    ],
)
def test_codes(code: int, verdict: Verdict) -> None:
    decision = judge_message("m", code)
    assert decision.verdict is verdict
    assert (decision.error is not None) == (verdict is Verdict.FAILED)
