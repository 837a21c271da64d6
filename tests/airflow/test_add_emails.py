# SPDX-License-Identifier: Apache-2.0
"""Contacts from lists, XCom and SQL into an address book."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator, SendPulseUpdateVariableOperator
from airflow_provider_sendpulse.rows import SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

needs_state_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")


@pytest.fixture
def book_id(account: Any) -> int:
    return account.book(emails=[])


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE readers (email TEXT, phone TEXT, name TEXT, day TEXT)")
        connection.executemany(
            "INSERT INTO readers VALUES (?, ?, ?, ?)",
            [
                ("ada@example.com", "+380440000001", "Ада", "2026-01-05"),
                ("bob@example.com", None, "Bob", "2026-01-05"),
                ("eve@example.com", None, "Eve", "2026-01-06"),
            ],
        )
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def add(dag: Any, book_id: Any, contacts: Any, **arguments: Any) -> SendPulseAddEmailsOperator:
    return SendPulseAddEmailsOperator(task_id="add", dag=dag, address_book_id=book_id, contacts=contacts, **arguments)


def expected_contacts(counts: dict[str, int]) -> dict[str, int]:
    """Return how many contacts the documented sensors wait for after a load."""
    found = {}
    for name in ("README.md", "example_dags/weekly_digest.py"):
        text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
        [template] = re.findall(r'expected_contacts=\(?\s*"(.*)"', text)
        found[name] = int(jinja2.Template(template).render(ti=SimpleNamespace(xcom_pull=lambda task_ids: counts)))
    return found


def contacts_of(account: Any) -> dict[str, dict[str, Any]]:
    return {contact["email"]: contact for contact in account.books[0]["contacts"]}


def test_list_of_addresses(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    result = runner.run(add(dag, book_id, ["ada@example.com", "bob@example.com", "ADA@example.com"]))
    assert result.state == "success", result.error
    assert result.value == {
        "read": 3,
        "accepted": 2,
        "duplicate": 1,
        "invalid": 0,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
    }
    assert set(contacts_of(account)) == {"ada@example.com", "bob@example.com"}
    assert result.rendered["contacts"] == "3 contacts (not shown)"


def test_list_of_mappings(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    contacts = [
        {"email": "ada@example.com", "phone": "+380440000001", "variables": {"Имя": "Ада", "Age": 36}},
        {"email": "bob@example.com", "city": "{{ ds }}"},
    ]
    result = runner.run(add(dag, str(book_id), contacts))
    assert result.state == "success", result.error
    found = contacts_of(account)
    assert found["ada@example.com"]["variables"]["Age"] == 36
    assert found["bob@example.com"]["variables"] == {"city": "2026-01-05"}


def test_list_of_an_upstream_task(runner: Any, dag: Any, account: Any, book_id: int, upstream: Any) -> None:
    contacts = [{"email": "ada@example.com", "variables": {"greeting": "{{ not_a_template }}"}}]
    result = runner.run(add(dag, upstream("book", book_id), upstream("contacts", contacts)))
    assert result.state == "success", result.error
    assert contacts_of(account)["ada@example.com"]["variables"] == {"greeting": "{{ not_a_template }}"}
    assert result.rendered["contacts"] == "1 contacts (not shown)"


def test_mapped(runner: Any, dag: Any, account: Any, book_id: int, upstream: Any) -> None:
    chunks = [["ada@example.com"], ["bob@example.com", "eve@example.com"]]
    mapped = SendPulseAddEmailsOperator.partial(task_id="add", dag=dag, address_book_id=book_id).expand(
        contacts=upstream("chunks", chunks)
    )
    results = [runner.run(mapped, map_index=index) for index in (0, 1)]
    assert [result.value["accepted"] for result in results] == [1, 2]
    assert [result.rendered["contacts"] for result in results] == ["1 contacts (not shown)", "2 contacts (not shown)"]
    assert len(contacts_of(account)) == 3


def test_rows_of_a_query(runner: Any, dag: Any, account: Any, book_id: int, database: Path) -> None:
    rows = SqlRows(
        "{{ params.database }}",
        "SELECT email, phone, name AS \"Имя\" FROM readers WHERE day = '{{ ds }}' ORDER BY email",
    )
    result = runner.run(add(dag, book_id, rows, params={"database": "shop"}))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 2
    assert contacts_of(account)["ada@example.com"]["variables"] == {"Имя": "Ада"}
    assert "WHERE day = '2026-01-05'" in str(result.rendered["contacts"]).replace("\\", "")
    assert "conn_id='shop'" in str(result.rendered["contacts"]).replace("\\", "")


def test_parameters_of_a_query(runner: Any, dag: Any, account: Any, book_id: int, database: Path) -> None:
    rows = SqlRows("shop", "SELECT email FROM readers WHERE day = :day", {"day": "{{ ds }}"})
    assert runner.run(add(dag, book_id, rows)).value["accepted"] == 2


def test_query_in_a_file(runner: Any, account: Any, book_id: int, database: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from airflow.sdk import DAG

    (tmp_path / "readers.sql").write_text("SELECT email FROM readers WHERE day = '{{ ds }}'\n")
    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    dag.fileloc = str(tmp_path / "a_dag.py")
    result = runner.run(add(dag, book_id, SqlRows("shop", "readers.sql")))
    assert result.state == "success", result.error
    assert result.value["accepted"] == 2


def test_one_source_in_two_runs(account: Any, dag: Any, book_id: int, database: Path) -> None:
    from execution_api import ExecutionApi
    from task_runner import TaskRunner

    rows = SqlRows("shop", "SELECT email FROM readers WHERE '{{ run_id }}' = 'second' OR day = '2026-01-05'")
    operator = add(dag, book_id, rows)
    assert TaskRunner(ExecutionApi(run_id="first")).run(operator).value["accepted"] == 2
    # Rendering must not stick to the object that the DAG file made.
    assert rows.sql.startswith("SELECT email FROM readers WHERE '{{")
    assert TaskRunner(ExecutionApi(run_id="second")).run(operator).value["accepted"] == 3


@pytest.mark.parametrize("variables", [["name"], {"name": "Имя"}])
def test_chosen_columns(runner: Any, dag: Any, account: Any, book_id: int, database: Path, variables: Any) -> None:
    result = runner.run(add(dag, book_id, SqlRows("shop", "SELECT * FROM readers"), variables=variables))
    assert result.state == "success", result.error
    name = "Имя" if isinstance(variables, dict) else "name"
    assert contacts_of(account)["bob@example.com"]["variables"] == {name: "Bob"}


def test_missing_column(runner: Any, dag: Any, book_id: int, database: Path) -> None:
    runner.api.should_retry = True
    result = runner.run(add(dag, book_id, SqlRows("shop", "SELECT name FROM readers")))
    assert result.state == "failed"
    assert "The rows have neither a column email nor phone; they have name" in str(result.error)


def test_share_of_wrong_rows(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    rows = ["ada@example.com", "bob@example.com", "eve@example.com", "no address"]
    runner.api.should_retry = True
    result = runner.run(add(dag, book_id, rows))
    assert result.state == "failed"
    assert type(result.error).__name__ == "DeliveryFailed"
    assert "1 of 4 rows went wrong" in str(result.error)
    assert "Row 4: not an address" in result.log


def test_share_of_wrong_rows_that_is_allowed(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    rows = ["ada@example.com", "bob@example.com", "eve@example.com", "no address"]
    result = runner.run(add(dag, book_id, rows, max_rejected_ratio=0.25))
    assert result.state == "success"
    assert "The thresholds allow that" in result.log


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_wrong_share(runner: Any, dag: Any, account: Any, book_id: int, ratio: float) -> None:
    result = runner.run(add(dag, book_id, ["ada@example.com"], max_rejected_ratio=ratio))
    assert "max_rejected_ratio" in str(result.error)


def test_batches(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    rows = [f"reader{number}@example.com" for number in range(7)]
    assert runner.run(add(dag, book_id, rows, batch_size=3)).value["accepted"] == 7
    assert sorted(len(body["emails"]) for body in account.sent("contacts.add")) == [1, 3, 3]


def test_retry_adds_nothing_twice(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    account.emulator.faults.add("lose_answer", operation="contacts.add")
    operator = add(dag, book_id, ["ada@example.com"])
    assert runner.run(operator).state == "success"
    assert runner.run(operator, try_number=2).state == "success"
    assert len(contacts_of(account)) == 1


def test_double_opt_in(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    operator = add(
        dag, book_id, ["ada@example.com"], double_opt_in=True, sender_email="shop@{{ 'example.com' }}", message_lang="ua"
    )
    result = runner.run(operator)
    assert result.state == "success", result.error
    confirmations = account.emulator.state.as_dict()["confirmations"]
    assert confirmations == [{"book_id": book_id, "email": "ada@example.com"}]
    assert contacts_of(account) == {}


def test_double_opt_in_needs_a_sender(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    result = runner.run(add(dag, book_id, ["ada@example.com"], double_opt_in=True))
    assert "double_opt_in needs sender_email" in str(result.error)
    assert not account.emulator.requests.total


@pytest.mark.parametrize(
    ("contacts", "told"),
    [(None, "contacts is a NoneType"), ("ada@example.com", "contacts is a str"), ([1], "more than addresses and mappings")],
)
def test_contacts_that_are_none(
    runner: Any, dag: Any, account: Any, book_id: int, upstream: Any, contacts: Any, told: str
) -> None:
    runner.api.should_retry = True
    result = runner.run(add(dag, book_id, upstream("contacts", contacts)))
    assert result.state == "failed"
    assert told in str(result.error)
    assert "ada@example.com" not in str(result.error)


def test_no_rows(runner: Any, dag: Any, account: Any, book_id: int) -> None:
    result = runner.run(add(dag, book_id, []))
    assert result.state == "success"
    assert result.value["read"] == 0
    assert not account.sent("contacts.add")


def test_link(runner: Any, dag: Any, book_id: int) -> None:
    result = runner.run(add(dag, book_id, ["ada@example.com"]))
    assert str(book_id) in result.xcom("_link_SendPulseAddressBookLink", "add")


class TestUpdateVariable:
    """Variables of one contact."""

    def test_updated(self, runner: Any, dag: Any, account: Any) -> None:
        book_id = account.book(emails=["ada@example.com"])
        update = SendPulseUpdateVariableOperator(
            task_id="update",
            dag=dag,
            address_book_id=str(book_id),
            contact_email="{{ params.who }}",
            variables={"Seen": "{{ ds }}", "Visits": 3},
            params={"who": "ada@example.com"},
        )
        result = runner.run(update)
        assert result.state == "success", result.error
        assert contacts_of(account)["ada@example.com"]["variables"] == {"Seen": "2026-01-05", "Visits": 3}
        assert result.rendered["contact_email"] == "address (not shown)"
        assert result.rendered["variables"] == "2 variables (not shown)"

    def test_mapped(self, runner: Any, dag: Any, account: Any) -> None:
        book_id = account.book(emails=["ada@example.com", "bob@example.com"])
        mapped = SendPulseUpdateVariableOperator.partial(
            task_id="update", dag=dag, address_book_id=book_id, contact_email="ada@example.com"
        ).expand(variables=[{"One": "{{ ds }}"}, {"Two": 2}])
        for index in (0, 1):
            assert runner.run(mapped, map_index=index).state == "success"
        assert contacts_of(account)["ada@example.com"]["variables"] == {"One": "2026-01-05", "Two": 2}

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"contact_email": ""}, "contact_email is empty"),
            ({"variables": ["x"]}, "variables is not a mapping"),
            ({"address_book_id": ""}, "address_book_id is empty"),
        ],
    )
    def test_wrong_arguments(self, runner: Any, dag: Any, account: Any, arguments: dict[str, Any], told: str) -> None:
        complete = {"address_book_id": 1, "contact_email": "ada@example.com", "variables": {"x": 1}, **arguments}
        runner.api.should_retry = True
        result = runner.run(SendPulseUpdateVariableOperator(task_id="update", dag=dag, **complete))
        assert result.state == "failed"
        assert told in str(result.error)
        assert not account.emulator.requests.total

    def test_unknown_contact(self, runner: Any, dag: Any, account: Any) -> None:
        book_id = account.book()
        runner.api.should_retry = True
        update = SendPulseUpdateVariableOperator(
            task_id="update", dag=dag, address_book_id=book_id, contact_email="nobody@example.com", variables={"x": 1}
        )
        result = runner.run(update)
        assert result.state == "failed"
        assert "error_code 502" in str(result.error)
        assert "not in this address book" in str(result.error)
        assert "nobody@example.com" not in str(result.error) + result.log


class TestTries:
    """Another try of a load goes on; a success is forgotten."""

    ROWS = tuple(f"reader{number}@example.com" for number in range(60))

    @needs_state_store
    def test_a_retry_goes_on_and_a_clear_loads_again(self, runner: Any, dag: Any, account: Any, book_id: int) -> None:
        operator = add(dag, book_id, list(self.ROWS), batch_size=10, concurrency=1)
        account.emulator.faults.add("status", status=404, error_code=213, operation="contacts.add", after=3)
        runner.api.should_retry = True
        result = runner.run(operator)
        assert result.state == "failed"
        assert "Contacts: 40 read, 30 accepted, 10 skipped" in result.log
        assert next(iter(runner.api.store.values()))["rows"] == 30
        result = runner.run(operator, try_number=2)
        assert (result.value["skipped"], result.value["accepted"]) == (30, 30)
        assert expected_contacts(result.value) == {"README.md": 60, "example_dags/weekly_digest.py": 60}
        assert runner.api.store == {}
        result = runner.run(operator, try_number=3)
        assert (result.value["skipped"], result.value["accepted"]) == (0, 60)

    @needs_state_store
    def test_too_many_refused_rows_leave_the_position(self, runner: Any, dag: Any, account: Any, book_id: int) -> None:
        account.emulator.state.books.find(book_id).variables["age"] = "number"
        account.emulator.configure(wrong_variables_on_add="refuse")
        rows = [{"email": email, "age": "old" if number == 7 else number} for number, email in enumerate(self.ROWS)]
        operator = add(dag, book_id, rows, batch_size=10, max_rejected_ratio=0)
        assert runner.run(operator).state == "failed"
        account.emulator.configure(wrong_variables_on_add="accept")
        result = runner.run(operator, try_number=2)
        assert (result.value["skipped"], result.value["accepted"]) == (59, 1)

    @needs_state_store
    def test_what_an_earlier_try_has_added_counts_for_the_ratio(
        self, runner: Any, dag: Any, account: Any, book_id: int
    ) -> None:
        account.emulator.state.books.find(book_id).variables["age"] = "number"
        account.emulator.configure(wrong_variables_on_add="refuse")
        rows = [{"email": email, "age": "old" if number == 7 else number} for number, email in enumerate(self.ROWS)]
        operator = add(dag, book_id, rows, max_rejected_ratio=0)
        assert runner.run(operator).state == "failed"
        operator.max_rejected_ratio = 0.05
        result = runner.run(operator, try_number=2)
        assert result.state == "success", result.error
        assert (result.value["skipped"], result.value["rejected"]) == (59, 1)

    def test_without_a_state_store_a_retry_starts_over(self, dag: Any, account: Any, book_id: int) -> None:
        from task_runner import TaskRunner

        runner = TaskRunner(state_store=False)
        operator = add(dag, book_id, list(self.ROWS), batch_size=10, concurrency=1)
        account.emulator.faults.add("status", status=404, error_code=213, operation="contacts.add", after=3)
        assert runner.run(operator).state == "failed"
        assert runner.run(operator, try_number=2).value["accepted"] == 60

    def test_read_back(self, runner: Any, dag: Any, account: Any, book_id: int, quick: list[float]) -> None:
        with account.emulator.emulator.lock:
            account.emulator.state.blacklist["reader5@example.com"] = ""
        result = runner.run(add(dag, book_id, list(self.ROWS), verify=True, max_rejected_ratio=0.1))
        assert result.state == "success", result.error
        assert (result.value["accepted"], result.value["rejected"]) == (59, 1)
        assert "Row 6: accepted, but not in the address book" in result.log
        assert "reader5" not in result.log

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"ledger": "shop"}, "ledger is for double_opt_in"),
            ({"ledger": ""}, "ledger is for double_opt_in"),
            ({"ledger": "", "double_opt_in": True, "sender_email": "shop@example.com"}, "ledger is empty"),
            ({"verify": True, "double_opt_in": True, "sender_email": "shop@example.com"}, "verify is for single opt-in"),
            ({"concurrency": 0}, "concurrency is 0"),
            ({"batch_size": 0}, "batch_size is 0"),
        ],
    )
    def test_wrong_arguments(
        self, runner: Any, dag: Any, account: Any, book_id: int, arguments: dict[str, Any], told: str
    ) -> None:
        result = runner.run(add(dag, book_id, ["ada@example.com"], **arguments))
        assert told in str(result.error)
        assert not account.emulator.requests.total
