# SPDX-License-Identifier: Apache-2.0
"""The examples that look after contacts, executed night by night."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from examples import SHOP, api_of, dags_of, run
from task_runner import TaskRunner

pytestmark = pytest.mark.usefixtures("connect")

UNSUBSCRIBED = 4


def query(shop: Path, sql: str) -> list[Any]:
    with SHOP.opened(shop) as database:
        found = database.execute(sql).fetchall()
        database.commit()
    return [row[0] if len(row) == 1 else row for row in found]


@pytest.fixture
def book_id(account: Any, shop: Path) -> int:
    """A book with all customers and somebody who is none any more; it has been mailed."""
    emails = [person.email for person in SHOP.customers(shop)]
    return int(account.book("Readers of the shop", [*emails, "former@example.com"]))


class TestLookAfterContacts:
    """A night, and another one."""

    @pytest.fixture
    def night(self, shop: Path, book_id: int) -> Any:
        def execute(week: int = 0, **conf: Any) -> Any:
            api = api_of("look_after_contacts", week, conf={"address_book_id": book_id, **conf})
            return run(dags_of("look_after_contacts")["look_after_contacts"], api)

        return execute

    def test_night(self, night: Any, account: Any, shop: Path, book_id: int) -> None:
        results = night()
        out = set(query(shop, "SELECT email FROM opt_outs WHERE opted_out_on <= '2026-01-12'"))
        [book] = account.books
        statuses = {contact["email"]: contact["status"] for contact in book["contacts"]}
        assert {email for email, status in statuses.items() if status == UNSUBSCRIBED} == out
        assert len(out) == 3
        assert set(account.emulator.state.blacklist) == set(query(shop, "SELECT email FROM complaints"))
        assert statuses.keys() == {person.email for person in SHOP.customers(shop)}
        assert book["name"] == "Readers of the shop, as of 2026-01-12"
        # What the warehouse has is what there was when it was exported: before the former customer was removed.
        assert set(query(shop, "SELECT email FROM sendpulse_contacts")) == {*statuses, "former@example.com"}
        assert set(query(shop, "SELECT email FROM sendpulse_contacts WHERE NOT mailable")) == out
        assert query(shop, "SELECT email FROM sendpulse_blacklist") == query(shop, "SELECT email FROM complaints")
        assert query(shop, "SELECT count(*) FROM sendpulse_statistics WHERE blacklisted") == [1]
        assert results["statistics"].value["records"]["memberships"] == len(statuses)
        assert results["statistics"].value["unknown"] == 1
        assert results["remove"].value["accepted"] == 1
        assert results["estimate"].value["affordable"] is True

    def test_again_and_the_night_after(self, night: Any, account: Any, shop: Path) -> None:
        night()
        night()
        query(shop, "UPDATE complaints SET is_settled = 1")
        results = night(1)
        [book] = account.books
        assert book["name"] == "Readers of the shop, as of 2026-01-19"
        assert sum(contact["status"] == UNSUBSCRIBED for contact in book["contacts"]) == 4
        assert account.emulator.state.blacklist == {}
        assert query(shop, "SELECT count(*) FROM sendpulse_blacklist") == [0]
        assert query(shop, "SELECT count(*) FROM sendpulse_contacts") == [len(book["contacts"])]
        assert results["remove"].value["read"] == 0

    def remove(self, book_id: int, **conf: Any) -> Any:
        """Run what leads to the removal, and the removal."""
        dag = dags_of("look_after_contacts")["look_after_contacts"]
        runner = TaskRunner(api_of("look_after_contacts", conf={"address_book_id": book_id, **conf}))
        assert runner.run(dag.get_task("export")).state == "success"
        return runner.run(dag.get_task("remove"))

    def test_the_shop_knows_nobody(self, shop: Path, account: Any, book_id: int) -> None:
        """A load that has failed empties no book."""
        before = len(account.books[0]["contacts"])
        query(shop, "DELETE FROM customers")
        result = self.remove(book_id)
        assert (result.state, result.value["read"]) == ("success", 0), result.error
        assert len(account.books[0]["contacts"]) == before

    def test_the_shop_knows_few(self, shop: Path, account: Any, book_id: int) -> None:
        before = len(account.books[0]["contacts"])
        query(shop, "DELETE FROM customers WHERE id > 3")
        result = self.remove(book_id, most_leaving=5)
        assert result.state == "failed"
        assert "more than max_contacts=5 rows" in str(result.error)
        assert len(account.books[0]["contacts"]) == before

    def test_addresses_in_another_case(self, shop: Path, account: Any) -> None:
        """Case makes nobody a stranger, neither that of the shop nor that of SendPulse."""
        account.emulator.configure(address_case="keep")
        emails = [person.email for person in SHOP.customers(shop)]
        written = [email.title() for email in emails[:5]] + [email.upper() for email in emails[5:]]
        book_id = account.book("Readers of the shop", [*written, "Former@Example.com"])
        query(shop, "UPDATE customers SET email = UPPER(SUBSTR(email, 1, 1)) || SUBSTR(email, 2) WHERE id % 2")
        result = self.remove(book_id)
        assert (result.state, result.value["accepted"]) == ("success", 1), result.error
        assert {*query(shop, "SELECT email FROM sendpulse_contacts")} == {*written, "Former@Example.com"}
        assert {contact["email"] for contact in account.books[0]["contacts"]} == {*emails}

    def test_too_dear(self, shop: Path, account: Any, book_id: int) -> None:
        account.emulator.configure(plan_recipients=1, price_per_email=10)
        api = api_of("look_after_contacts", conf={"address_book_id": book_id, "max_cost": 5})
        result = TaskRunner(api).run(dags_of("look_after_contacts")["look_after_contacts"].get_task("estimate"))
        assert type(result.error).__name__ == "CostTooHigh"


class TestEraseOnRequest:
    """Requests, and what is left of them."""

    def test_erased(self, shop: Path, account: Any, book_id: int) -> None:
        requests = query(shop, "SELECT email FROM erasure_requests ORDER BY email")
        account.book("Buyers", requests[:1])
        results = run(dags_of("erase_on_request")["erase_on_request"], api_of("erase_on_request"))
        assert (results["erase"].value["found"], results["erase"].value["memberships"]) == (2, 3)
        assert not {contact["email"] for book in account.books for contact in book["contacts"]} & set(requests)
        assert set(account.emulator.state.blacklist) == set(requests)
        assert query(shop, "SELECT * FROM erasure_requests") == []
        digest = hashlib.sha256(requests[0].encode()).hexdigest()
        books = str([book["id"] for book in account.books])
        assert query(shop, f"SELECT address_books FROM erasure_receipts WHERE contact = '{digest}'") == [books]
        # The next night nobody asks.
        results = run(dags_of("erase_on_request")["erase_on_request"], api_of("erase_on_request", 1))
        assert results["erase"].value["read"] == 0
        assert query(shop, "SELECT count(*) FROM erasure_receipts") == [2]

    def test_one_that_comes_in_meanwhile_is_for_the_next_run(self, shop: Path, account: Any, book_id: int) -> None:
        dag, api = dags_of("erase_on_request")["erase_on_request"], api_of("erase_on_request")
        runner = TaskRunner(api)
        for task_id in ("take_requests", "erase"):
            assert runner.run(dag.get_task(task_id)).state == "success"
        late = SHOP.customers(shop)[5].email
        query(shop, f"INSERT INTO erasure_requests VALUES ('{late}', '2026-01-12', NULL)")
        assert runner.run(dag.get_task("cross_out")).state == "success"
        assert query(shop, "SELECT email FROM erasure_requests") == [late]
        run(dag, api_of("erase_on_request", 1))
        assert late in account.emulator.state.blacklist

    def test_more_than_somebody_expected(self, shop: Path, account: Any, book_id: int) -> None:
        dag, api = dags_of("erase_on_request")["erase_on_request"], api_of("erase_on_request", conf={"most": 1})
        runner = TaskRunner(api)
        assert runner.run(dag.get_task("take_requests")).state == "success"
        result = runner.run(dag.get_task("erase"))
        assert "more than max_contacts=1 rows" in str(result.error)
        assert account.emulator.state.blacklist == {}
        assert len(query(shop, "SELECT * FROM erasure_requests")) == 2
