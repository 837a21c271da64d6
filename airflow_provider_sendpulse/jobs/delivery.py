# SPDX-License-Identifier: Apache-2.0
"""Rows on their way to the service: upserts in batches, and things that must not arrive twice one window at a time."""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    DeliveryFailed,
    InvalidRequest,
    Refused,
    ServiceError,
    ServiceUnavailable,
)
from airflow_provider_sendpulse.jobs.counts import Complaints, Counts
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.addresses import email_fault, phone_fault
from airflow_provider_sendpulse.rows.people import Person

T = TypeVar("T")

log = logging.getLogger(__name__)

WINDOW = 20
"""Rows that are claimed in the ledger at once: as many are in doubt when the process ends in between."""

_FIRST = 3
_IN_A_ROW = 3
_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Item:
    """A row that is ready to be sent.

    :param key: what it is recognised by
    """

    person: Person
    key: str


def upsert(
    sender: Sender,
    items: Iterable[Item],
    build: Callable[[Sequence[Person]], Call[None]],
    counts: Counts,
    *,
    batch_size: int,
    clock: Clock,
) -> Counts:
    """Send rows in batches; a repeat of any of them changes nothing.

    :param build: makes the call for some rows
    :param counts: counts on; whoever yields the items has counted what was read and what was found wrong
    :raises DeliveryFailed: the service refused a batch; the message says which rows it held
    :raises ServiceError: as the calls do
    """
    progress = _Progress(clock)
    for batch in _chunks(items, batch_size):
        persons = [item.person for item in batch]
        try:
            sender.send(build(persons))
        except Refused as error:
            raise DeliveryFailed(
                f"Rows {persons[0].number} to {persons[-1].number}: {error} So far: {counts}.",
                operation=error.operation,
                status=error.status,
                error_code=error.error_code,
                service_message=error.service_message,
            ) from error
        counts.accepted += len(batch)
        progress.tell(counts)
    return counts


def send_once(
    sender: Sender,
    items: Iterable[Item],
    build: Callable[[Sequence[Person]], Call[None]],
    ledger: Ledger,
    counts: Counts,
    *,
    per_call: int,
    clock: Clock,
) -> Counts:
    """Send rows of which none may arrive twice: check, claim, send, record.

    :param build: makes the call for at most ``per_call`` rows
    :param counts: counts on; whoever yields the items has counted what was read and what was found wrong
    :raises Refused: when the first calls are all refused, so that it cannot be the rows
    :raises ServiceUnavailable: when some answers in a row were lost: what is wrong is not the rows. Only these are in doubt
    :raises ServiceError: when going on is no use; what was not sent is given back, and a retry of the task goes on there
    """
    complaints, progress = Complaints(), _Progress(clock)
    calls = refusals = lost = 0
    for window in _chunks(_unsent(items, ledger, counts, complaints), WINDOW):
        recorded: list[str] = []
        unsent = [item.key for item in window]
        ledger.claim(unsent)
        try:
            for group in _chunks(window, per_call):
                keys = [item.key for item in group]
                call = build([item.person for item in group])
                # From here on the rows count as in doubt until something says otherwise, whatever ends this process.
                unsent = [key for key in unsent if key not in keys]
                calls += 1
                try:
                    sender.send(call)
                except AmbiguousOutcome as error:
                    counts.in_doubt += len(group)
                    lost += 1
                    for item in group:
                        complaints.about(item.person.number, f"in doubt: {error}")
                    if lost >= _IN_A_ROW:
                        raise ServiceUnavailable(
                            f"{lost} answers in a row were lost ({counts}). These rows are in doubt and are not sent "
                            "again; a retry of the task goes on with the others."
                        ) from None
                except Refused as error:
                    unsent += keys
                    refusals += 1
                    if refusals == calls == _FIRST:
                        raise
                    counts.rejected += len(group)
                    for item in group:
                        complaints.about(item.person.number, str(error))
                except ServiceError:
                    unsent += keys
                    raise
                else:
                    recorded += keys
                    lost = 0
                    counts.accepted += len(group)
                progress.tell(counts)
        finally:
            ledger.settle(recorded, unsent)
    return counts


def keyed(persons: Iterable[Person], counts: Counts, key: Callable[[Person], str]) -> Iterator[Item]:
    """Count rows, leave out what is wrong with its address, and give the others their keys."""
    seen: set[bytes] = set()
    complaints = Complaints()
    for person in persons:
        counts.read += 1
        if fault := _fault(person):
            counts.invalid += 1
            complaints.about(person.number, fault)
            continue
        try:
            text = key(person)
        except InvalidRequest as error:
            counts.invalid += 1
            complaints.about(person.number, str(error))
            continue
        digest = hashlib.sha256(text.encode()).digest()[:12]
        if digest in seen:
            counts.duplicate += 1
            continue
        seen.add(digest)
        yield Item(person, digest.hex())


def _unsent(items: Iterable[Item], ledger: Ledger, counts: Counts, complaints: Complaints) -> Iterator[Item]:
    for item in items:
        entry = ledger.look_up(item.key)
        if entry is Entry.RECORDED:
            counts.skipped += 1
        elif entry is Entry.CLAIMED:
            counts.in_doubt += 1
            complaints.about(item.person.number, "an earlier try ended while this row was being sent: not sent again")
        else:
            yield item


def _fault(person: Person) -> str | None:
    if not person.email and not person.phone:
        return "neither address nor telephone number"
    return (email_fault(person.email) if person.email else None) or (phone_fault(person.phone) if person.phone else None)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


class _Progress:
    """A log line every half minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.now()

    def tell(self, counts: Counts) -> None:
        now = self._clock.now()
        if now - self._last >= _EVERY:
            self._last = now
            log.info("So far: %s", counts)


__all__ = ["WINDOW", "Item", "keyed", "send_once", "upsert"]
