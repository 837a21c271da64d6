# SPDX-License-Identifier: Apache-2.0
"""Nothing of a person leaves the operators for events, messages and orders of eSputnik."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from told import told

from airflow_provider_sendpulse.operators.esputnik.events import EsputnikSendEventOperator
from airflow_provider_sendpulse.operators.esputnik.messages import EsputnikSendMessageOperator
from airflow_provider_sendpulse.operators.esputnik.orders import EsputnikSendOrdersOperator

ADDRESS = "canary.reader@example.com"
PHONE = "+380671234567"
NAME = "Канарка"
OWN_ID = "canary-17"
CANARIES = (ADDRESS, "canary.reader", PHONE, PHONE[1:], NAME, OWN_ID)
ROW = {"email": ADDRESS, "phone": PHONE, "external_customer_id": OWN_ID, "name": NAME, "key": 1}
ORDER = {
    "external_order_id": 1,
    "total_cost": 5,
    "status": "DELIVERED",
    "date": "2026-01-05T10:00:00+02:00",
    "currency": "UAH",
    "email": ADDRESS,
    "phone": PHONE,
    "external_customer_id": OWN_ID,
    "first_name": NAME,
    "delivery_address": NAME,
}
CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "events": (
        EsputnikSendEventOperator,
        {
            "event_type_key": "left",
            "contacts": [ROW],
            "event_key": "key",
            "external_customer_id_column": "external_customer_id",
        },
        "/v2/event",
    ),
    "event for one": (
        EsputnikSendEventOperator,
        {
            "event_type_key": "left",
            "contact_email": ADDRESS,
            "contact_phone": PHONE,
            "external_customer_id": OWN_ID,
            "parameters": {"name": NAME},
        },
        "/v2/event",
    ),
    "messages": (
        EsputnikSendMessageOperator,
        {"message_id": 2700001, "contacts": [ROW], "create_contacts": False},
        "/v1/message/2700001/smartsend",
    ),
    "messages by external id": (
        EsputnikSendMessageOperator,
        {"message_id": 2700001, "contacts": [ROW], "external_customer_id_column": "external_customer_id"},
        "/v1/message/2700001/smartsend",
    ),
    "orders": (EsputnikSendOrdersOperator, {"orders": [ORDER], "create_contacts": False}, "/v1/orders"),
}
FAILURES: dict[str, dict[str, Any]] = {
    "none": {},
    "refused": {"kind": "status", "status": 400},
    "unauthorised": {"kind": "status", "status": 401},
    "repeated": {"kind": "status", "status": 409},
    "unavailable": {"kind": "status", "status": 503},
    "lost": {"kind": "lose_answer"},
    "cut": {"kind": "truncate"},
}


@pytest.fixture(autouse=True)
def talkative() -> Iterator[None]:
    """Let all that could log what we send do so in full."""
    loggers = [logging.getLogger(name) for name in ("airflow_provider_sendpulse", "urllib3", "requests")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("case", CASES)
def test_nothing_shows(
    runner: Any, dag: Any, esputnik: Any, emulator: Any, tmp_path: Path, quick: list[float], case: str, failure: str
) -> None:
    kind, arguments, path = CASES[case]
    with emulator.emulator.lock:
        emulator.state.esputnik.messages.create("email", {"name": "Cart", "from": "Shop", "subject": "S", "htmlText": "H"})
    esputnik.contact(ADDRESS, external_id=OWN_ID)
    if how := FAILURES[failure]:
        said = {"message": f"wrong: {ADDRESS}, {PHONE}, {NAME}, {OWN_ID}"} if how["kind"] == "status" else {}
        emulator.faults.add(path=path, times=40, **how, **said)
    ids = {"request_ids": tmp_path / "ids.jsonl"} if kind is EsputnikSendMessageOperator else {}
    result = runner.run(kind(task_id="task", dag=dag, rejects=tmp_path / "rejects.jsonl", **arguments, **ids))
    if failure == "none":
        assert result.state == "success", result.error
        assert result.value["accepted"] == 1
    places = {
        "log": "\n".join(line for line in result.log.splitlines() if "uvicorn" not in line),
        "rendered": json.dumps(result.rendered, ensure_ascii=False),
        "XCom": str(result.api.xcoms),
        "state store": json.dumps(result.api.store, ensure_ascii=False),
        "reports": json.dumps(result.api.reported, ensure_ascii=False),
        "error": told(result.error),
        "request ids": (tmp_path / "ids.jsonl").read_text() if (tmp_path / "ids.jsonl").exists() else "",
    }
    for place, text in places.items():
        for canary in CANARIES:
            assert canary not in text, f"{canary} in {place}"
    for file in (tmp_path / "ids.jsonl", tmp_path / "rejects.jsonl"):
        assert not file.exists() or not stat.S_IMODE(file.stat().st_mode) & 0o177
