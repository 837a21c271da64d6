# SPDX-License-Identifier: Apache-2.0
"""What becomes of token and budget while the store that hosts share cannot be reached, or is slow."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from typing import Any

import pytest

from airflow_provider_sendpulse.api import coordination
from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.coordination import RETRY_AFTER, CoordinationStore, coordination_store
from airflow_provider_sendpulse.api.redis_store import RedisAddress
from airflow_provider_sendpulse.api.shared import Busy, MemoryStore
from airflow_provider_sendpulse.api.unreachable import Unreachable

READ = Call.raw("GET", "/books")
FINE = {"result": True}


class Far(MemoryStore):
    """A store on another host.

    :param is_up: whether it answers
    """

    remote = True

    def __init__(self) -> None:
        super().__init__()
        self.is_up = True
        self.asked = 0

    def try_update(self, key: str, change: Any) -> Any:
        self.asked += 1
        if not self.is_up:
            raise Unreachable("ConnectionError")
        return super().try_update(key, change)


class Setting:
    """A coordination store with a far one, a near one, and a clock."""

    def __init__(self) -> None:
        self.far = Far()
        self.near = MemoryStore()
        self.time = 0.0
        self.store = CoordinationStore(self.far, lambda: self.near, now=lambda: self.time)

    def mark(self, value: str) -> None:
        self.store.try_update("x", lambda record: ({"marks": [*(record or {}).get("marks", []), value]}, None))

    @property
    def marks(self) -> tuple[list[str], list[str]]:
        stores = self.far._records, self.near._records
        return stores[0].get("x", {}).get("marks", []), stores[1].get("x", {}).get("marks", [])


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_the_far_store_is_used_while_it_answers(setting: Setting) -> None:
    setting.mark("a")
    assert setting.marks == (["a"], [])
    assert setting.store.remote


def test_this_host_takes_its_place_and_it_is_tried_again_after_a_while(setting: Setting, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    setting.mark("a")
    setting.far.is_up = False
    setting.mark("b")
    asked = setting.far.asked
    setting.time += RETRY_AFTER - 1
    setting.mark("c")
    assert setting.far.asked == asked, "not at every change"
    setting.far.is_up = True
    setting.mark("d")
    setting.time += 1
    setting.mark("e")
    assert setting.marks == (["a", "e"], ["b", "c", "d"])
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "ConnectionError" in warnings[0]
    assert "token" in warnings[0]
    assert "requests_per_second" in warnings[0]
    assert "answers again" in caplog.records[-1].getMessage()


def test_one_warning_however_long_and_often_it_is_away(setting: Setting, caplog: Any) -> None:
    for is_up in (False, False, True, False, False):
        setting.far.is_up = is_up
        for _ in range(3):
            setting.mark("x")
        setting.time += RETRY_AFTER + 1
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_an_answer_that_it_is_busy_is_an_answer(setting: Setting) -> None:
    setting.far.is_up = False
    setting.mark("a")
    setting.time += RETRY_AFTER
    setting.far.is_up = True
    setting.far.try_update = lambda key, change: (_ for _ in ()).throw(Busy(key))  # type: ignore[method-assign]
    with pytest.raises(Busy):
        setting.mark("b")
    del setting.far.try_update  # type: ignore[method-assign]
    setting.mark("c")
    assert setting.marks == (["c"], ["a"])


def test_errors_of_a_change_are_its_own(setting: Setting) -> None:
    with pytest.raises(ZeroDivisionError):
        setting.store.try_update("x", lambda record: ({"a": 1 / 0}, None))
    setting.mark("a")
    assert setting.marks == (["a"], [])


def test_a_store_that_hangs_counts_as_not_reached(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination, "PATIENCE", 0.2)
    end = threading.Event()
    setting.far.try_update = lambda key, change: end.wait(30)  # type: ignore[method-assign]
    began = time.monotonic()
    setting.mark("a")
    assert setting.store.check() == "no answer within 0.2 s"
    assert time.monotonic() - began < 5
    assert setting.marks == ([], ["a"])
    end.set()


def test_only_one_thread_waits_for_a_store_that_is_away(setting: Setting) -> None:
    setting.far.is_up = False
    setting.mark("a")
    setting.time += RETRY_AFTER
    asked, entered = threading.Event(), threading.Event()

    def slow(key: str, change: Any) -> Any:
        entered.set()
        assert asked.wait(10)
        raise Unreachable("TimeoutError")

    setting.far.try_update = slow  # type: ignore[method-assign]
    first = threading.Thread(target=setting.mark, args=["b"])
    first.start()
    assert entered.wait(10)
    setting.mark("c")
    assert setting.marks == ([], ["a", "c"])
    asked.set()
    first.join()
    assert setting.marks == ([], ["a", "c", "b"])


def test_check(setting: Setting) -> None:
    assert setting.store.check() is None
    setting.far.is_up = False
    assert setting.store.check() == "ConnectionError"


def test_one_store_for_each_address_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    here = coordination_store(RedisAddress("a.invalid"))
    assert coordination_store(RedisAddress("a.invalid")) is here
    assert coordination_store(RedisAddress("a.invalid", database=1)) is not here
    assert coordination_store(RedisAddress("a.invalid", password="x")) is not here
    monkeypatch.setattr(coordination.os, "getpid", lambda: -1)
    assert coordination_store(RedisAddress("a.invalid")) is not here


def test_calls_go_on_without_it(lab: Any, caplog: Any) -> None:
    import socket

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        store = CoordinationStore(RedisAddress("127.0.0.1", closed.getsockname()[1]).open())
        lab.answer(*[lab.reply(json=FINE)] * 3)
        client = lab.client(store=store)
        for _ in range(3):
            assert client.send(READ) == FINE
    assert len(lab.token_calls) == 1, "this host's files keep the token"
    times = [request.at for request in lab.received]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([0.1, 0.1])
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "127.0.0.1" not in warnings[0]


class Slow(Far):
    """Answers only when told to, and then after the change is made."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def try_update(self, key: str, change: Any) -> Any:
        result = super().try_update(key, change)
        self.entered.set()
        assert self.go_on.wait(10)
        return result


