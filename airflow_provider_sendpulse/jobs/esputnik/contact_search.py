# SPDX-License-Identifier: Apache-2.0
"""Which contacts are meant: by the service's id, the caller's own id, an address, or a telephone number.

eSputnik compares addresses in part, so that a search for one finds those that hold it as well. Every hit is compared here.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.esputnik import contacts
from airflow_provider_sendpulse.esputnik.contact_data import ChannelType, Contact
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.addresses import comparable_phone, email_fault, phone_fault
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.cells import id_fault
from airflow_provider_sendpulse.rows.people import Columns, Person, cell_text

_ID = "id"
"""Variable in which a row that is known by an id carries it."""

_HIGHEST_ID = 2**63 - 1
"""Ids are 64 bits long."""


class By(StrEnum):
    """What says which contact is meant."""

    CONTACT_ID = "contact_id"
    """The service's own id."""

    EXTERNAL_CUSTOMER_ID = "external_customer_id"
    """The caller's own id."""

    EMAIL = "email"
    PHONE = "phone"

    @classmethod
    def of(cls, value: str, name: str) -> By:
        """Return what an argument means.

        :raises InvalidRequest: for anything else
        """
        try:
            return cls(value)
        except ValueError:
            raise InvalidRequest(f"{name} is {value!r}; it is one of {', '.join(cls)}.") from None

    @property
    def is_id(self) -> bool:
        """Whether it is an id, which needs no search."""
        return self in (By.CONTACT_ID, By.EXTERNAL_CUSTOMER_ID)

    def columns(self, column: str) -> Columns:
        """Return how rows are read of which one column says who is meant."""
        variables = {column: _ID} if self.is_id else {}
        email, phone = column if self is By.EMAIL else "", column if self is By.PHONE else ""
        return Columns(email, phone, automation_id=None, variables=variables)


def hits(sender: Sender, by: By, value: str) -> list[Contact]:
    """Return all contacts that have exactly this, as a search shows them.

    :param by: anything but the service's own id
    """
    if by is By.EXTERNAL_CUSTOMER_ID:
        return with_external_id(sender, value)
    if by is By.EMAIL:
        return with_email(sender, value)
    if by is By.PHONE:
        return with_phone(sender, value)
    raise ValueError("an id is not searched for")


def with_email(sender: Sender, value: str) -> list[Contact]:
    """Return all contacts that have exactly this address, whatever its case."""
    return _once(hit for hit in sender.pages(contacts.search(email=value)) if has_channel(hit, ChannelType.EMAIL, value))


def with_phone(sender: Sender, value: str) -> list[Contact]:
    """Return all contacts that have exactly this number, however it is written."""
    return _once(
        hit
        for hit in sender.pages(contacts.search(sms=comparable_phone(value)))
        if has_channel(hit, ChannelType.SMS, value)
    )


def with_external_id(sender: Sender, value: str) -> list[Contact]:
    """Return all contacts that have exactly this id of the caller."""
    return _once(hit for hit in sender.pages(contacts.search(external_customer_id=value)) if _has_id(sender, hit, value))


def _once(found: Iterable[Contact]) -> list[Contact]:
    return [*{hit.id: hit for hit in found if hit.id is not None}.values()]


def find(sender: Sender, by: By, value: str) -> list[int]:
    """Return the ids of all contacts that have exactly this."""
    return _ids(hits(sender, by, value))


def _ids(found: Iterable[Contact]) -> list[int]:
    return sorted(hit.id for hit in found if hit.id is not None)


def several(found: Iterable[int], by: By) -> str:
    """Return what to say of contacts that cannot be told apart."""
    return f"several contacts have this {_NOUNS[by]}: {', '.join(map(str, found))}; say which one is meant, by its id"


def nobody(by: By) -> str:
    """Return what to say where there is no contact."""
    return f"no contact has this {_NOUNS[by]}"


def identifier(person: Person, by: By) -> str:
    """Return what a row says of whom it means.

    :raises InvalidRequest: when it says nothing, or an id that cannot be one
    """
    if by is By.EMAIL:
        return person.email
    if by is By.PHONE:
        return person.phone
    value = person.variables.get(_ID)
    return str(contact_id(cell_text(value))) if by is By.CONTACT_ID else external_id(value)


def external_id(value: object) -> str:
    """Return the caller's own id of a contact.

    :raises InvalidRequest: for nothing, a word that stands for it, and what cannot be sent as text
    """
    if fault := id_fault(value):
        raise InvalidRequest(f"the external id {fault}")
    text = cell_text(value)
    if not text:
        raise InvalidRequest("the external id is empty")
    return text


def contact_id(value: object) -> int:
    """Return the id of a contact.

    :raises InvalidRequest: for what cannot be one
    """
    try:
        found = whole_number(value, "the id of the contact")
    except InvalidRequest:
        raise InvalidRequest("the id of the contact is not a whole number") from None
    if found <= 0:
        raise InvalidRequest("the id of the contact is not above 0")
    if found > _HIGHEST_ID:
        raise InvalidRequest("the id of the contact is too large a number")
    return found


def key_of(by: By) -> Callable[[Person], Key]:
    """Return what makes the keys of rows: who is meant."""

    def key(person: Person) -> Key:
        found = identifier(person, by)
        if by is By.EMAIL:
            return Key(found.casefold(), found)
        return Key(comparable_phone(found) if by is By.PHONE else found, found)

    return key


@dataclass(frozen=True, slots=True)
class Located(Audience):
    """People of whom each is found in the account by address or telephone number: they carry the contact's id.

    Who is not found, or more than once, has a fault.
    """

    sender: Sender
    by: By

    @contextlib.contextmanager
    def reading(self) -> Iterator[Iterator[Person]]:
        """Read all people from the first one on, and look each of them up."""
        with Audience.reading(self) as persons:
            yield map(self._located, persons)

    @property
    def mapping(self) -> str:
        """How columns are read, as a text that is the same for equal mappings."""
        return json.dumps([Audience(self.source, self.columns).mapping, self.by])

    def _located(self, person: Person) -> Person:
        value = identifier(person, self.by)
        wrong, search = (email_fault, with_email) if self.by is By.EMAIL else (phone_fault, with_phone)
        if person.fault or not value:
            return replace(person, fault=person.fault or f"no {_NOUNS[self.by]}")
        if wrong(value):
            return person
        found = _ids(search(self.sender, value))
        if len(found) == 1:
            return replace(person, variables={_ID: found[0]})
        return replace(person, fault=several(found, self.by) if found else nobody(self.by))


def has_channel(contact: Contact, kind: str, value: str) -> bool:
    """Whether a contact has an address, a telephone number or a token, however it is spelled."""
    normal = _NORMAL.get(kind, str)
    return any(item.type == kind and normal(item.value.strip()) == normal(value.strip()) for item in contact.channels)


def _has_id(sender: Sender, hit: Contact, value: str) -> bool:
    # A search shows names, channels and fields only.
    if hit.external_customer_id is None and hit.id is not None:
        hit = sender.send(contacts.read(hit.id))
    return hit.external_customer_id == value


_NORMAL: Mapping[str, Callable[[str], str]] = {ChannelType.EMAIL: str.casefold, ChannelType.SMS: comparable_phone}

_NOUNS = {By.EXTERNAL_CUSTOMER_ID: "external id", By.EMAIL: "address", By.PHONE: "telephone number"}

__all__ = [
    "By",
    "Located",
    "contact_id",
    "external_id",
    "find",
    "has_channel",
    "hits",
    "identifier",
    "key_of",
    "nobody",
    "several",
    "with_email",
    "with_external_id",
    "with_phone",
]
