# SPDX-License-Identifier: Apache-2.0
"""read = accepted + duplicate + invalid + rejected + skipped + in doubt: in every failure, counted independently."""

from __future__ import annotations

import csv
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from task_runner import Result

from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.emulator.faults import FaultKind
from airflow_provider_sendpulse.operators.contacts import SendPulseAddEmailsOperator
from airflow_provider_sendpulse.operators.events import SendPulseSendEventOperator
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = [pytest.mark.usefixtures("connect"), pytest.mark.usefixtures("quick")]

OUTCOMES = ("accepted", "duplicate", "invalid", "rejected", "skipped", "in_doubt")
BAD = ("invalid", "rejected", "in_doubt")

PEOPLE = [
    *({"email": f"reader{number}@example.com", "cart_id": number} for number in range(30)),
    {"email": "READER3@example.com", "cart_id": 3},
    {"email": "no address", "cart_id": 90},
    *({"email": f"reader{number}@example.com", "cart_id": number} for number in range(30, 60)),
]

# A killed process accounts for nothing; `make torture` and the tests of the ledger are about that.
# A kill ends this process; the answers of these operations hold no status; an outage is a drop that lasts.
FAULTS = [kind for kind in get_args(FaultKind) if kind not in ("kill", "unknown_status", "outage")]


class Watched:
    """A row source that counts what it yields, and may break."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.breaks_at = breaks_at
        self.yielded = 0

    def __deepcopy__(self, _: Any) -> Watched:
        # The harness copies operators; the count is to be seen here.
        return self

    def rows(self) -> Iterator[dict[str, Any]]:
        self.yielded = 0
        for number, person in enumerate(PEOPLE):
            if number == self.breaks_at:
                raise RuntimeError("the warehouse is gone")
            self.yielded += 1
            yield person

    def __str__(self) -> str:
        return "Watched()"


Make = Callable[..., Any]


@pytest.fixture(params=["contacts", "double opt-in", "events"])
def make(request: pytest.FixtureRequest, dag: Any, account: Any, tmp_path: Path) -> Make:
    book_id = account.book(emails=[])

    def operator(source: Any, **arguments: Any) -> Any:
        common = {"task_id": "task", "dag": dag, "contacts": source, "rejects": str(tmp_path / "task.csv"), **arguments}
        if request.param == "events":
            return SendPulseSendEventOperator(event_name="cart_left", event_key="cart_id", **common)
        if request.param == "double opt-in":
            common |= {"double_opt_in": True, "sender_email": "shop@example.com"}
        return SendPulseAddEmailsOperator(address_book_id=book_id, batch_size=10, **common)

    operator.operation = {"events": "events.send", "contacts": "contacts.add"}.get(request.param, "contacts.add")  # type: ignore[attr-defined]
    operator.kind = request.param  # type: ignore[attr-defined]
    return operator


def check(result: Result, source: Watched, folder: Path) -> dict[str, int]:
    """Hold the account of a run against what is known without it."""
    counts = result.value if result.state == "success" else result.xcom("counts", "task")
    assert counts is not None, result.log
    assert set(counts) == {"read", *OUTCOMES}
    assert min(counts.values()) >= 0
    assert counts["read"] == source.yielded
    assert sum(counts[outcome] for outcome in OUTCOMES) == counts["read"]
    # Nothing but what Airflow itself says comes after the counts.
    lines = [line for line in result.log.splitlines() if re.match(r"INFO (Contacts|Events cart_left): ", line)]
    assert lines[-1].endswith(told(counts))
    after = result.log.rpartition(lines[-1])[2]
    assert not [line for line in after.splitlines() if line.startswith(("INFO Row", "WARNING Row"))]
    # Every bad row is in the file, once, under its own number.
    path = folder / "task.csv"
    found = entries(path) if path.exists() else []
    assert len({entry["source_row"] for entry in found}) == len(found)
    assert {outcome: sum(entry["outcome"] == outcome for entry in found) for outcome in BAD} == {
        outcome: counts[outcome] for outcome in BAD
    }
    for entry in found:
        assert entry["email"] == PEOPLE[int(entry["source_row"]) - 1]["email"]
    assert (result.xcom("rejects", "task") == str(path)) is bool(found)
    assert "@example.com" not in result.log
    return counts


def entries(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [*csv.DictReader(stream)]


def told(counts: dict[str, int]) -> str:
    return ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items() if value or name == "read")


def test_success(runner: Any, make: Make, tmp_path: Path) -> None:
    source = Watched()
    result = runner.run(make(source, max_rejected_ratio=0.1))
    assert result.state == "success", result.error
    counts = check(result, source, tmp_path)
    assert counts == {
        "read": 62,
        "accepted": 60,
        "duplicate": 1,
        "invalid": 1,
        "rejected": 0,
        "skipped": 0,
        "in_doubt": 0,
    }


@pytest.mark.parametrize(
    ("after", "times", "limit"), [(0, 1, 0.0), (3, 1, 1.0), (0, 2, 1.0), (3, 3, 1.0), (0, None, 1.0), (3, None, 0.1)]
)
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_the_service(
    runner: Any, account: Any, make: Make, tmp_path: Path, kind: str, after: int, times: int | None, limit: float
) -> None:
    how = {
        "status": {"status": 422},
        "html": {"status": 200},
        "slow": {"seconds": 0.01},
        "slow_bytes": {"seconds": 0.01},
        "wrong_type": {"becomes": "text"},
    }
    account.emulator.faults.add(
        kind,
        operation=make.operation,  # type: ignore[attr-defined]
        after=after,
        times=times,
        **how.get(kind, {}),
    )
    source = Watched()
    result = runner.run(make(source, max_rejected_ratio=limit))
    assert result.state in ("success", "failed", "up_for_retry")
    counts = check(result, source, tmp_path)
    if result.state == "success":
        assert counts["skipped"] == 0
        if any(counts[outcome] for outcome in BAD):
            assert "WARNING " in result.log
            assert "The thresholds allow that" in result.log


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 429, 500, 502, 503])
def test_answers_of_the_service(runner: Any, account: Any, make: Make, tmp_path: Path, status: int) -> None:
    account.emulator.faults.add("status", operation=make.operation, after=2, times=None, status=status)  # type: ignore[attr-defined]
    source = Watched()
    check(runner.run(make(source)), source, tmp_path)


@pytest.mark.parametrize("breaks_at", [0, 1, 9, 10, 25, 61])
def test_a_source_that_breaks(runner: Any, make: Make, tmp_path: Path, breaks_at: int) -> None:
    source = Watched(breaks_at)
    result = runner.run(make(source))
    assert (result.state, str(result.error)) == ("failed", "the warehouse is gone")
    assert check(result, source, tmp_path)["read"] == breaks_at


def interruptions() -> dict[str, Callable[[], None]]:
    from airflow.sdk import exceptions as sdk

    timeout = getattr(sdk, "AirflowTaskTimeout", None)
    if timeout is None:  # Airflow 3.1
        from airflow import exceptions as core

        timeout = core.AirflowTaskTimeout

    def raising(error: type[BaseException]) -> Callable[[], None]:
        def interrupt() -> None:
            raise error

        return interrupt

    return {
        "Ctrl-C": raising(KeyboardInterrupt),
        "execution timeout": raising(timeout),
        "exit": raising(SystemExit),
        "no memory": raising(MemoryError),
        "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    }


@pytest.fixture
def kept_signals() -> Iterator[None]:
    """Airflow's runner takes SIGTERM and does not give it back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("how", ["Ctrl-C", "execution timeout", "exit", "no memory", "SIGTERM"])
