# SPDX-License-Identifier: Apache-2.0
"""The emulated account of eSputnik."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from broadcasting import Newsletter
from esputnik_state import EsputnikState
from fresh_dag import anew

from airflow_provider_sendpulse.operators.esputnik.broadcasts import EsputnikCreateBroadcastOperator


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    return EsputnikState(emulator)


@pytest.fixture
def newsletter(emulator: Any, connect_esputnik: Any) -> Newsletter:
    """A prepared message, and a way to make segments and to see who was mailed."""
    emulator.configure(bounce_share=0, open_share=0)
    return Newsletter(emulator)


@pytest.fixture
def there(emulator: Any) -> Callable[[], dict[str, Any]]:
    """The emulated account's contacts by their address."""

    def contacts() -> dict[str, Any]:
        found = {}
        for contact in emulator.state.as_dict()["esputnik"]["contacts"]:
            [email] = [item["value"] for item in contact["channels"] if item["type"] == "email"] or [""]
            found[email] = contact
        return found

    return contacts


@pytest.fixture
def sent(emulator: Any) -> Callable[..., list[Any]]:
    """The bodies of all requests of an operation."""
    return lambda operation="esputnik.contacts.import": [record.body for record in emulator.requests.records(operation)]


@pytest.fixture
def broadcast(dag: Any, newsletter: Newsletter) -> Callable[..., EsputnikCreateBroadcastOperator]:
    """Return how to make an operator that says little more than what a test is about."""
    newsletter.readers()

    def make(**arguments: Any) -> EsputnikCreateBroadcastOperator:
        return EsputnikCreateBroadcastOperator(
            **{
                "task_id": "broadcast",
                "dag": anew(dag),
                "title": "News",
                "message_id": newsletter.message,
                "groups": "Readers",
                **arguments,
            }
        )

    return make
