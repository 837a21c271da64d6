# SPDX-License-Identifier: Apache-2.0
"""What becomes of an import of eSputnik: the table of docs/reliability.md, carried out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from task_runner import TaskRunner

from airflow_provider_sendpulse.exceptions import FinalFailure
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.operators.esputnik.imports import EsputnikImportContactsOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")

RELIABILITY = Path(__file__).parents[3] / "docs" / "reliability.md"
IMPORT, STATUS = "esputnik.contacts.import", "esputnik.imports.read"
READERS = [{"email": f"reader{number}@example.com", "name": "Reader"} for number in range(6)]
OTHERS = [{"email": "first@example.com", "name": "Reader"}, *READERS[1:]]


class Killed(BaseException):
    """The end of a worker's process; nothing in the task can catch it."""


@dataclass(frozen=True)
class Case:
    """One row of the table. The first batch of two readers is imported before it happens to the second.

    :param outcomes: of the sessions
    :param settings: of the emulator in the first try
    :param fault: what its second import meets
    :param is_killed: whether the first try is killed when it looks at the second session
    :param changed: arguments of the operator that are others in the second try
    """

    outcomes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    fault: dict[str, Any] | None = None
    is_killed: bool = False
    changed: dict[str, Any] = field(default_factory=dict)


CASES = {
    "a batch is refused as a whole": Case(("FINISHED", "REFUSED")),
    "too many requests, for too long": Case(fault={"kind": "status", "status": 429}),
    "a session ends in an error": Case(("FINISHED", "ERROR")),
    "eSputnik does not know a session any more": Case(("FINISHED", "LOST")),
    "a session is not over within `timeout`": Case(settings={"esputnik_import_reads": 1000}),
    "killed while a session is under way": Case(is_killed=True),
    "the same, and the source begins with other rows then": Case(is_killed=True, changed={"contacts": OTHERS}),
    "the same, and there is another segment or mapping then": Case(is_killed=True, changed={"group_names": ["Readers"]}),
    "success": Case(),
}


def table() -> dict[str, list[str]]:
    """Return the cells of the table, by the first of each row."""
    section = RELIABILITY.read_text().split("\n## What becomes of an import\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: others for first, *others in cells}


ROWS = table()


def load(**arguments: Any) -> EsputnikImportContactsOperator:
    fields = {
        "task_id": "load",
        "dag": DAG("a_dag", schedule=None),  # every process reads the DAG file anew
        "contacts": READERS,
        "mapping": {"email": "email", "first_name": "name"},
        "batch_size": 2,
        "concurrency": 1,
        "poll_interval": 10,
        "timeout": 60,
        "event_key_for_new_contacts": "fromShop",
    }
    return EsputnikImportContactsOperator(**{**fields, **arguments})


def this_try(runner: TaskRunner, emulator: Any, case: Case) -> str:
    """Run the first try, and say what the table calls its end."""
    emulator.configure(esputnik_next_import_outcomes=[*case.outcomes])
    if case.fault:
        emulator.faults.add(operation=IMPORT, after=1, times=None, **case.fault)
    with _meeting(case, emulator):
        result = runner.run(load())
    emulator.faults.clear()
    if isinstance(result.error, Killed):
        return "is killed"
    if result.state == "success":
        return "succeeds"
    return "fails for good" if isinstance(result.error, FinalFailure) else "fails"


@contextlib.contextmanager
def _meeting(case: Case, emulator: Any) -> Iterator[None]:
    """Let what a case is about happen to the second session."""
    send = EsputnikHook.send

    def sending(self: EsputnikHook, call: Any) -> Any:
        imports = len(emulator.requests.records(IMPORT))
        if call.operation == "POST /v1/contacts" and imports == 1:
            emulator.configure(**case.settings)
        if call.operation.startswith("GET /v1/importstatus") and imports == 2 and case.is_killed:
            raise Killed
        return send(self, call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EsputnikHook, "send", sending)
        yield


def another_try(runner: TaskRunner, emulator: Any, case: Case) -> str:
    """Run the second try, and say what it does before it succeeds."""
    emulator.configure(esputnik_import_reads=None)
    before = emulator.requests.total
    result = runner.run(load(**case.changed), try_number=2)
    assert result.state == "success", result.error
    requests = [record for record in emulator.requests.records() if record.number > before]
    sent = [
        contact["channels"][0]["value"]
        for record in requests
        if record.operation == IMPORT
        for contact in record.body["contacts"]
    ]
    rows = case.changed.get("contacts", READERS)
    # Whatever it does, everybody is there in the end, and each was new once.
    account = emulator.state.esputnik
    assert {contact.email for contact in account.contacts} >= {row["email"] for row in rows}
    assert len(account.events) == len(account.contacts)
    waits = next((record.operation for record in requests if record.operation in (IMPORT, STATUS)), "") == STATUS
    done = "starts over" if sent == [row["email"] for row in rows] else "goes on"
    assert done == "starts over" or sent == [row["email"] for row in rows[4 if waits else 2 :]]
    return f"waits, {done}" if waits else done


def test_table_has_the_rows_that_are_tested() -> None:
    assert list(ROWS) == list(CASES)


@pytest.mark.parametrize("row", CASES)
@pytest.mark.parametrize(
    "has_store",
    [
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
        ),
    ],
    ids=["3.1", "3.3"],
)
def test_row(row: str, has_store: bool, emulator: Any) -> None:
    runner, case = TaskRunner(state_store=has_store), CASES[row]
    this, with_store, without = ROWS[row]
    assert this_try(runner, emulator, case) == this
    assert another_try(runner, emulator, case) == (with_store if has_store else without)
