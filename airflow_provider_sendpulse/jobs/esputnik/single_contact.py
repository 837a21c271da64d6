# SPDX-License-Identifier: Apache-2.0
"""One contact that is written at once: added or updated, or found and updated."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik import contacts
from airflow_provider_sendpulse.esputnik.contact_data import Address, Contact
from airflow_provider_sendpulse.esputnik.service import NOT_FOUND, REPEAT_AFTER, REPEATED
from airflow_provider_sendpulse.esputnik.values import field_value
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused, Throttled
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, find, has_channel, nobody, several
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)


_REPEATS = 3
"""Requests until one is no repeat of another any more."""


def upsert(sender: Sender, contact: Contact, clock: Clock) -> int | None:
    """Add a contact or update the one that is there, and return its id.

    :return: ``None`` when the same contact was written a moment ago, and a search shows none or several of it
    :raises Throttled: as :func:`update` does
    """
    return _written(sender, contacts.upsert(contact), contact, lambda: _id(sender, contact), clock)


def _id(sender: Sender, contact: Contact) -> int | None:
    known = (
        (By.EXTERNAL_CUSTOMER_ID, contact.external_customer_id),
        (By.EMAIL, contact.email),
        (By.PHONE, contact.sms),
    )
    by, value = next((by, value) for by, value in known if value)
    found = find(sender, by, value)
    if len(found) == 1:
        return found[0]
    log.warning("The same contact was written a moment ago; its id is not known, as a search finds %s.", len(found))
    return None


def existing(sender: Sender, by: By, value: str) -> Contact:
    """Return the contact that is meant, as it is read and not as a search shows it: with all that its channels carry.

    :raises InvalidRequest: when there is none, or more than one
    :raises Refused: for an id that no contact has
    """
    if by is By.CONTACT_ID:
        return _read(sender, int(value))
    found = find(sender, by, value)
    if not found:
        raise InvalidRequest(f"Nothing was updated: {nobody(by)}.")
    if len(found) > 1:
        raise InvalidRequest(f"Nothing was updated: {several(found, by)}.")
    return _read(sender, found[0])


def update(sender: Sender, there: Contact, contact: Contact, clock: Clock) -> int:
    """Update a contact, and return its id.

    The channels that it has go along, of whatever type and with all that they carry: eSputnik wants channels, takes those
    of a type for all of them, and does not say what becomes of other types. So only those of a type that is given change,
    and none where the contact has what is given.

    :param there: the contact as it was read
    :param contact: what is written of it
    :raises InvalidRequest: when the contact has no channel, and none is given
    :raises Throttled: the same was written a moment ago, something else since, and it counts as a repeat for minutes
    """
    contact_id = there.id
    if contact_id is None:
        raise ValueError("the contact has no id")
    news = [channel for channel in contact.channels if not has_channel(there, channel.type, channel.value)]
    replaced = {channel.type for channel in news}
    channels = (*(channel for channel in there.channels if channel.type not in replaced), *news)
    if not channels:
        raise InvalidRequest(
            f"Nothing was updated: contact {there.id} has no channel, and eSputnik wants one with every update. Give an "
            "address or a telephone number."
        )
    written = replace(contact, channels=channels)
    _written(sender, contacts.update(contact_id, written), written, lambda: contact_id, clock)
    return contact_id


def _written(
    sender: Sender, call: Call[Any], contact: Contact, find_id: Callable[[], int | None], clock: Clock
) -> int | None:
    """Write a contact, and return its id where that is known.

    That the same came less than a minute ago means that the contact is as it says, unless it was changed in between.
    """
    # What is a repeat is to be seen, here.
    seen: Call[int | None] = replace(call, accepted={})
    for _ in range(_REPEATS - 1):
        try:
            return sender.send(seen)
        except Throttled as error:
            if error.status != REPEATED:
                raise
            pause = error.retry_after or REPEAT_AFTER
        contact_id = find_id()
        if contact_id is None or _is_as(sender, contact_id, contact):
            return contact_id
        log.warning("Contact %s was written like this a moment ago, and changed since: waiting for a minute.", contact_id)
        clock.sleep(pause)
    return sender.send(seen)


def _is_as(sender: Sender, contact_id: int, contact: Contact) -> bool:
    """Whether a contact has all that was to be written; so counts one that cannot be read."""
    try:
        there = _read(sender, contact_id)
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
        return True
    known, wanted = there.address or Address(), contact.address or Address()
    members = [
        (there.first_name, contact.first_name),
        (there.last_name, contact.last_name),
        (there.external_customer_id, contact.external_customer_id),
        (there.contact_key, contact.contact_key),
        (there.language_code, contact.language_code),
        (there.time_zone, contact.time_zone),
        (known.region, wanted.region),
        (known.town, wanted.town),
        (known.address, wanted.address),
        (known.postcode, wanted.postcode),
    ]
    values = {item.id: str(item.value) for item in there.fields}
    members += [(values.get(item.id), field_value(item.id, item.value)) for item in contact.fields]
    return all(member is None or member == value for value, member in members) and all(
        has_channel(there, channel.type, channel.value) for channel in contact.channels
    )


def _read(sender: Sender, contact_id: int) -> Contact:
    return replace(sender.send(contacts.read(contact_id)), id=contact_id)


__all__ = ["existing", "update", "upsert"]
