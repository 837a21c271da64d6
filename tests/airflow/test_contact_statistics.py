# SPDX-License-Identifier: Apache-2.0
"""What the account knows of contacts, in files and tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.contact_statistics import SendPulseContactStatisticsOperator
from airflow_provider_sendpulse.rows import OutputFile, OutputTable

pytestmark = pytest.mark.usefixtures("connect")

ADA, BOB, NOBODY = "ada@example.com", "bob@example.com", "nobody@example.com"
KINDS = ("statistics", "memberships", "origins", "deliveries")
OPERATIONS = {
    "statistics": "addresses.statistics_many",
    "memberships": "addresses.where_many",
    "origins": "addresses.details",
    "deliveries": "campaigns.address",
}


@pytest.fixture
def campaign_id(account: Any) -> int:
    """A campaign to a book with two contacts, which was sent; one of them is in another book as well."""
    account.book("Readers", [ADA, BOB])
    account.book("Buyers", [ADA])
    campaign_id = account.campaign(3)
    with account.emulator.emulator.lock:
        state = account.emulator.state
        state.blacklist["complainer@example.com"] = ""
        state.books.find(account.books[0]["id"]).contacts[ADA].variables["Имя"] = "Ада"
    return campaign_id


@pytest.fixture
def look_up(dag: Any, tmp_path: Path, campaign_id: int) -> Callable[..., Any]:
    """Return how to make an operator for some kinds of look-ups."""

    def make(contacts: Any, *kinds: str, **arguments: Any) -> Any:
        files = {kind: f"{tmp_path}/{kind}.jsonl" for kind in kinds}
        of = {"campaign_id": str(campaign_id)} if "deliveries" in kinds else {}
        return SendPulseContactStatisticsOperator(
            **{"task_id": "look", "dag": dag, "contacts": contacts, **files, **of, **arguments}
        )

    return make


def records(tmp_path: Path, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (tmp_path / f"{kind}.jsonl").read_text().splitlines()]
    assert all(record.pop("looked_up_at").endswith("+00:00") for record in found)
    return found


def test_all_kinds(runner: Any, look_up: Any, account: Any, campaign_id: int, tmp_path: Path) -> None:
    result = runner.run(look_up(["Ada@example.com", BOB, NOBODY, "complainer@example.com", BOB], *KINDS))
    assert result.state == "success", result.error
    assert result.value == {
        "read": 5,
        "accepted": 4,
        "duplicate": 1,
        "invalid": 0,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
        "unknown": 1,
        "records": {"statistics": 3, "memberships": 3, "origins": 3, "deliveries": 2},
        "destinations": {kind: f"{tmp_path}/{kind}.jsonl" for kind in KINDS},
    }
    readers, buyers = (book["id"] for book in account.books)
    ada, bob, complainer = records(tmp_path, "statistics")
    assert (ada["email"], ada["sent"], ada["address_books"], ada["blacklisted"]) == (ADA, 1, [readers, buyers], False)
    assert (bob["address_books"], complainer["blacklisted"], complainer["sent"]) == ([readers], True, 0)
    [first, *others] = records(tmp_path, "memberships")
    assert first == {
        "email": ADA,
        "address_book_id": readers,
        "status": 1,
        "status_explain": None,
        "mailable": True,
        "variables": {"Имя": "Ада"},
    }
    assert [(record["email"], record["address_book_id"]) for record in others] == [(ADA, buyers), (BOB, readers)]
    origin = records(tmp_path, "origins")[1]
    assert (origin["address_book_name"], origin["source"], len(origin["add_date"])) == ("Buyers", "panel", 19)
    assert [(record["email"], record["campaign_id"]) for record in records(tmp_path, "deliveries")] == [
        (ADA, campaign_id),
        (BOB, campaign_id),
    ]
    assert "@" not in json.dumps(result.value) + result.log


def test_a_table_keeps_what_is_seen_again(
    runner: Any, look_up: Any, account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    task = look_up([ADA, BOB], memberships=OutputTable("warehouse", "{{ 'memberships' }}"))
    for number in (1, 2):
        result = runner.run(task, try_number=number)
        assert result.state == "success", result.error
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT email, variables FROM memberships ORDER BY email, address_book_id").fetchall()
    assert [email for email, _ in rows] == [ADA, ADA, BOB]
    assert json.loads(rows[0][1]) == {"Имя": "Ада"}


def test_many_go_into_one_call(runner: Any, look_up: Any, account: Any) -> None:
    contacts = [f"reader{number}@example.com" for number in range(250)]
    result = runner.run(look_up(contacts, "statistics", "memberships"))
    assert result.state == "success", result.error
    assert result.value["unknown"] == 250
    for kind in ("statistics", "memberships"):
        assert [len(body["emails"]) for body in account.sent(OPERATIONS[kind])] == [100, 100, 50]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "lose_answer"}, {"kind": "status", "status": 429}, {"kind": "status", "status": 413}],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_failures_in_passing(
    runner: Any, look_up: Any, account: Any, tmp_path: Path, quick: Any, kind: str, fault: dict[str, Any]
) -> None:
    if fault.get("status") == 413 and kind in ("origins", "deliveries"):
        pytest.skip("one address is never too many")
    account.emulator.faults.add(**fault, operation=OPERATIONS[kind])
    result = runner.run(look_up([ADA, BOB], kind))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["unknown"]) == (2, 0)
    assert {record["email"] for record in records(tmp_path, kind)} == {ADA, BOB}


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_refused(runner: Any, look_up: Any, account: Any, kind: str, tmp_path: Path) -> None:
    # The call for both, where there is one, and the first one alone.
    times = 2 if kind in ("statistics", "memberships") else 1
    account.emulator.faults.add("status", status=422, error_code=422, operation=OPERATIONS[kind], times=times)
    result = runner.run(look_up([ADA, BOB], kind, max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (1, 1)
    assert {record["email"] for record in records(tmp_path, kind)} == {BOB}


@pytest.mark.parametrize("kind", KINDS)
def test_it_stays_as_it_was_when_the_task_fails(
    runner: Any, look_up: Any, account: Any, kind: str, tmp_path: Path, quick: Any
) -> None:
    (tmp_path / f"{kind}.jsonl").write_text("before")
    account.emulator.faults.add("status", status=403, operation=OPERATIONS[kind], times=40)
    result = runner.run(look_up([ADA, BOB], kind))
    assert result.state == "failed"
    assert result.xcom("counts", "look")["skipped"] == 2
    assert (tmp_path / f"{kind}.jsonl").read_text() == "before"


def test_no_rows(runner: Any, look_up: Any, account: Any, tmp_path: Path) -> None:
    result = runner.run(look_up([], *KINDS))
    assert result.state == "success", result.error
    assert result.value["records"] == dict.fromkeys(KINDS, 0)
    assert not account.emulator.requests.total
    assert records(tmp_path, "origins") == []


@pytest.mark.parametrize(
    ("kinds", "arguments", "told"),
    [
        ((), {}, "Nothing is to be looked up"),
        (("statistics",), {"campaign_id": 7}, "give campaign_id with deliveries"),
        (("deliveries",), {"campaign_id": ""}, "give campaign_id with deliveries"),
        (("deliveries",), {"campaign_id": "x"}, "campaign_id is 'x'"),
        (("statistics",), {"statistics": 7}, "statistics is a int"),
        (("origins",), {"origins": "/origins.xlsx"}, "The path of origins ends in neither"),
        ((), {"origins": "/tmp/x.csv", "memberships": "/tmp/x.csv"}, "memberships and origins are the same place"),
        ((), {"origins": OutputFile("/tmp/x.csv"), "statistics": "/tmp/./x.csv"}, "statistics and origins are the same"),
        ((), {"origins": OutputTable("g", "t"), "memberships": OutputTable("g", "t")}, "are the same place"),
    ],
)
def test_wrong_arguments(runner: Any, look_up: Any, account: Any, kinds: Any, arguments: dict[str, Any], told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(look_up([ADA], *kinds, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total