@pytest.fixture
def awaited(tools: Any) -> Any:
    lab = tools.Lab("httpx")
    yield lab
    lab.close()


def test_a_slow_store_never_blocks_the_loop(awaited: Any) -> None:
    store = Slow()
    awaited.answer(awaited.reply(json=FINE))
    driver = awaited.client(store=CoordinationStore(store))

    async def tick() -> str:
        # Were the loop blocked, the store would wait in vain for being told to go on.
        await asyncio.to_thread(store.entered.wait, 10)
        for _ in range(20):
            await asyncio.sleep(0.001)
        store.go_on.set()
        return "ticked"

    async def both() -> Any:
        return await asyncio.gather(driver.client.send(READ), tick())

    with asyncio.Runner() as runner:
        assert runner.run(both()) == [FINE, "ticked"]


def test_a_coroutine_that_is_cancelled_while_it_takes_the_lease_frees_it(awaited: Any) -> None:
    store = Slow()
    driver = awaited.client(store=CoordinationStore(store))
    key = awaited.account().token_key

    async def cancelled() -> None:
        task = asyncio.create_task(driver.client.send(READ))
        await asyncio.to_thread(store.entered.wait, 10)
        assert store._records[key]["lease"]["owner"], "the lease is taken, and nobody was told"
        task.cancel()
        await asyncio.sleep(0)
        task.cancel("again")
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert not task.done(), "what the thread does is waited for"
        store.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner() as runner:
        runner.run(cancelled())
    assert store._records[key]["lease"] is None
    assert not awaited.received
    assert not awaited.token_calls


def test_a_deadline_holds_while_the_store_is_slow(awaited: Any) -> None:
    store = Slow()
    driver = awaited.client(store=CoordinationStore(store))

    async def limited() -> None:
        async with asyncio.timeout(0.05):
            threading.Timer(0.2, store.go_on.set).start()
            await driver.client.send(READ)

    with asyncio.Runner() as runner, pytest.raises(TimeoutError):
        runner.run(limited())
    assert store._records[awaited.account().token_key]["lease"] is None


def test_the_rate_is_lowered_for_all_and_one_line_says_so(lab: Any, caplog: Any) -> None:
    whose = lab.account()
    far = Far()
    one, other = (lab.client(whose, store=CoordinationStore(far)) for _ in range(2))
    lab.answer(lab.reply(429), *[lab.reply(json=FINE)] * 5)
    for client in (one, other, other, other, other):
        client.send(READ)
    times = [request.at for request in lab.received[1:]]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == pytest.approx([0.2] * 4, abs=0.01)
    told = [record.getMessage() for record in caplog.records if "50 %" in record.getMessage()]
    assert len(told) == 1
