# SPDX-License-Identifier: Apache-2.0
"""Nothing of a person leaves the operators for contacts of eSputnik: not in logs, errors, XCom, or what the UI shows."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.esputnik.base import EsputnikOperator
from airflow_provider_sendpulse.operators.esputnik.contacts import (
    EsputnikSubscribeContactOperator,
    EsputnikUnsubscribeContactsOperator,
    EsputnikUpdateContactOperator,
    EsputnikUpsertContactOperator,
)
from airflow_provider_sendpulse.operators.esputnik.erasure import EsputnikEraseContactsOperator
from airflow_provider_sendpulse.operators.esputnik.segments import (
    EsputnikAttachToSegmentOperator,
    EsputnikDetachFromSegmentOperator,
)

ADDRESS = "canary.reader@example.com"
PHONE = "+380671234567"
NAME = "Канарка"
OWN_ID = "canary-17"
PLACE = "Канаркове"
CANARIES = (ADDRESS, "canary.reader", PHONE, PHONE[1:], NAME, OWN_ID, PLACE)

DATA: dict[str, Any] = {
    "contact_email": ADDRESS,
    "contact_phone": PHONE,
    "external_customer_id": OWN_ID,
    "first_name": NAME,
    "last_name": NAME,
    "region": PLACE,
    "town": PLACE,
    "address": PLACE,
    "postcode": OWN_ID,
    "fields": {"NOTE": NAME},
}
ROW = {"email": ADDRESS, "phone": PHONE, "own": OWN_ID, "name": NAME, "note": NAME}
MAPPING = {
    "email": "email",
    "sms": "phone",
    "external_customer_id": "own",
    "first_name": "name",
    "fields": {"NOTE": "note"},
}

CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "subscribe one": (EsputnikSubscribeContactOperator, DATA),
    "subscribe": (EsputnikSubscribeContactOperator, {"contacts": [ROW], "mapping": MAPPING}),
    "upsert": (EsputnikUpsertContactOperator, DATA),
    "update": (EsputnikUpdateContactOperator, {**DATA, "find_by": "email"}),
    "update by external id": (EsputnikUpdateContactOperator, DATA),
    "unsubscribe": (EsputnikUnsubscribeContactsOperator, {"contacts": [ADDRESS]}),
    "erase": (EsputnikEraseContactsOperator, {"contacts": [ADDRESS], "by": "email", "erase": True}),
    "erase by external id": (
        EsputnikEraseContactsOperator,
        {"contacts": [OWN_ID], "by": "external_customer_id", "erase": False},
    ),
    "attach": (
        EsputnikAttachToSegmentOperator,
        {"contacts": [OWN_ID], "by": "external_customer_id", "segment_name": "Readers"},
    ),
    "attach by look-up": (
        EsputnikAttachToSegmentOperator,
        {"contacts": [PHONE], "by": "phone", "segment_name": "Readers"},
    ),
    "detach": (
        EsputnikDetachFromSegmentOperator,
        {"contacts": [ADDRESS], "by": "email", "segment_name": "Readers"},
    ),
}
EVERYTHING = (ADDRESS, PHONE, OWN_ID, NAME, PLACE)
# The call that is tried, and what it can repeat: no more than it was sent.
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "subscribe one": ("contacts.subscribe", EVERYTHING),
    "subscribe": ("contacts.subscribe", EVERYTHING[:-1]),
    "upsert": ("contacts.upsert", EVERYTHING),
    "update": ("contacts.search", (ADDRESS,)),
    "update by external id": ("contacts.update", EVERYTHING),
    "unsubscribe": ("unsubscribed.add", (ADDRESS,)),
    "erase": ("contacts.search", (ADDRESS,)),
    "erase by external id": ("contacts.search", (OWN_ID,)),
    "attach": ("segments.attach", (OWN_ID,)),
    "attach by look-up": ("contacts.search", (PHONE[1:],)),
    "detach": ("contacts.search", (ADDRESS,)),
}

FAILURES: dict[str, dict[str, Any]] = {
    "refused": {"kind": "status", "status": 400},
    "not found": {"kind": "status", "status": 404},
    "unavailable": {"kind": "status", "status": 503},
    "lost": {"kind": "lose_answer"},
    "html": {"kind": "html", "status": 200},
    "wrong type": {"kind": "wrong_type", "becomes": "list"},
}


def test_no_personal_field_is_forgotten() -> None:
    tried = {(kind, name) for kind, given in CASES.values() for name in given if name in kind.personal_fields}
    kinds = {kind for kind, _ in CASES.values()}
    assert {(kind, name) for kind in kinds for name in kind.personal_fields} == tried
    assert all(
        issubclass(kind, EsputnikOperator) and set(kind.personal_fields) <= set(kind.template_fields) for kind in kinds
    )


@pytest.fixture
def task(esputnik: Any, dag: Any, tmp_path: Any) -> Any:
    def make(case: str) -> Any:
        contact_id = esputnik.contact(ADDRESS, phone=PHONE, external_id=OWN_ID)
        esputnik.segment("Readers", contact_id)
        kind, given = CASES[case]
        more = {"receipt": str(tmp_path / "receipts.csv")} if kind is EsputnikEraseContactsOperator else {}
        return kind(task_id="task", dag=dag, **given, **more)

    return make


def check(result: Any, capfd: Any) -> None:
    output = capfd.readouterr()
    places = {
        "log": result.log,
        "stdout": output.out,
        "stderr": output.err,
        "rendered": json.dumps(result.rendered, ensure_ascii=False),
        "XCom": str(result.api.xcoms),
        "state store": json.dumps(result.api.store, ensure_ascii=False),
        "error": "" if result.error is None else "".join(traceback.format_exception(result.error)),
    }
    for place, text in places.items():
        # The emulator's own server writes the paths that it serves.
        lines = [line for line in text.splitlines() if "uvicorn" not in line]
        for canary in CANARIES:
            assert not any(canary in line for line in lines), f"{canary} in {place}"


@pytest.mark.parametrize("case", CASES)
def test_success(runner: Any, esputnik: Any, task: Any, capfd: Any, case: str) -> None:
    one = task(case)
    capfd.readouterr()
    result = runner.run(one)
    assert result.state == "success", result.error
    check(result, capfd)
    # The data has arrived all the same.
    arrived = json.dumps(
        [[record.path, record.body] for record in esputnik.emulator.requests.records()], ensure_ascii=False
    )
    queries = esputnik.count("contacts.search") + esputnik.count("contacts.delete_by_external_id")
    assert queries or any(canary in arrived for canary in CANARIES)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("case", CASES)
def test_failure(runner: Any, esputnik: Any, task: Any, capfd: Any, quick: Any, case: str, failure: str) -> None:
    one = task(case)
    operation, words = CALLS[case]
    fault = {"times": 40, "operation": f"esputnik.{operation}", **FAILURES[failure]}
    if fault["kind"] == "status":
        # The service repeats what it was sent, as services do.
        fault["message"] = f"wrong: {', '.join(words)}"
    esputnik.emulator.faults.add(**fault)
    capfd.readouterr()
    result = runner.run(one)
    # A wrong type is no matter to a call that answers with a sentence.
    assert result.state == "failed" or failure == "wrong type"
    check(result, capfd)
