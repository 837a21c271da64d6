# SPDX-License-Identifier: Apache-2.0
"""Which rows come of a recorded run."""

from __future__ import annotations

import argparse

import pytest

from demo.failure import DemoFailed
from torture.calls import TRIGGERER, WORKER, Kind, Request, chosen_of, kinds, rows
from torture.run import numbers

READ = Request(WORKER, "wait", "campaigns.read")
READ_WHILE_DEFERRED = Request(TRIGGERER, None, "campaigns.read")
CREATE = Request(WORKER, "create", "campaigns.create")
EVENT = Request(WORKER, "send", "events.send_by_hash")


def test_a_kind_is_a_call_of_a_task_in_a_place() -> None:
    found = kinds([CREATE, READ, READ_WHILE_DEFERRED, Request(WORKER, "statistics", "campaigns.read")])
    assert [kind.request for kind in found] == [
        CREATE,
        READ_WHILE_DEFERRED,
        Request(WORKER, "statistics", "campaigns.read"),
        READ,
    ]


def test_the_second_request_stands_for_its_kind() -> None:
    assert kinds([EVENT, EVENT, EVENT]) == [Kind(EVENT, skipped=1)]
    assert kinds([EVENT]) == [Kind(EVENT, skipped=0)]


def test_what_is_skipped_counts_the_operation_wherever_it_comes_from() -> None:
    found = {kind.request: kind.skipped for kind in kinds([READ, CREATE, READ_WHILE_DEFERRED, READ_WHILE_DEFERRED])}
    assert found == {READ: 0, CREATE: 0, READ_WHILE_DEFERRED: 2}


def test_the_order_does_not_depend_on_who_was_faster() -> None:
    assert [kind.request for kind in kinds([EVENT, CREATE, READ])] == [
        kind.request for kind in kinds([READ, CREATE, EVENT])
    ]


def test_everybody_is_killed_and_before_the_effect_only_where_a_repeat_reaches_people() -> None:
    planned = rows([Kind(READ, 0), Kind(READ_WHILE_DEFERRED, 1), Kind(CREATE, 0)])
    assert [(row.number, row.kind.request, row.moment, row.victim.name, row.victim.fault) for row in planned] == [
        (1, READ, "after", "task", "client"),
        (2, READ, "after", "supervisor", "parent"),
        (3, READ_WHILE_DEFERRED, "after", "runner", "client"),
        (4, READ_WHILE_DEFERRED, "after", "triggerer", "parent"),
        (5, CREATE, "before", "task", "client"),
        (6, CREATE, "before", "supervisor", "parent"),
        (7, CREATE, "after", "task", "client"),
        (8, CREATE, "after", "supervisor", "parent"),
    ]


def test_rows_are_chosen_by_number_and_range() -> None:
    assert numbers("3,8-10") == {3, 8, 9, 10}


def test_a_row_that_does_not_exist_is_no_success() -> None:
    assert chosen_of({1: "a", 2: "b"}, frozenset()) == ["a", "b"]
    assert chosen_of({1: "a", 2: "b"}, frozenset({2})) == ["b"]
    with pytest.raises(DemoFailed, match="no 3"):
        chosen_of({1: "a", 2: "b"}, frozenset({2, 3}))


def test_what_is_no_number_is_refused() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=numbers)
    with pytest.raises(SystemExit):
        parser.parse_args(["--rows", "three"])
