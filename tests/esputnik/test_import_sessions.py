# SPDX-License-Identifier: Apache-2.0
"""Many contacts at once, against the emulator."""

from __future__ import annotations

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.statuses import StatusClass
from airflow_provider_sendpulse.esputnik.contacts import Contact, Field
from airflow_provider_sendpulse.esputnik.import_sessions import DedupeOn
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused

ADA, GRACE = Contact.reached(email="ada@example.com", first_name="Ada"), Contact.reached(email="grace@example.com")


def start(*contacts, **options):
    return es.import_sessions.start(contacts, **{"dedupe_on": "email", "contact_fields": ["email", "firstName"], **options})


def finished(client, session_id):
    while (
        session := client.send(es.import_sessions.read(session_id))
    ).known_status.status_class is StatusClass.IN_PROGRESS:
        pass
    return session


@pytest.mark.parametrize("collapse", [True, False])
def test_an_import(either, emulator, remembered, collapse):
    emulator.configure(esputnik_collapse=collapse, esputnik_collapse_mapping=collapse)
    call = start(ADA, GRACE, group_names=["Readers"], event_key_for_new_contacts="fromShop")
    assert call.reaches_people
    started = either.send(call)
    assert (started.failed, started.error_message) == ((), "")
    session = finished(either, started.session_id)
    assert session.status == "FINISHED"
    assert session.timestamp
    assert [item.dedupe_value for item in session.mapping] == ["ada@example.com", "grace@example.com"]
    account = remembered()
    assert account["segments"][0]["contacts"] == [item.contact_id for item in session.mapping]
    assert [event["eventTypeKey"] for event in account["events"]] == ["fromShop", "fromShop"]


def test_a_mapping_of_one(either, emulator):
    emulator.configure(esputnik_collapse_mapping=True)
    [mapped] = finished(either, either.send(start(ADA)).session_id).mapping
    assert isinstance(mapped.contact_id, int)
    assert "ada@" not in repr(mapped)


def test_nothing_but_what_is_named_is_written(either, remembered):
    finished(either, either.send(start(ADA)).session_id)
    changed = Contact.reached(email="ada@example.com", first_name="Augusta", fields=(Field(30002, 7), Field(30004, "x")))
    finished(either, either.send(start(changed, contact_fields=["email"], custom_field_ids=[30002])).session_id)
    [contact] = remembered()["contacts"]
    assert contact["firstName"] == "Ada"
    assert contact["fields"] == [{"id": 30002, "value": "7"}]


@pytest.mark.parametrize("collapse", [True, False])
def test_contacts_that_are_refused_at_once(either, emulator, collapse):
    emulator.configure(esputnik_collapse=collapse)
    started = either.send(start(ADA, Contact.reached(email="nonsense"), Contact(first_name="Nobody")))
    assert [failed.contact.email for failed in started.failed] == ["nonsense", None]
    assert all(failed.error for failed in started.failed)
    assert "nonsense" not in repr(started)
    assert [item.dedupe_value for item in finished(either, started.session_id).mapping] == ["ada@example.com"]
    [one] = either.send(start(GRACE, Contact.reached(email="nonsense"))).failed
    assert one.contact.email == "nonsense"


def test_a_session_in_error(either, emulator):
    emulator.configure(esputnik_next_import_outcomes=["ERROR"])
    session = finished(either, either.send(start(ADA)).session_id)
    assert session.known_status.status_class is StatusClass.FAILURE
    assert session.mapping == ()


def test_an_import_that_is_refused_as_a_whole_with_200(either, emulator):
    emulator.configure(esputnik_next_import_outcomes=["REFUSED"])
    with pytest.raises(Refused) as caught:
        either.send(start(ADA))
    assert caught.value.status == 200
    assert caught.value.service_message


def test_an_import_whose_answer_is_lost_is_not_repeated(either, emulator, remembered):
    emulator.faults.add("lose_answer", operation="esputnik.contacts.import", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(start(ADA))
    assert len(remembered()["imports"]) == 1


def test_a_session_that_is_not_known(either):
    with pytest.raises(Refused) as caught:
        either.send(es.import_sessions.read("no-such-session"))
    assert caught.value.status == 404


def test_what_is_sent(client, emulator):
    client.send(
        start(
            Contact.reached(email="ada@example.com", id=7),
            dedupe_on=DedupeOn.FIELD_ID,
            field_id=30004,
            contact_fields=(),
            custom_field_ids=(30004,),
            group_names_exclude=("Old",),
            restore_deleted=True,
        )
    )
    [body] = [record.body for record in emulator.requests.records("esputnik.contacts.import")]
    assert body == {
        "contacts": [{"channels": [{"type": "email", "value": "ada@example.com"}], "id": 7}],
        "dedupeOn": "fieldId",
        "fieldId": 30004,
        "contactFields": [],
        "customFieldsIDs": [30004],
        "groupNamesExclude": ["Old"],
        "restoreDeleted": True,
    }


def test_as_many_as_fit(client):
    contacts = [Contact.reached(email=f"reader{number}@example.com") for number in range(3001)]
    assert client.send(start(*contacts[:3000])).session_id
    for wrong in ([], contacts):
        with pytest.raises(InvalidRequest, match="1 to 3000 contacts"):
            start(*wrong)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"dedupe_on": "e-mail"}, "dedupe_on"),
        ({"dedupe_on": "fieldId"}, "field_id"),
        ({"field_id": 7}, "field_id"),
        ({"contact_fields": ["first_name"]}, "first_name"),
        ({"event_key_for_new_contacts": "from shop?"}, "event type key"),
        ({"event_key_for_new_contacts": "x" * 101}, "101 characters"),
        ({"event_key_for_new_contacts": ""}, "empty"),
    ],
)
def test_what_the_service_would_refuse_or_ignore_is_not_sent(options, named):
    with pytest.raises(InvalidRequest, match=named):
        start(ADA, **options)


def test_an_answer_without_session_and_failures_is_none():
    with pytest.raises(LookupError):
        start(ADA).read({"id": 0})
    assert start(ADA).read({"failedContacts": {"error": "x", "channels": ""}}).session_id is None


def test_what_is_said_of_an_import_that_was_taken_shows_nobody():
    call = start(Contact.reached(email="ada@example.com", first_name="Августа", external_customer_id="c-17"))
    started = call.read({"asyncSessionId": "s-1", "errorMessage": "Skipped Августа, c-17, ada@example.com, +380671234567"})
    assert started.error_message == "Skipped <value>, <value>, <value>, <number>"
