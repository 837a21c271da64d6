# SPDX-License-Identifier: Apache-2.0
"""What holds for the receipts of an erasure, whichever service erases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from esputnik_state import EsputnikState
from receipts import digest, read

from airflow_provider_sendpulse.operators.erasure import SendPulseEraseContactsOperator
from airflow_provider_sendpulse.operators.esputnik.erasure import EsputnikEraseContactsOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

ADA, BOB = "ada@example.com", "bob@example.com"
SERVICES: dict[str, tuple[type, dict[str, Any]]] = {
    "sendpulse": (SendPulseEraseContactsOperator, {}),
    "esputnik": (EsputnikEraseContactsOperator, {"by": "email", "erase": True}),
}


@pytest.fixture(params=SERVICES)
def erase(
    request: pytest.FixtureRequest, dag: Any, account: Any, connect: Any, connect_esputnik: Any, receipts: Path
) -> Callable[..., Any]:
    """Return how to erase contacts; Ada and Bob are there."""
    operator, own = SERVICES[request.param]
    account.book("Readers", [ADA, BOB])
    for email in (ADA, BOB):
        EsputnikState(account.emulator).contact(email)

    def make(contacts: Any, **arguments: Any) -> Any:
        common = {"task_id": "erase", "dag": dag, "contacts": contacts, "receipt": str(receipts)}
        return operator(**{**common, **own, **arguments})

    return make


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_cleared_task_keeps_its_receipts(runner: Any, erase: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cleared.{suffix}"
    task = erase([ADA, BOB], receipt=str(path))
    first = runner.run(task)
    assert first.state == "success", first.error
    written = path.read_text()
    assert digest(ADA) in written
    result = runner.run(task, try_number=2)
    assert result.state == "success", result.error
    assert path.read_text() == written
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_two_tasks_with_one_file(runner: Any, erase: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"shared.{suffix}"
    for number, email in enumerate((ADA, BOB)):
        assert runner.run(erase([email], receipt=str(path), task_id=f"erase{number}")).state == "success"
    text = path.read_text()
    assert digest(ADA) in text
    assert digest(BOB) in text


@pytest.mark.parametrize("text", ["email\n", '{"email": 1}\n', "something else\n"])
def test_a_file_of_something_else(runner: Any, erase: Any, emulator: Any, receipts: Path, text: str) -> None:
    receipts.write_text(text)
    result = runner.run(erase([ADA]))
    assert result.state == "failed"
    assert "holds something else than receipts" in str(result.error)
    assert receipts.read_text() == text
    assert not emulator.requests.total


def test_one_receipt_for_everybody(runner: Any, erase: Any, receipts: Path) -> None:
    result = runner.run(erase(["Ada@example.com", BOB, "nobody@example.com", BOB]))
    assert result.state == "success", result.error
    assert (result.value["accepted"], result.value["duplicate"], result.value["found"]) == (3, 1, 2)
    written = read(receipts)
    assert [receipt["contact"] for receipt in written] == [digest(text) for text in (ADA, BOB, "nobody@example.com")]
    assert {(receipt["dag_id"], receipt["run_id"]) for receipt in written} == {("a_dag", "scheduled__2026-01-05")}
    assert all(receipt["erased_at"].endswith("+00:00") for receipt in written)
    assert receipts.stat().st_mode & 0o777 == 0o600
    assert "example.com" not in receipts.read_text() + result.log
    assert "@" not in str([*runner.api.store.values()])


def test_no_rows(runner: Any, erase: Any, emulator: Any, receipts: Path) -> None:
    result = runner.run(erase([]))
    assert result.state == "success", result.error
    assert (result.value["read"], result.value["found"], "receipt" in result.value) == (0, 0, False)
    assert not emulator.requests.total
    assert not receipts.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"receipt": None}, "receipt is a NoneType"),
        ({"receipt": "receipts.csv"}, "neither absolute nor a URL"),
        ({"receipt_contact": "name"}, "receipt_contact is 'name'"),
        ({"max_contacts": 1}, "more than max_contacts=1 rows"),
        ({"contacts": [{"mail": ADA}]}, "The rows have no column email"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_wrong_arguments(
    runner: Any, erase: Any, emulator: Any, receipts: Path, arguments: dict[str, Any], told: str
) -> None:
    runner.api.should_retry = True
    result = runner.run(erase(**{"contacts": [ADA, BOB], **arguments}))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not emulator.requests.total
    assert not receipts.exists()