def test_interruptions(
    runner: Any,
    make: Make,
    tmp_path: Path,
    kept_signals: None,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    number: int,
    when: str,
) -> None:
    send, calls, interrupt = Client.send, 0, interruptions()[how]

    def interrupted(self: Any, call: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            interrupt()
        answer = send(self, call)
        if calls == number:
            interrupt()
        return answer

    monkeypatch.setattr(Client, "send", interrupted)
    runner.api.should_retry = True
    source = Watched()
    # One call at a time, so that it is known which one is interrupted.
    result = runner.run(make(source, concurrency=1))
    # Somebody who ends a process does not mean the task to be over.
    assert result.state == "up_for_retry"
    counts = check(result, source, tmp_path)
    if make.kind == "events":  # type: ignore[attr-defined]
        assert (counts["accepted"], counts["in_doubt"]) == (number - 1, 1)


def test_a_signal_while_rejects_are_written_does_not_stop_that(
    runner: Any, make: Make, tmp_path: Path, kept_signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_sendpulse.rows import RejectsFile

    replace = RejectsFile.replace

    def signalled(self: Any, *arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        replace(self, *arguments)

    monkeypatch.setattr(RejectsFile, "replace", signalled)
    source = Watched()
    result = runner.run(make(source, max_rejected_ratio=0.1))
    assert result.state == "success", result.error
    check(result, source, tmp_path)


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_ledger_that_fails(runner: Any, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    store, calls = type(runner.api)._store, 0

    def failing(self: Any, request: Any, key: str, body: Any) -> Any:
        nonlocal calls
        if request.method == "PUT":
            calls += 1
            self.broken_store = calls > after
        return store(self, request, key, body)

    monkeypatch.setattr(type(runner.api), "_store", failing)
    source = Watched()
    result = runner.run(make(source, max_rejected_ratio=0.1))
    if make.kind != "contacts":  # type: ignore[attr-defined]
        assert result.state == "failed"
    check(result, source, tmp_path)


@pytest.mark.skipif(not AIRFLOW_V_3_3_PLUS, reason="the task state store came with Airflow 3.3")
def test_a_retry_has_an_account_of_its_own(runner: Any, account: Any, make: Make, tmp_path: Path) -> None:
    account.emulator.faults.add("status", operation=make.operation, after=2, times=None, status=429, retry_after="3600")  # type: ignore[attr-defined]
    runner.api.should_retry = True
    source = Watched()
    operator = make(source, max_rejected_ratio=0.1)
    first = runner.run(operator)
    assert first.state == "up_for_retry", first.error
    check(first, source, tmp_path)
    account.emulator.faults.clear()
    second = runner.run(operator, try_number=2)
    assert second.xcom("counts", "task") is None
    counts = check(second, source, tmp_path)
    assert (counts["read"], counts["invalid"]) == (62, 1)
    assert all(entry["try_number"] == "2" for entry in entries(tmp_path / "task.csv"))
