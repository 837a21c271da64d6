# SPDX-License-Identifier: Apache-2.0
"""Operators for address books."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_sendpulse.arguments import optional_amount, whole_number
from airflow_provider_sendpulse.jobs.address_book import delete_address_book, ensure_address_book, rename_address_book
from airflow_provider_sendpulse.jobs.cost import Allowance
from airflow_provider_sendpulse.jobs.listing import CONTACTS, ContactList
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.storage import as_template
from airflow_provider_sendpulse.sendpulse import address_books

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
        :raises InvalidRequest: for an empty name, or an existing book that is not to be reused
        """
        with self.hook as hook:
            address_book_id = ensure_address_book(hook, plain_text(self.name), self.if_exists)
            SendPulseAddressBookLink().push_id(context, hook.settings.address_book_link, address_book_id)
        return address_book_id


class SendPulseRenameAddressBookOperator(SendPulseOperator):
    """Give an address book another name. One that has it already is fine.

    :param address_book_id: the address book (templated)
    :param name: its new name, unique in the account (templated)
    :param confirm_name: what its name must be so far (templated); any name when left out
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "name", "confirm_name")
    operator_extra_links = (SendPulseAddressBookLink(),)

    def __init__(self, *, address_book_id: int | str, name: str, confirm_name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.name = name
        self.confirm_name = confirm_name

    def execute(self, context: Context) -> int:
        """Rename the address book.

        :return: the id of the address book
        :raises InvalidRequest: for an empty name, one that another book has, or a book that is named otherwise than
            ``confirm_name``; the book keeps its name then
        :raises Refused: there is no such book
        """
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        confirm_name = None if self.confirm_name is None else plain_text(self.confirm_name)
        with self.hook as hook:
            rename_address_book(hook, address_book_id, plain_text(self.name), confirm_name)
            SendPulseAddressBookLink().push_id(context, hook.settings.address_book_link, address_book_id)
        return address_book_id


class SendPulseDeleteAddressBookOperator(SendPulseOperator):
    """Delete an address book with its contacts. One that is gone already is fine.

    Nothing brings it back, and an id from another task can be that of any book: so its name has to be known as well.

    :param address_book_id: the address book (templated)
    :param confirm_name: what its name must be (templated); anything else fails and deletes nothing
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "confirm_name")

    def __init__(self, *, address_book_id: int | str, confirm_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.confirm_name = confirm_name

    def execute(self, context: Context) -> None:
        """Delete the address book.

        :raises InvalidRequest: for a book that is named otherwise; it stays
        :raises Refused: a campaign of it is active
        """
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        with self.hook as hook:
            delete_address_book(hook, address_book_id, plain_text(self.confirm_name))


class SendPulseEstimateCostOperator(SendPulseOperator):
    """Estimate what a campaign to an address book would cost, and fail where that is too much: put it before the campaign.

    :param address_book_id: the address book (templated)
    :param max_cost: the highest price that is allowed; needs ``currency`` (templated)
    :param currency: currency of ``max_cost``, such as ``USD``; it has to be the account's (templated)
    :param require_affordable: fail when the plan and the balance do not suffice
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "max_cost", "currency")

    def __init__(
        self,
        *,
        address_book_id: int | str,
        max_cost: float | str | None = None,
        currency: str | None = None,
        require_affordable: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.max_cost = max_cost
        self.currency = currency
        self.require_affordable = require_affordable

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask what the campaign would cost.

        :return: the figures of SendPulse: ``cur`` (the currency), ``sent_emails_qty`` (contacts that would be mailed),
            ``overdraft_all_emails_price`` (the price beyond the plan), ``addresses_delta_from_balance`` and
            ``addresses_delta_from_tariff`` (contacts beyond the balance and beyond the plan), ``max_emails_per_task``, and
            ``affordable``. When the task fails for the price, they are in the XCom ``cost``.
        :raises CostTooHigh: the price is above ``max_cost``, or the account cannot pay it
        :raises InvalidRequest: the account is in another currency than ``max_cost``
        :raises Refused: there is no such book, or it is empty
        """
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        max_cost = optional_amount(self.max_cost, "max_cost")
        allowance = Allowance(max_cost, plain_text(self.currency).strip(), self.require_affordable)
        with self.hook as hook:
            cost = hook.send(address_books.cost(address_book_id))
        figures = {name: value for name, value in asdict(cost).items() if name != "extra"}
        self.log.info("A campaign to address book %s would cost: %s", address_book_id, figures)
        try:
            allowance.check(address_book_id, cost)
        except Exception:
            context["ti"].xcom_push(key="cost", value=figures)
            raise
        return figures


class SendPulseExportAddressBookOperator(SendPulseOperator):
    """Write the contacts of an address book to a file or a table, with their status and variables.

    The columns are ``address_book_id``, ``email``, ``phone``, ``status``, ``status_explain``, ``mailable``, and
    ``variables`` as JSON. A file is written anew; in a table, what is there of the book is replaced as a whole, in one
    transaction. The book is read page by page and takes no more memory when it is large.

    Addresses are written as SendPulse has them, in whatever case: compare them in lower case, ``LOWER(email)``.

    The API pages by offset: while others change the book, a contact can be left out of the list. The task warns when the
    book has another number of contacts afterwards.

    :param address_book_id: the address book (templated)
    :param destination: where to: a path or URL that ends in ``.csv`` or ``.jsonl``, an
        :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated)
    :param only_active: leave out contacts that cannot be mailed
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "address_book_id", "destination")
    operator_extra_links = (SendPulseAddressBookLink(),)

    def __init__(
        self,
        *,
        address_book_id: int | str,
        destination: str | os.PathLike[str] | OutputFile | OutputTable,
        only_active: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.address_book_id = address_book_id
        self.destination: str | os.PathLike[str] | OutputFile | OutputTable = as_template(destination)
        self.only_active = only_active

    def execute(self, context: Context) -> dict[str, Any]:
        """Export the contacts.

        :return: ``contacts``, how many were written, ``mailable``, how many of them a campaign reaches, and
            ``destination``, where they are
        :raises InvalidRequest: when nothing can be written there; SendPulse is not asked then
        :raises Refused: there is no such book; what was exported before stays
        """
        address_book_id = whole_number(self.address_book_id, "address_book_id")
        place = output_of(self.destination, "destination")
        place.prepare(CONTACTS)
        with self.hook as hook:
            SendPulseAddressBookLink().push_id(context, hook.settings.address_book_link, address_book_id)
            found = ContactList(hook, address_book_id, only_active=self.only_active)
            with contextlib.closing(found.records()) as records:
                place.write(CONTACTS, records, of={"address_book_id": address_book_id})
            found.check()
        self.log.info("%s contacts of address book %s are in %s.", f"{found.written:,}", address_book_id, place)
        return {"contacts": found.written, "mailable": found.mailable, "destination": str(place)}


__all__ = [
    "SendPulseCreateAddressBookOperator",
    "SendPulseDeleteAddressBookOperator",
    "SendPulseEstimateCostOperator",
    "SendPulseExportAddressBookOperator",
    "SendPulseRenameAddressBookOperator",
]
