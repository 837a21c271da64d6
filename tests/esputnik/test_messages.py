# SPDX-License-Identifier: Apache-2.0
"""Messages to single recipients, against the emulator."""

from __future__ import annotations

import json

import pytest

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.call import Repeat
from airflow_provider_sendpulse.esputnik.messages import Recipient
from airflow_provider_sendpulse.esputnik.statuses import MessageStatus, Outcome
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, InvalidRequest, Refused

ADA = Recipient("ada@example.com", parameters={"name": "Ада", "sum": 5})
SHOP = '"Shop" <shop@example.com>'


def email(*emails, **options):
    return es.messages.email([*emails], **{"sender": SHOP, "subject": "Hello", "html_text": "<p>Hi</p>", **options})


@pytest.mark.parametrize("collapse", [True, False])
def test_smartsend(either, emulator, letter, collapse):
    emulator.configure(esputnik_collapse=collapse, bounce_share=0)
    call = es.messages.smartsend(letter, [ADA, Recipient("nonsense")], from_name="Shop")
    assert call.reaches_people
    assert call.repeat is Repeat.IF_NOT_EXECUTED
    good, bad = either.send(call)
    assert (good.locator, good.is_accepted, good.message) == ("ada@example.com", True, "")
    assert (bad.locator, bad.is_accepted, bad.request_id) == ("nonsense", False, None)
    assert bad.message
    assert "ada@" not in repr(good)
    [alone] = either.send(es.messages.smartsend(letter, [Recipient("grace@example.com")]))
    assert alone.is_accepted
    assert [message["to"] for message in emulator.inbox()] == ["ada@example.com", "grace@example.com"]


def test_a_recipient_by_id(either, letter, ada, emulator):
    emulator.configure(bounce_share=0)
    for recipient in (Recipient(contact_id=ada), Recipient(external_customer_id="a-1")):
        [sent] = either.send(es.messages.smartsend(letter, [recipient]))
        assert sent.is_accepted
    assert [message["to"] for message in emulator.inbox()] == ["ada@example.com"] * 2


def test_parameters_are_json_as_text():
    body = Recipient("ada@example.com", parameters=ADA.parameters, external_request_id="r-1", language_code="uk").body()
    assert json.loads(body["jsonParam"]) == {"name": "Ада", "sum": 5}
    assert (body["externalRequestId"], body["languageCode"]) == ("r-1", "uk")


@pytest.mark.parametrize(
    "recipient",
    [Recipient(), Recipient(" "), Recipient("a@example.com", contact_id=7), Recipient("a", parameters={"x": ...})],
)
def test_a_recipient_that_cannot_be_meant(recipient):
    with pytest.raises(InvalidRequest):
        es.messages.smartsend(1, [recipient])


@pytest.mark.parametrize("count", [0, 1001])
def test_as_many_as_fit(count):
    with pytest.raises(InvalidRequest, match="1 to 1000"):
        es.messages.smartsend(1, [ADA] * count)


def test_a_message_that_is_not_there(either):
    with pytest.raises(Refused) as caught:
        either.send(es.messages.smartsend(1, [ADA]))
    assert caught.value.status == 404


def test_a_message_whose_outcome_is_not_known_is_not_repeated(either, emulator, letter):
    emulator.configure(bounce_share=0)
    emulator.faults.add("lose_answer", operation="esputnik.messages.smartsend", times=1)
    with pytest.raises(AmbiguousOutcome):
        either.send(es.messages.smartsend(letter, [ADA]))
    assert len(emulator.inbox()) == 1


def test_email(either, emulator):
    emulator.configure(bounce_share=0)
    call = email("ada@example.com", "grace@example.com", tags=["spring"], plain_text="Hi", track_urls=False)
    assert call.reaches_people
    assert [sent.is_accepted for sent in either.send(call)] == [True, True]
    [body] = [record.body for record in emulator.requests.records("esputnik.messages.send_email")]
    assert body == {
        "emails": ["ada@example.com", "grace@example.com"],
        "from": SHOP,
        "subject": "Hello",
        "htmlText": "<p>Hi</p>",
        "plainText": "Hi",
        "trackUrls": False,
        "tags": ["spring"],
    }


