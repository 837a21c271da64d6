# SPDX-License-Identifier: Apache-2.0
"""The ready-made retry policy of Airflow 3.3."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from airflow_provider_sendpulse.exceptions import Refused, ServiceUnavailable, Throttled
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

if not AIRFLOW_V_3_3_PLUS:
    pytest.skip("Airflow 3.3 brought retry policies", allow_module_level=True)

from airflow.sdk import RetryAction

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.retry_policy import SendPulseRetryPolicy

DELAY = timedelta(seconds=90)


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (Throttled("x", retry_after=90.0), RetryAction.RETRY, DELAY),
        (Throttled("x"), RetryAction.DEFAULT, None),
        (ServiceUnavailable("x"), RetryAction.RETRY, timedelta(seconds=30)),
        (ValueError("x"), RetryAction.DEFAULT, None),
    ],
)
def test_decisions(error: Exception, action: RetryAction, delay: timedelta | None) -> None:
    decision = SendPulseRetryPolicy(unavailable_delay=30).evaluate(error, 1, 3)
    assert (decision.action, decision.retry_delay) == (action, delay)


def test_outage_is_left_to_the_task_unless_told() -> None:
    assert SendPulseRetryPolicy().evaluate(ServiceUnavailable("x"), 1, 3).action is RetryAction.DEFAULT


def test_round_trip() -> None:
    policy = SendPulseRetryPolicy(unavailable_delay=12)
    assert SendPulseRetryPolicy.deserialize(policy.serialize()).unavailable_delay == 12


@pytest.mark.parametrize(
    ("operation", "make"),
    [
        ("events.send", partial(SendPulseSendEventOperator, event_name="left")),
        ("esputnik.events.send_v2", partial(EsputnikSendEventOperator, event_type_key="left")),
    ],
    ids=["sendpulse", "esputnik"],
)
def test_airflow_asks_it(
    runner: Any, dag: Any, account: Any, connect: Any, connect_esputnik: Any, operation: str, make: Callable[..., Any]
) -> None:
    account.emulator.faults.add("status", operation=operation, times=None, status=429, retry_after="90")
    runner.api.should_retry = True
    task = make(
        task_id="send",
        dag=dag,
        contacts=[{"email": "ada@example.com"}],
        retries=2,
        retry_policy=SendPulseRetryPolicy(),
    )
    result = runner.run(task)
    assert result.state == "up_for_retry", result.error
    assert isinstance(result.error, Throttled)
    assert not isinstance(result.error, Refused)
    [reported] = [state for state in result.states if state.get("state") == "up_for_retry"]
    assert "90" in str(reported)
