# SPDX-License-Identifier: Apache-2.0
"""The right to do something alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.api.lease import LONGEST, Holder, Lease
from airflow_provider_sendpulse.api.shared import Busy, MemoryStore

KEY = "leases-account"


@pytest.fixture
def clock(tools: Any) -> Any:
    return tools.FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def lease(store: Any, clock: Any, owner: str = "dag\0run\0task", name: str = "mailing-a") -> Lease:
    return Lease(store, KEY, name, owner, clock)


def record(store: Any) -> Any:
    return store.try_update(KEY, lambda record: (None, record))


def test_one_has_it_and_others_are_told_for_how_long(store: Any, clock: Any) -> None:
    assert lease(store, clock).take(100) == 0
    clock.sleep(30)
    assert lease(store, clock, "other").take(100) == pytest.approx(70)
    assert lease(store, clock, "other", "mailing-b").take(100) == 0, "another one is free"


def test_it_expires(store: Any, clock: Any) -> None:
    mine, other = lease(store, clock), lease(store, clock, "other")
    mine.take(100)
    clock.sleep(100)
    assert mine.renew(100) is Holder.NOBODY
    assert other.take(100) == 0
    assert mine.renew(100) is Holder.ANOTHER
    assert mine.take(100) > 0


def test_it_is_renewed(store: Any, clock: Any) -> None:
    mine, other = lease(store, clock), lease(store, clock, "other")
    mine.take(100)
    for _ in range(5):
        clock.sleep(90)
        assert mine.renew(100) is Holder.ME
    assert other.take(100) == pytest.approx(100)


def test_the_next_try_of_its_owner_takes_it_over_and_the_one_before_is_told(store: Any, clock: Any) -> None:
    first, second = lease(store, clock), lease(store, clock)
    first.take(100)
    assert second.take(100) == 0
    assert first.renew(100) is Holder.ANOTHER_TRY
    first.release()
    assert second.renew(100) is Holder.ME, "who lost it cannot let it go"


def test_released_it_is_free(store: Any, clock: Any) -> None:
    mine, other = lease(store, clock), lease(store, clock, "other")
    mine.take(100)
    other.release()
    assert other.take(100) > 0
    mine.release()
    assert mine.renew(100) is Holder.NOBODY
    assert other.take(100) == 0


def test_what_has_expired_is_not_kept(store: Any, clock: Any) -> None:
    for number in range(50):
        lease(store, clock, name=f"mailing-{number}").take(100)
    clock.sleep(100)
    lease(store, clock, name="mailing-x").take(100)
    assert [*record(store)["leases"]] == ["mailing-x"]


def test_the_owner_is_not_readable(store: Any, clock: Any) -> None:
    lease(store, clock, "secret_dag\0secret_run").take(100)
    assert "secret" not in json.dumps(record(store))


def test_a_busy_record_is_waited_for(clock: Any) -> None:
    class Contended(MemoryStore):
        refusals = 3

        def try_update(self, key: str, change: Any) -> Any:
            if self.refusals:
                self.refusals -= 1
                raise Busy(key)
            return super().try_update(key, change)

    assert lease(Contended(), clock).take(100) == 0
    assert len(clock.sleeps) == 3


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["mailing-a", "owner", "try", "until", "x"]), inner, max_size=4),
    ),
    max_leaves=10,
)


@given(values)
def test_a_damaged_record_blocks_nobody_for_long(damage: Any) -> None:
    from airflow_provider_sendpulse.api.lease import Lease

    class Still:
        time = 1_800_000_000.0

        def now(self) -> float:
            return self.time

    clock: Any = Still()
    store = MemoryStore()
    store.try_update(KEY, lambda _: ({"leases": damage}, None))
    mine = Lease(store, KEY, "mailing-a", "me", clock)
    left = mine.take(100)
    assert 0 <= left <= LONGEST
    clock.time += left + 1
    assert mine.take(100) == 0
    assert mine.renew(100) is Holder.ME
    mine.release()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "renew", "release"]), st.floats(0, 80))))
def test_never_two_at_once(steps: list[tuple[str, str, float]]) -> None:
    class Still:
        time = 1_800_000_000.0

        def now(self) -> float:
            return self.time

    clock: Any = Still()
    store = MemoryStore()
    leases = {owner: Lease(store, KEY, "mailing-a", owner, clock) for owner in "abc"}
    until = dict.fromkeys("abc", 0.0)
    for owner, action, passed in steps:
        clock.time += passed
        if action == "take" and leases[owner].take(100) == 0:
            until[owner] = clock.time + 100
        elif action == "renew":
            held = leases[owner].renew(100) is Holder.ME
            assert held == (clock.time < until[owner])
            until[owner] = clock.time + 100 if held else 0.0
        elif action == "release":
            leases[owner].release()
            until[owner] = 0.0
        assert sum(clock.time < end for end in until.values()) <= 1
