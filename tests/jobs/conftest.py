# SPDX-License-Identifier: Apache-2.0
"""A client of the emulated account, and a clock that moves it along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emulated_account import FakeClock, SharedClock, connected

from airflow_provider_sendpulse.api.client import Client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shared_clock(emulator: Any) -> SharedClock:
    return SharedClock(emulator)


@pytest.fixture
def client(emulator: Any, shared_clock: SharedClock) -> Iterator[Client]:
    client = connected(emulator, shared_clock)
    yield client
    client.close()
