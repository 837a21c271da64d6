# SPDX-License-Identifier: Apache-2.0
"""Addresses that leave a book, are unsubscribed, or go to the blacklist and come off it: all of it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from airflow_provider_sendpulse.api.call import Call, SplitCall
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.sendpulse import blacklist, contacts
from airflow_provider_sendpulse.sendpulse.error_codes import is_done_already

Write = Callable[[Sequence[str]], Call[None] | SplitCall[None]]


def removal(address_book_id: int, concurrency: int) -> BatchedDelivery:
    """Return how contacts are removed from an address book; who is not in it is removed already."""
    write = partial(contacts.remove, address_book_id)
    return _delivery(write, "remove", contacts.MOST_PER_REMOVAL, concurrency, address_book_id)


def unsubscription(address_book_id: int, concurrency: int) -> BatchedDelivery:
    """Return how contacts of an address book are unsubscribed; who is not active there needs it no more."""
    write = partial(contacts.unsubscribe, address_book_id)
    return _delivery(write, "unsubscribe", contacts.MOST_PER_REMOVAL, concurrency, address_book_id)


def blacklisting(comment: str | None, batch_size: int, concurrency: int) -> BatchedDelivery:
    """Return how addresses get on the account's blacklist."""
    return _delivery(partial(blacklist.add, comment=comment), "blacklist", batch_size, concurrency)


def unblacklisting(batch_size: int, concurrency: int) -> BatchedDelivery:
    """Return how addresses are taken off the account's blacklist."""
    return _delivery(blacklist.remove, "take off the blacklist", batch_size, concurrency)


def address_key(person: Person) -> Key:
    """Return what an address is recognised by; case makes no difference.

    :raises InvalidRequest: for a row without one
    """
    if not person.email:
        raise InvalidRequest("no address")
    return Key(person.email.lower(), person.email)


def _delivery(write: Write, deed: str, batch_size: int, concurrency: int, address_book_id: int = 0) -> BatchedDelivery:
    return BatchedDelivery(
        lambda batch: write([person.email for person in batch]),
        address_key,
        {"deed": deed, "address_book": address_book_id},
        batch_size,
        concurrency,
        is_done_already,
    )


__all__ = ["address_key", "blacklisting", "removal", "unblacklisting", "unsubscription"]
