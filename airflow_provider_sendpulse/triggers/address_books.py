# SPDX-License-Identifier: Apache-2.0
"""Waiting for an address book in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.base import SendPulseTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class SendPulseAddressBookTrigger(SendPulseTrigger):
    """Wait until an address book is unlocked and holds what was put into it.

    :param address_book_id: the address book
    :param expected_contacts: how many contacts must be there at least
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        address_book_id: int,
        expected_contacts: int | None = None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.address_book_id = address_book_id
        self.expected_contacts = expected_contacts

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {"address_book_id": self.address_book_id, "expected_contacts": self.expected_contacts}

    @property
    def what(self) -> str:
        """What is waited for."""
        return f"Address book {self.address_book_id}"

    async def look(self, hook: SendPulseHook) -> Decision:
        """Read the address book and judge it."""
        from airflow_provider_sendpulse.jobs.waiting import judge_address_book
        from airflow_provider_sendpulse.sendpulse import address_books

        book = await hook.asend(address_books.read(self.address_book_id))
        return judge_address_book(
            self.address_book_id,
            book.status,
            contacts=book.all_email_qty,
            expected_contacts=self.expected_contacts,
        )


__all__ = ["SendPulseAddressBookTrigger"]
