# SPDX-License-Identifier: Apache-2.0
"""A prepared message of eSputnik: to each row's contact, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from killed_tasks import killed, task_of, told
from task_runner import TaskRunner, another_run

from airflow_provider_sendpulse.esputnik.messages import Sent
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.message_sending import MessageDelivery
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.ledgers import SqlLedger
from airflow_provider_sendpulse.rows import OutputTable, SqlRows
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ADA, BOB = "ada@example.com", "bob@example.com"
PHONE = "+380671234567"
SMARTSEND = "esputnik.messages.smartsend"
PEOPLE = [{"email": f"reader{number}@example.com", "cart": number} for number in range(1, 8)]
needs_store = pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")


@pytest.fixture
def message(emulator: Any, connect_esputnik: Any) -> Callable[..., int]:
    def make(kind: str = "email", **content: Any) -> int:
        given = {"name": "Cart", "from": "Shop", "subject": "Cart $!data.get('cart')", "htmlText": "<p>", **content}
        with emulator.emulator.lock:
            return int(emulator.state.esputnik.messages.create(kind, given).id)

    return make


@pytest.fixture
def send(message: Any) -> Callable[..., Any]:
    from airflow.sdk import DAG

    def make(contacts: Any = PEOPLE, **arguments: Any) -> EsputnikSendMessageOperator:
        dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        common = {"task_id": "send", "dag": dag, "contacts": contacts, "message_id": 2700001}
        return EsputnikSendMessageOperator(**{**common, **arguments})

    message()
    return make


def inbox(emulator: Any) -> list[tuple[str, str]]:
    return sorted((entry["to"], entry["subject"]) for entry in emulator.inbox())


@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("count", [1, 7])
def test_rows(runner: Any, send: Any, esputnik: Any, emulator: Any, count: int, collapse: bool) -> None:
    emulator.configure(esputnik_collapse=collapse)
    result = runner.run(
        send(PEOPLE[:count], message_id="{{ 2700001 }}", row_key="cart", per_call=3, from_name="{{ 'Us' }}")
    )
    assert result.state == "success", result.error
    assert result.value["accepted"] == count
    assert inbox(emulator) == [(row["email"], f"Cart {row['cart']}") for row in PEOPLE[:count]]
    bodies = esputnik.sent("messages.smartsend")
    assert [len(body["recipients"]) for body in bodies] == ([3, 3, 1] if count == 7 else [1])
    assert all(body["email"] is True and body["fromName"] == "Us" for body in bodies)
    [first, *_] = bodies[0]["recipients"]
    assert first == {
        "locator": PEOPLE[0]["email"],
        "jsonParam": '{"cart": 1}',
        "externalRequestId": SqlLedger.row_key("message 2700001", 1),
    }
    ids = [send["requestId"] for send in esputnik.told["sends"]]
    assert sorted(result.xcom("request_ids", "send")) == sorted(ids)


def test_parameters_and_languages(runner: Any, send: Any, esputnik: Any) -> None:
    rows = [{"mail": ADA, "cart": 1, "lang": "uk", "other": 1}, {"mail": BOB, "cart": 2, "lang": None, "other": 2}]
    task = send(rows, email_column="mail", parameters={"cart": "number"}, language_column="lang", language_code="en")
    assert runner.run(task).state == "success"
    [body] = esputnik.sent("messages.smartsend")
    assert [(one["jsonParam"], one["languageCode"]) for one in body["recipients"]] == [
        ('{"number": 1}', "uk"),
        ('{"number": 2}', "en"),
    ]


@pytest.mark.parametrize("value", [float("nan"), b"uk"])
def test_a_language_that_is_none_is_one_bad_row(runner: Any, send: Any, emulator: Any, esputnik: Any, value: Any) -> None:
    rows = [{"email": ADA, "lang": "uk"}, {"email": BOB, "lang": value}]
    result = runner.run(send(rows, language_column="lang", max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["invalid"]) == (1, 1)
    assert "Row 2: The parameter 'lang'" in result.log
    assert [to for to, _ in inbox(emulator)] == [ADA]


def test_one_spelled_in_two_ways_gets_one(send: Any, message: Any, emulator: Any, esputnik: Any, ledger: str) -> None:
    sms = message("sms", text="Cart")
    mails = [{"email": email} for email in (ADA, "ADA@Example.com", f" {ADA} ")]
    texts = [{"phone": phone} for phone in (PHONE, "380671234567", "+38 (067) 123-45-67")]
    for number, order in enumerate([1, -1]):
        result = another_run(2 * number).run(send(mails[::order], ledger=ledger))
        assert result.value["accepted"] == (number == 0), result.error
        result = another_run(2 * number + 1).run(send(texts[::order], message_id=sms, is_email=False, ledger=ledger))
        assert result.value["accepted"] == (number == 0), result.error
    assert len(emulator.inbox()) == 2


@pytest.mark.parametrize(
    ("accepted", "outcome", "pushed"),
    [
        ([True, True], "accepted", ["r-1", "r-2"]),
        ([False, False], "rejected", []),
        ([True, False], "in_doubt", ["r-1"]),
        ([False, True], "in_doubt", ["r-2"]),
    ],
)
def test_a_contact_with_two_addresses(
    runner: Any, send: Any, esputnik: Any, emulator: Any, accepted: list[bool], outcome: str, pushed: list[str]
) -> None:
    results = [
        {"locator": email, **({"status": "OK", "requestId": f"r-{number}"} if ok else {"status": "ERROR", "message": "no"})}
        for number, email, ok in zip((1, 2), (ADA, BOB), accepted, strict=True)
    ]
    emulator.faults.add("status", operation=SMARTSEND, status=200, body=json.dumps({"results": results}), times=1)
    result = runner.run(send([{"id": esputnik.contact([ADA, BOB])}], contact_id_column="id", max_rejected_ratio=1))
    assert result.state == "success", result.error
    assert result.value[outcome] == 1
    assert result.xcom("request_ids", "send") == pushed


def test_another_channel(runner: Any, send: Any, message: Any, esputnik: Any) -> None:
    sms = message("sms", text="Cart")
    rows = [{"email": ADA, "phone": PHONE}, {"email": BOB, "phone": None}]
    result = runner.run(send(rows, message_id=sms, is_email=False, max_rejected_ratio=0.5))
    assert (result.value["accepted"], result.value["invalid"]) == (1, 1)
    [body] = esputnik.sent("messages.smartsend")
    assert (body["email"], body["recipients"][0]["locator"]) == (False, PHONE)


def test_contacts_by_their_ids_go_alone(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    ada = esputnik.contact(ADA)
    esputnik.contact(BOB, external_id="b-1")
    rows = [{"id": ada, "own": None}, {"id": None, "own": "b-1"}, {"id": None, "own": "nobody"}]
    task = send(
        [{"email": None, **row} for row in rows],
        contact_id_column="id",
        external_customer_id_column="own",
        create_contacts=False,
        max_rejected_ratio=0.5,
    )
    result = runner.run(task)
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (2, 1)
    assert "did not accept it: Contact not found" in result.log
    assert [to for to, _ in inbox(emulator)] == [ADA, BOB]
    named = [next(iter(body["recipients"][0])) for body in esputnik.sent("messages.smartsend")]
    assert named == ["contactId", "externalCustomerId", "externalCustomerId"]


def test_nobody_is_made_a_contact(runner: Any, send: Any, esputnik: Any, emulator: Any) -> None:
    esputnik.contact("READER2@example.com")
    esputnik.contact("another.reader1@example.com")  # holds the address, which is not the same
    result = runner.run(send(create_contacts=False))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["skipped"]) == (1, 6)
    assert "6 messages are for nobody whom the account has, and create_contacts is False: skipped." in result.log
    assert [to for to, _ in inbox(emulator)] == ["reader2@example.com"]
    assert len(esputnik.contacts) == 2


def test_everybody_is_made_a_contact(runner: Any, send: Any, esputnik: Any) -> None:
    assert runner.run(send()).value["accepted"] == 7
    assert all(contact["confirmed"] for contact in esputnik.contacts.values())
    assert len(esputnik.contacts) == 7


def test_request_ids_in_a_file_and_a_table(send: Any, esputnik: Any, ledger: str, tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    table = OutputTable("{{ 'ledger' }}", "request_ids")
    assert another_run(1).run(send(PEOPLE[:2], row_key="cart", request_ids=path)).state == "success"
    assert another_run(2).run(send(PEOPLE[2:4], row_key="cart", request_ids=table)).state == "success"
    assert another_run(3).run(send(PEOPLE[4:6], row_key="cart", request_ids=table)).state == "success"
    assert path.stat().st_mode & 0o177 == 0
    written = [json.loads(line) for line in path.read_text().splitlines()]
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        written += [dict(row._mapping) for row in connection.execute(sa.text("SELECT * FROM request_ids"))]
    assert sorted(record["row_key"] for record in written) == ["1", "2", "3", "4", "5", "6"]
    sent = {one["requestId"]: one["externalRequestId"] for one in esputnik.told["sends"]}
    assert {record["request_id"]: record["external_request_id"] for record in written} == sent


def test_each_recipient_has_an_outcome(runner: Any, send: Any, esputnik: Any, emulator: Any, tmp_path: Path) -> None:
    # Too short for the emulator's taste, and no fault that the client could know.
    rows = [PEOPLE[0], {"email": "reader@example.c", "cart": 9}, PEOPLE[1]]
    rejects = tmp_path / "rejects.jsonl"
    emulator.faults.add(
        "status",
        operation=SMARTSEND,
        times=1,
        status=200,
        body=json.dumps(
            {
                "id": 0,
                "results": [
                    {"id": 0, "locator": "READER2@example.com", "status": "OK", "requestId": "r-2"},
                    {"id": 0, "locator": "reader@example.c", "status": "ERROR", "message": "reader@example.c is not valid"},
                    {"id": 0, "locator": "reader1@example.com", "status": "OK", "requestId": "r-1"},
                ],
            }
        ),
    )
    result = runner.run(send(rows, row_key="cart", rejects=rejects, max_rejected_ratio=0.5))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["rejected"]) == (2, 1)
    [reject] = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (reject["outcome"], reject["row_key"], reject["email"]) == ("rejected", "9", "reader@example.c")
    assert "reader@example.c " not in result.log
    assert sorted(result.xcom("request_ids", "send")) == ["r-1", "r-2"]


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (None, ["in_doubt"] * 3),
        ([], ["in_doubt"] * 3),
        ([("a@example.com", True)], ["in_doubt", "in_doubt", "in_doubt"]),
        ([("a@example.com", True), ("A@example.com", True)], ["accepted", "accepted", "in_doubt"]),
        (
            [("a@example.com", True), ("a@example.com", False), ("b@example.com", False)],
            ["in_doubt", "in_doubt", "rejected"],
        ),
        (
            [("b@example.com", True), ("a@example.com", False), ("a@example.com", False)],
            ["rejected", "rejected", "accepted"],
        ),
        ([("c@example.com", True)], ["in_doubt"] * 3),
    ],
)
def test_results_are_told_by_their_locators(answer: Any, outcomes: list[str]) -> None:
    emails = ["a@example.com", "a@example.com", "b@example.com"]
    items = [
        Item(Person(number, email, "", None, {"cart": number}), str(number)) for number, email in enumerate(emails, start=1)
    ]
    told = None if answer is None else [Sent(locator, ok, "r" if ok else None, "no") for locator, ok in answer]
    fates = MessageDelivery(1)._judge(items, told)
    assert [fate.outcome for fate in fates] == [Outcome(outcome) for outcome in outcomes]


def test_across_runs(send: Any, emulator: Any, esputnik: Any, ledger: str) -> None:
    assert another_run(1).run(send(PEOPLE[:3], row_key="cart", ledger=ledger)).value["accepted"] == 3
    second = another_run(2).run(send(row_key="cart", ledger=ledger))
    assert (second.value["skipped"], second.value["accepted"]) == (3, 4)
    assert len(emulator.inbox()) == 7


@pytest.mark.parametrize("fault", ["lose_answer", "truncate", "cut_answer"])
def test_a_lost_answer_leaves_its_rows_in_doubt(send: Any, emulator: Any, esputnik: Any, ledger: str, fault: str) -> None:
    emulator.faults.add(fault, operation=SMARTSEND, times=1, after=1)
    first = another_run(1).run(send(row_key="cart", ledger=ledger, per_call=3, max_rejected_ratio=1))
    assert first.state == "success", first.error
    assert (first.value["accepted"], first.value["in_doubt"]) == (4, 3)
    assert len(first.xcom("request_ids", "send")) == 4
    second = another_run(2).run(send(row_key="cart", ledger=ledger, per_call=7))
    assert second.value["skipped"] == 7
    assert len(emulator.inbox()) == 7


def test_a_repeat_within_a_minute_is_in_doubt(runner: Any, send: Any, emulator: Any, esputnik: Any) -> None:
    emulator.faults.add("status", operation=SMARTSEND, status=409, times=1)
    result = runner.run(send(max_rejected_ratio=1))
    assert result.value["in_doubt"] == 7
    assert "less than a minute ago" in result.log


def test_too_many_requests(runner: Any, send: Any, emulator: Any, esputnik: Any, quick: list[float]) -> None:
    emulator.faults.add("status", operation=SMARTSEND, status=429, times=2)
    assert runner.run(send(per_call=3)).value["accepted"] == 7
    assert len(emulator.inbox()) == 7
    assert quick


def test_a_batch_that_is_refused_goes_in_halves(runner: Any, send: Any, emulator: Any, esputnik: Any) -> None:
    emulator.faults.add("status", operation=SMARTSEND, status=400, message="wrong", times=1)
    assert runner.run(send()).value["accepted"] == 7
    assert [len(body["recipients"]) for body in esputnik.sent("messages.smartsend")] == [7, 4, 3]
    assert len(emulator.inbox()) == 7


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"contacts": SqlRows("shop", "SELECT 1")}, "row_key must say which row is which"),
        ({"contacts": None}, "contacts is empty"),
        ({"message_id": "None"}, "message_id is empty"),
        ({"message_id": 1}, "HTTP 404"),
        ({"per_call": 0}, "per_call is 0"),
        ({"max_messages": 6}, "more than max_messages=6. Nothing was sent."),
        ({"row_key": "a ||"}, "row_key is 'a ||'"),
        ({"request_ids": "ids.txt"}, "request ids"),
    ],
)
def test_what_cannot_be_meant(
    runner: Any, send: Any, emulator: Any, esputnik: Any, arguments: dict[str, Any], told: str
) -> None:
    result = runner.run(send(**arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert emulator.inbox() == []


@needs_store
@pytest.mark.parametrize("arrives", [True, False])
def test_a_killed_worker(message: Any, emulator: Any, esputnik: Any, tmp_path: Path, arrives: bool) -> None:
    how = task_of(tmp_path, **sending(message(), PEOPLE), per_call=3)
    emulator.faults.add("kill", operation=SMARTSEND, after=1, after_effect=arrives)
    killed(how)
    again = told(how, 2)
    assert again["state"] == "success", again
    # The process had claimed all rows: none is sent again.
    assert len(emulator.inbox()) == (6 if arrives else 3)
    assert again["value"]["in_doubt"] == 7


@needs_store
@pytest.mark.parametrize("arrives", [True, False])
def test_the_request_ids_outlive_a_kill(message: Any, emulator: Any, esputnik: Any, tmp_path: Path, arrives: bool) -> None:
    people = [{"email": f"reader{number}@example.com", "cart": number} for number in range(1, 46)]
    how = {**task_of(tmp_path, **sending(message(), people), per_call=10), "pushed": "request_ids"}
    # A window is twenty rows: this one is the first call of the second.
    emulator.faults.add("kill", operation=SMARTSEND, after=2, after_effect=arrives)
    killed(how)
    store = json.loads(Path(how["store"]).read_text())
    first = store["task[-1] request ids"]["request_ids"]
    assert sorted(first) == sorted(requests(esputnik, range(1, 21)))
    assert "example.com" not in json.dumps(store)
    again = told(how, 2)
    counts = again["value"]
    assert (counts["skipped"], counts["in_doubt"], counts["accepted"]) == (20, 20, 5)
    assert again["pushed"][:20] == first
    assert sorted(again["pushed"]) == sorted(requests(esputnik, [*range(1, 21), *range(41, 46)]))
    # Cleared after its success: nothing is sent, and who waits for the messages still knows all of them.
    cleared = told(how, 3)
    assert (cleared["value"]["accepted"], cleared["pushed"]) == (0, again["pushed"])
    assert len(emulator.inbox()) == (35 if arrives else 25)


def sending(message_id: int, contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an operator that sends a message to some contacts, and its arguments."""
    return {
        "operator": EsputnikSendMessageOperator,
        "message_id": message_id,
        "contacts": contacts,
        "row_key": "cart",
        "max_rejected_ratio": 1,
    }


