# SPDX-License-Identifier: Apache-2.0
"""Nothing secret or personal leaves the test of a connection, nor what the triggerer does when a task is cleared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from canaries import ADDRESS, HASH, PHONE, SECRET
from failures import OF_A_TOKEN, OF_ANY_SERVICE, Fault, failures_of, set_failure
from task_runner import records
from told import told
from watch import Watch

from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger

OF_SENDPULSE = {**OF_ANY_SERVICE, **OF_A_TOKEN}
ECHO = f"wrong: {ADDRESS}, {PHONE}, secret {SECRET}, /events/id/{HASH}/1"


@pytest.fixture
def fail(emulator: Any, canaries: Callable[..., None]) -> Callable[[dict[str, Fault], str], None]:
    def set_up(failures: dict[str, Fault], failure: str) -> None:
        if failure == "late":
            canaries(timeout=0.02)
        set_failure(emulator, failures[failure], ECHO, path="^/(?!oauth)")

    return set_up


@pytest.mark.parametrize(
    ("hook", "failures", "failure"),
    [(SendPulseHook, OF_SENDPULSE, name) for name in OF_SENDPULSE]
    + [(EsputnikHook, failures_of(""), name) for name in failures_of("")],
)
def test_connection_test(watch: Watch, quick: Any, fail: Any, hook: Any, failures: Any, failure: str) -> None:
    fail(failures, failure)
    watch.begin()
    with records() as handler:
        worked, words = hook().test_connection()
    assert words
    assert not (worked and failure in ("refused", "unavailable", "closed", "token refused", "not valid", "forbidden"))
    watch.texts(words=words, log="\n".join(handler.lines))


@pytest.mark.parametrize("failure", [None, *OF_SENDPULSE])
def test_cancelling_a_wait(account: Any, watch: Watch, quick: Any, fail: Any, failure: str | None) -> None:
    """What the triggerer does when a user clears a task, and what it logs when that fails."""
    campaign_id = account.campaign(1)
    if failure is not None:
        fail(OF_SENDPULSE, failure)
    trigger = SendPulseCampaignTrigger(
        campaign_id=campaign_id,
        cancel_on_kill=True,
        sendpulse_conn_id="sendpulse_default",
        poll_interval=1.0,
        deadline=time.time() + 60,
    )
    error: BaseException | None = None
    watch.begin()
    with records() as handler:
        try:
            asyncio.run(trigger.on_kill())
        except Exception as raised:
            error = raised
    assert failure is not None or error is None
    row = repr(trigger.serialize()) + repr(trigger) + repr(vars(trigger))
    watch.texts(error=told(error), log="\n".join(handler.lines), row=row)