def test_sms_and_viber(either):
    name = either.send(es.senders.list("sms"))[0].value
    for call in (
        es.messages.sms("Hi", sender=name, phone_numbers=["380501112233"]),
        es.messages.viber("Hi", ios_expirity_text="Gone", phone_numbers=["380501112233"], ttl_seconds=60),
    ):
        assert call.reaches_people
        [sent] = either.send(call)
        assert sent.is_accepted


def test_to_a_segment():
    assert es.messages.sms("Hi", sender="Shop", group_id=7).body.value == {"groupId": 7, "text": "Hi", "from": "Shop"}
    assert es.messages.viber("Hi", ios_expirity_text="x", group_id=7).body.value["groupId"] == 7


@pytest.mark.parametrize("audience", [{}, {"phone_numbers": []}, {"phone_numbers": ["1"], "group_id": 7}])
def test_recipients_that_cannot_be_meant(audience):
    with pytest.raises(InvalidRequest):
        es.messages.sms("Hi", sender="Shop", **audience)
    with pytest.raises(InvalidRequest):
        es.messages.viber("Hi", ios_expirity_text="x", **audience)
    with pytest.raises(InvalidRequest):
        email()


@pytest.mark.parametrize("collapse", [True, False])
def test_status(either, emulator, letter, collapse):
    emulator.configure(esputnik_collapse=collapse, bounce_share=0)
    [sent] = either.send(es.messages.smartsend(letter, [ADA]))
    while True:
        [status] = either.send(es.messages.status([sent.request_id]))
        assert status.request_id == sent.request_id
        if status.outcome is not Outcome.PENDING:
            break
    assert (status.delivered, status.failed, status.outcome) == (True, False, Outcome.SUCCESS)


def test_many_statuses_are_asked_for_in_parts():
    call = es.messages.status([str(number) for number in range(250)])
    assert [part.query["ids"].count(",") + 1 for part in call.parts] == [100, 100, 50]
    assert call.combine([[1], [2, 3]]) == [1, 2, 3]
    with pytest.raises(InvalidRequest):
        es.messages.status([])
    with pytest.raises(InvalidRequest, match="comma"):
        es.messages.status(["a,b"])


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"status": "IN_QUEUE", "failed": "false", "delivered": "false"}, Outcome.PENDING),
        ({"status": "SPAM", "failed": False, "delivered": True}, Outcome.SUCCESS),
        ({"status": "DELIVERED", "failed": "true", "delivered": "false"}, Outcome.FAILURE),
        ({"status": "NO_MONEY"}, Outcome.FAILURE),
        ({"status": "SOMETHING_NEW"}, Outcome.PENDING),
        ({"status": None}, Outcome.PENDING),
    ],
)
@pytest.mark.parametrize("envelope", [lambda row: [row], lambda row: {"results": row}, lambda row: {"results": [row]}])
def test_outcomes_in_every_envelope(row, outcome, envelope):
    [status] = es.messages.status(["r"]).parts[0].read(envelope({"requestId": "r", **row}))
    assert status.outcome is outcome


def test_statuses_by_channel():
    assert {status.outcome for status in MessageStatus} == {*Outcome}
    assert MessageStatus.of("sms_undelivered_state") is MessageStatus.SMS_UNDELIVERED
    assert MessageStatus.of("NEW") is None
    assert all(status.channels for status in MessageStatus)


def test_nothing_personal_shows():
    calls = [es.messages.smartsend(1, [ADA]), email("ada@example.com"), ADA]
    assert "ada@" not in repr(calls)
    assert "Ада" not in repr(calls)
