# SPDX-License-Identifier: Apache-2.0
"""Rows before they are sent: what is wrong is left out, and so is what was there already."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.values import is_encodable
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.seen import Seen
from airflow_provider_sendpulse.rows.addresses import email_fault, phone_fault
from airflow_provider_sendpulse.rows.people import Person

Outgoing = Callable[[str, Any], Any]
"""Makes JSON of a row's value, as it goes out, by its name and itself, or raises ``InvalidRequest``."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is recognised by.

    :param text: what makes the row what it is; only its digest leaves the process
    :param label: the same for people to read; it goes to the rejects only
    """

    text: str = field(repr=False)
    label: str = field(default="", repr=False)

    @property
    def digest(self) -> bytes:
        """Twelve bytes that stand for the text.

        :raises InvalidRequest: for text that cannot be encoded
        """
        if not is_encodable(self.text):
            raise InvalidRequest("what the row is recognised by holds broken text")
        return hashlib.sha256(self.text.encode()).digest()[:12]


@dataclass(frozen=True, slots=True)
class Item:
    """A row that is ready to be sent.

    :param key: what it is recognised by: 24 hexadecimal digits
    :param label: the same for people to read
    """

    person: Person
    key: str
    label: str = field(default="", repr=False)


def screened(
    persons: Iterable[Person],
    report: Report,
    key: Callable[[Person], Key],
    *,
    reached: bool = True,
    outgoing: Outgoing | None = None,
) -> Generator[Item, None, None]:
    """Count rows, settle those that are wrong or duplicate, and give the others their keys.

    To be closed by the thread that reads it, also when that stops early.

    :param key: what a row is recognised by; it raises ``InvalidRequest`` for a row that cannot be sent
    :param reached: whether a row needs an address or a telephone number, and is not known by an id instead
    :param outgoing: makes what goes out of a row's values, before its key is asked for: what is said of a row is then said
        of what is sent. Without it they stay as the source has them
    """
    with contextlib.closing(Seen()) as seen:
        for person in persons:
            report.read(person)
            if fault := person.fault or fault_of(person, reached=reached):
                report.settle(person, Outcome.INVALID, fault)
                continue
            try:
                if outgoing is not None:
                    given = {name: outgoing(name, value) for name, value in person.variables.items()}
                    person = replace(person, variables=given)
                found = key(person)
                digest = found.digest
            except InvalidRequest as error:
                report.settle(person, Outcome.INVALID, str(error))
                continue
            if not seen.add(digest):
                report.settle(person, Outcome.DUPLICATE)
                continue
            yield Item(person, digest.hex(), found.label)


def fault_of(person: Person, *, reached: bool = True) -> str | None:
    """Return what is wrong with address and telephone number, or ``None``.

    :param reached: whether there has to be one of them
    """
    if reached and not (person.email or person.phone or person.external_customer_id or person.contact_id):
        return "neither address nor telephone number"
    return (email_fault(person.email) if person.email else None) or (phone_fault(person.phone) if person.phone else None)


__all__ = ["Item", "Key", "Outgoing", "fault_of", "screened"]
