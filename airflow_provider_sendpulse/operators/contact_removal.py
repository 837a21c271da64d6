# SPDX-License-Identifier: Apache-2.0
"""Operators that take contacts out of an address book, or unsubscribe them in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.jobs.address_delivery import removal, unsubscription
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.addresses import SendPulseAddressWritesOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class _BookContactsOperator(SendPulseAddressWritesOperator):
    """An operator that has something done with contacts of one address book."""

    template_fields: Collection[str] = (*SendPulseAddressWritesOperator.template_fields, "address_book_id")
    operator_extra_links = (SendPulseAddressBookLink(),)

    def __init__(self, *, address_book_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id

    def _deliver_to_book(self, context: Context, make: Callable[[int, int], BatchedDelivery], noun: str) -> dict[str, int]:
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        return self._deliver(context, make(address_book_id, self.concurrency), noun, address_book_id)


class SendPulseRemoveContactsOperator(_BookContactsOperator):
    """Remove contacts from an address book, and return the counts. A hundred go into one call.

    Contacts that are not in the book count as accepted: SendPulse gives no outcome per address, and what was wanted is
    so. A removed contact can be added again, and is mailed then; to keep somebody from being mailed, unsubscribe.

    :param address_book_id: the address book (templated)
    :param max_contacts: with more rows than that nothing is sent and the task fails: nothing brings back the variables of
        contacts that a wrong query has removed. ``None`` allows any number (templated)
    :param contacts, email_column, concurrency, max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressWritesOperator`
    """

    def __init__(self, *, max_contacts: int | str | None = 1000, **kwargs: Any) -> None:
        super().__init__(max_contacts=max_contacts, **kwargs)

    def execute(self, context: Context) -> dict[str, int]:
        """Remove the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: there are more rows than ``max_contacts``; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        :raises Refused: SendPulse refuses the whole call: there is no such book, say
        """
        return self._deliver_to_book(context, removal, "Contacts to remove")


class SendPulseUnsubscribeContactsOperator(_BookContactsOperator):
    """Unsubscribe contacts of an address book, and return the counts. A hundred go into one call.

    They stay in the book and no campaign to it reaches them, also when they are added again. Contacts that are not in the
    book, or not active there, count as accepted: SendPulse gives no outcome per address. It does not say whether it
    unsubscribes contacts that it has not activated yet either, which is what contacts are for a while after they were
    added: to keep somebody from being mailed for certain, and from all books, use
    :class:`~airflow_provider_sendpulse.operators.blacklist.SendPulseAddToBlacklistOperator`.

    :param address_book_id: the address book (templated)
    :param contacts, email_column, concurrency, max_contacts, max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressWritesOperator`
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Unsubscribe the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: there are more rows than ``max_contacts``; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        :raises Refused: SendPulse refuses the whole call: there is no such book, say
        """
        return self._deliver_to_book(context, unsubscription, "Contacts to unsubscribe")


__all__ = ["SendPulseRemoveContactsOperator", "SendPulseUnsubscribeContactsOperator"]
