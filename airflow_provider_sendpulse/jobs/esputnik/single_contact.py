# SPDX-License-Identifier: Apache-2.0
"""One contact that is written at once: added or updated, or found and updated."""

from __future__ import annotations

import logging
from dataclasses import replace

from airflow_provider_sendpulse.esputnik import contacts
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.contact_search import By, find, nobody, several
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)


def upsert(sender: Sender, contact: Contact) -> int | None:
    """Add a contact or update the one that is there, and return its id.

    :return: ``None`` when the same contact was written a moment ago, and a search shows none or several of it
    """
    written = sender.send(contacts.upsert(contact))
    if written is not None:
        return written
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


def update(sender: Sender, there: Contact, contact: Contact) -> int:
    """Update a contact, and return its id.

    The channels that it has go along, of whatever type and with all that they carry: eSputnik wants channels, takes those
    of a type for all of them, and does not say what becomes of other types. So only those of a type that is given change.

    :param there: the contact as it was read
    :param contact: what is written of it
    :raises InvalidRequest: when the contact has no channel, and none is given
    """
    if there.id is None:
        raise ValueError("the contact has no id")
    given = {channel.type for channel in contact.channels}
    kept = tuple(channel for channel in there.channels if channel.type not in given)
    channels = (*kept, *contact.channels)
    if not channels:
        raise InvalidRequest(
            f"Nothing was updated: contact {there.id} has no channel, and eSputnik wants one with every update. Give an "
            "address or a telephone number."
        )
    sender.send(contacts.update(there.id, replace(contact, channels=channels)))
    return there.id


def _read(sender: Sender, contact_id: int) -> Contact:
    return replace(sender.send(contacts.read(contact_id)), id=contact_id)


__all__ = ["existing", "update", "upsert"]
