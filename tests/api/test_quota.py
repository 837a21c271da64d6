# SPDX-License-Identifier: Apache-2.0
"""Small quotas, counted before they are used."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.api.quota import Quota
from airflow_provider_sendpulse.api.shared import FileStore, MemoryStore

KEY = "quotas-account"
LIMIT = Limit(20, 3600.0)


@pytest.fixture
def clock(tools: Any) -> Any:
    return tools.FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def quota(store: Any, clock: Any, name: str = "tests") -> Quota:
    return Quota(store, KEY, name, LIMIT, clock)


def test_all_or_none(store: Any, clock: Any) -> None:
    assert quota(store, clock).take(18) == 0
    assert quota(store, clock).take(3) == 3600
    assert quota(store, clock).take(2) == 0
    assert quota(store, clock).take(1) == 3600
    assert quota(store, clock, "others").take(20) == 0, "another one is counted apart"


def test_the_window_slides(store: Any, clock: Any) -> None:
    quota(store, clock).take(15)
    clock.sleep(600)
    quota(store, clock).take(5)
    clock.sleep(600)
    assert quota(store, clock).take(15) == 2400
    assert quota(store, clock).take(16) == 3000
    clock.sleep(2400)
    assert quota(store, clock).take(16) == 600
    assert quota(store, clock).take(15) == 0


def test_what_was_not_used_is_given_back(store: Any, clock: Any) -> None:
    quota(store, clock).take(10)
    mine = quota(store, clock)
    mine.take(10)
    mine.give_back()
    mine.give_back()
    assert quota(store, clock).take(11) > 0
    assert quota(store, clock).take(10) == 0


@pytest.mark.parametrize("damaged", [{"tests": 5}, {"tests": ["x", None, 1e12]}, {}])
def test_a_damaged_record_is_none(store: Any, clock: Any, damaged: Any) -> None:
    store.try_update(KEY, lambda _: (damaged, None))
    assert quota(store, clock).take(20) == 0


def test_many_at_once_never_take_too_many(tmp_path: Any) -> None:
    from airflow_provider_sendpulse.api.clock import SystemClock

    taken: list[int] = []

    def work() -> None:
        mine = Quota(FileStore(tmp_path / "cache"), KEY, "tests", LIMIT, SystemClock())
        taken.extend(3 for _ in range(5) if mine.take(3) == 0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 18
