# SPDX-License-Identifier: Apache-2.0
"""Sensors on address books."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_sendpulse.arguments import optional_number, whole_number
from airflow_provider_sendpulse.jobs.waiting import Decision, judge_address_book
from airflow_provider_sendpulse.sendpulse import address_books
from airflow_provider_sendpulse.sensors.base import SendPulseSensor
from airflow_provider_sendpulse.triggers.address_books import SendPulseAddressBookTrigger


class SendPulseAddressBookUnlockedSensor(SendPulseSensor):
    """Wait until an address book is unlocked: 4 (loading) and 5 (copying) pass, 0 is active.

    It fails at once when the book is deleted (1) or a moderator waits for an answer (3).

    :param address_book_id: the address book (templated)
    :param expected_contacts: how many contacts must be there at least, such as ``accepted`` + ``skipped`` of the task that
        added them (an earlier try has added those that a retry skips): loading goes on after the service has taken them
        (templated)
    :raises AddressBookUnusable: the book was deleted
    :raises NeedsHuman: a moderator waits for an answer
    """

    template_fields: Collection[str] = (*SendPulseSensor.template_fields, "address_book_id", "expected_contacts")

    def __init__(self, *, address_book_id: int | str, expected_contacts: int | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.expected_contacts = expected_contacts

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Address book {self.address_book_id}"

    def look(self) -> Decision:
        """Read the address book and judge it."""
        book = self.hook.send(address_books.read(self._id))
        return judge_address_book(self._id, book.status, contacts=book.all_email_qty, expected_contacts=self._expected)

    def judge(self, seen: int) -> Decision:
        """Judge a status; the trigger has counted the contacts."""
        return judge_address_book(self._id, seen, contacts=0)

    def trigger(self, **wait: Any) -> SendPulseAddressBookTrigger:
        """Return what waits in the triggerer."""
        return SendPulseAddressBookTrigger(
            address_book_id=self._id,
            expected_contacts=self._expected,
            **wait,
        )

    @property
    def _id(self) -> int:
        return whole_number(self.address_book_id, "address_book_id")

    @property
    def _expected(self) -> int | None:
        return optional_number(self.expected_contacts, "expected_contacts")


__all__ = ["SendPulseAddressBookUnlockedSensor"]
