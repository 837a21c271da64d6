# SPDX-License-Identifier: Apache-2.0
"""What was sent already, in a store of small values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.jobs.ledger import Entry, KeyValueLedger, MemoryLedger

NEW, CLAIMED, RECORDED = Entry.NEW, Entry.CLAIMED, Entry.RECORDED


class Store:
    """Keeps JSON, as Airflow's does."""

    def __init__(self):
        self.texts = {}
        self.writes = []

    def get(self, name):
        return json.loads(self.texts[name]) if name in self.texts else None

    def put(self, name, value):
        self.texts[name] = json.dumps(value)
        self.writes.append(name)


def ledger_in(store, name="ledger") -> KeyValueLedger:
    return KeyValueLedger(store.get, store.put, name)


@pytest.fixture
def store():
    return Store()


def key(number):
    return f"{number:024x}"


def test_a_key_goes_its_way(store):
    ledger = ledger_in(store)
    assert ledger.look_up("a") is NEW
    ledger.claim(["a", "b", "c"])
    assert [ledger.look_up(name) for name in "abcd"] == [CLAIMED, CLAIMED, CLAIMED, NEW]
    ledger.settle(["a"], ["b"])
    assert [ledger.look_up(name) for name in "abc"] == [RECORDED, NEW, CLAIMED]


def test_another_try_knows_it_all(store):
    ledger = ledger_in(store)
    ledger.claim(["a", "b", "c"])
    ledger.settle(["a"], ["b"])
    again = ledger_in(store)
    assert [again.look_up(name) for name in "abc"] == [RECORDED, NEW, CLAIMED]


def test_a_claim_is_written_down_before_anything_is_sent(store):
    ledger_in(store).claim(["a"])
    assert ledger_in(store).look_up("a") is CLAIMED


def test_what_was_given_back_can_be_claimed_again(store):
    ledger = ledger_in(store)
    ledger.claim(["a"])
    ledger.settle([], ["a"])
    ledger.claim(["a"])
    ledger.settle(["a"], [])
    assert ledger_in(store).look_up("a") is RECORDED


def test_many_keys_are_spread_over_several_values(store):
    ledger = ledger_in(store)
    for start in range(0, 5000, 20):
        keys = [key(number) for number in range(start, start + 20)]
        ledger.claim(keys)
        ledger.settle(keys[:15], keys[15:18])
    assert len(store.texts) >= 3
    assert max(map(len, store.texts.values())) < 64 * 1024
    again = ledger_in(store)
    for number in range(5000):
        expected = RECORDED if number % 20 < 15 else NEW if number % 20 < 18 else CLAIMED
        assert again.look_up(key(number)) is expected


def test_a_full_value_stays_below_what_airflow_complains_about(store):
    ledger_in(store).claim([key(number) for number in range(KeyValueLedger.PER_CHUNK)])
    [text] = store.texts.values()
    assert len(text) < 64 * 1024


def test_only_what_changes_is_written(store):
    ledger = ledger_in(store)
    ledger.claim([key(number) for number in range(2000)])
    ledger.claim(["later"])
    store.writes.clear()
    ledger.settle(["later"], [])
    assert store.writes == ["ledger-00001"]
    ledger.settle([key(3)], [key(4)])
    assert store.writes == ["ledger-00001", "ledger-00000"]


def test_a_value_that_became_empty_hides_none_behind_it(store):
    ledger = ledger_in(store)
    first = [key(number) for number in range(2000)]
    ledger.claim(first)
    ledger.claim(["later"])
    ledger.settle(["later"], first)
    assert ledger_in(store).look_up("later") is RECORDED


def test_no_keys_change_nothing(store):
    ledger = ledger_in(store)
    ledger.claim([])
    ledger.settle([], [])
    ledger.claim(["a"])
    assert ledger_in(store).look_up("a") is CLAIMED


def test_ledgers_of_other_names_are_others(store):
    ledger_in(store, "one").claim(["a"])
    assert ledger_in(store, "other").look_up("a") is NEW


def test_a_store_that_fails_lets_nothing_be_claimed(store):
    def fail(name, value):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        KeyValueLedger(store.get, fail).claim(["a"])
    assert ledger_in(store).look_up("a") is NEW


def test_memory_ends_with_the_process():
    MemoryLedger().claim(["a"])
    assert MemoryLedger().look_up("a") is NEW


@given(st.data())
def test_it_behaves_as_a_mapping_would(data):
    store = Store()
    ledger, model = ledger_in(store), {}
    ledger.PER_CHUNK = 4
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["claim", "settle", "crash"]))
        if step == "claim":
            keys = [name for name in data.draw(st.sets(st.sampled_from("abcdefghijkl"))) if name not in model]
            ledger.claim(keys)
            model.update(dict.fromkeys(keys, CLAIMED))
        elif step == "settle":
            claimed = sorted(name for name, entry in model.items() if entry is CLAIMED)
            fates = {name: data.draw(st.sampled_from([RECORDED, NEW, CLAIMED])) for name in claimed}
            ledger.settle(
                [name for name, fate in fates.items() if fate is RECORDED],
                [name for name, fate in fates.items() if fate is NEW],
            )
            model.update(fates)
            model = {name: entry for name, entry in model.items() if entry is not NEW}
        else:
            ledger = ledger_in(store)
            ledger.PER_CHUNK = 4
        assert {name: ledger.look_up(name) for name in "abcdefghijkl"} == {
            name: model.get(name, NEW) for name in "abcdefghijkl"
        }
