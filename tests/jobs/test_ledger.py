# SPDX-License-Identifier: Apache-2.0
"""What was sent already, in a store of small values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_sendpulse.jobs.ledger import Entry, KeyValueLedger, LostLedger, MemoryLedger

NEW, CLAIMED, RECORDED = Entry.NEW, Entry.IN_DOUBT, Entry.RECORDED


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


def entries(ledger, keys):
    known = ledger.look_up([*keys])
    return [known.get(key, NEW) for key in keys]


def claim(ledger, keys, again=()):
    return ledger.claim(dict.fromkeys(keys, ""), again=again)


def test_a_key_goes_its_way(store):
    ledger = ledger_in(store)
    assert entries(ledger, "a") == [NEW]
    assert claim(ledger, "abc") == {*"abc"}
    assert entries(ledger, "abcd") == [CLAIMED, CLAIMED, CLAIMED, NEW]
    ledger.settle(["a"], ["b"])
    assert entries(ledger, "abc") == [RECORDED, NEW, CLAIMED]
    assert ledger.size == 2


def test_another_try_knows_it_all(store):
    ledger = ledger_in(store)
    claim(ledger, "abc")
    ledger.settle(["a"], ["b"])
    assert entries(ledger_in(store), "abc") == [RECORDED, NEW, CLAIMED]


def test_a_claim_is_written_down_before_anything_is_sent(store):
    claim(ledger_in(store), "a")
    assert entries(ledger_in(store), "a") == [CLAIMED]


def test_what_is_known_is_nobodys_to_claim(store):
    ledger = ledger_in(store)
    claim(ledger, "ab")
    ledger.settle(["a"], [])
    assert claim(ledger, "abc") == {"c"}


def test_what_is_in_doubt_can_be_claimed_on_purpose(store):
    claim(ledger_in(store), "ab")
    again = ledger_in(store)
    assert claim(again, "abc", again=["a"]) == {"a", "c"}
    again.settle(["a"], [])
    assert entries(ledger_in(store), "abc") == [RECORDED, CLAIMED, CLAIMED]


def test_what_was_given_back_can_be_claimed_again(store):
    ledger = ledger_in(store)
    claim(ledger, "a")
    ledger.settle([], ["a"])
    assert claim(ledger, "a") == {"a"}
    ledger.settle(["a"], [])
    assert entries(ledger_in(store), "a") == [RECORDED]


def test_a_full_ledger_stays_below_what_airflow_complains_about(store):
    claim(ledger_in(store), [key(number) for number in range(KeyValueLedger.capacity)])
    [text] = store.texts.values()
    assert len(text) < 64 * 1024


def test_ledgers_of_other_names_are_others(store):
    claim(ledger_in(store, "one"), "a")
    assert entries(ledger_in(store, "other"), "a") == [NEW]


def test_a_store_that_fails_lets_nothing_be_claimed(store):
    def fail(name, value):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        claim(KeyValueLedger(store.get, fail), "a")
    assert entries(ledger_in(store), "a") == [NEW]


def test_memory_ends_with_the_process():
    ledger = MemoryLedger()
    claim(ledger, "a")
    ledger.settle("a", [])
    assert entries(ledger, "a") == [RECORDED]
    assert entries(MemoryLedger(), "a") == [NEW]
    assert not ledger.is_lasting


def test_where_nothing_is_known_everything_is_in_doubt():
    ledger = LostLedger()
    assert entries(ledger, "ab") == [CLAIMED, CLAIMED]
    assert claim(ledger, "ab", again="a") == {"a", "b"}
    ledger.settle(["a"], [])
    assert entries(ledger, "ab") == [RECORDED, CLAIMED]


@given(st.data())
def test_it_behaves_as_a_mapping_would(data):
    store = Store()
    ledger, model = ledger_in(store), {}
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["claim", "settle", "crash"]))
        if step == "claim":
            wanted, again = (data.draw(st.sets(st.sampled_from("abcdefghijkl"))) for _ in range(2))
            again = {name for name in again & wanted if model.get(name) is CLAIMED}
            ours = {name for name in wanted if name not in model} | again
            assert claim(ledger, wanted, again=again) == ours
            model.update(dict.fromkeys(ours, CLAIMED))
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
        assert entries(ledger, "abcdefghijkl") == [model.get(name, NEW) for name in "abcdefghijkl"]
        assert ledger.size == len(model)
