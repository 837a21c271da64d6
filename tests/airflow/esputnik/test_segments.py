# SPDX-License-Identifier: Apache-2.0
"""Contacts that join and leave static segments of eSputnik, and what never empties one."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.esputnik.segments import (
    EsputnikAttachToSegmentOperator,
    EsputnikDetachFromSegmentOperator,
)
from airflow_provider_sendpulse.rows import FileRows, SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

NONE = {"read": 0, "accepted": 0, "duplicate": 0, "invalid": 0, "rejected": 0, "skipped": 0, "in_doubt": 0}
OPERATORS = {"attach": EsputnikAttachToSegmentOperator, "detach": EsputnikDetachFromSegmentOperator}
PHONE = "+38067123456"


@pytest.fixture
def readers(esputnik: Any) -> list[int]:
    return [
        esputnik.contact(f"reader{number}@example.com", phone=f"{PHONE}{number}", external_id=f"r-{number}")
        for number in range(5)
    ]


@pytest.fixture(params=OPERATORS)
def deed(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def segment(esputnik: Any, readers: list[int], deed: str) -> int:
    """Everybody is in it who is to leave, and nobody who is to join."""
    esputnik.segment("Readers of old")
    return int(esputnik.segment("Readers", *(readers if deed == "detach" else [])))


@pytest.fixture
def task(deed: str, dag: Any) -> Callable[..., Any]:
    def make(contacts: Any, **arguments: Any) -> Any:
        if not {"segment_id", "segment_name"} & arguments.keys():
            arguments["segment_name"] = "Readers"
        arguments = {"task_id": "task", "dag": dag, "by": "contact_id", "contacts": contacts, **arguments}
        return OPERATORS[deed](**arguments)

    return make


@pytest.fixture
def changed(esputnik: Any, readers: list[int], segment: int, deed: str) -> Callable[[], list[int]]:
    """Return the places of those who have joined or left."""

    def find() -> list[int]:
        members = esputnik.members(segment)
        return [place for place, one in enumerate(readers) if (one in members) == (deed == "attach")]

    return find


def test_by_name_and_contact_id(runner: Any, task: Any, readers: list[int], changed: Any) -> None:
    result = runner.run(task([readers[0], str(readers[1]), {"contact_id": readers[1]}, "x"], max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert result.value == {**NONE, "read": 4, "accepted": 2, "duplicate": 1, "invalid": 1}
    assert changed() == [0, 1]
    assert result.rendered["contacts"] == "4 contacts (not shown)"
    assert "Row 4: the id of the contact is not a whole number" in result.log


def test_by_id_and_external_id(runner: Any, task: Any, segment: int, changed: Any, esputnik: Any, deed: str) -> None:
    people = [{"own": "r-2"}, {"own": "r-4"}, {"own": ""}, {"own": None}]
    arguments = {"by": "external_customer_id", "column": "own", "max_rejected_ratio": 0.5}
    result = runner.run(task(people, segment_id=str(segment), **arguments))
    assert result.state == "success", result.error
    assert result.value == {**NONE, "read": 4, "accepted": 2, "invalid": 2}
    assert changed() == [2, 4]
    assert esputnik.sent(f"segments.{deed}") == [{"externalCustomerIds": ["r-2", "r-4"]}]


def test_words_for_nothing_are_nobody_s_id(
    runner: Any, task: Any, segment: int, changed: Any, esputnik: Any, deed: str
) -> None:
    nobody = [esputnik.contact(external_id=text) for text in ("nan", "None", "NULL", "True")]
    people: list[Any] = [{"own": value} for value in ("r-2", math.nan, "None", "NULL", "", b"r-3", True, "A\ud800")]
    result = runner.run(task(people, by="external_customer_id", column="own", max_rejected_ratio=1.0))
    assert result.state == "success", result.error
    assert result.value == {**NONE, "read": 8, "accepted": 1, "invalid": 7}
    assert changed() == [2]
    assert not {*nobody} & {*esputnik.members(segment)}
    assert esputnik.sent(f"segments.{deed}") == [{"externalCustomerIds": ["r-2"]}]


def test_ids_that_are_too_large(runner: Any, task: Any, readers: list[int], segment: int, esputnik: Any, deed: str) -> None:
    people = [{"contact_id": value} for value in (readers[0], 2**63, 1e20, 2**70)]
    result = runner.run(task(people, max_rejected_ratio=1.0))
    assert result.value == {**NONE, "read": 4, "accepted": 1, "invalid": 3}, result.error
    assert esputnik.sent(f"segments.{deed}") == [{"contactIds": readers[:1]}]


@pytest.mark.parametrize(
    ("by", "given"),
    [
        ("email", ["Reader1@example.com", "nobody@example.com", "no address", "", "twin@example.com"]),
        ("phone", [f"{PHONE}1", f"{PHONE}9", "none", "", "+380501111111"]),
    ],
)
def test_by_look_up(
    runner: Any,
    task: Any,
    changed: Any,
    esputnik: Any,
    by: str,
    given: list[str],
    tmp_path: Path,
) -> None:
    for _ in range(2):
        esputnik.contact("twin@example.com", phone="+380501111111")
    esputnik.contact("a-reader1@example.com")  # the search finds it as well
    rejects = tmp_path / "rejects.jsonl"
    result = runner.run(task(given, by=by, max_rejected_ratio=1.0, rejects=str(rejects)))
    assert result.state == "success", result.error
    assert result.value == {**NONE, "read": 5, "accepted": 1, "invalid": 4}
    assert changed() == [1]
    noun = "address" if by == "email" else "telephone number"
    reasons = [json.loads(line)["reason"] for line in rejects.read_text().splitlines()]
    assert reasons[0] == f"no contact has this {noun}"
    assert reasons[2] == f"no {noun}"
    assert reasons[3].startswith(f"several contacts have this {noun}: ")
    assert "example.com" not in result.log


def test_rows_of_a_query(
    runner: Any, task: Any, readers: list[int], changed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE people (id INTEGER, email TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, 'no address')", [(one,) for one in readers])
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    source = SqlRows("shop", "SELECT * FROM people ORDER BY id")
    result = runner.run(task(source, column="id", batch_size=2, concurrency=2))
    assert result.state == "success", result.error
    assert changed() == [0, 1, 2, 3, 4]


def test_batches(runner: Any, task: Any, esputnik: Any, segment: int, deed: str) -> None:
    result = runner.run(task([*range(1, 1202)], max_contacts=1201))
    assert result.state == "success", result.error
    assert sorted(len(body["contactIds"]) for body in esputnik.sent(f"segments.{deed}")) == [201, 500, 500]


@pytest.mark.parametrize(
    ("by", "contacts"), [("contact_id", [1, 2, 3]), ("email", ["reader1@example.com", "b@example.com", "c@example.com"])]
)
def test_too_many(runner: Any, task: Any, esputnik: Any, segment: int, changed: Any, by: str, contacts: list[Any]) -> None:
    before, asked = changed(), esputnik.emulator.requests.total
    runner.api.should_retry = True
    result = runner.run(task(contacts, by=by, max_contacts="2"))
    assert result.state == "failed"
    assert "more than max_contacts=2 rows" in str(result.error)
    # Nobody was looked up for it either.
    assert (changed(), esputnik.emulator.requests.total) == (before, asked)


def test_a_bound_without_being_told(runner: Any, task: Any, esputnik: Any, segment: int, deed: str) -> None:
    result = runner.run(task([*range(1, 1002)]))
    assert (result.state == "failed") is (deed == "detach")
    assert ("more than max_contacts=1,000 rows" in str(result.error)) is (deed == "detach")


@pytest.mark.parametrize("source", ["list", "query", "all wrong"])
def test_without_rows_nobody_joins_or_leaves(
    runner: Any, task: Any, esputnik: Any, changed: Any, deed: str, source: str, tmp_path: Path
) -> None:
    path = tmp_path / "nobody.csv"
    path.write_text("contact_id\n")
    contacts = {"list": [], "query": FileRows(str(path)), "all wrong": [{"contact_id": None}]}[source]
    result = runner.run(task(contacts, max_rejected_ratio=1.0))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 0
    assert changed() == []
    assert not esputnik.count(f"segments.{deed}")


@pytest.mark.parametrize("name", ["Reader", "readers", "Nobody"])
def test_a_segment_that_is_not_there(runner: Any, task: Any, esputnik: Any, changed: Any, name: str) -> None:
    runner.api.should_retry = True
    result = runner.run(task([1], segment_name=name))
    assert result.state == "failed"
    assert f"The account has no segment {name!r}" in str(result.error)
    assert changed() == []


@pytest.mark.parametrize("other", [(), ("Club",)], ids=str)
@pytest.mark.parametrize("name", ["Club ", "{{ 'Club ' }}"])
def test_a_name_with_a_space_at_its_end(
    runner: Any, task: Any, esputnik: Any, readers: list[int], deed: str, name: str, other: tuple[str, ...]
) -> None:
    in_it = readers if deed == "detach" else []
    others = [esputnik.segment(one, *in_it) for one in other]
    club = esputnik.segment("Club ", *in_it)
    esputnik.segment("Club of old", *in_it)
    result = runner.run(task(readers, segment_name=name))
    assert result.state == "success", result.error
    assert [len(esputnik.members(one)) for one in (club, *others)] == [5 - len(in_it), *(len(in_it) for _ in others)]


@pytest.mark.parametrize("name", ["Club", " Club", "Club  "])
def test_spaces_at_the_end_do_not_matter_where_one_segment_is_meant(
    runner: Any, task: Any, esputnik: Any, readers: list[int], deed: str, name: str
) -> None:
    club = esputnik.segment("Club ")
    result = runner.run(task(readers, segment_name=name))
    assert result.state == "success", result.error
    assert esputnik.sent(f"segments.{deed}"), club


@pytest.mark.parametrize("kind", ["Dynamic", "Combined"])
@pytest.mark.parametrize("known_by", ["segment_id", "segment_name"])
def test_a_segment_that_is_not_static(
    runner: Any, task: Any, esputnik: Any, readers: list[int], kind: str, known_by: str
) -> None:
    segment_id = esputnik.segment("Active ones", kind=kind)
    runner.api.should_retry = True
    result = runner.run(task(readers, **{known_by: segment_id if known_by == "segment_id" else "Active ones"}))
    assert result.state == "failed"
    assert f"is of the type {kind}" in str(result.error)


def test_two_segments_of_a_name(runner: Any, task: Any, esputnik: Any, changed: Any, segment: int) -> None:
    other = esputnik.segment("Readers")
    runner.api.should_retry = True
    result = runner.run(task([1]))
    assert result.state == "failed"
    assert f"give segment_id, one of {segment}, {other}" in str(result.error)
    assert changed() == []


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 429}], ids=lambda one: one["kind"])
def test_failures_in_passing(
    runner: Any, task: Any, esputnik: Any, readers: list[int], changed: Any, quick: Any, deed: str, fault: Any
) -> None:
    esputnik.emulator.faults.add(**fault, operation=f"esputnik.segments.{deed}")
    result = runner.run(task(readers[:2]))
    assert result.state == "success", result.error
    assert changed() == [0, 1]


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
@pytest.mark.parametrize("by", ["contact_id", "email"])
def test_a_retry_goes_on(
    runner: Any, task: Any, esputnik: Any, readers: list[int], changed: Any, quick: Any, deed: str, by: str
) -> None:
    esputnik.emulator.faults.add("status", status=503, operation=f"esputnik.segments.{deed}", after=2, times=40)
    runner.api.should_retry = True
    given = readers if by == "contact_id" else [f"reader{number}@example.com" for number in range(5)]
    one = task(given, by=by, batch_size=2, concurrency=1)
    assert runner.run(one).state == "up_for_retry"
    assert changed() == [0, 1, 2, 3]
    assert "example.com" not in json.dumps([*runner.api.store.values()])
    esputnik.emulator.faults.clear()
    result = runner.run(one, try_number=2)
    assert result.state == "success", result.error
    assert result.value == {**NONE, "read": 5, "accepted": 1, "skipped": 4}
    assert changed() == [0, 1, 2, 3, 4]
    assert runner.api.store == {}


def test_a_bad_row_of_many(runner: Any, task: Any, esputnik: Any, segment: int, deed: str) -> None:
    esputnik.emulator.faults.add("status", status=400, operation=f"esputnik.segments.{deed}", times=3)
    result = runner.run(task([*range(1, 11)], concurrency=1, max_rejected_ratio=1.0))
    assert result.value["accepted"] + result.value["rejected"] == 10, result.error
    assert result.value["rejected"] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"segment_name": ""}, "Give segment_id or segment_name"),
        ({"segment_name": "Readers", "segment_id": 7}, "one of them, and not both"),
        ({"segment_id": "many"}, "segment_id is 'many'"),
        ({"by": "name"}, "by is 'name'"),
        ({"contacts": None}, "contacts is empty"),
        ({"contacts": [[1]]}, "more than addresses and mappings"),
        ({"contacts": [{"id": 1}]}, "no column contact_id"),
        ({"by": "email", "contacts": [{"mail": 1}]}, "no column email"),
        ({"batch_size": 501}, "eSputnik takes 500"),
        ({"concurrency": 33}, "concurrency is 33"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_wrong_arguments(runner: Any, task: Any, esputnik: Any, changed: Any, arguments: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(task(**{"contacts": [1], **arguments}))
    assert result.state == "failed"
    assert told in str(result.error)
    assert changed() == []


class TestEmptying:
    """Everybody leaves only when that is said."""

    @pytest.fixture
    def full(self, esputnik: Any, readers: list[int]) -> int:
        return int(esputnik.segment("Readers", *readers))

    @pytest.fixture
    def detach(self, dag: Any) -> Callable[..., Any]:
        return lambda **arguments: EsputnikDetachFromSegmentOperator(task_id="detach", dag=dag, **arguments)

    def test_said(self, runner: Any, detach: Any, esputnik: Any, full: int, readers: list[int]) -> None:
        result = runner.run(detach(segment_name="Readers", empty_segment=True))
        assert (result.state, result.value) == ("success", NONE), result.error
        assert esputnik.members(full) == []
        assert [*esputnik.contacts] == readers

    @pytest.mark.parametrize("contacts", [[], [1], [{"contact_id": 1}]], ids=str)
    def test_with_rows(self, runner: Any, detach: Any, esputnik: Any, full: int, contacts: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(detach(segment_id=full, empty_segment=True, contacts=contacts))
        assert result.state == "failed"
        assert "empty_segment lets everybody leave" in str(result.error)
        assert len(esputnik.members(full)) == 5

    @pytest.mark.parametrize("value", [None, []], ids=str)
    def test_with_rows_from_upstream_that_are_none(
        self, runner: Any, detach: Any, esputnik: Any, full: int, upstream: Any, value: Any
    ) -> None:
        runner.api.should_retry = True
        result = runner.run(detach(segment_id=full, empty_segment=True, contacts=upstream("who", value)))
        assert result.state == "failed"
        assert len(esputnik.members(full)) == 5

    @pytest.mark.parametrize("value", [None, []], ids=str)
    @pytest.mark.parametrize("how", ["expand", "expand_kwargs"])
    def test_mapped_with_rows_that_are_none(
        self, runner: Any, dag: Any, esputnik: Any, full: int, upstream: Any, how: str, value: Any
    ) -> None:
        partial = EsputnikDetachFromSegmentOperator.partial(task_id="detach", dag=dag, segment_id=full, empty_segment=True)
        mapped = (
            partial.expand(contacts=upstream("who", [value]))
            if how == "expand"
            else partial.expand_kwargs(upstream("who", [{"contacts": value}]))
        )
        runner.api.should_retry = True
        result = runner.run(mapped, map_index=0)
        assert result.state == "failed"
        assert "empty_segment lets everybody leave" in str(result.error)
        assert len(esputnik.members(full)) == 5

    def test_mapped_over_segments(self, runner: Any, dag: Any, esputnik: Any, full: int, upstream: Any) -> None:
        partial = EsputnikDetachFromSegmentOperator.partial(task_id="detach", dag=dag, empty_segment=True)
        result = runner.run(partial.expand(segment_id=upstream("which", [full])), map_index=0)
        assert (result.state, result.value) == ("success", NONE), result.error
        assert esputnik.members(full) == []

    @pytest.mark.parametrize("said", [{}, {"empty_segment": False}, {"empty_segment": "yes"}], ids=str)
    def test_not_said(self, runner: Any, detach: Any, esputnik: Any, full: int, said: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(detach(segment_id=full, **said))
        assert result.state == "failed"
        assert "contacts is empty" in str(result.error)
        assert len(esputnik.members(full)) == 5

    def test_of_another_type(self, runner: Any, detach: Any, esputnik: Any) -> None:
        segment_id = esputnik.segment("Active ones", kind="Dynamic")
        runner.api.should_retry = True
        result = runner.run(detach(segment_id=segment_id, empty_segment=True))
        assert result.state == "failed"
        assert not esputnik.count("segments.detach")
