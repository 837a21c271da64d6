# SPDX-License-Identifier: Apache-2.0
"""Clients of the emulated account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from emulated_account import AwaitedClient, account, connected

from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport


@pytest.fixture
def client(emulator: Any) -> Iterator[Client]:
    client = connected(emulator)
    yield client
    client.close()


@pytest.fixture(scope="session")
def loop(served_emulator: Any) -> Iterator[tuple[asyncio.Runner, HttpxTransport]]:
    """One event loop and one transport for all: setting TLS up takes a while, though nothing here uses it."""
    with asyncio.Runner() as runner:
        transport = HttpxTransport(account(served_emulator).timeouts)
        yield runner, transport
        runner.run(transport.aclose())


@pytest.fixture(params=["requests", "httpx"])
def either(request: pytest.FixtureRequest, emulator: Any) -> Any:
    """Both clients in turn, with one blocking face."""
    if request.param == "requests":
        return request.getfixturevalue("client")
    return AwaitedClient(emulator, *request.getfixturevalue("loop"))
