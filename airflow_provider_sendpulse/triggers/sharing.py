# SPDX-License-Identifier: Apache-2.0
"""What all waits of one connection in one triggerer share: a client with its connections and token, and a pace.

Hundreds of triggers run in one event loop. Each would open a connection of its own, and together they would use up the
account's budget for nothing but looking.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from airflow_provider_sendpulse.api.client import AsyncTransport
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport
from airflow_provider_sendpulse.api.messages import Answer, Request, TransportFailure
from airflow_provider_sendpulse.hooks.service import ServiceHook
from airflow_provider_sendpulse.triggers.service import PollingTrigger
from airflow_provider_sendpulse.triggers.turns import Turns

PACE = 1.0
"""Seconds between two requests of all waits of one connection together."""

_turn_at: ContextVar[float | None] = ContextVar("turn_at", default=None)
"""When this wait's turn came, on the clock of its event loop; ``None`` once it is used up."""


class SharedHook:
    """One hook for all waits of a connection in an event loop.

    :param hook: waits for its turn before every request from here on
    """

    def __init__(self, hook: ServiceHook[Any]) -> None:
        hook.transport_of = lambda account: _PacedTransport(HttpxTransport(account.timeouts), self._before_request)
        self.hook = hook
        self.users = 0
        self._turns = Turns(lambda: PACE)

    async def turn(self) -> None:
        """Wait for this wait's turn to look: at once when nobody else has just looked."""
        await self._turns.take()
        _turn_at.set(asyncio.get_running_loop().time())

    async def _before_request(self) -> None:
        """Wait for another turn unless there is one left: a look may also fetch a token, or have to be repeated.

        A turn that was missed, because the look had to wait for the token, counts as used: many may have missed theirs.
        What is under way goes first, so that a look does not wait for as many others as there are waits.
        """
        at = _turn_at.get()
        _turn_at.set(None)
        if at is None or asyncio.get_running_loop().time() - at > PACE:
            await self._turns.take(urgent=True)


class _PacedTransport:
    def __init__(self, transport: AsyncTransport, before_request: Callable[[], Awaitable[None]]) -> None:
        self._transport = transport
        self._before_request = before_request

    async def send(self, request: Request) -> Answer | TransportFailure:
        await self._before_request()
        return await self._transport.send(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


_Hooks = dict[tuple[str, str], SharedHook]

_shared: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Hooks] = weakref.WeakKeyDictionary()


@contextlib.asynccontextmanager
async def sharing(trigger: PollingTrigger) -> AsyncIterator[SharedHook]:
    """Share the hook of a trigger's connection with the other waits of this event loop; the last one to leave closes it.

    A changed connection is therefore seen when no wait uses the old one any more, at the latest when the triggerer is
    restarted.
    """
    hooks = _shared.setdefault(asyncio.get_running_loop(), {})
    [connection] = trigger.connection().items()
    shared = hooks.get(connection)
    if shared is None:
        shared = hooks[connection] = SharedHook(trigger.make_hook())
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if shared.users == 0:
            if hooks.get(connection) is shared:
                del hooks[connection]
            await shared.hook.aclose()


__all__ = ["PACE", "SharedHook", "sharing"]
