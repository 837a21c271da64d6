# SPDX-License-Identifier: Apache-2.0
"""What all waits of one connection in one triggerer share: a client with its connections and token, and a pace.

Hundreds of triggers run in one event loop. Each would open a connection of its own, and together they would use up the
account's budget for nothing but looking.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import AsyncIterator

from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

PACE = 1.0
"""Seconds between two looks of all waits of one connection together."""


class SharedHook:
    """One hook for all waits of a connection in an event loop.

    :param sendpulse_conn_id: Airflow connection of type ``sendpulse``
    """

    def __init__(self, sendpulse_conn_id: str) -> None:
        self.hook = SendPulseHook(sendpulse_conn_id)
        self.users = 0
        self._next_at = 0.0

    async def turn(self) -> None:
        """Wait for this wait's turn to look: at once when nobody else has just looked."""
        now = time.monotonic()
        at = max(self._next_at, now)
        self._next_at = at + PACE
        if at > now:
            await asyncio.sleep(at - now)


_shared: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedHook]] = weakref.WeakKeyDictionary()


@contextlib.asynccontextmanager
async def sharing(sendpulse_conn_id: str) -> AsyncIterator[SharedHook]:
    """Share a connection's hook with the other waits of this event loop; the last one to leave closes it.

    A changed connection is therefore seen when no wait uses the old one any more, at the latest when the triggerer is
    restarted.
    """
    hooks = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = hooks.setdefault(sendpulse_conn_id, SharedHook(sendpulse_conn_id))
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if shared.users == 0:
            if hooks.get(sendpulse_conn_id) is shared:
                del hooks[sendpulse_conn_id]
            await shared.hook.aclose()


__all__ = ["PACE", "SharedHook", "sharing"]
