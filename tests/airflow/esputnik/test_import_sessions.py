# SPDX-License-Identifier: Apache-2.0
"""What becomes of an import session, and how many are under way at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from contact_imports import IMPORT, STATUS, counts, load, readers

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect_esputnik", "jumping_clock")


def test_in_error(runner: Any, there: Any, sent: Any, emulator: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "ERROR"])
    operator = load(readers(5), batch_size=2, concurrency=1)
    result = runner.run(operator)
    assert result.state == "up_for_retry" or result.state == "failed"
    assert "Rows 3 to 4: Import session" in str(result.error)
    assert "“Import failed”" in str(result.error)
    assert "does no harm" in str(result.error)
    # The last row was not read: nothing more is sent after a failure but what was read already.
    assert result.xcom("counts", "load")["in_doubt"] == 2
    assert result.xcom("counts", "load")["accepted"] == 2
    assert len(there()) == 2
    again = runner.run(operator, try_number=2)
    assert again.state == "success", again.error
    assert len(there()) == 5
    if AIRFLOW_V_3_3_PLUS:
        assert again.value == counts(read=5, skipped=2, accepted=3)
        assert [len(body["contacts"]) for body in sent()] == [2, 2, 2, 1]


@pytest.mark.parametrize("outcome", ["ERROR", "LOST"])
@pytest.mark.parametrize("deferrable", [True, False])
def test_that_a_repeat_does_no_harm_is_said_once(runner: Any, emulator: Any, outcome: str, deferrable: bool) -> None:
    emulator.configure(esputnik_next_import_outcomes=[outcome])
    said = str(runner.run(load(deferrable=deferrable, poll_interval=0.5 if deferrable else 10)).error)
    assert said.count("does no harm") == 1
    assert said.endswith(". Another try imports these rows again.")


@pytest.mark.parametrize("answer", ["not_found", "error", "empty"])
def test_lost(runner: Any, emulator: Any, there: Any, answer: str) -> None:
    emulator.configure(esputnik_next_import_outcomes=["LOST"], esputnik_unknown_session=answer)
    operator = load()
    result = runner.run(operator)
    assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)
    assert "Another try imports these rows again." in str(result.error)
    assert runner.run(operator, try_number=2).value == counts(read=3, accepted=3)
    assert len(there()) == 3


def test_overdue(runner: Any, emulator: Any, sent: Any, there: Any) -> None:
    emulator.configure(esputnik_import_reads=1000)
    operator = load(timeout=60)
    result = runner.run(operator)
    assert type(result.error).__name__ == "DeadlinePassed"
    assert "seen last: status STARTED (Queued)" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)
    if not AIRFLOW_V_3_3_PLUS:
        return
    second = runner.run(operator, try_number=2)
    assert type(second.error).__name__ == "DeadlinePassed"
    assert len(sent()) == 1
    emulator.configure(esputnik_import_reads=1)
    third = runner.run(operator, try_number=3)
    assert third.value == counts(read=3, accepted=3)
    assert len(sent()) == 2
    assert len(there()) == 3


def test_refused_with_200(runner: Any, emulator: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["REFUSED"])
    result = runner.run(load())
    assert type(result.error).__name__ == "DeliveryFailed"
    assert "Rows 1 to 3" in str(result.error)
    assert "Contacts cannot be imported now" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=3, skipped=3)
    assert result.xcom("sessions", "load") == []


def test_other_batches_are_settled_when_one_is_refused(runner: Any, emulator: Any) -> None:
    emulator.configure(esputnik_next_import_outcomes=["FINISHED", "REFUSED", "FINISHED"])
    result = runner.run(load(readers(9), batch_size=3, mapping={"email": "email"}))
    assert "Rows 4 to 6" in str(result.error)
    assert result.xcom("counts", "load") == counts(read=6, accepted=3, skipped=3)


def test_a_repeat_within_a_minute(runner: Any, emulator: Any, jumping_clock: Any, there: Any) -> None:
    emulator.faults.add("status", operation=IMPORT, status=409, times=1)
    result = runner.run(load(event_key_for_new_contacts="fromShop", settle_window=timedelta(minutes=5)))
    assert result.value == counts(read=3, accepted=3)
    assert max(jumping_clock) == pytest.approx(300, abs=5)


def test_a_lost_answer(runner: Any, emulator: Any, there: Any, sent: Any) -> None:
    emulator.faults.add("lose_answer", operation=IMPORT, times=1)
    result = runner.run(load())
    assert result.value == counts(read=3, accepted=3)
    assert len(sent()) == 2
    assert len(there()) == 3


def test_no_answer_at_all(runner: Any, emulator: Any, there: Any) -> None:
    emulator.faults.add("drop", operation=IMPORT, times=None)
    result = runner.run(load())
    assert type(result.error).__name__ == "ServiceUnavailable"
    assert "Rows 1 to 3" in str(result.error)
    assert "That was the second time. Another try imports these rows again." in str(result.error)
    assert result.xcom("counts", "load") == counts(read=3, in_doubt=3)
    assert len(emulator.requests.records(IMPORT)) == 2


def test_what_certainly_did_not_arrive_is_in_no_doubt(runner: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=IMPORT, status=429, times=None)
    result = runner.run(load())
    assert type(result.error).__name__ == "Throttled"
    assert result.xcom("counts", "load") == counts(read=3, skipped=3)


def test_looks_that_fail_in_passing(runner: Any, emulator: Any) -> None:
    emulator.faults.add("status", operation=STATUS, status=500, times=12)
    assert runner.run(load()).value == counts(read=3, accepted=3)


def test_contacts_that_were_deleted(runner: Any, emulator: Any, there: Any) -> None:
    runner.run(load())
    with emulator.emulator.lock:
        for contact in emulator.state.esputnik.contacts:
            if contact.email == "bob@example.com":
                contact.is_deleted = True
    for deferrable in (False, True):
        result = runner.run(load(deferrable=deferrable, poll_interval=0.5 if deferrable else 10))
        assert result.value == counts(read=3, accepted=2, skipped=1)
    result = runner.run(load())
    assert "tells the ids of 2 of its 3 contacts" in result.log
    assert "restore_deleted=True" in result.log
    again = runner.run(load(restore_deleted=True))
    assert again.value == counts(read=3, accepted=3)
    assert "tells the ids" not in again.log


TWELVE = [{"email": f"r{n}@example.com", "phone": f"+38044000{n:04}", "id": f"c-{n}"} for n in range(12)]


@pytest.mark.parametrize(
    ("options", "mapping", "at_once"),
    [
        ({}, {"email": "email"}, 4),
        ({"dedupe_on": "sms"}, {"email": "email", "sms": "phone"}, 4),
        ({"dedupe_on": "externalCustomerId"}, {"email": "email", "external_customer_id": "id"}, 4),
        ({"dedupe_on": "email_or_sms"}, {"email": "email", "sms": "phone"}, 1),
        ({}, {"email": "email", "external_customer_id": "id"}, 1),
        ({"concurrency": 2}, {"email": "email"}, 2),
    ],
)
def test_sessions_at_a_time(runner: Any, emulator: Any, options: Any, mapping: Any, at_once: int) -> None:
    emulator.configure(esputnik_import_order="reversed")
    result = runner.run(load(TWELVE, mapping=mapping, batch_size=2, **options))
    assert result.value == counts(read=12, accepted=12), result.error
    operations = [record.operation for record in emulator.requests.records() if record.operation in (IMPORT, STATUS)]
    assert operations.index(STATUS) == at_once
    assert ("external id wins" in result.log) == ("id" in mapping.values() and "dedupe_on" not in options)
    assert ("One import session at a time" in result.log) == (at_once == 1)


def test_the_first_one_makes_the_segments(runner: Any, emulator: Any) -> None:
    result = runner.run(load(TWELVE, mapping={"email": "email"}, batch_size=2, group_names=["Readers"]))
    assert result.value == counts(read=12, accepted=12)
    operations = [record.operation for record in emulator.requests.records() if record.operation in (IMPORT, STATUS)]
    assert operations[:2] == [IMPORT, STATUS]


def test_an_additional_field_tells_contacts_apart(runner: Any, emulator: Any) -> None:
    rows = [{"email": f"r{n}@example.com", "card": f"card {n % 2}"} for n in range(4)] + [{"email": "x@example.com"}]
    rows[-1]["card"] = None
    options = {"dedupe_on": "fieldId", "field_id": "30004", "max_rejected_ratio": 0.5}
    result = runner.run(load(rows, mapping={"email": "email", "fields": {30004: "card"}}, **options))
    assert result.value == counts(read=5, accepted=2, duplicate=2, invalid=1), result.error
    assert "no value of the additional field 30004" in result.log
