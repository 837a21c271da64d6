# SPDX-License-Identifier: Apache-2.0
"""Messages to single addresses, and their status (eSputnik API: messages)."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

from airflow_provider_sendpulse.emulator import strict_json
from airflow_provider_sendpulse.emulator.esputnik.account import Esputnik
from airflow_provider_sendpulse.emulator.esputnik.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.esputnik.contacts import Contact
from airflow_provider_sendpulse.emulator.esputnik.errors import bad_request, not_found
from airflow_provider_sendpulse.emulator.esputnik.prepared_messages import PreparedMessage
from airflow_provider_sendpulse.emulator.esputnik.sends import (
    CHANNEL_OF,
    Content,
    SendKind,
    content_of,
    is_locator,
)
from airflow_provider_sendpulse.emulator.esputnik.shapes import shaped

MOST_RECIPIENTS = 1000


class _Unreachable(Exception):
    """One recipient cannot be sent to; the others are."""


def smartsend(account: Esputnik, call: Call) -> dict[str, Any]:
    """Send a prepared message to up to 1000 recipients, each with data of their own."""
    message = account.messages.get(call.path_int("message_id"))
    if message is None:
        raise not_found("Message", call.path_int("message_id"))
    recipients = call.items("recipients")
    if not recipients or len(recipients) > MOST_RECIPIENTS:
        raise bad_request(f"recipients must have from 1 to {MOST_RECIPIENTS} items")
    for recipient in recipients:
        if not isinstance(recipient, dict):
            raise bad_request("recipients must be objects")
        if recipient.get("jsonParam") is not None and not isinstance(recipient["jsonParam"], str):
            raise bad_request("jsonParam must be a string")
    sender, is_email = call.optional_text("fromName"), call.flag("email", default=message.kind == "email")
    results = []
    for recipient in recipients:
        try:
            if is_email != (message.kind == "email"):
                raise _Unreachable(f"Message is for {message.kind}")
            contact, to, data = _recipient(account, message, recipient)
        except _Unreachable as reason:
            results.append(_failed(str(recipient.get("locator") or ""), str(reason)))
            continue
        language = str(recipient.get("languageCode") or contact.values.get("languageCode", ""))
        content = content_of(message, data, language, sender, str(recipient.get("externalRequestId") or ""))
        results.append(_sent(account.sends.send("smartsend", content, contact, to, variables=data).request_id, to))
    return _answer(account, results)


def send_email(account: Esputnik, call: Call) -> dict[str, Any]:
    """Send an e-mail as it is."""
    sender = call.text("from")
    verified = {parseaddr(known)[1].lower() for known in account.senders["email"]}
    if parseaddr(sender)[1].lower() not in verified:
        raise bad_request("from is not a verified sender")
    content = Content(
        "email",
        call.text("subject"),
        call.text("htmlText"),
        call.optional_text("plainText"),
        tag=_tag(call),
        sender=sender,
        external_request_id=call.optional_text("externalRequestId"),
    )
    emails = call.texts("emails")
    if not emails:
        raise bad_request("emails is required")
    return _send_all(account, "email", content, emails)


def send_sms(account: Esputnik, call: Call) -> dict[str, Any]:
    """Send an SMS to numbers or to a segment."""
    sender = call.text("from")
    if sender not in account.senders["sms"]:
        raise bad_request("from is not a known sender")
    content = Content(
        "sms",
        text=call.text("text"),
        tag=_tag(call),
        sender=sender,
        external_request_id=call.optional_text("externalRequestId"),
    )
    return _send_all(account, "sms", content, _numbers(account, call))


def send_viber(account: Esputnik, call: Call) -> dict[str, Any]:
    """Send a Viber message to numbers or to a segment."""
    call.text("iosExpirityText")
    content = Content(
        "viber",
        text=call.text("text"),
        tag=_tag(call),
        sender=call.optional_text("from"),
        external_request_id=call.optional_text("externalRequestId"),
    )
    return _send_all(account, "viber", content, _numbers(account, call))


def status(account: Esputnik, call: Call) -> dict[str, Any]:
    """Tell what has become of messages; ids that nobody knows are left out."""
    ids = [text.strip() for text in call.query.get("ids", "").split(",") if text.strip()]
    if not ids:
        raise bad_request("ids is required")
    found = [account.sends.get(request_id) for request_id in ids]
    results = [account.sends.read_status(send) for send in found if send is not None]
    return shaped(account.settings, {"results": results}, "results")


def email_senders(account: Esputnik, _: Call) -> list[dict[str, str]]:
    """List the names that e-mails can come from."""
    return [{"type": "email", "value": value} for value in account.senders["email"]]


def sms_senders(account: Esputnik, _: Call) -> list[dict[str, str]]:
    """List the names that SMS can come from."""
    return [{"type": "sms", "value": value} for value in account.senders["sms"]]


def _recipient(
    account: Esputnik, message: PreparedMessage, recipient: dict[str, Any]
) -> tuple[Contact, str, dict[str, Any]]:
    """Return whom a recipient means, the address, and the data that came along."""
    try:
        data = strict_json.loads(recipient.get("jsonParam") or "{}")
    except ValueError as error:
        raise _Unreachable("jsonParam is not JSON") from error
    data = data if isinstance(data, dict) else {}
    locator = recipient.get("locator")
    if locator:
        if not isinstance(locator, str) or not is_locator(message.kind, locator):
            what = {"email": "email", "sms": "phone number", "viber": "phone number"}.get(message.kind, "address")
            raise _Unreachable(f"{locator} is not valid {what}")
        return account.sends.recipient(message.kind, locator), locator, data
    contact = None
    if recipient.get("contactId"):
        number = str(recipient["contactId"])
        contact = account.contacts.get(int(number)) if number.isdecimal() else None
    elif recipient.get("externalCustomerId"):
        contact = account.contacts.one("externalCustomerId", recipient["externalCustomerId"])
    else:
        raise _Unreachable("Recipient has no locator, contactId or externalCustomerId")
    if contact is None:
        raise _Unreachable("Contact not found")
    to = contact.channel(CHANNEL_OF.get(message.kind, message.kind))
    if not to:
        raise _Unreachable("Contact has no channel for this message")
    return contact, to, data


def _send_all(account: Esputnik, kind: SendKind, content: Content, addresses: Iterable[str]) -> dict[str, Any]:
    results = []
    for address in addresses:
        if not is_locator(kind, address):
            results.append(_failed(address, f"{address} is not valid {'email' if kind == 'email' else 'phone number'}"))
            continue
        contact = account.sends.recipient(kind, address)
        results.append(_sent(account.sends.send(kind, content, contact, address).request_id, address))
    return _answer(account, results)


def _numbers(account: Esputnik, call: Call) -> list[str]:
    given, segment_id = [str(item) for item in call.items("phoneNumbers")], call.fields.get("groupId")
    if given:
        return given
    segment = account.segments.get(segment_id) if isinstance(segment_id, int) else None
    if segment is None:
        raise bad_request("phoneNumbers or groupId is required")
    return [contact.phone for contact in account.segments.members(segment) if contact.phone]


def _tag(call: Call) -> str:
    return next(iter(call.texts("tags")), "")


def _sent(request_id: str, locator: str) -> dict[str, Any]:
    return {"id": 0, "locator": locator, "status": "OK", "requestId": request_id}


def _failed(locator: str, message: str) -> dict[str, Any]:
    return {"id": 0, "locator": locator, "status": "ERROR", "message": message}


def _answer(account: Esputnik, results: list[dict[str, Any]]) -> dict[str, Any]:
    return shaped(account.settings, {"id": 0, "results": results}, "results")


ROUTES = [
    endpoint("POST", "/v1/message/{message_id:int}/smartsend", "messages.smartsend", smartsend),
    endpoint("POST", "/v1/message/email", "messages.send_email", send_email),
    endpoint("POST", "/v1/message/sms", "messages.send_sms", send_sms),
    endpoint("POST", "/v1/message/viber", "messages.send_viber", send_viber),
    endpoint("GET", "/v1/message/status", "messages.status", status),
    endpoint("GET", "/v1/interfaces/email", "senders.email", email_senders),
    endpoint("GET", "/v1/interfaces/sms", "senders.sms", sms_senders),
]
