# SPDX-License-Identifier: Apache-2.0
"""All waits of one connection in one triggerer share a client, a token and a pace."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pytest

from airflow_provider_sendpulse.triggers import sharing
from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger

pytestmark = pytest.mark.usefixtures("connect")
WAITS = 50


def test_fifty_waits_share_one_client_token_and_pace(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PACE", 0.02)
    account.emulator.configure(transitions="clock", seconds_per_status=0.5)
    ids = [account.campaign(1, 14, 3) for _ in range(WAITS)]
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            late.append(time.monotonic() - began - 0.005)

    async def wait(campaign_id: int) -> Any:
        trigger = SendPulseCampaignTrigger(
            campaign_id=campaign_id,
            sendpulse_conn_id="sendpulse_default",
            poll_interval=0.01,
            deadline=time.time() + 60,
        )
        async for event in trigger.run():
            return event.payload

    async def all_waits() -> list[Any]:
        await wait(ids[0])  # the libraries are imported by whoever comes first
        late.clear()
        ticking = asyncio.create_task(tick())
        try:
            return await asyncio.gather(*(wait(campaign_id) for campaign_id in ids))
        finally:
            ticking.cancel()

    events = asyncio.run(all_waits())
    assert [event["code"] for event in events] == [3] * WAITS
    reads = account.emulator.requests.records("campaigns.read")
    shared = reads[-WAITS:]
    assert len({record.client_port for record in shared}) < WAITS / 5  # kept connections, not one for each wait
    assert len(account.sent("tokens.issue")) == 1
    intervals = [after.ticks - before.ticks for before, after in itertools.pairwise(reads)]
    assert sum(intervals) >= 0.02 * (len(intervals) - 1) * 0.9
    assert sorted(late)[-1] < 0.25, f"the loop was blocked for {max(late):.3f} s"


def test_last_wait_closes_what_is_shared(account: Any) -> None:
    async def inside() -> tuple[Any, Any]:
        async with sharing.sharing("sendpulse_default") as first, sharing.sharing("sendpulse_default") as second:
            assert first is second
            await first.hook.aget_conn()
            client = first.hook._async_client
        async with sharing.sharing("sendpulse_default") as third:
            assert third is not first
        return client, first.hook._async_client

    client, left = asyncio.run(inside())
    assert client is not None
    assert left is None


def test_loops_share_nothing(account: Any) -> None:
    async def hook() -> Any:
        async with sharing.sharing("sendpulse_default") as shared:
            return shared.hook

    assert asyncio.run(hook()) is not asyncio.run(hook())