def requests(esputnik: Any, numbers: Any) -> list[str]:
    """Return the request ids of what the emulator has sent to some readers."""
    wanted = {f"reader{number}@example.com" for number in numbers}
    return [sent["requestId"] for sent in esputnik.told["sends"] if sent["to"] in wanted]


@needs_store
def test_the_request_ids_of_all_tries(send: Any, emulator: Any, esputnik: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = TaskRunner()
    emulator.faults.add("status", operation=SMARTSEND, status=401, times=1, after=1)
    first = runner.run(send(row_key="cart", per_call=3))
    assert first.state == "failed"
    first_ids = first.xcom("request_ids", "send")
    assert len(first_ids) == 3
    second = runner.run(send(row_key="cart", per_call=3), try_number=2)
    assert (second.value["skipped"], second.value["accepted"]) == (3, 4)
    second_ids = second.xcom("request_ids", "send")
    assert sorted(second_ids) == sorted(requests(esputnik, range(1, 8)))
    assert second_ids[:3] == first_ids
    # Of so many, the first ones.
    monkeypatch.setattr("airflow_provider_sendpulse.operators.esputnik.messages.MOST_PUSHED", 8)
    more = [*PEOPLE, {"email": "reader8@example.com", "cart": 8}, {"email": "reader9@example.com", "cart": 9}]
    third = runner.run(send(more, row_key="cart", per_call=3), try_number=3)
    assert third.value["accepted"] == 2
    assert third.xcom("request_ids", "send")[:7] == second_ids
    assert len(third.xcom("request_ids", "send")) == 8


def test_the_request_ids_are_those_of_one_run(send: Any, esputnik: Any, ledger: str) -> None:
    first = another_run(1).run(send(PEOPLE[:3], row_key="cart", ledger=ledger))
    assert len(first.xcom("request_ids", "send")) == 3
    second = another_run(2).run(send(PEOPLE[:4], row_key="cart", ledger=ledger))
    assert second.xcom("request_ids", "send") == requests(esputnik, [4])


def test_without_the_store_the_request_ids_are_those_of_the_try(send: Any, esputnik: Any, ledger: str) -> None:
    runner = TaskRunner(state_store=False)
    assert len(runner.run(send(PEOPLE[:3], row_key="cart", ledger=ledger)).xcom("request_ids", "send")) == 3
    second = runner.run(send(PEOPLE[:4], row_key="cart", ledger=ledger), try_number=2)
    assert second.xcom("request_ids", "send") == requests(esputnik, [4])


@needs_store
def test_request_ids_that_cannot_be_kept_are_still_handed_on(
    runner: Any, send: Any, esputnik: Any, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr("airflow_provider_sendpulse.operators.task_store.TaskPosition.write", full)
    result = runner.run(send(row_key="cart", per_call=3, ledger=ledger))
    assert (result.state, result.value["accepted"]) == ("success", 7), result.error
    assert len(result.xcom("request_ids", "send")) == 7
    assert "could not be kept for another try: OSError" in result.log
