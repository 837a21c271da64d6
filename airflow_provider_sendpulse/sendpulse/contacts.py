# SPDX-License-Identifier: Apache-2.0
"""Contacts of an address book. Source: SendPulse API, "Mailing lists"; email service manual, "Contacts"."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat, SplitCall, nothing, split
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.languages import LANGUAGES, require_language
from airflow_provider_sendpulse.sendpulse.values import contact_variable

MOST_PER_REMOVAL = 100
"""Contacts that one call can remove or unsubscribe."""

PHONE = "Phone"
"""The system variable that holds a contact's telephone number."""


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to add. It never shows in a ``repr``.

    :param email: the address, trimmed
    :param phone: the telephone number, sent as the system variable ``Phone``
    :param variables: name to value; ``None`` values are left out, so they change nothing
    """

    email: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as an address book lists or reads it.

    :param status: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.ContactStatus`
    """

    email: str = field(repr=False)
    status: int
    status_explain: str = ""
    phone: str = field(default="", repr=False)
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class DoubleOptIn:
    """How to ask contacts for their consent before they enter the address book.

    :param sender_email: an activated sender of the account
    :param template_id: template of the confirmation message; the account's default when left out
    :param message_lang: language of the confirmation message, one of :data:`LANGUAGES`
    """

    sender_email: str = field(repr=False)
    template_id: str | None = None
    message_lang: str | None = None


def add(address_book_id: int, contacts: Sequence[NewContact], *, tags: Sequence[int] = ()) -> Call[None]:
    """Add contacts, or update the variables of those that are there already (single opt-in).

    The answer holds no outcome per address: an invalid or unsubscribed address is accepted without a word.

    :param tags: ids of tags that all of them get, from the Pro plan on
    """
    return _add(address_book_id, contacts, _tagged(tags), Repeat.ALWAYS, reaches_people=False)


def add_with_confirmation(
    address_book_id: int, contacts: Sequence[NewContact], consent: DoubleOptIn, *, tags: Sequence[int] = ()
) -> Call[None]:
    """Ask contacts by mail whether they want to be in the address book (double opt-in).

    A repeat may send the confirmation message again, so it is not repeated when its outcome is not known.

    :param tags: ids of tags that all of them get, from the Pro plan on
    :raises InvalidRequest: for a language that SendPulse does not have
    """
    require_language(consent.message_lang, "message_lang")
    options = {
        "confirmation": "force",
        "sender_email": consent.sender_email,
        "template_id": consent.template_id,
        "message_lang": consent.message_lang,
        **_tagged(tags),
    }
    return _add(address_book_id, contacts, options, Repeat.IF_NOT_EXECUTED, reaches_people=True)


