# SPDX-License-Identifier: Apache-2.0
"""Two thin drivers of one policy: :class:`Client` blocks, :class:`AsyncClient` awaits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeVar

from airflow_provider_sendpulse.api.account import Account
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, PagedCall, SplitCall
from airflow_provider_sendpulse.api.clock import Clock, SystemClock
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.api.messages import Answer, Request, TransportFailure
from airflow_provider_sendpulse.api.policy import Effort, Policy
from airflow_provider_sendpulse.api.quota import Quota
from airflow_provider_sendpulse.api.requests_transport import RequestsTransport
from airflow_provider_sendpulse.api.shared import Busy, Store, host_store, update
from airflow_provider_sendpulse.api.steps import Conversation, Mask, Send, Update, Wait

T = TypeVar("T")
Item = TypeVar("Item")


class Transport(Protocol):
    """What sends a request for a :class:`Client`."""

    def send(self, request: Request) -> Answer | TransportFailure:
        """Send a request and read its answer whole."""
        ...

    def close(self) -> None:
        """Close kept connections."""
        ...


class AsyncTransport(Protocol):
    """What sends a request for an :class:`AsyncClient`."""

    async def send(self, request: Request) -> Answer | TransportFailure:
        """Send a request and read its answer whole."""
        ...

    async def aclose(self) -> None:
        """Close kept connections."""
        ...


def _show(secret: str) -> None:
    """Mask nothing: outside Airflow there is no log to keep clean."""


async def _ashow(secret: str) -> None:
    """Mask nothing: outside Airflow there is no log to keep clean."""


class Client:
    """Carries out calls, blocking.

    :param account: whose account
    :param mask: hides a token in the logs
    :param store: the shared records; by default those of this user on this host
    """

    def __init__(
        self,
        account: Account,
        *,
        mask: Callable[[str], None] = _show,
        transport: Transport | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        effort: Effort = Effort(),
    ) -> None:
        self._account = account
        self._clock = clock or SystemClock()
        self._policy = Policy(account, self._clock.now, effort)
        self._transport = transport or RequestsTransport(account.timeouts)
        self._store = store or host_store()
        self._mask = mask

    def send(self, call: Call[T] | SplitCall[T], *, fresh_token: bool = False) -> T:
        """Carry out a call; see :meth:`Policy.converse` for what it raises."""
        if isinstance(call, SplitCall):
            return call.combine([self.send(part, fresh_token=fresh_token) for part in call.parts])
        return self._drive(self._policy.converse(call, fresh_token=fresh_token))

    def pages(self, call: PagedCall[Item]) -> Iterator[Item]:
        """Carry out a listing page by page and yield its items."""
        return call.items(self.send)

    def lease(self, name: str, owner: str) -> Lease:
        """Return the right to do something alone among all who share this account's records; nobody holds it yet.

        :param name: what is to be done
        :param owner: who does it; the same for all tries of one task
        """
        return Lease(self._store, self._account.leases_key, name, owner, self._clock)

    def quota(self, name: str, limit: Limit) -> Quota:
        """Return a small quota, counted among all who share this account's records.

        :param name: what is counted
        :param limit: how many of it in how many seconds
        """
        return Quota(self._store, self._account.quotas_key, name, limit, self._clock)

    def close(self) -> None:
        """Close kept connections."""
        self._transport.close()

    def _drive(self, conversation: Conversation[T]) -> T:
        step: Any = _begin(conversation)
        while not isinstance(step, _Finished):
            reply: Any = None
            try:
                if isinstance(step, Send):
                    reply = self._transport.send(step.request)
                elif isinstance(step, Wait):
                    self._clock.sleep(step.seconds)
                elif isinstance(step, Update):
                    reply = self._update(step)
                elif isinstance(step, Mask):
                    self._mask(step.secret)
            except BaseException as error:
                # An interruption (a killed task, say) must reach the conversation, which may hold a lease.
                step = _throw(conversation, error)
            else:
                step = _answer(conversation, reply)
        result: T = step.value
        return result

    def _update(self, step: Update) -> Any:
        return update(self._store, step.key, step.change, self._clock)


class AsyncClient:
    """Carries out calls in an event loop and never blocks it.

    :param account: whose account
    :param mask: hides a token in the logs
    :param store: the shared records; by default those of this user on this host
    """

    def __init__(
        self,
        account: Account,
        *,
        mask: Callable[[str], Awaitable[None]] = _ashow,
        transport: AsyncTransport | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        effort: Effort = Effort(),
    ) -> None:
        self._clock = clock or SystemClock()
        self._policy = Policy(account, self._clock.now, effort)
        self._transport = transport or HttpxTransport(account.timeouts)
        self._store = store or host_store()
        self._mask = mask

    async def send(self, call: Call[T] | SplitCall[T], *, fresh_token: bool = False) -> T:
        """Carry out a call; see :meth:`Policy.converse` for what it raises."""
        if isinstance(call, SplitCall):
            return call.combine([await self.send(part, fresh_token=fresh_token) for part in call.parts])
        return await self._drive(self._policy.converse(call, fresh_token=fresh_token))

    async def pages(self, call: PagedCall[Item]) -> AsyncIterator[Item]:
        """Carry out a listing page by page and yield its items."""
        following: PagedCall[Item] | None = call
        while following is not None:
            page = await self.send(following)
            for item in page:
                yield item
            following = following.after(page)

    async def aclose(self) -> None:
        """Close kept connections."""
        await self._transport.aclose()

    async def _drive(self, conversation: Conversation[T]) -> T:
        step: Any = _begin(conversation)
        interruption: asyncio.CancelledError | None = None
        while not isinstance(step, _Finished):
            reply: Any = None
            try:
                if interruption is not None:
                    raised, interruption = interruption, None
                    raise raised
                if isinstance(step, Send):
                    reply = await self._transport.send(step.request)
                elif isinstance(step, Wait):
                    await self._clock.asleep(step.seconds)
                elif isinstance(step, Update):
                    reply, interruption = await self._update(step)
                elif isinstance(step, Mask):
                    await self._mask(step.secret)
            except BaseException as error:
                # A cancelled trigger too: the conversation may hold a lease.
                step = _throw(conversation, error)
            else:
                step = _answer(conversation, reply)
        if interruption is not None:
            raise interruption
        result: T = step.value
        return result

    async def _update(self, step: Update) -> tuple[Any, asyncio.CancelledError | None]:
        """Change a record; answer with the result, and with what wanted to interrupt that."""
        while True:
            try:
                if not self._store.remote:
                    return self._store.try_update(step.key, step.change), None
                return await _uninterrupted(asyncio.to_thread(self._store.try_update, step.key, step.change))
            except Busy:
                await self._clock.asleep(_moment())


async def _uninterrupted(work: Awaitable[T]) -> tuple[T, asyncio.CancelledError | None]:
    """Await what a thread does, and a cancellation only after it.

    The thread cannot be stopped. If the conversation did not hear what came of it, a lease that was taken would be
    nobody's until it expires.
    """
    future = asyncio.ensure_future(work)
    interruption: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            interruption = error
        except Exception:
            break  # the thread's own; it is raised below, or forgotten where an interruption counts more
    if interruption is not None and future.exception() is not None:
        raise interruption
    return future.result(), interruption


class _Finished:
    def __init__(self, value: Any) -> None:
        self.value = value


def _begin(conversation: Conversation[Any]) -> Any:
    return _answer(conversation, None)


def _answer(conversation: Conversation[Any], reply: Any) -> Any:
    try:
        return conversation.send(reply)
    except StopIteration as end:
        return _Finished(end.value)


def _throw(conversation: Conversation[Any], error: BaseException) -> Any:
    try:
        return conversation.throw(error)
    except StopIteration as end:
        return _Finished(end.value)


def _moment() -> float:
    return random.uniform(0.001, 0.01)


__all__ = ["AsyncClient", "AsyncTransport", "Client", "Transport"]
