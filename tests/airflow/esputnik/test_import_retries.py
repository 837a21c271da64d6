# SPDX-License-Identifier: Apache-2.0
"""What another try knows."""

from __future__ import annotations

from typing import Any

import pytest
from contact_imports import counts, load, needs_state_store, readers
from task_runner import TaskRunner

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")


@needs_state_store
def test_clearing_a_task_that_has_succeeded_imports_again(runner: Any, sent: Any) -> None:
    assert runner.run(load()).value == counts(read=3, accepted=3)
    assert runner.run(load(), try_number=2).value == counts(read=3, accepted=3)
    assert len(sent()) == 2


@needs_state_store
def test_other_rows_start_over(runner: Any, emulator: Any, there: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    assert runner.run(load(readers(4), batch_size=2, concurrency=1)).state == "failed"
    result = runner.run(load(readers(4, first=3), batch_size=2), try_number=2)
    assert result.value == counts(read=4, accepted=4)
    assert "starting over" in result.log
    assert len(there()) == 6


@needs_state_store
def test_another_segment_starts_over(runner: Any, emulator: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    assert runner.run(load(readers(4), batch_size=2, concurrency=1)).state == "failed"
    result = runner.run(load(readers(4), batch_size=2, group_names=["Readers"]), try_number=2)
    assert result.value == counts(read=4, accepted=4)


@needs_state_store
def test_refused_rows_are_sent_again(runner: Any, emulator: Any, sent: Any) -> None:
    rows = [*readers(2), {"email": "x@example.com", "phone": "", "name": "12345"}, *readers(3, first=3)]
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "FINISHED", "ERROR"])
    assert runner.run(load(rows, batch_size=2, concurrency=1)).state == "failed"
    result = runner.run(load(rows, batch_size=2, max_rejected_ratio=0.5), try_number=2)
    assert result.value == counts(read=6, skipped=3, accepted=2, rejected=1), result.error
    assert [item["channels"][0]["value"] for item in sent()[-2]["contacts"] + sent()[-1]["contacts"]] == [
        "x@example.com",
        "reader4@example.com",
        "reader5@example.com",
    ]


def test_without_a_state_store_it_starts_over(emulator: Any, there: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    runner = TaskRunner(state_store=False)
    operator = load(readers(4), batch_size=2, concurrency=1, event_key_for_new_contacts="fromShop")
    assert runner.run(operator).state == "failed"
    assert runner.run(operator, try_number=2).value == counts(read=4, accepted=4)
    # The event goes to those that are new, once.
    assert len(emulator.state.as_dict()["esputnik"]["events"]) == 4
