# SPDX-License-Identifier: Apache-2.0
"""Creating and deleting address books."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
)

pytestmark = pytest.mark.usefixtures("connect")


def test_created_once(runner: Any, dag: Any, account: Any) -> None:
    create = SendPulseCreateAddressBookOperator(task_id="book", name="Книга {{ ds }}", dag=dag)
    first = runner.run(create)
    assert first.state == "success"
    assert first.value == account.books[0]["id"]
    assert account.books[0]["name"] == "Книга 2026-01-05"
    again = runner.run(create, try_number=2)
    assert again.value == first.value
    assert len(account.books) == 1


def test_existing_book_can_be_refused(runner: Any, dag: Any, account: Any) -> None:
    account.book("Readers")
    runner.api.should_retry = True
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name="Readers", if_exists="fail", dag=dag))
    assert result.state == "failed"
    assert "exists already" in str(result.error)


def test_link(runner: Any, dag: Any, account: Any, connect: Any) -> None:
    connect(extra={"address_book_link": "https://example.com/books/{id}"})
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name="Readers", dag=dag))
    assert result.xcom("_link_SendPulseAddressBookLink", "book") == f"https://example.com/books/{result.value}"


def test_lost_answer(runner: Any, dag: Any, account: Any) -> None:
    account.emulator.faults.add("lose_answer", operation="address_books.create")
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name="Readers", dag=dag))
    assert result.value == account.books[0]["id"]
    assert len(account.books) == 1


def test_name_of_an_upstream_task(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    name = upstream("name", "Readers of {{ ds }}")
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name=name, dag=dag))
    assert result.state == "success"
    # What comes from XCom is data and not a template.
    assert account.books[0]["name"] == "Readers of {{ ds }}"


def test_native_name(runner: Any, native_dag: Any, account: Any) -> None:
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name="{{ ds_nodash }}", dag=native_dag))
    assert result.state == "success", result.error
    assert account.books[0]["name"] == "20260105"


@pytest.mark.parametrize("name", ["", "  ", "{{ '' }}"])
def test_empty_name(runner: Any, dag: Any, account: Any, name: str) -> None:
    runner.api.should_retry = True
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name=name, dag=dag))
    assert result.state == "failed"
    assert "needs a name" in str(result.error)
    assert not account.emulator.requests.counts().get("address_books.create")


def test_nothing_from_upstream_is_no_name(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(SendPulseCreateAddressBookOperator(task_id="book", name=upstream("name", None), dag=dag))
    assert result.state == "failed"
    assert "needs a name" in str(result.error)


def test_mapped_creation(runner: Any, dag: Any, account: Any) -> None:
    mapped = SendPulseCreateAddressBookOperator.partial(task_id="book", dag=dag).expand(name=["{{ ds }} uk", "{{ ds }} en"])
    for index in (0, 1):
        assert runner.run(mapped, map_index=index).state == "success"
    assert [book["name"] for book in account.books] == ["2026-01-05 uk", "2026-01-05 en"]


@pytest.mark.parametrize("as_text", [False, True])
def test_deleted(runner: Any, dag: Any, account: Any, as_text: bool) -> None:
    book_id: Any = account.book()
    delete = SendPulseDeleteAddressBookOperator(
        task_id="delete", address_book_id=f" {book_id} " if as_text else book_id, confirm_name="Readers", dag=dag
    )
    assert runner.run(delete).state == "success"
    assert account.books == []
    again = runner.run(delete, try_number=2)
    assert again.state == "success"
    assert "gone already" in again.log


def test_missing_book_in_the_other_shape(runner: Any, dag: Any, account: Any, quick: Any) -> None:
    account.emulator.configure(missing_book="empty_array")
    delete = SendPulseDeleteAddressBookOperator(task_id="delete", address_book_id=42, confirm_name="Readers", dag=dag)
    result = runner.run(delete)
    assert result.state == "success", result.error
    assert "gone already" in result.log


def test_another_name_keeps_the_book(runner: Any, dag: Any, account: Any) -> None:
    book_id = account.book("Everybody")
    runner.api.should_retry = True
    delete = SendPulseDeleteAddressBookOperator(
        task_id="delete", address_book_id=book_id, confirm_name="Week {{ ds }}", dag=dag
    )
    result = runner.run(delete)
    assert result.state == "failed"
    assert "is named 'Everybody', not 'Week 2026-01-05': not deleted" in str(result.error)
    assert len(account.books) == 1


def test_native_confirmation(runner: Any, native_dag: Any, account: Any) -> None:
    book_id = account.book("20260105")
    delete = SendPulseDeleteAddressBookOperator(
        task_id="delete", address_book_id=f"{{{{ {book_id} }}}}", confirm_name="{{ ds_nodash }}", dag=native_dag
    )
    result = runner.run(delete)
    assert result.state == "success", result.error
    assert account.books == []


@pytest.mark.parametrize("book_id", [None, "", "None", "ten", 1.5, True])
def test_wrong_id(runner: Any, dag: Any, account: Any, book_id: Any) -> None:
    runner.api.should_retry = True
    result = runner.run(
        SendPulseDeleteAddressBookOperator(task_id="delete", address_book_id=book_id, confirm_name="Readers", dag=dag)
    )
    assert result.state == "failed"
    assert "address_book_id is" in str(result.error)
    assert not account.emulator.requests.total


def test_mapped_deletion(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    old = [{"address_book_id": account.book(name), "confirm_name": name} for name in ("One", "Two {{ ds }}")]
    mapped = SendPulseDeleteAddressBookOperator.partial(task_id="delete", dag=dag).expand_kwargs(upstream("old", old))
    for index in (0, 1):
        assert runner.run(mapped, map_index=index).state == "success"
    assert account.books == []


def test_templated_connection(runner: Any, dag: Any, account: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SENDPULSE_DEFAULT")
    connect("account_two")
    runner.api.conf = {"account": "two"}
    create = SendPulseCreateAddressBookOperator(
        task_id="book", name="Readers", sendpulse_conn_id="account_{{ dag_run.conf['account'] }}", dag=dag
    )
    assert runner.run(create).state == "success"
    assert len(account.books) == 1
