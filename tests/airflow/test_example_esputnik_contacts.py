# SPDX-License-Identifier: Apache-2.0
"""The examples for single contacts and segments of eSputnik, executed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from esputnik_state import EsputnikState
from examples import SHOP, api_of, dags_of, run
from task_runner import TaskRunner

FORM = {"customer_id": 40, "email": "ada@example.com", "phone": "+380671234567", "name": "Ada", "points": 7}


@pytest.fixture
def esputnik(emulator: Any, connect_esputnik: Any) -> EsputnikState:
    return EsputnikState(emulator)


class TestCustomer:
    """One customer, who has agreed or not."""

    @pytest.fixture
    def customer(self, shop: Path, esputnik: EsputnikState) -> Any:
        """Run the branch that is taken, and what comes after it."""

        def execute(**conf: Any) -> dict[str, Any]:
            dag = dags_of("esputnik_contacts")["esputnik_customer"]
            runner = TaskRunner(api_of("esputnik_customer", conf={**FORM, **conf}))
            results = {}
            for task_id in ("write", "join", "points") if conf["has_agreed"] else ("ask", "points"):
                result = results[task_id] = runner.run(dag.get_task(task_id))
                assert result.state == "success", (task_id, result.error)
            return results

        return execute

    def test_branch(self, shop: Path, esputnik: EsputnikState) -> None:
        dag = dags_of("esputnik_contacts")["esputnik_customer"]
        branch = dag.get_task("has_agreed").python_callable
        assert [branch({"has_agreed": agreed}) for agreed in (True, False)] == ["write", "ask"]
        assert {"write", "ask"} <= dag.task_dict.keys()

    def test_agreed(self, customer: Any, esputnik: EsputnikState) -> None:
        segment = esputnik.segment("Customers of the till")
        results = customer(has_agreed=True)
        contact = esputnik.by_email("ada@example.com")
        assert contact["confirmed"]
        assert results["write"].value == results["points"].value == contact["id"]
        assert (contact["externalCustomerId"], contact["firstName"]) == ("40", "Ada")
        assert [field["value"] for field in contact["fields"]] == ["7"]
        assert esputnik.members(segment) == [contact["id"]]
        assert esputnik.events == []

    def test_not_agreed(self, customer: Any, esputnik: EsputnikState) -> None:
        customer(has_agreed=False)
        contact = esputnik.by_email("ada@example.com")
        assert not contact["confirmed"]
        assert [field["value"] for field in contact["fields"]] == ["7"]
        assert esputnik.segment_names(contact["id"]) == {"Sign-ups of the web shop"}
        assert esputnik.events == [("subscribeFromApi-webshop", str(contact["id"]))]
        # Somebody who types the address again is not asked again.
        assert customer(has_agreed=False)["ask"].value["skipped"] == 1
        assert len(esputnik.events) == 1


def test_segments(shop: Path, esputnik: EsputnikState) -> None:
    people = SHOP.customers(shop)
    ids = {person.email: esputnik.contact(person.email, external_id=str(place + 1)) for place, person in enumerate(people)}
    segment = esputnik.segment("Buyers of the week", *ids.values())
    for week in range(2):
        monday = SHOP.FIRST_MONDAY + week * timedelta(days=7)
        results = run(dags_of("esputnik_contacts")["esputnik_segments"], api_of("esputnik_segments", week))
        buyers = {person.email for person in SHOP.buyers(shop, monday, monday + timedelta(days=7))}
        with SHOP.opened(shop) as database:
            erased = {email for (email,) in database.execute("SELECT email FROM erasure_requests")}
            receipts = database.execute("SELECT contact_ids FROM esputnik_receipts").fetchall()
        assert {ids[email] for email in buyers - erased} == set(esputnik.members(segment))
        assert esputnik.contacts.keys() == {ids[email] for email in ids.keys() - erased}
        assert results["leave"].value["accepted"] + results["stay"].value["accepted"] == len(people)
        assert results["forget"].value["found"] == (0 if week else 2)
    assert {f"[{ids[email]}]" for email in erased} < {text for (text,) in receipts}
