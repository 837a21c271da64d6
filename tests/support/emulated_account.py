# SPDX-License-Identifier: Apache-2.0
"""A client of the emulated account, and clocks that only move when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from fake_clock import FakeClock
from hypothesis import settings

from airflow_provider_sendpulse.api.account import Account, BasicKey, ClientCredentials, Timeouts
from airflow_provider_sendpulse.api.call import Call, PagedCall
from airflow_provider_sendpulse.api.client import AsyncClient, Client
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport
from airflow_provider_sendpulse.api.shared import MemoryStore
from airflow_provider_sendpulse.esputnik import ESPUTNIK
from airflow_provider_sendpulse.sendpulse import SENDPULSE

# A slow machine is no failure, and a test leaves nothing in the work tree.
settings.register_profile("emulated", deadline=None, database=None)
settings.load_profile("emulated")


class SharedClock(FakeClock):
    """Sleeping moves the emulator's time as well."""

    def __init__(self, emulator: Any) -> None:
        super().__init__()
        self._emulator = emulator

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._emulator.advance(seconds)


def account(emulator: Any) -> Account:
    """The emulated account, without limits on our side that a test could meet."""
    return Account(
        service=SENDPULSE,
        credentials=ClientCredentials(emulator.settings.client_id, emulator.settings.client_secret),
        api_url=emulator.url,
        events_url=emulator.url,
        limits=(),
        timeouts=Timeouts(connect=5.0, total=10.0),
    )


def esputnik_account(emulator: Any, **fields: Any) -> Account:
    """The emulated account of eSputnik, without limits on our side but those of the endpoints."""
    return Account(
        **{
            "service": ESPUTNIK,
            "credentials": BasicKey(emulator.esputnik_key),
            "api_url": emulator.esputnik_url,
            "events_url": emulator.esputnik_url,
            "limits": (),
            "timeouts": Timeouts(connect=5.0, total=10.0),
            **fields,
        }
    )


def connected(emulator: Any, clock: Any = None, whose: Account | None = None) -> Client:
    """A client without files, which never really sleeps."""
    return Client(whose or account(emulator), store=MemoryStore(), clock=clock or FakeClock())


class AwaitedClient:
    """The asynchronous client with a blocking face."""

    def __init__(
        self, emulator: Any, runner: asyncio.Runner, transport: HttpxTransport, whose: Account | None = None
    ) -> None:
        self._runner = runner
        self._client = AsyncClient(whose or account(emulator), store=MemoryStore(), clock=FakeClock(), transport=transport)

    def send(self, call: Call[Any]) -> Any:
        return self._runner.run(self._client.send(call))

    def pages(self, call: PagedCall[Any]) -> Iterator[Any]:
        async def collect() -> list[Any]:
            return [item async for item in self._client.pages(call)]

        return iter(self._runner.run(collect()))


def add_book(emulator: Any, name: str = "Readers", contacts: int = 0) -> Any:
    """Add a book that is ready, with active contacts, past the API."""
    from airflow_provider_sendpulse.emulator.contacts import NewContact
    from airflow_provider_sendpulse.emulator.statuses import ACTIVE_CONTACT

    state = emulator.state
    with emulator.emulator.lock:
        book = state.books.create(name)
        for number in range(contacts):
            new = NewContact(f"reader{number}@example.com", {"Ім'я": f"Олена {number}"})
            book.put(new, state.clock.now()).status = ACTIVE_CONTACT
    return book


def add_campaign(emulator: Any, book: Any, name: str, **changes: Any) -> Any:
    """Add a campaign past the API, as a person does in the dashboard."""
    from airflow_provider_sendpulse.emulator.campaign_request import CampaignRequest

    fields = {
        "name": name,
        "sender_name": "Shop",
        "sender_email": "shop@example.com",
        "subject": "Sale",
        "body": "PGI+SGk8L2I+",
        "list_id": book.id,
        **changes,
    }
    state = emulator.state
    with emulator.emulator.lock:
        content = CampaignRequest(state, fields).content()
        return state.campaigns.create(content, at_once_visible=True)


def sent(emulator: Any, operation: str) -> list[Any]:
    """The bodies that arrived for an operation, in order."""
    return [record.body for record in emulator.requests.records(operation)]


def count(emulator: Any, operation: str) -> int:
    return emulator.requests.counts().get(operation, 0)
