# SPDX-License-Identifier: Apache-2.0
"""Creating, renaming and deleting address books, and what a campaign to one would cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.address_books import (
    SendPulseCreateAddressBookOperator,
    SendPulseDeleteAddressBookOperator,
    SendPulseEstimateCostOperator,
    SendPulseRenameAddressBookOperator,
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


class TestRename:
    """Another name for a book."""

    @pytest.fixture
    def rename(self, dag: Any, account: Any) -> Callable[..., Any]:
        book_id = account.book("Readers")

        def make(**arguments: Any) -> Any:
            return SendPulseRenameAddressBookOperator(
                **{"task_id": "rename", "dag": dag, "address_book_id": book_id, "name": "Readers of {{ ds }}", **arguments}
            )

        return make

    @pytest.mark.parametrize("confirm_name", [None, "Readers", "{{ 'Readers ' }}"])
    def test_renamed(self, runner: Any, rename: Any, account: Any, confirm_name: str | None) -> None:
        task = rename(confirm_name=confirm_name)
        for number in (1, 2):  # the second time it has the name already, and not the one that is to be confirmed
            result = runner.run(task, try_number=number)
            assert result.state == "success", result.error
            assert result.value == account.books[0]["id"]
            assert account.books[0]["name"] == "Readers of 2026-01-05"
        assert str(result.value) in result.xcom("_link_SendPulseAddressBookLink", "rename")

    @pytest.mark.parametrize("confirm_name", [None, "Readers"])
    def test_lost_answer(self, runner: Any, rename: Any, account: Any, quick: Any, confirm_name: str | None) -> None:
        account.emulator.faults.add("lose_answer", operation="address_books.rename")
        assert runner.run(rename(confirm_name=confirm_name)).state == "success"
        assert account.books[0]["name"] == "Readers of 2026-01-05"

    def test_taken_by_itself(self, runner: Any, rename: Any, account: Any) -> None:
        """Whether the service refuses a book its own name is not documented."""
        account.emulator.faults.add("status", status=422, error_code=203, operation="address_books.rename")
        result = runner.run(rename(name="Readers"))
        assert result.state == "success", result.error
        assert "has this name already" in result.log

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"name": "Buyers"}, "is named 'Buyers' already. Choose another name"),
            ({"confirm_name": "Everybody"}, "is named 'Readers', not 'Everybody': not renamed"),
            ({"confirm_name": ""}, "is named 'Readers', not '': not renamed"),
            ({"name": " "}, "needs a name"),
            ({"address_book_id": 42}, "error_code 213"),
            ({"address_book_id": ""}, "address_book_id is empty"),
        ],
    )
    def test_refused(self, runner: Any, rename: Any, account: Any, arguments: dict[str, Any], told: str) -> None:
        account.book("Buyers")
        runner.api.should_retry = True
        result = runner.run(rename(**arguments))
        assert result.state == "failed"
        assert told in str(result.error)
        assert [book["name"] for book in account.books] == ["Readers", "Buyers"]


@pytest.mark.parametrize("confirm_name", ["", " ", "{{ none }}"])
def test_nothing_confirms_a_deletion(runner: Any, dag: Any, account: Any, upstream: Any, confirm_name: str) -> None:
    book_id = account.book("Readers")
    delete = SendPulseDeleteAddressBookOperator(
        task_id="delete", address_book_id=book_id, confirm_name=confirm_name, dag=dag
    )
    assert runner.run(delete).state == "failed"
    assert len(account.books) == 1


def test_name_from_upstream_that_is_nothing(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    delete = SendPulseDeleteAddressBookOperator(
        task_id="delete", address_book_id=account.book(), confirm_name=upstream("name", None), dag=dag
    )
    result = runner.run(delete)
    assert result.state == "failed"
    assert "confirm_name is empty" in str(result.error)
    assert not account.emulator.requests.total


class TestCost:
    """What a campaign would cost, and when that is too much."""

    @pytest.fixture
    def estimate(self, dag: Any, account: Any) -> Callable[..., Any]:
        # Two contacts, one of them beyond the plan.
        account.emulator.configure(plan_recipients=1, price_per_email=0.5)
        book_id = account.book(emails=["ada@example.com", "bob@example.com"])

        def make(**arguments: Any) -> Any:
            return SendPulseEstimateCostOperator(
                **{"task_id": "estimate", "dag": dag, "address_book_id": book_id, **arguments}
            )

        return make

    @pytest.mark.parametrize("arguments", [{}, {"max_cost": "{{ 0.5 }}", "currency": "usd"}], ids=str)
    def test_figures(self, runner: Any, estimate: Any, arguments: dict[str, Any]) -> None:
        result = runner.run(estimate(**arguments))
        assert result.state == "success", result.error
        assert result.value == {
            "cur": "USD",
            "sent_emails_qty": 2,
            "overdraft_all_emails_price": 0.5,
            "addresses_delta_from_balance": 0,
            "addresses_delta_from_tariff": 1,
            "max_emails_per_task": 1,
            "affordable": False,
        }

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"max_cost": 0.49, "currency": "USD"}, "2 contacts for 0.5 USD, which is more than max_cost=0.49"),
            ({"max_cost": 9, "currency": "UAH"}, "max_cost is in UAH"),
            ({"require_affordable": True}, "the account cannot pay for it: 1 contacts are beyond the plan"),
        ],
    )
    def test_too_much(self, runner: Any, estimate: Any, arguments: dict[str, Any], told: str) -> None:
        runner.api.should_retry = True
        result = runner.run(estimate(**arguments))
        assert result.state == "failed"
        assert told in str(result.error)
        assert result.xcom("cost", "estimate")["overdraft_all_emails_price"] == 0.5

    @pytest.mark.parametrize("price", ["NaN", "Infinity", "much"])
    def test_a_price_that_is_none(self, runner: Any, estimate: Any, account: Any, quick: Any, price: str) -> None:
        body = {"cur": "USD", "sent_emails_qty": 2, "overdraftAllEmailsPrice": price, "result": True}
        account.emulator.faults.add("status", status=200, body=body, operation="address_books.cost", times=9)
        result = runner.run(estimate(max_cost=1000, currency="USD"))
        assert result.state == "failed"
        assert "GET /addressbooks/" in str(result.error)

    @pytest.mark.parametrize("arguments", [{"max_cost": 1}, {"currency": "USD"}, {"max_cost": -1, "currency": "USD"}])
    def test_wrong_arguments(self, runner: Any, estimate: Any, account: Any, arguments: dict[str, Any]) -> None:
        result = runner.run(estimate(**arguments))
        assert "max_cost" in str(result.error)
        assert not account.emulator.requests.total

    def test_empty_book(self, runner: Any, estimate: Any, account: Any) -> None:
        result = runner.run(estimate(address_book_id=account.book("Nobody", emails=[])))
        assert "error_code 211" in str(result.error)
        assert "Add contacts first" in str(result.error)
