# SPDX-License-Identifier: Apache-2.0
"""Messages to single recipients. Source: eSputnik API, "Messages"; guide "Sending a prepared message" (smartsend).

The service has no key by which it would recognise a repeat: the recipients would get the message twice. So a call whose
outcome is not known is never repeated. Recipients that are not known become confirmed contacts without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat, SplitCall, split
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.statuses import MessageStatus, Outcome
from airflow_provider_sendpulse.esputnik.values import parameter
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_RECIPIENTS = 1000
"""Recipients of one prepared message."""

MOST_STATUSES = 100
"""Requests whose status is asked for at once; the service documents no limit, and its other clients keep to this one."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of a prepared message, by one of three identifiers. Personal data never shows in a ``repr``.

    :param locator: address, telephone number, push token or Telegram chat
    :param parameters: what the template reads with ``$!data.get('name')``
    :param external_request_id: an id of one's own, which comes back in the activity
    """

    locator: str | None = field(default=None, repr=False)
    contact_id: int | None = None
    external_customer_id: str | None = field(default=None, repr=False)
    parameters: Mapping[str, Any] | None = field(default=None, repr=False)
    external_request_id: str | None = None
    language_code: str | None = None

    def body(self) -> dict[str, Any]:
        """Return what is sent.

        :raises InvalidRequest: without an identifier, with several, or for a parameter that JSON cannot hold
        """
        identifiers = wire.present(
            locator=(self.locator or "").strip() or None,
            contactId=self.contact_id,
            externalCustomerId=(self.external_customer_id or "").strip() or None,
        )
        if len(identifiers) != 1:
            raise InvalidRequest("A recipient is named by locator, contact_id or external_customer_id: one of them.")
        given = None
        if self.parameters is not None:
            # Not an object: the service wants the JSON as text.
            given = json.dumps(
                {name: parameter(name, value) for name, value in self.parameters.items()}, ensure_ascii=False
            )
        return {
            **identifiers,
            **wire.present(jsonParam=given, externalRequestId=self.external_request_id, languageCode=self.language_code),
        }

    @property
    def private(self) -> tuple[str, ...]:
        """What is personal in it, so that it can be hidden where the service repeats it."""
        texts = (value for value in (self.parameters or {}).values() if isinstance(value, str))
        return tuple(value for value in (self.locator, self.external_customer_id, *texts) if value)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one recipient at once; the delivery follows within seconds.

    :param is_accepted: whether the message is queued
    :param request_id: to ask for the status with, when it is accepted
    :param message: why it is not accepted
    """

    locator: str = field(repr=False)
    is_accepted: bool
    request_id: str | None = None
    message: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a message to one recipient.

    :param status: see :class:`~airflow_provider_sendpulse.esputnik.statuses.MessageStatus`
    :param failed: it did not arrive
    :param delivered: it reached the contact
    """

    request_id: str
    status: str
    failed: bool
    delivered: bool
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def outcome(self) -> Outcome:
        """Whether it arrived. The two truth values count more than the status: a complaint follows a delivery."""
        if self.failed:
            return Outcome.FAILURE
        if self.delivered:
            return Outcome.SUCCESS
        known = MessageStatus.of(self.status)
        return Outcome.PENDING if known is None else known.outcome


def smartsend(
    message_id: int, recipients: Sequence[Recipient], *, email: bool = True, from_name: str | None = None
) -> Call[list[Sent]]:
    """Send a prepared message to up to :data:`MOST_RECIPIENTS` recipients.

    Longer lists are not split: were one part's outcome lost, nobody would know which of the others are sent.

    :param email: whether it is an e-mail; another channel otherwise
    :param from_name: another sender's name, or the alpha name of an SMS
    :raises InvalidRequest: for no or too many recipients, and as :meth:`Recipient.body`
    """
    if not 1 <= len(recipients) <= MOST_RECIPIENTS:
        raise InvalidRequest(
            f"A prepared message goes to 1 to {MOST_RECIPIENTS} recipients at once, not {len(recipients)}."
        )
    body = {
        "recipients": [recipient.body() for recipient in recipients],
        "email": email,
        **wire.present(fromName=from_name),
    }
    return Call(
        method="POST",
        path="/v1/message/{id}/smartsend",
        values={"id": message_id},
        body=JsonBody(body),
        read=_results,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        private=tuple(value for recipient in recipients for value in recipient.private),
    )


def email(
    emails: Sequence[str],
    *,
    sender: str,
    subject: str,
    html_text: str,
    plain_text: str | None = None,
    amp_html_text: str | None = None,
    tags: Sequence[str] = (),
    external_request_id: str | None = None,
    skip_personalisation: bool | None = None,
    subscriptions_keys: Sequence[str] = (),
    track_urls: bool | None = None,
) -> Call[list[Sent]]:
    """Send an e-mail.

    :param sender: a verified sender of the account, such as ``"Shop" <shop@example.com>``
    :raises InvalidRequest: for no addresses
    """
    return _message(
        "email",
        {"emails": wire.many(emails)},
        tuple(emails),
        subscriptions_keys,
        tags,
        **{"from": sender},
        subject=subject,
        htmlText=html_text,
        plainText=plain_text,
        ampHtmlText=amp_html_text,
        externalRequestId=external_request_id,
        skipPersonalisation=skip_personalisation,
        trackUrls=track_urls,
    )


def sms(
    text: str,
    *,
    sender: str,
    phone_numbers: Sequence[str] | None = None,
    group_id: int | None = None,
    tags: Sequence[str] = (),
    external_request_id: str | None = None,
    subscriptions_keys: Sequence[str] = (),
    track_urls: bool | None = None,
) -> Call[list[Sent]]:
    """Send an SMS, to telephone numbers or to a segment.

    :param sender: alpha name of the account
    :raises InvalidRequest: for no numbers, or without or with both numbers and segment
    """
    return _message(
        "sms",
        _audience(phone_numbers, group_id),
        tuple(phone_numbers or ()),
        subscriptions_keys,
        tags,
        **{"from": sender},
        text=text,
        externalRequestId=external_request_id,
        trackUrls=track_urls,
    )


def viber(
    text: str,
    *,
    ios_expirity_text: str,
    phone_numbers: Sequence[str] | None = None,
    group_id: int | None = None,
    sender: str | None = None,
    ttl_seconds: int | None = None,
    img: str | None = None,
    caption: str | None = None,
    action: str | None = None,
    tags: Sequence[str] = (),
    external_request_id: str | None = None,
    subscriptions_keys: Sequence[str] = (),
    track_urls: bool | None = None,
) -> Call[list[Sent]]:
    """Send a Viber message, to telephone numbers or to a segment.

    :param ios_expirity_text: shown on iOS when it expired (the API writes it so)
    :raises InvalidRequest: for no numbers, or without or with both numbers and segment
    """
    return _message(
        "viber",
        _audience(phone_numbers, group_id),
        tuple(phone_numbers or ()),
        subscriptions_keys,
        tags,
        **{"from": sender},
        text=text,
        iosExpirityText=ios_expirity_text,
        ttlSeconds=ttl_seconds,
        img=img,
        caption=caption,
        action=action,
        externalRequestId=external_request_id,
        trackUrls=track_urls,
    )


def status(request_ids: Sequence[str]) -> SplitCall[list[Status]]:
    """Return what became of messages to single recipients; :data:`MOST_STATUSES` go into one request.

    :raises InvalidRequest: for no ids
    """

    def part(some: Sequence[str]) -> Call[list[Status]]:
        return Call(
            method="GET",
            path="/v1/message/status",
            query={"ids": wire.joined(some)},
            read=_statuses,
            repeat=Repeat.ALWAYS,
        )

    return SplitCall(
        split(wire.many(request_ids), MOST_STATUSES, part), lambda parts: [found for some in parts for found in some]
    )


def _message(
    channel: str,
    audience: Mapping[str, Any],
    private: tuple[str, ...],
    subscriptions_keys: Sequence[str],
    tags: Sequence[str],
    **members: Any,
) -> Call[list[Sent]]:
    lists = wire.present(subscriptionsKeys=[*subscriptions_keys] or None, tags=[*tags] or None)
    return Call(
        method="POST",
        path=f"/v1/message/{channel}",
        body=JsonBody({**audience, **wire.present(**members), **lists}),
        read=_results,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        private=private,
    )


def _audience(phone_numbers: Sequence[str] | None, group_id: int | None) -> dict[str, Any]:
    if (phone_numbers is None) == (group_id is None):
        raise InvalidRequest("Name the recipients by phone_numbers or by group_id: one of them, and not both.")
    return {"groupId": group_id} if phone_numbers is None else {"phoneNumbers": wire.many(phone_numbers)}


def _results(answer: Any) -> list[Sent]:
    return wire.listed(_sent)(wire.record(answer).get("results"))


def _sent(data: Mapping[str, Any]) -> Sent:
    return Sent(
        locator=wire.text(data.get("locator")),
        is_accepted=wire.text(data["status"]).upper() == "OK",
        request_id=wire.text_or_none(data.get("requestId")),
        message=wire.text(data.get("message")),
        extra=wire.rest(data, "locator", "status", "requestId", "message"),
    )


def _statuses(answer: Any) -> list[Status]:
    # An object that holds the results by the guide, the results themselves by the description.
    results = wire.record(answer).get("results") if isinstance(answer, dict) else answer
    return wire.listed(_status)(results)


def _status(data: Mapping[str, Any]) -> Status:
    return Status(
        request_id=wire.text(data["requestId"]),
        status=wire.word(data.get("status")),
        failed=wire.truth_or(data.get("failed"), False),
        delivered=wire.truth_or(data.get("delivered"), False),
        extra=wire.rest(data, "requestId", "status", "failed", "delivered"),
    )


__all__ = [
    "MOST_RECIPIENTS",
    "MOST_STATUSES",
    "Recipient",
    "Sent",
    "Status",
    "email",
    "smartsend",
    "sms",
    "status",
    "viber",
]
