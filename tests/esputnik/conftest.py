# SPDX-License-Identifier: Apache-2.0
"""Clients of the emulated account of eSputnik."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from emulated_account import AwaitedClient, connected, esputnik_account

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.api.httpx_transport import HttpxTransport
from airflow_provider_sendpulse.esputnik.contacts import Contact


@pytest.fixture(autouse=True)
def _without_limits(emulator: Any) -> None:
    # The clients here never really sleep, so the emulator would see them come too fast.
    emulator.configure(esputnik_limits=False)


@pytest.fixture
def client(emulator: Any) -> Iterator[Client]:
    client = connected(emulator, whose=esputnik_account(emulator))
    yield client
    client.close()


@pytest.fixture(scope="session")
def loop(served_emulator: Any) -> Iterator[tuple[asyncio.Runner, HttpxTransport]]:
    """One event loop and one transport for all: setting TLS up takes a while, though nothing here uses it."""
    with asyncio.Runner() as runner:
        transport = HttpxTransport(esputnik_account(served_emulator).timeouts)
        yield runner, transport
        runner.run(transport.aclose())


@pytest.fixture(params=["requests", "httpx"])
def either(request: pytest.FixtureRequest, emulator: Any) -> Any:
    """Both clients in turn, with one blocking face."""
    if request.param == "requests":
        return request.getfixturevalue("client")
    return AwaitedClient(emulator, *request.getfixturevalue("loop"), whose=esputnik_account(emulator))


@pytest.fixture
def remembered(emulator: Any) -> Any:
    """What the emulated account remembers now."""
    return lambda: emulator.state.as_dict()["esputnik"]


@pytest.fixture
def ada(client: Client) -> int:
    """Id of a contact who is there."""
    found = client.send(es.contacts.upsert(Contact.reached(email="ada@example.com", external_customer_id="a-1")))
    assert found is not None
    return found


@pytest.fixture
def imported(client: Client) -> Any:
    """Import contacts by their addresses into a segment, and return its id and theirs."""

    def do(*emails: str, segment: str = "Readers") -> tuple[int, list[int]]:
        started = client.send(
            es.import_sessions.start(
                [Contact.reached(email=email) for email in emails],
                dedupe_on="email",
                contact_fields=["email"],
                group_names=[segment],
            )
        )
        while (session := client.send(es.import_sessions.read(started.session_id))).status != "FINISHED":
            assert session.status in ("STARTED", "IMPORTING")
        [found] = [item for item in client.pages(es.segments.list(segment)) if item.name == segment]
        return found.id, [item.contact_id for item in session.mapping]

    return do


@pytest.fixture
def letter(client: Client) -> int:
    """Id of a prepared e-mail."""
    content = {
        "name": "Welcome",
        "from": "Shop <shop@example.com>",
        "subject": "Hello",
        "htmlText": "Hi",
        "tags": ["spring"],
    }
    return client.send(es.templates.create("email", content))
