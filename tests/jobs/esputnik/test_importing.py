# SPDX-License-Identifier: Apache-2.0
"""Imports against the emulator: whatever the rows are and however sessions end, every row is accounted for."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_tasks import ImportTask, contacts_of

from airflow_provider_sendpulse.esputnik.contact_data import Contact, Field
from airflow_provider_sendpulse.esputnik.import_sessions import DedupeOn, Mapped
from airflow_provider_sendpulse.jobs.esputnik.contact_ids import ContactIds
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping
from airflow_provider_sendpulse.jobs.esputnik.recognition import MappedValues, Recognition
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSessions
from airflow_provider_sendpulse.jobs.position import MemoryPosition

BAD_NAME = "12345"
BY_PHONE = ContactMapping(email="email", sms="phone", first_name="name")


EMAILS = st.sampled_from([f"{letter}@example.com" for letter in "abcdefgAB"] + ["nonsense", ""])
NAMES = st.sampled_from(["Ada", "Bob", "Єва", "", BAD_NAME])
ROWS = st.lists(st.fixed_dictionaries({"email": EMAILS, "name": NAMES}), max_size=14)
OUTCOMES = st.lists(st.sampled_from(["FINISHED", "FINISHED", "ERROR", "LOST", "REFUSED"]), max_size=6)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(ROWS, min_size=1, max_size=2),
    outcomes=OUTCOMES,
    batch_size=st.integers(1, 4),
    concurrency=st.integers(1, 3),
    order=st.sampled_from(["time", "reversed"]),
    collapse=st.booleans(),
    pause=st.booleans(),
)
def test_every_row_is_accounted_for(emulator, runs, outcomes, batch_size, concurrency, order, collapse, pause):
    emulator.reset()
    emulator.configure(
        esputnik_limits=False,
        esputnik_next_import_outcomes=[*outcomes],
        esputnik_import_order=order,
        esputnik_collapse=collapse,
        esputnik_import_reads=1,
        esputnik_repeat_seconds=None,
    )
    expected = {}
    for rows in runs:
        task = ImportTask(emulator, rows, batch_size=batch_size, concurrency=concurrency)
        with closing(task.client):
            for _ in range(len(outcomes) + 1):
                counts, bad, error = task.attempt(pause)
                if error is None:
                    break
                assert counts.read <= len(rows)
            assert error is None
        # The first row of a contact counts.
        first = {}
        for row in rows:
            if re.fullmatch(r"\w@example\.com", row["email"]):
                first.setdefault(row["email"].lower(), row["name"])
        refused = {email for email, name in first.items() if name == BAD_NAME}
        assert counts.read == len(rows)
        assert counts.duplicate == sum("@" in row["email"] for row in rows) - len(first)
        assert counts.invalid == sum("@" not in row["email"] for row in rows)
        assert counts.rejected == len(refused)
        assert counts.accepted + counts.skipped == len(first) - len(refused)
        assert {row.email.lower() for row in bad if row.outcome == "rejected"} == refused
        expected |= {email: name or None for email, name in first.items() if email not in refused}
        assert contacts_of(emulator) == expected


@pytest.mark.parametrize("dedupe_on", ["email_or_sms", "sms"])
def test_telephone_numbers_are_compared_by_their_digits(emulator, dedupe_on):
    emulator.configure(esputnik_limits=False)
    rows = [
        {"email": "a@example.com", "phone": "+38 (044) 000-00-01", "name": "Ada"},
        {"email": "b@example.com", "phone": "380440000001", "name": "Bob"},
        {"email": "c@example.com", "phone": "", "name": "Eve"},
    ]
    task = ImportTask(emulator, rows, BY_PHONE, dedupe_on)
    with closing(task.client):
        counts, bad, error = task.attempt()
    assert error is None
    without_number = dedupe_on == "sms"
    assert (counts.accepted, counts.duplicate, counts.invalid) == (2 - without_number, 1, without_number)
    assert [row.reason for row in bad] == ["no sms, by which contacts are told apart"] * without_number


class Answers:
    """Answers an import as told, and says that every session has finished."""

    def __init__(self, answer, mapping=()):
        self.answer, self.mapping = answer, [*mapping]

    def send(self, call):
        if call.method == "POST":
            return call.read(self.answer)
        return call.read({"status": "FINISHED", "mapping": self.mapping})


def imported(emulator, answer, mapping=(), emails=("a@example.com", "b@example.com", "c@example.com")):
    task = ImportTask(emulator, [{"email": email, "name": "Ada"} for email in emails])
    with closing(task.client):
        task.client, client = Answers(answer, mapping), task.client
        result = task.attempt()
        task.client = client
    return result


def test_a_refused_contact_is_found_by_whatever_is_left_of_it(emulator):
    failed = {"channels": {"type": "email", "value": "B@Example.com"}, "error": "b@example.com: Ada is nobody"}
    counts, [row], error = imported(emulator, {"asyncSessionId": "s", "failedContacts": failed})
    assert error is None
    assert (counts.accepted, counts.rejected, row.number) == (2, 1, 2)
    assert row.reason == "<value>: <value> is nobody"


def test_a_refused_contact_that_is_nobody_leaves_those_in_doubt_that_are_not_mapped(emulator):
    mapping = [{"dedupeValue": "A@example.com", "contactId": 1}, {"dedupeValue": "c@example.com", "contactId": "3"}]
    answer = {"asyncSessionId": "s", "failedContacts": {"error": "wrong"}}
    counts, [row], error = imported(emulator, answer, mapping)
    assert error is None
    assert (counts.accepted, counts.in_doubt, row.number) == (2, 1, 2)
    assert "does not say clearly which: wrong" in row.reason


def test_an_error_message_beside_a_session_is_a_failure(emulator):
    counts, _, error = imported(emulator, {"asyncSessionId": "s", "errorMessage": "Limit of contacts"})
    assert type(error).__name__ == "DeliveryFailed"
    assert "Limit of contacts" in str(error)
    assert (counts.accepted, counts.in_doubt) == (0, 3)


def test_no_session_and_not_all_refused(emulator):
    failed = [{"channels": [{"type": "email", "value": "a@example.com"}], "error": "wrong"}]
    counts, rows, error = imported(emulator, {"failedContacts": failed})
    assert error is None
    assert counts.rejected == 3
    assert [row.reason for row in rows] == [
        "wrong",
        *["eSputnik began no import session, and does not say why"] * 2,
    ]


def test_another_account_s_sessions_are_not_waited_for():
    store = MemoryPosition()
    ended = [{"id": "s", "after": 0, "rows": 2}]
    store.write({"account": "another", "ended": ended, "open": [], "unanswered": []})
    assert StartedSessions(store, "account").ids == []
    assert StartedSessions(store, "another").ids == ["s"]


def test_ids_show_in_records_only():
    with closing(ContactIds()) as ids:
        assert len(ids) == 0
        assert [*ids.records()] == []


def test_a_session_that_says_nothing_of_anybody(emulator, caplog):
    counts, _, error = imported(emulator, {"asyncSessionId": "s"}, [{"dedupeValue": "", "contactId": 1}])
    assert error is None
    assert counts.accepted == 3
    assert "says nothing of its 3 contacts: they count as accepted" in caplog.text
    assert "skipped" not in caplog.text


def test_who_is_left_out_is_not_known_by_somebody_else_s_field():
    recognition = Recognition(DedupeOn.EXTERNAL_CUSTOMER_ID)
    values = MappedValues([Mapped("1", 500), Mapped("2", 501)], recognition)
    assert not values.has(Contact.reached(email="a@example.com", external_customer_id="7", fields=(Field(7201, 1),)))
    assert values.has(Contact.reached(email="a@example.com", external_customer_id="2"))
    by_number = MappedValues([Mapped("380440000001", 500)], Recognition(DedupeOn.EMAIL_OR_SMS))
    assert by_number.has(Contact.reached(email="a@example.com", sms="0038 044 000-00-01"))
    assert not by_number.has(Contact.reached(email="a@example.com", sms="+380440000002"))
