# SPDX-License-Identifier: Apache-2.0
"""Operators for address books."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest, Refused
from airflow_provider_sendpulse.jobs.address_book import ensure_address_book
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.sendpulse import address_books
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseCreateAddressBookOperator(SendPulseOperator):
    """Make sure that an address book of a name exists, and return its id.

    :param name: name of the address book, unique in the account (templated)
    :param if_exists: ``reuse`` returns the id of an existing one, ``fail`` fails. A task that is retried finds the book
        of its first try, so ``fail`` is for tasks with ``retries=0`` (templated).
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "name", "if_exists")
    operator_extra_links = (SendPulseAddressBookLink(),)

    def __init__(self, *, name: str, if_exists: Literal["reuse", "fail"] = "reuse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.if_exists = if_exists

    def execute(self, context: Context) -> int:
        """Find or create the address book.

        :return: the id of the address book
        """
        with self.hook as hook:
            address_book_id = ensure_address_book(hook, plain_text(self.name), self.if_exists)
            link = hook.settings.address_book_link.replace("{id}", str(address_book_id))
        SendPulseAddressBookLink().push(context, link)
        return address_book_id


class SendPulseDeleteAddressBookOperator(SendPulseOperator):
    """Delete an address book with its contacts. One that is gone already is fine.

    :param address_book_id: the address book (templated)
    :param confirm_name: what its name must be (templated); anything else fails and deletes nothing
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "confirm_name")

    def __init__(self, *, address_book_id: int | str, confirm_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.confirm_name = confirm_name

    def execute(self, context: Context) -> None:
        """Delete the address book."""
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        with self.hook as hook:
            try:
                if self.confirm_name is not None:
                    name = hook.send(address_books.read(address_book_id)).name
                    wanted = plain_text(self.confirm_name)
                    if name != wanted:
                        raise InvalidRequest(
                            f"Address book {address_book_id} is named {name!r}, not {wanted!r}: not deleted."
                        )
                hook.send(address_books.delete(address_book_id))
            except Refused as error:
                if error.error_code != ErrorCode.BOOK_NOT_FOUND.code:
                    raise
                self.log.info("Address book %s is gone already.", address_book_id)
            else:
                self.log.info("Deleted address book %s.", address_book_id)


__all__ = ["SendPulseCreateAddressBookOperator", "SendPulseDeleteAddressBookOperator"]
