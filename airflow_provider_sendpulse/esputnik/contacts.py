# SPDX-License-Identifier: Apache-2.0
"""Single contacts. Source: eSputnik API, "Contacts"; support article "API resources for adding contacts".

Many contacts at once go through :mod:`~airflow_provider_sendpulse.esputnik.import_sessions`.

The service answers 409 when the same request comes twice within a minute: the first one was accepted. Calls that write one
contact take that as done.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Expect, JsonBody, PagedCall, Repeat, nothing
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.contact_data import (
    Address,
    Channel,
    ChannelType,
    Contact,
    Field,
    contact,
    require_channel,
)
from airflow_provider_sendpulse.esputnik.keys import form_type as checked_form_type
from airflow_provider_sendpulse.esputnik.limits import CONTACT_SEARCH
from airflow_provider_sendpulse.esputnik.paging import MOST_PER_PAGE, PAGING
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND, REPEATED
from airflow_provider_sendpulse.esputnik.statuses import SubscriptionStatus
from airflow_provider_sendpulse.exceptions import InvalidRequest


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What became of a subscription.

    :param id: the contact's; ``None`` when the service only said that the same request was accepted a moment ago
    :param email_status: one of :class:`~airflow_provider_sendpulse.esputnik.statuses.SubscriptionStatus`, where it was told
    :param is_new: whether the contact is new, where it was told
    """

    id: int | None
    email_status: str | None = None
    is_new: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_repeat(self) -> bool:
        """Whether the same request was accepted less than a minute before."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class EmailOfContact:
    """A contact's address."""

    contact_id: int
    email: str = field(repr=False)


def subscribe(
    contact: Contact,
    *,
    groups: Sequence[str] = (),
    subscriptions: Sequence[str] = (),
    form_type: str | None = None,
) -> Call[Subscribed]:
    """Subscribe one contact at once; a new one is asked to confirm its address (double opt-in).

    It emits the event ``subscribeFromApi``, or ``subscribeUpdateFromApi`` for a contact that is there already, with
    ``-<form_type>`` behind it. A repeat after a minute emits the second one, so it is not repeated when its outcome is not
    known.

    :param groups: names of static segments to join; unknown ones are created. No call of this kind leaves a segment
    :param subscriptions: keys of subscription categories
    :raises InvalidRequest: for a contact without channels, or a form type with characters that are not allowed
    """
    body = {
        "contact": require_channel(contact).body(),
        **wire.present(
            groups=[*groups] or None,
            subscriptions=[*subscriptions] or None,
            formType=None if form_type is None else checked_form_type(form_type),
        ),
    }
    return Call(
        method="POST",
        path="/v1/contact/subscribe",
        body=JsonBody(body),
        read=_subscribed,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
        accepted={REPEATED: Subscribed(None)},
        private=contact.private,
    )


def upsert(contact: Contact) -> Call[int | None]:
    """Add one contact, or update the one that is there already; it is confirmed, and no event is emitted.

    A contact with the same external id counts as the same, also a deleted one, which is restored.

    :return: the contact's id; ``None`` when the same request was accepted less than a minute ago
    :raises InvalidRequest: for a contact without channels
    """
    return Call(
        method="POST",
        path="/v1/contact",
        body=JsonBody(require_channel(contact).body()),
        read=_identifier,
        repeat=Repeat.ALWAYS,
        accepted={REPEATED: None},
        private=contact.private,
    )


def update(contact_id: int, contact: Contact) -> Call[None]:
    """Update one contact by the service's own id; a deleted one is restored. It never adds one.

    It is refused when the external id belongs to another contact. Nobody documents what becomes of the channels that the
    contact has and that are not sent: send all that it is to have.

    :raises InvalidRequest: for a contact without channels
    """
    return Call(
        method="PUT",
        path="/v1/contact/{id}",
        values={"id": contact_id},
        # Under a key of its own the whole contact would be ignored, with 200.
        body=JsonBody(replace(require_channel(contact), id=None).body()),
        read=nothing,
        repeat=Repeat.ALWAYS,
        accepted={REPEATED: None},
        expect=Expect.TEXT,
        private=contact.private,
    )


