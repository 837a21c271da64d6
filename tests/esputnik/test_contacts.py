# SPDX-License-Identifier: Apache-2.0
"""Single contacts, against the emulator."""

from __future__ import annotations

from functools import partial

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Repeat
from airflow_provider_sendpulse.esputnik.contacts import Address, Channel, Contact, Field
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused

ADA = Contact.reached(
    email=" ada@example.com ",
    sms="380501112233",
    first_name="Ада",
    last_name="Лавлейс",
    address=Address(region="Kyiv", town="Київ", address="Хрещатик 1", postcode="01001"),
    fields=(Field(30002, 5), Field(30004, None)),
    external_customer_id="a-1",
    language_code="uk",
    time_zone="Europe/Kyiv",
)


def test_upsert_and_read(either):
    contact_id = either.send(es.contacts.upsert(ADA))
    found = either.send(es.contacts.read(contact_id))
    assert (found.id, found.email, found.sms) == (contact_id, "ada@example.com", "380501112233")
    assert (found.first_name, found.last_name, found.external_customer_id) == ("Ада", "Лавлейс", "a-1")
    assert found.address == ADA.address
    assert found.fields == (Field(30002, "5"),)
    assert either.send(es.contacts.upsert(Contact.reached(email="ada@example.com", first_name="Ada"))) == contact_id


def test_a_repeat_within_a_minute_counts_as_done(either, emulator):
    assert either.send(es.contacts.upsert(ADA)) is not None
    assert either.send(es.contacts.upsert(ADA)) is None
    emulator.advance(61)
    assert either.send(es.contacts.upsert(ADA)) is not None


def test_a_lost_answer_to_an_upsert_is_no_failure(either, emulator, remembered):
    emulator.faults.add("lose_answer", operation="esputnik.contacts.upsert", times=1)
    assert either.send(es.contacts.upsert(ADA)) is None
    assert len(remembered()["contacts"]) == 1


def test_update(either, ada, emulator):
    assert either.send(es.contacts.update(ada, Contact.reached(email="ada@example.com", first_name="Augusta"))) is None
    assert either.send(es.contacts.read(ada)).first_name == "Augusta"
    assert either.send(es.contacts.update(ada, Contact.reached(email="ada@example.com", first_name="Augusta"))) is None
    with pytest.raises(Refused) as caught:
        either.send(es.contacts.update(1, Contact.reached(email="ada@example.com")))
    assert caught.value.status == 404


def test_update_sends_the_contact_itself_and_no_id(emulator, client, ada):
    client.send(es.contacts.update(ada, Contact.reached(email="ada@example.com", first_name="Augusta", id=7)))
    [body] = [record.body for record in emulator.requests.records("esputnik.contacts.update")]
    assert body == {"channels": [{"type": "email", "value": "ada@example.com"}], "firstName": "Augusta"}


def test_subscribe(either, remembered):
    contact = Contact.reached(email="grace@example.com")
    call = es.contacts.subscribe(contact, groups=["Readers"], subscriptions=["news"], form_type="abc")
    assert call.reaches_people
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    subscribed = either.send(call)
    assert (subscribed.is_new, subscribed.email_status, subscribed.is_repeat) == (True, "NEED_CONFIRMATION", False)
    account = remembered()
    assert [(event["eventTypeKey"], event["keyValue"]) for event in account["events"]] == [
        ("subscribeFromApi-abc", str(subscribed.id))
    ]
    assert [(segment["name"], segment["contacts"]) for segment in account["segments"]] == [("Readers", [subscribed.id])]
    assert not account["contacts"][0]["confirmed"]
    assert either.send(call).is_repeat


def test_subscribe_with_an_id_only(either, emulator):
    emulator.configure(esputnik_subscribe_answer="id")
    subscribed = either.send(es.contacts.subscribe(Contact.reached(sms="380501112233")))
    assert subscribed.id
    assert (subscribed.email_status, subscribed.is_new) == (None, None)


