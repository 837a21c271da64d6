# SPDX-License-Identifier: Apache-2.0
"""Every operator of eSputnik that writes meets every fault: what reaches people arrives at most once, a state ends right.

The faults are those that the clients of both services meet (``client_faults``). What arrived is read from the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from airflow.sdk import DAG
from broadcasting import Newsletter
from client_faults import DOUBT, PASSING, REFUSALS
from esputnik_state import EsputnikState
from task_kinds import task_kinds
from told import told

from airflow_provider_sendpulse.emulator.fault_kinds import FaultKind
from airflow_provider_sendpulse.operators.esputnik import broadcasts, contacts, erasure, events, imports, messages, orders
from airflow_provider_sendpulse.operators.esputnik import segments as segment_operators

ADA = "ada@example.com"
ROW = {"email": ADA, "external_customer_id": "c-1", "key": 1}
ORDER = {
    "external_order_id": 1,
    "total_cost": 5,
    "status": "DELIVERED",
    "date": "2026-01-05T10:00:00+02:00",
    "currency": "UAH",
    "email": ADA,
}
# eSputnik knows no tokens that end, and its words of limits are others.
REFUSED = {
    "refused": {"kind": "status", "status": 422},
    "not found": {"kind": "status", "status": 404},
    **{name: fault for name, (fault, *_) in REFUSALS.items() if fault["kind"] == "status"},
    "errorMessage in a 200": {"kind": "status", "status": 200, "body": {"errorMessage": "Not now"}},
}
LASTING = ("closed", "lost by reset", "half a JSON", "error page after all", "silence")
PASSES = {name: fault for name, (fault, _) in PASSING.items() if fault["kind"] in ("status", "revoke_tokens")}


@dataclass(frozen=True)
class Once:
    """What reaches people.

    :param arrived: how often it has reached somebody
    :param is_looked_up: what may have been created is looked for, and created when it is certainly not there
    """

    kind: type[Any]
    operation: str
    arguments: dict[str, Any]
    arrived: Callable[[EsputnikState], int]
    is_looked_up: bool = False


@dataclass(frozen=True)
class Sets:
    """What sets a state.

    :param state: that state
    :param wanted: what it is in the end
    """

    kind: type[Any]
    operation: str
    arguments: dict[str, Any]
    state: Callable[[EsputnikState], Any]
    wanted: Any
    more: dict[str, Any] = field(default_factory=dict)


def emitted(beginning: str) -> Callable[[EsputnikState], int]:
    return lambda esputnik: sum(kind.startswith(beginning) for kind, _ in esputnik.events)


def mailed(esputnik: EsputnikState) -> int:
    return sum(message["to"] == ADA for message in esputnik.emulator.inbox())


def members(esputnik: EsputnikState) -> list[str]:
    [segment] = [one for one in esputnik.told["segments"] if one["name"] == "Readers"]
    return sorted(esputnik.contacts[number]["externalCustomerId"] for number in segment["contacts"])


def name_of_ada(esputnik: EsputnikState) -> Any:
    return esputnik.by_email(ADA).get("firstName")


ONCE = {
    "events": Once(
        events.EsputnikSendEventOperator,
        "events.send_v2",
        {"event_type_key": "left", "contacts": [ROW], "event_key": "key", "parameters": ["key"], "ledger": "ledger"},
        emitted("left"),
    ),
    "messages": Once(
        messages.EsputnikSendMessageOperator,
        "messages.smartsend",
        {"message_id": 2700001, "contacts": [ROW], "row_key": "key", "ledger": "ledger"},
        mailed,
    ),
    "orders": Once(
        orders.EsputnikSendOrdersOperator, "orders.add", {"orders": [ORDER], "ledger": "ledger"}, emitted("order")
    ),
    "subscribe": Once(
        contacts.EsputnikSubscribeContactOperator,
        "contacts.subscribe",
        {"contact_email": ADA, "ledger": "ledger"},
        emitted("subscribe"),
    ),
    "broadcast": Once(
        broadcasts.EsputnikCreateBroadcastOperator,
        "broadcasts.create",
        {"title": "News", "message_id": 2700001, "groups": "Readers"},
        lambda esputnik: len(esputnik.told["broadcasts"]),
        is_looked_up=True,
    ),
}
_BY_ID = {"by": "external_customer_id", "segment_name": "Readers"}
SETS = {
    "import": Sets(
        imports.EsputnikImportContactsOperator,
        "contacts.import",
        {"contacts": [{"email": ADA, "name": "Ада"}], "mapping": {"email": "email", "first_name": "name"}},
        name_of_ada,
        "Ада",
        {"poll_interval": 60, "deferrable": False},
    ),
    "attach": Sets(
        segment_operators.EsputnikAttachToSegmentOperator,
        "segments.attach",
        {"contacts": ["c-2"], **_BY_ID},
        members,
        ["c-1", "c-2"],
    ),
    "detach": Sets(
        segment_operators.EsputnikDetachFromSegmentOperator, "segments.detach", {"contacts": ["c-1"], **_BY_ID}, members, []
    ),
    "unsubscribe": Sets(
        contacts.EsputnikUnsubscribeContactsOperator,
        "unsubscribed.add",
        {"contacts": [ADA]},
        lambda esputnik: esputnik.told["unsubscribed"],
        [ADA],
    ),
    "erase": Sets(
        erasure.EsputnikEraseContactsOperator,
        "contacts.delete",
        {"contacts": [ADA], "by": "email", "erase": True},
        lambda esputnik: len(esputnik.contacts),
        1,
    ),
    "upsert": Sets(
        contacts.EsputnikUpsertContactOperator,
        "contacts.upsert",
        {"contact_email": ADA, "first_name": "Ада"},
        name_of_ada,
        "Ада",
    ),
    "update": Sets(
        contacts.EsputnikUpdateContactOperator,
        "contacts.update",
        {"contact_email": ADA, "first_name": "Ада"},
        name_of_ada,
        "Ада",
    ),
    "delete a broadcast": Sets(
        broadcasts.EsputnikDeleteBroadcastOperator,
        "broadcasts.delete",
        {"broadcast_id": 810001},
        lambda esputnik: len(esputnik.told["broadcasts"]),
        0,
    ),
}


@pytest.fixture
def account(esputnik: EsputnikState, newsletter: Newsletter, passing_time: Any, monkeypatch: Any, tmp_path: Path) -> Any:
    """Ada in a segment, Bob outside of it, and a ledger."""
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "ledger.db")}))
    ada = esputnik.contact(ADA, external_id="c-1")
    esputnik.contact("bob@example.com", external_id="c-2")
    esputnik.segment("Readers", ada)
    return esputnik


@pytest.fixture
def fail(account: EsputnikState, connect_esputnik: Any) -> Callable[..., Any]:
    def set_up(case: Any, fault: dict[str, Any], times: int | None = 1) -> Any:
        if fault["kind"].startswith("slow"):
            connect_esputnik(extra={"timeout": 0.2})
            # So late that it is carried out in no other test.
            fault = {**fault, "seconds": 3600.0}
        return account.emulator.faults.add(**fault, operation=f"esputnik.{case.operation}", times=times)

    return set_up


@pytest.fixture
def task_of(tmp_path: Path) -> Callable[..., Any]:
    def make(case: Any) -> Any:
        more = {"receipt": tmp_path / "receipts.csv"} if case.kind is erasure.EsputnikEraseContactsOperator else {}
        dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
        return case.kind(task_id="task", dag=dag, **case.arguments, **getattr(case, "more", {}), **more)

    return make


@pytest.fixture
def over(account: EsputnikState, connect_esputnik: Any) -> Callable[[], None]:
    """End all faults."""

    def end() -> None:
        account.emulator.faults.clear()
        connect_esputnik()
        # Past the minute within which the same request is refused.
        account.emulator.advance(120)

    return end


def test_every_operator_that_writes_is_here() -> None:
    kinds = {case.kind for case in (*ONCE.values(), *SETS.values())}
    reads = {kind for kind in task_kinds("Esputnik") if "Sensor" in kind.__name__ or "Activity" in kind.__name__}
    # It has tests of its own: the file has to be served.
    assert kinds | reads | {imports.EsputnikImportFileOperator} == task_kinds("Esputnik")


def test_every_kind_of_fault_is_met() -> None:
    met = {"kill", "unknown_status", "outage", "is_error", "result_false"}
    met |= {fault["kind"] for fault in (*(fault for fault, _ in DOUBT.values()), *REFUSED.values(), *PASSES.values())}
    assert met == set(get_args(FaultKind))


@pytest.mark.parametrize("fault", DOUBT)
@pytest.mark.parametrize("name", ONCE)
def test_in_doubt_it_arrives_at_most_once(
    runner: Any, account: EsputnikState, task_of: Any, fail: Any, over: Any, name: str, fault: str
) -> None:
    case, (how, is_carried_out) = ONCE[name], DOUBT[fault]
    fired = fail(case, how)
    first = runner.run(task_of(case))
    assert fired.fired == 1
    account.emulator.advance(60)
    if case.is_looked_up:
        assert first.state == "success", first.error
        assert case.arrived(account) == 1
    elif first.state == "success":
        # The answer said nothing that is read.
        assert first.value["accepted"] == case.arrived(account) == 1
    else:
        assert case.arrived(account) == is_carried_out
        assert first.xcom("counts", "task")["in_doubt"] == 1
        assert "in doubt" in told(first.error) + first.log
    over()
    for number in (2, 3):
        again = runner.run(task_of(case), try_number=number)
        account.emulator.advance(60)
        assert case.arrived(account) == (1 if case.is_looked_up or first.state == "success" else is_carried_out)
        assert again.state == "success" or "if_in_doubt" in told(again.error) + again.log


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("name", ONCE)
def test_what_was_refused_arrives_with_the_retry(
    runner: Any, account: EsputnikState, task_of: Any, fail: Any, over: Any, name: str, fault: str
) -> None:
    case = ONCE[name]
    fail(case, REFUSED[fault], times=None)
    first = runner.run(task_of(case))
    arrived = case.arrived(account)
    assert arrived == 0
    over()
    again = runner.run(task_of(case), try_number=2)
    account.emulator.advance(60)
    assert first.state in ("failed", "up_for_retry")
    assert again.state == "success", again.error
    assert case.arrived(account) == 1


@pytest.mark.parametrize("fault", PASSES)
@pytest.mark.parametrize("name", ONCE)
def test_what_was_not_carried_out_is_sent_again_at_once(
    runner: Any, account: EsputnikState, task_of: Any, fail: Any, name: str, fault: str
) -> None:
    case = ONCE[name]
    fail(case, PASSES[fault])
    result = runner.run(task_of(case))
    account.emulator.advance(60)
    if PASSES[fault].get("status") == 401:
        # A key cannot be renewed.
        assert result.state == "failed"
        assert case.arrived(account) == 0
        return
    assert result.state == "success", result.error
    assert case.arrived(account) == 1


@pytest.mark.parametrize("fault", DOUBT)
@pytest.mark.parametrize("name", SETS)
def test_in_doubt_a_state_ends_right(
    runner: Any, account: EsputnikState, newsletter: Newsletter, task_of: Any, fail: Any, over: Any, name: str, fault: str
) -> None:
    case = SETS[name]
    if name == "delete a broadcast":
        a_broadcast(account, newsletter)
    fired = fail(case, DOUBT[fault][0])
    first = runner.run(task_of(case))
    assert fired.fired == 1
    assert first.state == "success", first.error
    assert case.state(account) == case.wanted
    over()
    assert runner.run(task_of(case), try_number=2).state == "success"
    assert case.state(account) == case.wanted


@pytest.mark.parametrize(
    "fault",
    [
        "closed",
        "lost by reset",
        "half a JSON",
        "error page after all",
        "silence",
        *(f"refusal: {name}" for name in REFUSED),
    ],
)
@pytest.mark.parametrize("name", SETS)
def test_a_state_is_right_after_the_retry(
    runner: Any, account: EsputnikState, newsletter: Newsletter, task_of: Any, fail: Any, over: Any, name: str, fault: str
) -> None:
    case = SETS[name]
    if name == "delete a broadcast":
        a_broadcast(account, newsletter)
    fail(case, REFUSED[fault.removeprefix("refusal: ")] if ": " in fault else DOUBT[fault][0], times=None)
    first = runner.run(task_of(case))
    if first.state == "failed":
        assert len(str(first.error)) > 40
    over()
    again = runner.run(task_of(case), try_number=2)
    assert again.state == "success", again.error
    assert case.state(account) == case.wanted


def a_broadcast(account: EsputnikState, newsletter: Newsletter) -> None:
    with account.emulator.emulator.lock:
        all_of_them = account.emulator.state.esputnik.broadcasts
        all_of_them.create(newsletter.message, [1], [], "News", datetime(2098, 1, 1, tzinfo=UTC))
