# SPDX-License-Identifier: Apache-2.0
"""The benchmark's load in small: through a SIGKILL at a random request, in processes of their own."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from emulated_account import add_book

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS
from bench.load import Load, run, run_to_the_end
from bench.peer import Peer

pytestmark = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")

ROWS = 20_000


@pytest.mark.parametrize(("concurrency", "batch_size"), [(4, 100), (1, 500)])
def test_twenty_thousand_contacts_through_a_kill(concurrency, batch_size, record_property):
    seed = random.randrange(2**32)
    record_property("seed", seed)
    load = Load(ROWS, batch_size, concurrency)
    with Peer(ROWS) as peer:
        told = run(load, peer, random.Random(seed))
        window = concurrency * batch_size
        assert (told.kills, peer.missing) == (1, 0), seed
        assert peer.again <= window, seed
        counts = told.counts
        assert counts["skipped"] + counts["accepted"] == counts["read"] == ROWS, seed


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("kill_at", [0, 3, 9])
def test_a_task_that_the_emulator_kills_goes_on(emulator, kill_at, after_effect):
    """Everybody is read back, too."""
    book = add_book(emulator)
    emulator.faults.add("kill", operation="contacts.add", after=kill_at, after_effect=after_effect)
    book.forced_status = 0  # a wait until it is unlocked would be in real time
    load = Load(1000, 50, 3, book.id, emulator.settings.api_keys[0], {"verify": True, "max_rejected_ratio": 0})
    told = run_to_the_end(load, emulator.url)
    assert (told.kills, told.counts["read"], told.counts["rejected"]) == (1, 1000, 0)
    assert told.counts["skipped"] + told.counts["accepted"] == 1000
    assert len(book.contacts) == 1000
    arrived = Counter(
        contact["email"]
        for record in emulator.requests.records("contacts.add")
        if record.handled_status == 200
        for contact in record.body["emails"]
    )
    assert len(arrived) == 1000
    assert sum(arrived.values()) - 1000 <= 3 * 50