def test_a_subscription_whose_outcome_is_not_known_is_not_repeated(either, emulator, remembered):
    emulator.faults.add("lose_answer", operation="esputnik.contacts.subscribe", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(es.contacts.subscribe(Contact.reached(email="grace@example.com")))
    assert len(remembered()["events"]) == 1


@pytest.mark.parametrize("call", [es.contacts.subscribe, es.contacts.upsert, partial(es.contacts.update, 7)])
def test_a_contact_without_channels_is_refused(call):
    with pytest.raises(InvalidRequest, match="needs an email"):
        call(Contact.reached(email="  ", first_name="Ada"))


@pytest.mark.parametrize("wrong", ["a/b", "what?", "it's", ""])
def test_a_form_type_is_a_part_of_a_key(wrong):
    with pytest.raises(InvalidRequest, match="form type"):
        es.contacts.subscribe(ADA, form_type=wrong)


@pytest.mark.parametrize(
    "by",
    [{"email": "ada@example.com"}, {"external_customer_id": "a-1"}, {"sms": "380501112233"}, {"last_name": "Лавлейс"}],
)
def test_search(either, by):
    contact_id = either.send(es.contacts.upsert(ADA))
    either.send(es.contacts.upsert(Contact.reached(email="grace@example.com")))
    assert [found.id for found in either.pages(es.contacts.search(**by))] == [contact_id]


def test_search_for_nothing_finds_nobody(either):
    assert list(either.pages(es.contacts.search(email="nobody@example.com"))) == []


def test_everybody_by_pages_whatever_the_header_says(either, emulator, imported):
    emulator.configure(esputnik_total_count="wrong")
    _, ids = imported(*[f"reader{number}@example.com" for number in range(5)])
    assert [found.id for found in either.pages(es.contacts.search(limit=2))] == ids
    queries = [record.query for record in emulator.requests.records("esputnik.contacts.search")]
    assert queries == [f"sortBy=contactId&maxrows=2&startindex={start}" for start in (1, 3, 5)]


@pytest.mark.parametrize("by", [{"external_customer_id": "a", "email": "b"}, {"email": ""}, {"sms": " "}])
def test_a_search_that_would_find_others_is_refused(by):
    with pytest.raises(InvalidRequest):
        es.contacts.search(**by)


@pytest.mark.parametrize("collapse", [True, False])
def test_emails(either, emulator, imported, collapse):
    emulator.configure(esputnik_collapse=collapse)
    _, ids = imported("ada@example.com", "grace@example.com")
    assert [found.email for found in either.send(es.contacts.emails(ids))] == ["ada@example.com", "grace@example.com"]
    [one] = either.send(es.contacts.emails(ids[:1]))
    assert (one.contact_id, one.email) == (ids[0], "ada@example.com")


def test_delete(either, ada, remembered):
    assert either.send(es.contacts.delete(ada)) is None
    assert [contact["deleted"] for contact in remembered()["contacts"]] == [True]
    with pytest.raises(Refused):
        either.send(es.contacts.delete(ada))


def test_erase(either, ada, remembered):
    assert either.send(es.contacts.delete_by_external_id("a-1", erase=True)) is None
    assert remembered()["contacts"] == []


def test_a_lost_answer_to_a_deletion_is_no_failure(either, emulator, ada, remembered):
    emulator.faults.add("lose_answer", operation="esputnik.contacts.delete", times=1)
    assert either.send(es.contacts.delete(ada)) is None


def test_an_empty_external_id_deletes_nobody():
    with pytest.raises(InvalidRequest):
        es.contacts.delete_by_external_id(" ")


def test_nothing_personal_shows():
    shown = repr([ADA, es.contacts.upsert(ADA), es.contacts.subscribe(ADA), es.contacts.search(email="ada@example.com")])
    for secret in ("ada@", "Ада", "Лавлейс", "a-1", "Хрещатик", "380501112233"):
        assert secret not in shown


def test_a_refusal_that_repeats_the_contact_does_not_show_it(either, emulator):
    words = "Contact Ада Лавлейс ada@example.com 380501112233 of Хрещатик 1 is wrong"
    emulator.faults.add("status", operation="esputnik.contacts.upsert", status=400, message=words)
    with pytest.raises(Refused) as caught:
        either.send(es.contacts.upsert(ADA))
    assert caught.value.service_message == "Contact <value> <value> <value> <value> of <value> is wrong"


def test_channels_go_out_as_they_came_in(either):
    device, subscription = {"os": "ios"}, {"endpoint": "https://push.example.com/1", "keys": {"auth": "secret"}}
    channels = (Channel("mobilepush", "token", device), Channel("webpush", "other", None, subscription))
    contact_id = either.send(es.contacts.upsert(Contact(channels=channels)))
    found = either.send(es.contacts.read(contact_id))
    assert found.channels == channels
    assert {"token", "ios", "https://push.example.com/1", "secret"} <= {*found.private}
    assert "push.example.com" not in repr(found)


def test_channels_of_other_kinds(either):
    contact_id = either.send(es.contacts.upsert(Contact(channels=(Channel("viber", "380501112233"),))))
    assert either.send(es.contacts.read(contact_id)).value_of("viber") == "380501112233"
