# SPDX-License-Identifier: Apache-2.0
"""Every documented status of an address book, in every mode of the sensor, with one outcome."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_sendpulse import sendpulse as sp
from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
from airflow_provider_sendpulse.sensors.address_books import SendPulseAddressBookUnlockedSensor

# Written by hand from the documentation of statuses.
OUTCOMES = {
    0: "success",
    1: "AddressBookUnusable",
    3: "NeedsHuman",
    4: "waits",
    5: "waits",
    77: "waits",
}
MODES = ("poke", "reschedule", "deferred")
pytestmark = pytest.mark.usefixtures("connect")


def sensor(dag: Any, mode: str, **arguments: Any) -> SendPulseAddressBookUnlockedSensor:
    deferrable = mode == "deferred"
    return SendPulseAddressBookUnlockedSensor(
        task_id="wait",
        dag=dag,
        mode="poke" if deferrable else mode,
        deferrable=deferrable,
        **{"poke_interval": 0.001, **arguments},
    )


@pytest.fixture
def locked(account: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return how to make a book that shows some statuses in turn, one at each read."""

    def make(*codes: int) -> int:
        book_id = account.book()
        book = account.emulator.state.books.find(book_id)
        left = [*codes]
        book.forced_status = left.pop(0)
        note_read = account.emulator.state.note_book_read

        def read(seen: Any) -> None:
            note_read(seen)
            if reads and left:
                seen.forced_status = left.pop(0)
            reads.append(seen.forced_status)

        reads: list[int | None] = []
        monkeypatch.setattr(account.emulator.emulator.state, "note_book_read", read)
        return book_id

    return make


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", OUTCOMES)
def test_first_look(runner: Any, dag: Any, locked: Any, code: int, mode: str, soft_fail: bool) -> None:
    result = runner.run(sensor(dag, mode, address_book_id=locked(code, 0), soft_fail=soft_fail))
    _check(result, OUTCOMES[code], code, soft_fail=soft_fail)
    assert len(result.legs) == (2 if OUTCOMES[code] == "waits" and mode != "poke" else 1)


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", [1, 3])
def test_end_after_waiting(runner: Any, dag: Any, locked: Any, code: int, mode: str, soft_fail: bool) -> None:
    result = runner.run(sensor(dag, mode, address_book_id=locked(4, code), soft_fail=soft_fail))
    _check(result, OUTCOMES[code], code, soft_fail=soft_fail)
    assert len(result.legs) == (1 if mode == "poke" else 2)


def _check(result: Any, outcome: str, code: int, *, soft_fail: bool) -> None:
    if outcome in ("waits", "success"):
        assert result.state == "success", result.error
        assert result.value["status"] == 0
        return
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == outcome
        assert f"is at status {code}" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_expected_contacts(runner: Any, dag: Any, account: Any, mode: str) -> None:
    book_id = account.book(emails=["ada@example.com"])
    expected = sensor(dag, mode, address_book_id=str(book_id), expected_contacts="{{ 2 }}", timeout=0)
    result = runner.run(expected)
    assert type(result.error).__name__ == "AirflowSensorTimeout"
    assert "een last: status 0 (1 of 2 contacts are there)" in str(result.error)
    account._command("add_book", {"name": "Another", "emails": ["ada@example.com", "bob@example.com"]})
    expected.address_book_id = book_id + 1
    assert runner.run(expected).value["status"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_contacts_that_come_later(runner: Any, dag: Any, account: Any, mode: str) -> None:
    from airflow_provider_sendpulse import sendpulse as sp
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.sendpulse.contacts import NewContact

    account.emulator.configure(contacts_visible_late=True, book_load_reads=2)
    book_id = account.book(emails=[])
    with SendPulseHook() as hook:
        hook.send(sp.contacts.add(book_id, [NewContact("ada@example.com", None, {})]))
    result = runner.run(sensor(dag, mode, address_book_id=book_id, expected_contacts=1))
    assert result.state == "success", result.error
    if mode != "reschedule":
        assert [code for code, _ in result.value["history"]] == [4, 0]


@pytest.mark.parametrize("mode", MODES)
def test_missing_book(runner: Any, dag: Any, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, address_book_id=42))
    assert result.state == "failed"
    assert "error_code 213" in str(result.error)
    assert "may have been deleted" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_empty_id(runner: Any, dag: Any, upstream: Any, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, address_book_id=upstream("make", None)))
    assert result.state == "failed"
    assert "address_book_id is empty" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_passing_error_is_tolerated(runner: Any, dag: Any, account: Any, locked: Any, quick: Any, mode: str) -> None:
    book_id = locked(4, 0)
    account.emulator.faults.add("html", operation="address_books.read", after=1, times=5)
    result = runner.run(sensor(dag, mode, address_book_id=book_id))
    assert result.state == "success", result.error
    assert "Looking again" in result.log


@pytest.mark.parametrize("mode", MODES)
def test_rejected_credentials_end_it_at_once(runner: Any, dag: Any, account: Any, connect: Any, mode: str) -> None:
    connect(password="wrong")
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, address_book_id=account.book()))
    assert result.legs == ["failed"]
    assert type(result.error).__name__ == "AuthenticationFailed"


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
def test_timeout(runner: Any, dag: Any, locked: Any, mode: str, soft_fail: bool) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, address_book_id=locked(5), timeout=0, soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")


@pytest.mark.parametrize("mode", MODES)
def test_mapped(runner: Any, dag: Any, account: Any, upstream: Any, mode: str) -> None:
    ids = [account.book("One"), account.book("Two")]
    account.set_book_status(ids[1], 3)
    mapped = SendPulseAddressBookUnlockedSensor.partial(
        task_id="wait",
        dag=dag,
        mode="reschedule" if mode == "reschedule" else "poke",
        deferrable=mode == "deferred",
    ).expand(address_book_id=upstream("books", ids))
    assert runner.run(mapped, map_index=0).value["status"] == 0
    assert type(runner.run(mapped, map_index=1).error).__name__ == "NeedsHuman"


@pytest.mark.parametrize("deferrable", [False, True])
def test_lock_that_begins_late_is_not_taken_for_none(runner: Any, dag: Any, account: Any, deferrable: bool) -> None:
    account.emulator.configure(book_locked_late_reads=2, contacts_visible_late=True)
    book_id = account.book("Readers", emails=[])
    with SendPulseHook() as hook:
        hook.send(sp.contacts.add(book_id, [sp.contacts.NewContact("ada@example.com")]))
    wait = SendPulseAddressBookUnlockedSensor(
        task_id="wait", dag=dag, address_book_id=book_id, expected_contacts=1, deferrable=deferrable, poke_interval=0.01
    )
    result = runner.run(wait)
    assert result.state == "success", result.error
    assert [code for code, _ in result.value["history"]] == [0, 4, 0]
