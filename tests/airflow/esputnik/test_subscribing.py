# SPDX-License-Identifier: Apache-2.0
"""One contact, or those of rows, who are asked to confirm; and addresses that want no more mail."""

from __future__ import annotations

import datetime as dt
import json
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.esputnik.contacts import (
    ContactMapping,
    EsputnikSubscribeContactOperator,
    EsputnikUnsubscribeContactsOperator,
)
from airflow_provider_sendpulse.rows import SqlRows
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
PHONE = "+380671234567"
NONE = {"read": 0, "accepted": 0, "duplicate": 0, "invalid": 0, "rejected": 0, "skipped": 0, "in_doubt": 0}
BY_EMAIL = {"email": "email"}
needs_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")


def rows(*emails: str) -> list[dict[str, str]]:
    return [{"email": email} for email in emails]


@pytest.fixture
def subscribe(dag: Any) -> Callable[..., Any]:
    def make(**arguments: Any) -> Any:
        if "contacts" in arguments:
            arguments.setdefault("mapping", BY_EMAIL)
        return EsputnikSubscribeContactOperator(**{"task_id": "subscribe", "dag": dag, **arguments})

    return make


class TestSubscribe:
    """One contact, or many."""

    def test_one(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        task = subscribe(
            contact_email=ADA,
            contact_phone="{{ '+380' }}671234567",
            external_customer_id=17,
            first_name="Ada",
            town="Київ",
            fields={"NOTE": "likes tea"},
            groups=["Readers"],
            subscriptions="news",
            form_type="footer",
        )
        result = runner.run(task)
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 1, "accepted": 1}
        assert result.xcom("email_statuses", "subscribe") == {"NEED_CONFIRMATION": 1}
        contact = esputnik.by_email(ADA)
        assert not contact["confirmed"]
        assert (contact["firstName"], contact["externalCustomerId"]) == ("Ada", "17")
        assert contact["address"] == {"town": "Київ"}
        assert [field["value"] for field in contact["fields"]] == ["likes tea"]
        assert contact["subscriptions"] == ["news"]
        assert esputnik.segment_names(contact["id"]) == {"Readers"}
        assert esputnik.events == [("subscribeFromApi-footer", str(contact["id"]))]

    def test_rows(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        known = esputnik.contact(BOB)
        people = [{"mail": email, "name": "Somebody"} for email in (ADA, "ADA@example.com", "no address", BOB)]
        mapping = ContactMapping(email="{{ 'mail' }}", first_name="name")
        result = runner.run(subscribe(contacts=people, mapping=mapping, max_rejected_ratio=0.5))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 4, "accepted": 2, "duplicate": 1, "invalid": 1}
        assert result.xcom("email_statuses", "subscribe") == {"ALREADY_SUBSCRIBED": 1, "NEED_CONFIRMATION": 1}
        ada = esputnik.by_email(ADA)["id"]
        assert sorted(esputnik.events) == [("subscribeFromApi", str(ada)), ("subscribeUpdateFromApi", str(known))]
        assert esputnik.contacts[known]["confirmed"]

    def test_a_value_that_cannot_be_sent_is_one_bad_row(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        people = [{"email": ADA, "name": "Ada"}, {"email": BOB, "name": time(10)}]
        mapping = ContactMapping(email="email", first_name="name")
        result = runner.run(subscribe(contacts=people, mapping=mapping, max_rejected_ratio=0.5))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 2, "accepted": 1, "invalid": 1}

    def test_by_telephone_number(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        result = runner.run(subscribe(contact_phone=PHONE))
        assert result.state == "success", result.error
        [contact] = esputnik.contacts.values()
        assert contact["channels"] == [{"type": "sms", "value": PHONE}]
        assert result.xcom("email_statuses", "subscribe") == {}

    def test_the_same_request_within_a_minute(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        task = subscribe(contacts=rows(ADA))
        for _ in range(2):
            # Each run knows nothing of the other.
            runner.api.store.clear()
            result = runner.run(task)
            assert result.value["accepted"] == 1, result.error
        assert esputnik.count("contacts.subscribe") == 2
        assert len(esputnik.events) == 1
        assert result.xcom("email_statuses", "subscribe") == {}

    @pytest.mark.parametrize("fault", [{"kind": "lose_answer"}, {"kind": "status", "status": 503}], ids=str)
    def test_a_lost_answer_is_not_repeated(
        self, runner: Any, subscribe: Any, esputnik: Any, quick: Any, fault: dict[str, Any], tmp_path: Path
    ) -> None:
        esputnik.emulator.configure(esputnik_repeat_seconds=None)
        esputnik.emulator.faults.add(**fault, operation="esputnik.contacts.subscribe", after=1)
        runner.api.should_retry = True
        rejects = tmp_path / "rejects.jsonl"
        task = subscribe(contacts=rows(ADA, BOB, EVE), concurrency=1, max_rejected_ratio=0.5, rejects=str(rejects))
        result = runner.run(task)
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 3, "accepted": 2, "in_doubt": 1}
        assert esputnik.count("contacts.subscribe") == 3
        [rejected] = map(json.loads, rejects.read_text().splitlines())
        assert (rejected["email"], rejected["outcome"]) == (BOB, "in_doubt")
        assert "example.com" not in result.log

    @needs_store
    def test_a_retry_skips_what_was_sent(self, runner: Any, subscribe: Any, esputnik: Any, quick: Any) -> None:
        esputnik.emulator.configure(esputnik_repeat_seconds=None)
        esputnik.emulator.faults.add("status", status=429, operation="esputnik.contacts.subscribe", after=2, times=40)
        runner.api.should_retry = True
        task = subscribe(contacts=rows(ADA, BOB, EVE), concurrency=1)
        assert runner.run(task).state == "up_for_retry"
        esputnik.emulator.faults.clear()
        result = runner.run(task, try_number=2)
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 3, "accepted": 1, "skipped": 2}
        assert [kind for kind, _ in esputnik.events] == ["subscribeFromApi"] * 3

    @pytest.mark.parametrize(
        ("second", "accepted"),
        [
            ({}, 0),
            ({"groups": ["Buyers", "Readers"]}, 0),
            ({"form_type": "popup"}, 1),
            ({"groups": ["Readers"]}, 1),
            ({"subscriptions": ["news"]}, 1),
        ],
        ids=str,
    )
    def test_ledger(
        self, runner: Any, subscribe: Any, esputnik: Any, ledger: str, second: dict[str, Any], accepted: int
    ) -> None:
        esputnik.emulator.configure(esputnik_repeat_seconds=None)
        common = {"ledger": ledger, "groups": ["Readers", "Buyers"]}
        assert runner.run(subscribe(contacts=rows(ADA), **common)).value["accepted"] == 1
        result = runner.run(subscribe(task_id="again", contact_email=ADA.upper(), first_name="Ada", **{**common, **second}))
        assert result.state == "success", result.error
        assert (result.value["accepted"], result.value["skipped"]) == (accepted, 1 - accepted)
        assert len(esputnik.events) == 1 + accepted

    @pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store, which holds 2,000, came with Airflow 3.3")
    def test_many_need_a_ledger(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(subscribe(contacts=rows(*(f"reader{number}@example.com" for number in range(2001)))))
        assert result.state == "failed"
        assert "Set ledger=" in str(result.error)
        assert not esputnik.contacts

    def test_a_query(
        self, runner: Any, subscribe: Any, esputnik: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "shop.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE people (address TEXT, born TEXT, points INTEGER)")
            connection.execute("INSERT INTO people VALUES (?, '1990-01-31', 12)", [ADA])
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "sqlite", "host": str(path)}))
        mapping = {"email": "address", "fields": {"PERSONAL.BIRTHDAY": "born", "Loyalty points": "points"}}
        result = runner.run(subscribe(contacts=SqlRows("shop", "SELECT * FROM people"), mapping=mapping))
        assert result.state == "success", result.error
        assert sorted(field["value"] for field in esputnik.by_email(ADA)["fields"]) == ["12", "1990-01-31"]

    def test_who_has_agreed_is_skipped(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        agreed = esputnik.contact(EVE)
        people = [{"mail": ADA, "yes": b"\x00"}, {"mail": BOB, "yes": b"\x01"}, {"mail": EVE, "yes": True}]
        people += [{"mail": "who@example.com", "yes": math.nan}]
        result = runner.run(subscribe(contacts=people, mapping={"email": "mail", "confirmed": "yes"}))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 4, "accepted": 2, "skipped": 2}
        assert {kind for kind, _ in esputnik.events} == {"subscribeFromApi"}
        assert len(esputnik.contacts) == 3
        assert esputnik.contacts[agreed]["confirmed"]
        assert "2 contacts have agreed already, as confirmed says" in result.log

    def test_a_row_that_cannot_be_encoded(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        people = [{"email": ADA, "name": "Ada"}, {"email": BOB, "name": "B\ud800"}]
        people += [{"email": EVE, "name": dt.date(2026, 1, 5)}]
        mapping = {"email": "email", "region": "name"}
        result = runner.run(subscribe(contacts=people, mapping=mapping, max_rejected_ratio=0.5))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 3, "accepted": 2, "invalid": 1}
        assert "Row 2: The parameter 'region' holds broken text" in result.log

    def test_one_that_is_refused(self, runner: Any, subscribe: Any, esputnik: Any) -> None:
        people = [{"email": ADA, "points": 1}, {"email": BOB, "points": "many"}]
        mapping = {"email": "email", "fields": {"POINTS": "points"}}
        result = runner.run(subscribe(contacts=people, mapping=mapping, max_rejected_ratio=0.5))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 2, "accepted": 1, "rejected": 1}
        assert BOB not in result.log

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({}, "names neither email nor sms"),
            ({"contacts": rows(ADA), "mapping": None}, "contacts needs a mapping"),
            ({"contacts": rows(ADA), "mapping": {"mail": "email"}}, "mapping has mail"),
            ({"contacts": rows(ADA), "contact_email": BOB}, "Give either contacts"),
            ({"contact_email": ADA, "mapping": BY_EMAIL}, "mapping is about contacts"),
            ({"contact_email": ADA, "fields": ["NOTE"]}, "fields is not a mapping"),
            ({"contacts": rows(ADA), "mapping": {**BY_EMAIL, "fields": ["NOTE"]}}, "mapping.fields is a list"),
            ({"contact_email": ADA, "form_type": "what?"}, "form type holds ?"),
            ({"contact_email": ADA, "if_in_doubt": "ask"}, "if_in_doubt is 'ask'"),
            ({"contact_email": ADA, "ledger": ""}, "ledger is empty"),
            ({"contact_email": ADA, "concurrency": 21}, "concurrency is 21"),
            ({"contact_email": "no address"}, "1 of 1 rows went wrong"),
        ],
        ids=lambda one: one if isinstance(one, str) else None,
    )
    def test_wrong_arguments(
        self, runner: Any, subscribe: Any, esputnik: Any, arguments: dict[str, Any], told: str
    ) -> None:
        runner.api.should_retry = True
        result = runner.run(subscribe(**arguments))
        assert result.state == "failed"
        assert told in str(result.error)
        assert not esputnik.emulator.requests.total

    @pytest.mark.parametrize("name", ["Unknown", "PERSONAL.NONE", 1])
    def test_a_field_that_the_account_does_not_have(self, runner: Any, subscribe: Any, esputnik: Any, name: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(subscribe(contact_email=ADA, fields={name: "x"}))
        assert result.state == "failed"
        assert f"no additional field {str(name)!r}" in str(result.error)
        assert not esputnik.contacts


class TestUnsubscribe:
    """Addresses that get no e-mail any more."""

    @pytest.fixture
    def unsubscribe(self, dag: Any) -> Callable[..., Any]:
        def make(contacts: Any, **arguments: Any) -> Any:
            return EsputnikUnsubscribeContactsOperator(task_id="unsubscribe", dag=dag, contacts=contacts, **arguments)

        return make

    def test_counts(self, runner: Any, unsubscribe: Any, esputnik: Any) -> None:
        result = runner.run(unsubscribe([ADA, ADA.upper(), {"email": BOB}, "no address"], max_rejected_ratio=0.5))
        assert result.state == "success", result.error
        assert result.value == {**NONE, "read": 4, "accepted": 2, "duplicate": 1, "invalid": 1}
        assert esputnik.told["unsubscribed"] == [ADA, BOB]
        assert "example.com" not in result.log
        assert result.rendered["contacts"] == "4 contacts (not shown)"

    def test_batches(self, runner: Any, unsubscribe: Any, esputnik: Any) -> None:
        readers = [f"reader{number}@example.com" for number in range(25)]
        result = runner.run(unsubscribe(readers, batch_size=10, concurrency=2))
        assert result.state == "success", result.error
        assert sorted(len(body["emails"]) for body in esputnik.sent("unsubscribed.add")) == [5, 10, 10]

    def test_too_many(self, runner: Any, unsubscribe: Any, esputnik: Any) -> None:
        result = runner.run(unsubscribe([ADA, BOB], max_contacts="{{ 1 }}"))
        assert result.state == "failed"
        assert "more than max_contacts=1 rows" in str(result.error)
        assert not esputnik.emulator.requests.total

    def test_nobody(self, runner: Any, unsubscribe: Any, esputnik: Any) -> None:
        result = runner.run(unsubscribe([]))
        assert (result.state, result.value) == ("success", NONE), result.error
        assert not esputnik.emulator.requests.total
