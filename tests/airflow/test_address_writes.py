# SPDX-License-Identifier: Apache-2.0
"""Addresses that leave a book, are unsubscribed, and go on and off the blacklist: what all of these have in common."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.blacklist import (
    SendPulseAddToBlacklistOperator,
    SendPulseRemoveFromBlacklistOperator,
)
from airflow_provider_sendpulse.operators.contact_removal import (
    SendPulseRemoveContactsOperator,
    SendPulseUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.rows import SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

READERS = tuple(f"reader{number}@example.com" for number in range(250))
UNSUBSCRIBED = 4


@dataclass(frozen=True)
class Kind:
    """One of the operators.

    :param operation: its call's name in the emulator
    :param done: who it has been done to
    """

    operator: Any
    operation: str
    in_a_book: bool
    done: Callable[[Any], set[str]]


def blacklisted(account: Any) -> set[str]:
    return set(account.emulator.state.blacklist)


def with_status(account: Any, *statuses: int) -> set[str]:
    return {contact["email"] for contact in account.books[0]["contacts"] if contact["status"] in statuses}


KINDS = {
    "remove": Kind(
        SendPulseRemoveContactsOperator,
        "contacts.remove",
        True,
        lambda account: {*READERS} - with_status(account, *range(15)),
    ),
    "unsubscribe": Kind(
        SendPulseUnsubscribeContactsOperator,
        "contacts.unsubscribe",
        True,
        lambda account: with_status(account, UNSUBSCRIBED),
    ),
    "blacklist": Kind(SendPulseAddToBlacklistOperator, "blacklist.add", False, blacklisted),
    "take off": Kind(
        SendPulseRemoveFromBlacklistOperator,
        "blacklist.remove",
        False,
        lambda account: {*READERS} - blacklisted(account),
    ),
}
OF_A_BOOK = [name for name, kind in KINDS.items() if kind.in_a_book]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, account: Any) -> Kind:
    """One of the operators, and everybody in a place where it finds them."""
    account.book(emails=READERS)
    if request.param == "take off":
        with account.emulator.emulator.lock:
            account.emulator.state.blacklist.update(dict.fromkeys(READERS, ""))
    return KINDS[request.param]


@pytest.fixture
def task(kind: Kind, dag: Any, account: Any) -> Callable[..., Any]:
    def make(contacts: Any, **arguments: Any) -> Any:
        if kind.in_a_book and "address_book_id" not in arguments:
            arguments["address_book_id"] = account.books[0]["id"]
        return kind.operator(task_id="task", dag=dag, contacts=contacts, **arguments)

    return make


def sizes(account: Any, kind: Kind) -> list[int]:
    """Return how many addresses each request held."""
    lists = [body["emails"] for body in account.sent(kind.operation)]
    texts = [base64.b64decode(text).decode().split(",") if isinstance(text, str) else text for text in lists]
    return sorted(map(len, texts))


def test_counts(runner: Any, task: Any, kind: Kind, account: Any) -> None:
    rows = [
        READERS[0],
        READERS[0].upper(),
        {"email": READERS[1], "phone": "no number", "name": object.__name__},
        "no address",
        {"email": None},
        "stranger@example.com",
    ]
    result = runner.run(task(rows, max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert result.value == {
        "read": 6,
        "accepted": 3,
        "duplicate": 1,
        "invalid": 2,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
    }
    assert kind.done(account) - {"stranger@example.com"} == {*READERS[:2]}
    assert result.rendered["contacts"] == "6 contacts (not shown)"
    assert "reader" not in result.log


def test_rejects(runner: Any, task: Any, tmp_path: Path) -> None:
    runner.api.should_retry = True
    result = runner.run(task([READERS[0], "no address"], rejects=f"{tmp_path}/rejects.jsonl"))
    assert result.state == "failed"
    assert type(result.error).__name__ == "DeliveryFailed"
    assert "1 of 2 rows went wrong" in str(result.error)
    assert result.xcom("counts", "task")["accepted"] == 1
    [row] = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
    assert (row["source_row"], row["outcome"], row["email"]) == (2, "invalid", "no address")


def test_rows_of_a_query(
    runner: Any, task: Any, kind: Kind, account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE gone (address TEXT, phone TEXT)")
        connection.executemany("INSERT INTO gone VALUES (?, 'none')", [(email,) for email in READERS])
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    rows = SqlRows("shop", "SELECT address, phone FROM gone WHERE '{{ ds }}' = '2026-01-05' ORDER BY address")
    result = runner.run(task(rows, email_column="{{ 'address' }}", concurrency=1))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 250
    assert kind.done(account) == {*READERS}
    assert sizes(account, kind) == ([50, 100, 100] if kind.in_a_book else [250])


def test_missing_column(runner: Any, task: Any, account: Any) -> None:
    result = runner.run(task([{"mail": READERS[0]}]))
    assert "The rows have no column email; they have mail" in str(result.error)
    assert not account.emulator.requests.total


def test_no_rows(runner: Any, task: Any, account: Any) -> None:
    result = runner.run(task([]))
    assert result.state == "success", result.error
    assert result.value["read"] == 0
    assert not account.emulator.requests.total


@pytest.mark.parametrize(
    "fault",
    [{"kind": "lose_answer"}, {"kind": "drop"}, {"kind": "status", "status": 429}, {"kind": "status", "status": 503}],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_failures_in_passing(
    runner: Any, task: Any, kind: Kind, account: Any, quick: list[float], fault: dict[str, Any]
) -> None:
    account.emulator.faults.add(**fault, operation=kind.operation)
    result = runner.run(task(READERS[:3]))
    assert result.state == "success", result.error
    assert (result.value["accepted"], kind.done(account)) == (3, {*READERS[:3]})
    assert len(account.sent(kind.operation)) == 2


def test_a_refusal_is_followed_down_to_the_rows(runner: Any, task: Any, kind: Kind, account: Any) -> None:
    # The batch, then its first row alone.
    account.emulator.faults.add("status", status=422, error_code=422, operation=kind.operation, times=2)
    result = runner.run(task(READERS[:5], max_rejected_ratio=0.2))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (4, 1)
    assert kind.done(account) == {*READERS[1:5]}


def test_again(runner: Any, task: Any, kind: Kind, account: Any) -> None:
    """What is so already is no failure, and changes nothing: of a retry, and of a task that was cleared."""
    operator = task(READERS[:3])
    for number in (1, 2, 3):
        result = runner.run(operator, try_number=number)
        assert result.state == "success", result.error
        assert result.value["accepted"] == 3
        assert kind.done(account) == {*READERS[:3]}


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
def test_a_retry_goes_on(runner: Any, task: Any, kind: Kind, account: Any, quick: list[float]) -> None:
    arguments = {"concurrency": 1} if kind.in_a_book else {"concurrency": 1, "batch_size": 100}
    operator = task([*READERS], **arguments)
    account.emulator.faults.add("status", status=503, operation=kind.operation, after=1, times=20)
    runner.api.should_retry = True
    assert runner.run(operator).state == "up_for_retry"
    account.emulator.faults.clear()
    result = runner.run(operator, try_number=2)
    assert result.state == "success", result.error
    assert (result.value["skipped"], result.value["accepted"]) == (100, 150)
    assert kind.done(account) == {*READERS}
    assert runner.api.store == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"contacts": None}, "contacts is a NoneType"),
        ({"contacts": [1]}, "more than addresses and mappings"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"max_rejected_ratio": 2}, "max_rejected_ratio is 2"),
    ],
)
def test_wrong_arguments(runner: Any, task: Any, account: Any, arguments: dict[str, Any], told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(task(**{"contacts": [READERS[0]], **arguments}))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


def everybody(path: Path) -> SqlRows:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE gone (email TEXT)")
        connection.executemany("INSERT INTO gone VALUES (?)", [(email,) for email in READERS])
    return SqlRows("shop", "SELECT email FROM gone ORDER BY email")


class TestMaxContacts:
    """A wrong query does not reach everybody."""

    def test_more(
        self, runner: Any, task: Any, kind: Kind, account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "shop.db"
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
        rows = everybody(path)
        runner.api.should_retry = True
        result = runner.run(task(rows, max_contacts="{{ 249 }}"))
        assert result.state == "failed"
        assert "more than max_contacts=249 rows" in str(result.error)
        assert "Nothing was sent" in str(result.error)
        assert kind.done(account) == set()
        assert not account.emulator.requests.total

    def test_as_many(self, runner: Any, task: Any) -> None:
        assert runner.run(task(READERS, max_contacts=250)).value["accepted"] == 250

    def test_those_who_were_counted_are_sent(self, runner: Any, task: Any, kind: Kind, account: Any) -> None:
        readings: list[int] = []

        class Growing:
            """One row more whenever it is read."""

            def rows(self) -> Any:
                readings.append(1)
                yield from ({"email": email, "age": 7} for email in READERS[: len(readings)])

        result = runner.run(task(Growing(), max_contacts=1))
        assert result.state == "success", result.error
        assert (result.value["read"], len(readings)) == (1, 1)
        assert kind.done(account) == {READERS[0]}

    def test_missing_column(self, runner: Any, task: Any) -> None:
        result = runner.run(task([{"mail": READERS[0]}], max_contacts=1))
        assert "The rows have no column email; they have mail" in str(result.error)

    def test_a_row_without_the_column(self, runner: Any, task: Any) -> None:
        result = runner.run(task([{"email": READERS[0]}, {"mail": READERS[1]}], max_contacts=2, max_rejected_ratio=0.5))
        assert (result.value["accepted"], result.value["invalid"]) == (1, 1)

    @pytest.mark.parametrize("most", ["", "None", "many", "{{ None }}"])
    def test_no_number(self, runner: Any, task: Any, account: Any, most: str) -> None:
        """What renders to nothing takes no bound away."""
        result = runner.run(task([READERS[0]], max_contacts=most))
        assert result.state == "failed"
        assert "max_contacts is" in str(result.error)
        assert not account.emulator.requests.total

    def test_default(self, runner: Any, task: Any, kind: Kind) -> None:
        """What cannot be made good by saying it again has a bound without being told; what keeps mail away has none."""
        result = runner.run(task([f"x{number}@example.com" for number in range(1001)]))
        bounded = kind.operation in ("contacts.remove", "blacklist.remove")
        assert ("more than max_contacts=1,000 rows" in str(result.error)) is bounded
        assert (result.state == "failed") is bounded

    def test_any_number(self, runner: Any, task: Any) -> None:
        result = runner.run(task([f"x{number}@example.com" for number in range(1001)], max_contacts=None))
        assert result.state == "success", result.error


class TestOfABook:
    """What those have in common that belong to an address book."""

    @pytest.fixture(params=OF_A_BOOK)
    def kind(self, request: pytest.FixtureRequest) -> Kind:
        return KINDS[request.param]

    def test_missing_book(self, runner: Any, task: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(task([READERS[0]], address_book_id=42))
        assert result.state == "failed"
        assert "error_code 213" in str(result.error)
        assert "Check the id" in str(result.error)

    def test_strangers_only(self, runner: Any, task: Any, account: Any) -> None:
        account.book(emails=["ada@example.com"])
        result = runner.run(task(["nobody@example.com"]))
        assert result.state == "success", result.error
        assert result.value["accepted"] == 1
        assert "Nothing was left to do for 1 rows" in result.log
        assert with_status(account, 0, 1) == {"ada@example.com"}

    def test_link_and_templates(self, runner: Any, task: Any, account: Any) -> None:
        book_id = account.book(emails=["ada@example.com"])
        result = runner.run(task(["{{ 'ada' }}@example.com"], address_book_id=f"{{{{ {book_id} }}}}"))
        assert result.state == "success", result.error
        assert str(book_id) in result.xcom("_link_SendPulseAddressBookLink", "task")
        assert with_status(account, 0, 1) == set()

    def test_no_book(self, runner: Any, task: Any, account: Any) -> None:
        result = runner.run(task([READERS[0]], address_book_id=""))
        assert "address_book_id is empty" in str(result.error)
        assert not account.emulator.requests.total


class TestBlacklist:
    """Putting on, with a comment, and taking off."""

    def test_comment(self, runner: Any, dag: Any, account: Any) -> None:
        add = SendPulseAddToBlacklistOperator(task_id="add", dag=dag, contacts=[READERS[0]], comment="complained {{ ds }}")
        assert runner.run(add).state == "success"
        assert account.emulator.state.blacklist == {READERS[0]: "complained 2026-01-05"}

    def test_no_comment(self, runner: Any, dag: Any, account: Any) -> None:
        add = SendPulseAddToBlacklistOperator(task_id="add", dag=dag, contacts=[READERS[0]])
        assert runner.run(add).state == "success"
        assert "comment" not in account.sent("blacklist.add")[0]

    def test_batches(self, runner: Any, dag: Any, account: Any) -> None:
        add = SendPulseAddToBlacklistOperator(task_id="add", dag=dag, contacts=[*READERS[:7]], batch_size=3)
        assert runner.run(add).value["accepted"] == 7
        assert sizes(account, KINDS["blacklist"]) == [1, 3, 3]