def read(contact_id: int) -> Call[Contact]:
    """Read one contact."""
    return Call(
        method="GET",
        path="/v1/contact/{id}",
        values={"id": contact_id},
        read=lambda answer: contact(wire.record(answer)),
        repeat=Repeat.ALWAYS,
    )


def search(
    *,
    external_customer_id: str | None = None,
    email: str | None = None,
    sms: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    limit: int = MOST_PER_PAGE,
) -> PagedCall[Contact]:
    """Find contacts; without anything to look for, all of them, by id.

    Addresses were seen to match in part: compare every hit. Hits hold names, channels and additional fields only.

    :raises InvalidRequest: for an external id together with something else, which the service does not combine
    """
    query = {
        "externalCustomerId": external_customer_id,
        "email": email,
        "sms": sms,
        "firstname": first_name,
        "lastname": last_name,
    }
    given = [value for value in query.values() if value is not None]
    if external_customer_id is not None and len(given) > 1:
        raise InvalidRequest("eSputnik looks for an external id alone, not together with anything else.")
    if any(not value.strip() for value in given):
        raise InvalidRequest("What contacts are looked for by is empty: that would find all of them.")
    return PagedCall(
        method="GET",
        path="/v1/contacts",
        query={**query, "sortBy": None if given else "contactId"},
        read=wire.page_of(contact),
        repeat=Repeat.ALWAYS,
        limit=limit,
        paging=PAGING,
        allowance=CONTACT_SEARCH,
        private=tuple(given),
    )


def emails(contact_ids: Sequence[int]) -> Call[builtins.list[EmailOfContact]]:
    """Return the addresses of contacts."""
    return Call(
        method="GET",
        path="/v1/contacts/email",
        query={"ids": wire.joined(contact_ids)},
        read=lambda answer: wire.listed(_email_of_contact)(wire.record(answer).get("results")),
        repeat=Repeat.ALWAYS,
    )


def delete(contact_id: int, *, erase: bool = False) -> Call[None]:
    """Delete one contact.

    :param erase: remove profile, activity and tracking for good; nothing brings them back
    """
    return _delete("/v1/contact/{id}", erase, values={"id": contact_id})


def delete_by_external_id(external_customer_id: str, *, erase: bool = False) -> Call[None]:
    """Delete the contact with an external id.

    :param erase: remove profile, activity and tracking for good; nothing brings them back
    :raises InvalidRequest: for an empty external id
    """
    if not external_customer_id.strip():
        raise InvalidRequest("The external id of the contact to delete is empty.")
    return _delete("/v1/contact", erase, query={"externalCustomerId": external_customer_id})


def _delete(
    path: str, erase: bool, *, values: Mapping[str, int] | None = None, query: Mapping[str, str] | None = None
) -> Call[None]:
    return Call(
        method="DELETE",
        path=path,
        values=values or {},
        query={**(query or {}), "erase": "true" if erase else "false"},
        read=nothing,
        repeat=Repeat.ALWAYS,
        gone_on_repeat=frozenset({NOT_FOUND}),
        expect=Expect.TEXT,
        private=tuple((query or {}).values()),
    )


def _identifier(answer: Any) -> int:
    return wire.integer(wire.record(answer)["id"])


def _subscribed(answer: Any) -> Subscribed:
    data = wire.record(answer)
    is_new = data.get("new")
    return Subscribed(
        id=wire.integer(data["id"]),
        email_status=wire.word(data.get("emailStatus")) or None,
        is_new=None if is_new is None else wire.truth(is_new),
        extra=wire.rest(data, "id", "emailStatus", "new"),
    )


def _email_of_contact(data: Mapping[str, Any]) -> EmailOfContact:
    return EmailOfContact(wire.integer(data["contactId"]), wire.text(data.get("email")))


__all__ = [
    "Address",
    "Channel",
    "ChannelType",
    "Contact",
    "EmailOfContact",
    "Field",
    "Subscribed",
    "SubscriptionStatus",
    "delete",
    "delete_by_external_id",
    "emails",
    "read",
    "search",
    "subscribe",
    "update",
    "upsert",
]
