# SPDX-License-Identifier: Apache-2.0
"""Triggers: what they are stored as, what they yield, and how they end."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_sendpulse.triggers.address_books import SendPulseAddressBookTrigger
from airflow_provider_sendpulse.triggers.balance import SendPulseBalanceTrigger
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger
from airflow_provider_sendpulse.triggers.flows import SendPulseFlowTrigger
from airflow_provider_sendpulse.triggers.service import PollingTrigger

pytestmark = pytest.mark.usefixtures("connect")


def campaign_trigger(campaign_id: int, **arguments: Any) -> SendPulseCampaignTrigger:
    complete = {
        "sendpulse_conn_id": "sendpulse_default",
        "poll_interval": 0.001,
        "deadline": time.time() + 60,
        "campaign_id": campaign_id,
        **arguments,
    }
    return SendPulseCampaignTrigger(**complete)


def serde() -> Any:
    try:
        return importlib.import_module("airflow.sdk.serde")
    except ImportError:  # Airflow 3.1
        return importlib.import_module("airflow.serialization.serialized_objects").BaseSerialization


async def first_event(trigger: PollingTrigger) -> Any:
    events = trigger.run()
    try:
        return (await anext(events)).payload
    finally:
        await events.aclose()


def eventually(condition: Callable[[], bool]) -> Any:
    async def wait() -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    return wait()


@pytest.mark.parametrize(
    "trigger",
    [
        SendPulseCampaignTrigger(
            sendpulse_conn_id="other",
            poll_interval=5.5,
            deadline=1800000000.25,
            history=[[13, 1799999999.125]],
            campaign_id=7,
            target_statuses=frozenset({3, 14}),
            on_partial="success",
        ),
        SendPulseCampaignTrigger(sendpulse_conn_id="other", poll_interval=5, deadline=1.0, campaign_id=7),
        SendPulseAddressBookTrigger(
            sendpulse_conn_id="other", poll_interval=60.0, deadline=1800000000.0, address_book_id=8, expected_contacts=9
        ),
        SendPulseBalanceTrigger(
            sendpulse_conn_id="other",
            poll_interval=60.0,
            deadline=1800000000.0,
            min_balance=9.5,
            min_emails_left=10,
            min_days_left=0.5,
            currency="EUR",
        ),
        SendPulseFlowTrigger(
            sendpulse_conn_id="other",
            poll_interval=60.0,
            deadline=1800000000.0,
            flow_id=7,
            figure="starts",
            at_least=8,
            at_most=9,
            element_id=10,
        ),
    ],
)
def test_round_trip(trigger: PollingTrigger) -> None:
    path, arguments = trigger.serialize()
    stored = json.loads(json.dumps(serde().serialize(arguments)))
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**serde().deserialize(stored))
    assert type(again) is type(trigger)
    assert again.serialize() == (path, arguments)
    assert json.loads(json.dumps(arguments)) == arguments


def test_arguments_do_not_change_while_it_runs(account: Any) -> None:
    trigger = campaign_trigger(account.campaign(13, 2, 3), history=[[14, 1.0]])
    before = json.dumps(trigger.serialize())
    payload = asyncio.run(first_event(trigger))
    assert [code for code, _ in payload["history"]] == [14, 13, 2, 3]
    assert json.dumps(trigger.serialize()) == before


def test_no_secret_in_the_arguments(account: Any) -> None:
    told = json.dumps(campaign_trigger(1).serialize())
    assert account.emulator.settings.client_secret not in told
    assert account.emulator.settings.client_id not in told


def test_event_is_small_json(account: Any) -> None:
    payload = asyncio.run(first_event(campaign_trigger(account.campaign(2, 3))))
    assert json.loads(json.dumps(payload)) == payload
    assert payload | {"history": []} == {"kind": "seen", "code": 3, "history": [], "error": None, "message": ""}


def test_deadline_in_the_past_looks_once(account: Any) -> None:
    waiting = asyncio.run(first_event(campaign_trigger(account.campaign(15), deadline=1.0)))
    assert (waiting["kind"], waiting["code"]) == ("timeout", 15)
    assert "1970-01-01 00:00:01 UTC" in waiting["message"]
    # A campaign that was sent while no triggerer ran is sent all the same.
    assert asyncio.run(first_event(campaign_trigger(account.campaign(3), deadline=1.0)))["kind"] == "seen"


def test_deadline_while_looks_fail(account: Any, quick: Any) -> None:
    account.emulator.faults.add("status", operation="campaigns.read", times=None, status=503)
    payload = asyncio.run(first_event(campaign_trigger(account.campaign(15), deadline=time.time() + 0.05)))
    assert (payload["kind"], payload["code"]) == ("timeout", None)
    assert "The last look failed" in payload["message"]


def test_final_error(account: Any) -> None:
    payload = asyncio.run(first_event(campaign_trigger(42)))
    assert (payload["kind"], payload["error"]) == ("error", "Refused")
    assert "error_code 802" in payload["message"]


def test_two_triggers_of_one_wait_agree(account: Any) -> None:
    campaign_id = account.campaign(1, 14, 2, 7, 3)

    async def both() -> list[Any]:
        return await asyncio.gather(*(first_event(campaign_trigger(campaign_id)) for _ in range(2)))

    one, two = asyncio.run(both())
    assert (one["kind"], one["code"]) == (two["kind"], two["code"]) == ("seen", 3)


def test_two_triggers_only_read(account: Any) -> None:
    campaign_id = account.campaign(14, 3)
    asyncio.run(first_event(campaign_trigger(campaign_id)))
    assert set(account.emulator.requests.counts()) == {"tokens.issue", "campaigns.read"}


@pytest.mark.parametrize("when", ["between two looks", "during a look"])
def test_cancelled(account: Any, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

    closed: list[bool] = []
    close = SendPulseHook.aclose

    async def aclose(self: SendPulseHook) -> None:
        await close(self)
        closed.append(self._async_client is None)

    monkeypatch.setattr(SendPulseHook, "aclose", aclose)
    if when == "during a look":
        account.emulator.faults.add("slow", operation="campaigns.read", seconds=30)
    requests = account.emulator.requests

    async def cancel() -> None:
        waiting = asyncio.create_task(first_event(campaign_trigger(account.campaign(15), poll_interval=60)))
        await eventually(lambda: requests.counts().get("campaigns.read") == 1)
        if when == "between two looks":
            await eventually(lambda: requests.records("campaigns.read")[0].status == 200)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 5)

    asyncio.run(cancel())
    assert closed == [True]


def test_loop_is_never_blocked(account: Any, connect: Any) -> None:
    # What is loaded late is loaded once per process; the triggerer's threshold is about what happens again and again.
    asyncio.run(first_event(campaign_trigger(account.campaign(3))))
    account.emulator.faults.add("slow", operation="campaigns.read", times=None, seconds=0.05)
    gaps: list[float] = []

    async def tick(done: asyncio.Event) -> None:
        last = time.thread_time()
        while not done.is_set():
            await asyncio.sleep(0.001)
            now = time.thread_time()
            gaps.append(now - last)
            last = now

    async def alongside() -> None:
        done = asyncio.Event()
        ticking = asyncio.create_task(tick(done))
        triggers = [campaign_trigger(account.campaign(14, 2, 3)) for _ in range(5)]
        assert {payload["code"] for payload in await asyncio.gather(*map(first_event, triggers))} == {3}
        done.set()
        await ticking

    asyncio.run(alongside())
    assert len(gaps) > 20
    # Airflow complains above 0.2 s; the time of this thread alone, because the machine has other things to do.
    assert max(gaps) < 0.2


def test_wait_for_a_place_in_the_budget_does_not_block(account: Any, connect: Any) -> None:
    connect(extra={"requests_per_second": 2})
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    async def alongside() -> None:
        ticking = asyncio.create_task(tick())
        # The token and the first look take two places; the second look waits.
        await first_event(campaign_trigger(account.campaign(14, 3)))
        ticking.cancel()

    asyncio.run(alongside())
    assert ticks > 20


def test_address_book_counts_contacts(account: Any) -> None:
    book_id = account.book(emails=["ada@example.com"])
    trigger = SendPulseAddressBookTrigger(
        sendpulse_conn_id="sendpulse_default",
        poll_interval=0.001,
        deadline=time.time(),
        address_book_id=book_id,
        expected_contacts=2,
    )
    assert asyncio.run(first_event(trigger))["kind"] == "timeout"
    trigger.expected_contacts = 1
    assert asyncio.run(first_event(trigger))["code"] == 0
