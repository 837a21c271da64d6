# SPDX-License-Identifier: Apache-2.0
"""What the hooks of all services have in common: a connection, and calls carried out with it."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from airflow.sdk import BaseHook

from airflow_provider_sendpulse.api.account import Account
from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.call import Call, PagedCall, SplitCall
from airflow_provider_sendpulse.api.client import AsyncClient, AsyncTransport, Client
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.api.policy import Effort
from airflow_provider_sendpulse.api.quota import Quota
from airflow_provider_sendpulse.api.shared import Store
from airflow_provider_sendpulse.exceptions import ServiceError
from airflow_provider_sendpulse.hooks.coordination import coordination_of
from airflow_provider_sendpulse.hooks.masking import Masking
from airflow_provider_sendpulse.hooks.settings import Settings
from airflow_provider_sendpulse.version_compat import amask_secret, mask_secret

if TYPE_CHECKING:
    from airflow.sdk import Connection

T = TypeVar("T")
Item = TypeVar("Item")
S = TypeVar("S", bound=Settings)

_TEST_SECONDS = 15.0
_TEST_EFFORT = Effort(attempts=2, seconds=_TEST_SECONDS, longest_wait=5.0)
"""Somebody waits in front of the form, and Airflow gives a test a minute."""


class ServiceHook(BaseHook, Generic[S]):
    """Carries out calls to a service with the credentials, budget and host of an Airflow connection.

    :param service_conn_id: Airflow connection of the service's type
    """

    hook_name: str
    """The name that people know the service by."""

    secret_name = "API key"
    """What the password of the connection is called in the service."""

    def __init__(self, service_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._conn_id = service_conn_id
        self._settings: S | None = None
        self._client: Client | None = None
        self._masking: Masking | None = None
        self._async_client: AsyncClient | None = None
        self.transport_of: Callable[[Account], AsyncTransport] | None = None
        """Makes what sends the requests of coroutines, where it is not the usual one."""

    @abstractmethod
    def _read_settings(self, connection: Connection) -> S:
        """Read a connection of the service's type."""

    @abstractmethod
    def _try_out(self, client: Client) -> str:
        """Make an authenticated call that changes nothing, and say as whom one is connected."""

    @property
    def settings(self) -> S:
        """What the connection says.

        :raises InvalidRequest: when something in the connection cannot be meant
        """
        if self._settings is None:
            self._settings = self._read_settings(self.get_connection(self._conn_id))
            for secret in self._settings.secrets:
                mask_secret(secret)
        return self._settings

    async def asettings(self) -> S:
        """Return what the connection says, from a coroutine."""
        if self._settings is None:
            self._settings = self._read_settings(await self.aget_connection(self._conn_id))
            for secret in self._settings.secrets:
                await amask_secret(secret)
        return self._settings

    def get_conn(self) -> Client:
        """Return the client that carries out calls, which threads may share; it is kept until :meth:`close`."""
        if self._client is None:
            self._masking = Masking(mask_secret)
            self._client = Client(self.settings.account, mask=self._masking, store=self._store())
        return self._client

    def catch_up(self) -> None:
        """Do what only the thread of the task may do, after other threads have used :meth:`get_conn`'s client."""
        if self._masking is not None:
            self._masking.tell()

    async def aget_conn(self) -> AsyncClient:
        """Return the client that carries out calls from coroutines; it is kept until :meth:`aclose`."""
        settings = await self.asettings()
        store = None if self._async_client is not None else await self._astore(settings)
        # Nothing may be awaited from here on: several coroutines can share this hook, and one client must do for all.
        if self._async_client is None:
            transport = None if self.transport_of is None else self.transport_of(settings.account)
            self._async_client = AsyncClient(settings.account, mask=amask_secret, store=store, transport=transport)
        return self._async_client

    def lease(self, name: str, owner: str) -> Lease:
        """Return the right to do something alone among all who share this account; nobody holds it yet.

        :param name: what is to be done
        :param owner: who does it; the same for all tries of one task
        """
        return self.get_conn().lease(name, owner)

    def quota(self, name: str, limit: Limit) -> Quota:
        """Return a small quota, counted among all who share this account.

        :param name: what is counted
        :param limit: how many of it in how many seconds
        """
        return self.get_conn().quota(name, limit)

    def send(self, call: Call[T] | SplitCall[T]) -> T:
        """Carry out a call.

        :raises AuthenticationFailed: the credentials are not accepted
        :raises Refused: the service said no
        :raises Throttled: a limit would need a longer wait than is reasonable here; nothing was carried out
        :raises ServiceUnavailable: the service could not be reached, or a repeatable call kept failing
        :raises AmbiguousOutcome: a call that must not be repeated may or may not have been carried out
        """
        return self.get_conn().send(call)

    async def asend(self, call: Call[T] | SplitCall[T]) -> T:
        """Carry out a call from a coroutine; raises what :meth:`send` raises."""
        return await (await self.aget_conn()).send(call)

    def pages(self, call: PagedCall[Item]) -> Iterator[Item]:
        """Carry out a listing page by page and yield its items."""
        return self.get_conn().pages(call)

    async def apages(self, call: PagedCall[Item]) -> AsyncIterator[Item]:
        """Carry out a listing page by page and yield its items, from a coroutine."""
        async for item in (await self.aget_conn()).pages(call):
            yield item

    def __enter__(self) -> Self:
        """Return the hook; leaving the block closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close kept connections."""
        self.close()

    def close(self) -> None:
        """Close kept connections."""
        self.catch_up()
        if self._client is not None:
            self._client.close()
            self._client = None

    async def aclose(self) -> None:
        """Close the kept connections of coroutines."""
        if self._async_client is not None:
            client, self._async_client = self._async_client, None
            await client.aclose()

    def test_connection(self) -> tuple[bool, str]:
        """Make one authenticated call, with a token of its own where there are tokens, for the form's Test button.

        :return: whether it worked, and whose account it is or what went wrong; never raises
        """
        try:
            if self.settings.account.credentials.identity == "***" or self._is_masked():
                return False, f"The form sent a masked secret. Enter the {self.secret_name} again to test it."
            account = self.settings.account
            timeouts = replace(account.timeouts, total=min(account.timeouts.total, _TEST_SECONDS))
            client = Client(replace(account, timeouts=timeouts), mask=mask_secret, effort=_TEST_EFFORT)
            with contextlib.closing(client):
                connected = self._try_out(client)
        except ServiceError as error:
            return False, str(error)
        except Exception as error:
            return False, f"The connection could not be tested: {type(error).__name__}."
        return True, f"Connected to {self.hook_name}: {connected}.{self._coordination()}"

    def _store(self) -> Store | None:
        """Return the store that hosts share, or ``None`` where the connection names none."""
        conn_id = self.settings.coordination_conn_id
        return None if conn_id is None else coordination_of(self.get_connection(conn_id))

    async def _astore(self, settings: S) -> Store | None:
        conn_id = settings.coordination_conn_id
        if conn_id is None:
            return None
        # Not in the loop: it imports a driver.
        return await asyncio.to_thread(coordination_of, await self.aget_connection(conn_id))

    def _coordination(self) -> str:
        """Return what is wrong with the coordination connection, as a sentence, or nothing."""
        conn_id = self.settings.coordination_conn_id
        if conn_id is None:
            return ""
        try:
            trouble = coordination_of(self.get_connection(conn_id)).check()
        except ServiceError as error:
            return f" But there is no coordination: {error}"
        except Exception as error:
            trouble = type(error).__name__
        return "" if trouble is None else f" But the coordination connection {conn_id!r} does not work ({trouble})."

    def _is_masked(self) -> bool:
        return self.get_connection(self._conn_id).password == "***"


__all__ = ["ServiceHook"]
