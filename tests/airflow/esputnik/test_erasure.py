# SPDX-License-Identifier: Apache-2.0
"""Contacts of eSputnik that are erased or deleted, and what their receipts say."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from receipts import digest, read

from airflow_provider_sendpulse.operators.esputnik.erasure import EsputnikEraseContactsOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
PHONE = "+38067123456"
COUNTS = {"read": 0, "accepted": 0, "duplicate": 0, "invalid": 0, "rejected": 0, "skipped": 0, "in_doubt": 0, "found": 0}


@pytest.fixture
def people(esputnik: Any) -> list[int]:
    return [
        esputnik.contact(email, phone=f"{PHONE}{number}", external_id=f"c-{number}")
        for number, email in enumerate((ADA, BOB, EVE))
    ]


@pytest.fixture
def erase(dag: Any, receipts: Path) -> Callable[..., Any]:
    def make(contacts: Any, **arguments: Any) -> Any:
        arguments = {"by": "email", "erase": True, "receipt": str(receipts), **arguments}
        return EsputnikEraseContactsOperator(task_id="erase", dag=dag, contacts=contacts, **arguments)

    return make


def test_by_address(runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path) -> None:
    # The search finds these as well.
    others = [esputnik.contact(f"x{ADA}"), esputnik.contact(f"{BOB}.ua")]
    result = runner.run(erase(["Ada@example.com", BOB, "nobody@example.com", BOB]))
    assert result.state == "success", result.error
    assert result.value == {**COUNTS, "read": 4, "accepted": 3, "duplicate": 1, "found": 2, "receipt": str(receipts)}
    assert [*esputnik.contacts] == [people[2], *others]
    assert len(esputnik.told["contacts"]) == 3  # nothing is left of the others
    ada, bob, nobody = read(receipts)
    assert (ada["contact"], ada["contact_ids"], ada["erased"]) == (digest(ADA), people[:1], True)
    assert (bob["contact"], bob["contact_ids"]) == (digest(BOB), people[1:2])
    assert nobody["contact_ids"] == []


@pytest.mark.parametrize(
    ("by", "given"),
    [
        ("contact_id", lambda people: [people[0], str(people[1]), 7, 0]),
        ("external_customer_id", lambda _: ["c-0", "c-1", "c-10", ""]),
        ("phone", lambda _: [f"{PHONE}0", f"{PHONE}1", f"{PHONE}10", "none"]),
    ],
)
def test_by_something_else(
    runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, by: str, given: Any
) -> None:
    result = runner.run(erase(given(people), by=by, max_rejected_ratio=0.5, receipt_contact="address"))
    assert result.state == "success", result.error
    told = {**COUNTS, "read": 4, "accepted": 3, "invalid": 1, "found": 2, "receipt": str(receipts)}
    assert result.value == told
    assert [*esputnik.contacts] == people[2:]
    assert [receipt["contact"] for receipt in read(receipts)] == [str(one) for one in given(people)[:3]]
    assert [receipt["contact_ids"] for receipt in read(receipts)] == [people[:1], people[1:2], []]


def test_words_for_nothing_are_nobody_s_id(
    runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, tmp_path: Path
) -> None:
    nobody = [esputnik.contact(external_id=text) for text in ("nan", "None")]
    given = [{"external_customer_id": value} for value in (math.nan, "None", "c-0", "A\ud800", b"nan")]
    rejects = tmp_path / "rejects.jsonl"
    result = runner.run(erase(given, by="external_customer_id", max_rejected_ratio=1.0, rejects=str(rejects)))
    assert result.state == "success", result.error
    assert result.value == {**COUNTS, "read": 5, "accepted": 1, "invalid": 4, "found": 1, "receipt": str(receipts)}
    assert [*esputnik.contacts] == [*people[1:], *nobody]
    assert [row["source_row"] for row in read(rejects)] == [1, 2, 4, 5]


@pytest.mark.parametrize("by", ["contact_id", "external_customer_id", "email"])
def test_deleted_only(runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, by: str) -> None:
    given = {"contact_id": people[0], "external_customer_id": "c-0", "email": ADA}[by]
    result = runner.run(erase([given], by=by, erase=False))
    assert result.state == "success", result.error
    assert [*esputnik.contacts] == people[1:]
    assert len(esputnik.told["contacts"]) == 3
    [receipt] = read(receipts)
    assert receipt["erased"] is False


@pytest.mark.parametrize("by", ["contact_id", "external_customer_id"])
def test_deleted_before(runner: Any, erase: Any, esputnik: Any, people: list[int], by: str) -> None:
    given = {"contact_id": people[0], "external_customer_id": "c-0"}[by]
    with esputnik.emulator.emulator.lock:
        esputnik.emulator.state.esputnik.contacts.get(people[0]).is_deleted = True
    result = runner.run(erase([given], by=by))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["found"]) == (1, 0)
    assert [one["id"] for one in esputnik.told["contacts"]] == people[1:]


def test_two_hits(runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, tmp_path: Path) -> None:
    twin = esputnik.contact(ADA)
    runner.api.should_retry = True
    rejects = tmp_path / "rejects.jsonl"
    result = runner.run(erase([ADA, BOB], rejects=str(rejects)))
    assert result.state == "failed"
    assert "1 of 2 rows went wrong" in str(result.error)
    assert [*esputnik.contacts] == [people[0], people[2], twin]
    [row] = read(rejects)
    assert row["email"] == ADA
    assert str(people[0]) in row["reason"]
    assert str(twin) in row["reason"]
    assert [receipt["contact_ids"] for receipt in read(receipts)] == [people[1:2]]


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
@pytest.mark.parametrize("by", ["contact_id", "external_customer_id", "email"])
def test_a_retry_knows_what_was_found(
    runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, quick: Any, by: str
) -> None:
    esputnik.emulator.faults.add("lose_answer", operation="esputnik.contacts.delete", after=1, times=30)
    runner.api.should_retry = True
    given = {"contact_id": people[:2], "external_customer_id": ["c-0", "c-1"], "email": [ADA, BOB]}[by]
    task = erase(given, by=by)
    assert runner.run(task).state == "up_for_retry"
    stored = json.dumps([*runner.api.store.values()])
    assert "@" not in stored
    assert "c-0" not in stored
    esputnik.emulator.faults.clear()
    result = runner.run(task, try_number=2)
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["found"]) == (2, 2)
    assert [receipt["contact_ids"] for receipt in read(receipts)] == [people[:1], people[1:2]]
    assert [*esputnik.contacts] == people[2:]
    assert "@" not in json.dumps([*runner.api.store.values()])


@pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 429}], ids=lambda one: one["kind"])
@pytest.mark.parametrize("operation", ["contacts.delete", "contacts.search"])
def test_failures_in_passing(
    runner: Any, erase: Any, esputnik: Any, people: list[int], quick: Any, fault: Any, operation: str
) -> None:
    esputnik.emulator.faults.add(**fault, operation=f"esputnik.{operation}")
    result = runner.run(erase([ADA]))
    assert result.state == "success", result.error
    assert result.value["found"] == 1
    assert [*esputnik.contacts] == people[1:]


@pytest.mark.parametrize("operation", ["contacts.delete", "contacts.search"])
def test_one_that_is_refused(
    runner: Any, erase: Any, esputnik: Any, people: list[int], receipts: Path, operation: str
) -> None:
    esputnik.emulator.faults.add("status", status=400, operation=f"esputnik.{operation}")
    runner.api.should_retry = True
    result = runner.run(erase([ADA, BOB]))
    assert result.state == "failed"
    assert result.xcom("counts", "erase")["rejected"] == 1
    assert [receipt["contact"] for receipt in read(receipts)] == [digest(BOB)]


def test_a_wrong_host_says_of_nobody_that_they_are_gone(
    runner: Any, erase: Any, connect_esputnik: Any, emulator: Any, people: list[int], receipts: Path
) -> None:
    connect_esputnik(host=f"{emulator.url}/nowhere/api")
    runner.api.should_retry = True
    result = runner.run(erase(people, by="contact_id"))
    assert result.state == "failed"
    assert "HTTP 404" in str(result.error)
    assert not receipts.exists()


def test_contacts_by_nothing_that_there_is(runner: Any, erase: Any, esputnik: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(erase([ADA], by="name"))
    assert result.state == "failed"
    assert "by is 'name'" in str(result.error)
    assert not esputnik.emulator.requests.total