def list(
    address_book_id: int,
    *,
    active: bool | None = None,
    order: Literal["asc", "desc"] | None = None,
    limit: int = 100,
) -> PagedCall[Contact]:
    """List the contacts of an address book, at most 100 a page.

    :param active: only those that can be mailed, or only those that cannot
    """
    return PagedCall(
        method="GET",
        path="/addressbooks/{id}/emails",
        values={"id": address_book_id},
        query={
            "active": True if active else None,
            "not_active": True if active is False else None,
            "order": order,
        },
        read=wire.listed(_contact),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def total(address_book_id: int, *, active: bool | None = None) -> Call[int]:
    """Count the contacts of an address book."""
    return Call(
        method="GET",
        path="/addressbooks/{id}/emails/total",
        values={"id": address_book_id},
        query={"active": active},
        read=lambda answer: wire.integer(wire.record(answer)["total"]),
        repeat=Repeat.ALWAYS,
    )


def read(address_book_id: int, email: str) -> Call[Contact]:
    """Read one contact of an address book."""
    return Call(
        method="GET",
        path="/addressbooks/{id}/emails/{email}",
        values={"id": address_book_id, "email": email},
        read=lambda answer: _contact(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def search(address_book_id: int, variable: str, value: str | float) -> Call[builtins.list[Contact]]:
    """Find the contacts of an address book whose variable has a value."""
    return Call(
        method="GET",
        path="/addressbooks/{id}/variables/{variable}/{value}",
        values={"id": address_book_id, "variable": variable, "value": str(value)},
        read=wire.listed(_contact),
        repeat=Repeat.ALWAYS,
    )


def remove(address_book_id: int, emails: Sequence[str]) -> SplitCall[None]:
    """Remove contacts from an address book; :data:`MOST_PER_REMOVAL` go into one request."""

    def part(some: Sequence[str]) -> Call[None]:
        return Call(
            method="DELETE",
            path="/addressbooks/{id}/emails",
            values={"id": address_book_id},
            body=JsonBody({"emails": [*some]}),
            read=wire.confirmed,
            repeat=Repeat.ALWAYS,
            done_on_repeat=frozenset({ErrorCode.NO_SUCH_ADDRESSES.code}),
        )

    return SplitCall(split(wire.many(emails), MOST_PER_REMOVAL, part), nothing)


def unsubscribe(address_book_id: int, emails: Sequence[str]) -> SplitCall[None]:
    """Unsubscribe contacts of an address book; :data:`MOST_PER_REMOVAL` go into one request.

    A request is refused when none of its contacts is active.
    """

    def part(some: Sequence[str]) -> Call[None]:
        return Call(
            method="POST",
            path="/addressbooks/{id}/emails/unsubscribe",
            values={"id": address_book_id},
            body=JsonBody({"emails": [*some]}),
            read=wire.confirmed,
            repeat=Repeat.ALWAYS,
            # "Active emails not found" has no code of its own.
            done_on_repeat=frozenset({422}),
        )

    return SplitCall(split(wire.many(emails), MOST_PER_REMOVAL, part), nothing)


def update_variables(address_book_id: int, email: str, variables: Mapping[str, Any]) -> Call[None]:
    """Set variables of one contact; a list of name and value here, where adding takes an object.

    Source: SendPulse email service manual, "Update variables for a contact".
    """
    if not variables:
        raise InvalidRequest("There is no variable to update.")
    return Call(
        method="POST",
        path="/addressbooks/{id}/emails/variable",
        values={"id": address_book_id},
        body=JsonBody(
            {
                "email": email.strip(),
                "variables": [{"name": name, "value": contact_variable(name, value)} for name, value in variables.items()],
            }
        ),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def set_phone(address_book_id: int, email: str, phone: str) -> Call[None]:
    """Set the telephone number of one contact."""
    return Call(
        method="PUT",
        path="/addressbooks/{id}/phone",
        values={"id": address_book_id},
        body=JsonBody({"email": email.strip(), "phone": phone.strip()}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def _tagged(tags: Sequence[int]) -> dict[str, Any]:
    return {"tags": [*tags]} if tags else {}


def _add(
    address_book_id: int,
    contacts: Sequence[NewContact],
    options: Mapping[str, Any],
    repeat: Repeat,
    *,
    reaches_people: bool,
) -> Call[None]:
    body = {
        "emails": [_written(contact) for contact in contacts],
        **{name: value for name, value in options.items() if value is not None},
    }
    return Call(
        method="POST",
        path="/addressbooks/{id}/emails",
        values={"id": address_book_id},
        body=JsonBody(body),
        read=wire.confirmed,
        repeat=repeat,
        reaches_people=reaches_people,
    )


def _written(contact: NewContact) -> dict[str, Any]:
    variables = {name: contact_variable(name, value) for name, value in contact.variables.items() if value is not None}
    if contact.phone:
        variables[PHONE] = contact.phone
    return {"email": contact.email, "variables": variables} if variables else {"email": contact.email}


def _contact(data: Mapping[str, Any]) -> Contact:
    return Contact(
        email=wire.text(data["email"]),
        status=wire.integer(data["status"]),
        status_explain=wire.text(data.get("status_explain")),
        phone=wire.text(data.get("phone")),
        variables=wire.variables(data.get("variables")),
        extra=wire.rest(data, "email", "status", "status_explain", "phone", "variables"),
    )


__all__ = [
    "LANGUAGES",
    "MOST_PER_REMOVAL",
    "PHONE",
    "Contact",
    "DoubleOptIn",
    "NewContact",
    "add",
    "add_with_confirmation",
    "list",
    "read",
    "remove",
    "search",
    "set_phone",
    "total",
    "unsubscribe",
    "update_variables",
]
