# SPDX-License-Identifier: Apache-2.0
"""Many waits in a fresh process, as in a triggerer that has just started, and what each turn of its event loop took.

Run it with a JSON object: ``campaign_ids``, ``pace`` and ``burn``, the seconds of work that every look is given on top.
It prints a JSON object:

``cpu``
    the longest time that one callback of the loop kept this thread busy
``wall``
    the same by the clock, and so with everything else that the machine had to do
``late``
    the longest delay of a task that wants to run every millisecond, also while modules are loaded in a thread
``worst``
    that callback, and what was imported in it
``imported``
    modules that were imported after everything was said to be loaded
``pace``
    seconds between two requests, as the product has it
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
import time
from typing import Any

# What a triggerer has before it meets a trigger of ours.
import airflow.sdk.execution_time.supervisor
import airflow.triggers.base  # noqa: F401


class Watch:
    """Times every callback of every loop."""

    def __init__(self) -> None:
        self.cpu = self.wall = self.late = 0.0
        self.worst = ""
        self._run = asyncio.events.Handle._run

    def __enter__(self) -> Watch:
        watch = self

        def timed(handle: Any) -> Any:
            name, modules = repr(handle), len(sys.modules)
            cpu, wall = time.thread_time(), time.perf_counter()
            try:
                return watch._run(handle)
            finally:
                cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
                watch.wall = max(watch.wall, wall)
                if cpu > watch.cpu:
                    watch.cpu = cpu
                    watch.worst = f"{name[:200]} imported {[*sys.modules][modules:]}"

        asyncio.events.Handle._run = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.events.Handle._run = self._run  # type: ignore[method-assign]

    async def tick(self) -> None:
        """Note how late this task is, every millisecond."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.late = max(self.late, time.perf_counter() - began - 0.001)


def burn(seconds: float) -> None:
    """Keep the processor busy."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def wait(campaign_id: int) -> int:
    # As the triggerer does it: the class is imported in the loop.
    module = importlib.import_module("airflow_provider_sendpulse.triggers.campaigns")
    trigger = module.SendPulseCampaignTrigger(
        campaign_id=campaign_id,
        sendpulse_conn_id="sendpulse_default",
        poll_interval=0.01,
        deadline=time.time() + 60,
    )
    async for event in trigger.run():
        return int(event.payload["code"])
    raise RuntimeError("the trigger ended without an event")


async def all_waits(watch: Watch, task: dict[str, Any]) -> dict[str, Any]:
    ticking = asyncio.create_task(watch.tick())
    first = await wait(task["campaign_ids"][0])
    loaded = set(sys.modules)
    from airflow_provider_sendpulse.triggers import sharing

    pace, sharing.PACE = sharing.PACE, task["pace"]
    codes = await asyncio.gather(*map(wait, task["campaign_ids"]))
    ticking.cancel()
    return {
        "codes": [first, *codes],
        "imported": sorted(set(sys.modules) - loaded),
        "cpu": watch.cpu,
        "wall": watch.wall,
        "late": watch.late,
        "worst": watch.worst,
        "pace": pace,
    }


def main() -> None:
    task = json.loads(sys.argv[1])
    if task["burn"]:
        from airflow_provider_sendpulse.triggers.campaigns import SendPulseCampaignTrigger

        look = SendPulseCampaignTrigger.look

        async def slow_look(self: Any, hook: Any) -> Any:
            burn(task["burn"])
            return await look(self, hook)

        SendPulseCampaignTrigger.look = slow_look  # type: ignore[method-assign]
    # A full collection of everything that Airflow has loaded takes longer than what is measured here, and comes when it
    # comes, whoever allocates.
    gc.collect()
    gc.freeze()
    with Watch() as watch:
        outcome = asyncio.run(all_waits(watch, task))
    print("RESULT " + json.dumps(outcome))


if __name__ == "__main__":
    main()
