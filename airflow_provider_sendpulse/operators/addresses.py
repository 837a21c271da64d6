# SPDX-License-Identifier: Apache-2.0
"""What the operators share that take addresses from rows and leave alone what else the rows hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.rows import BatchedRowsOperator, RowsOperator, SendPulseRowsOperator
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import RowSource, source_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class AddressesOperator(RowsOperator):
    """An operator that takes addresses from rows. Without rows it asks the service for nothing.

    :param contacts: a row source such as :class:`~airflow_provider_sendpulse.rows.SqlRows`, a list of addresses, or a
        list of ``{"email": …}`` (templated; shows as a count in the UI)
    :param email_column: column of the address in a row source; other columns do not matter (templated)
    """

    template_fields: Collection[str] = ("contacts", "email_column")
    template_ext: Sequence[str] = (".sql",)
    personal_fields: ClassVar[Mapping[str, str]] = {"contacts": "contacts"}

    def __init__(
        self, *, contacts: RowSource | Sequence[str | Mapping[str, Any]], email_column: str = "email", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.contacts = contacts
        self.email_column = email_column

    def _audience(self) -> Audience:
        columns = Columns(self.email_column, phone="", automation_id=None, variables=())
        return Audience(source_of(reveal(self.contacts), "contacts"), columns)


class SendPulseAddressesOperator(AddressesOperator, SendPulseRowsOperator):
    """An operator that takes addresses from rows to SendPulse.

    :param contacts, email_column: see :class:`AddressesOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (*SendPulseRowsOperator.template_fields, *AddressesOperator.template_fields)


class SendPulseAddressWritesOperator(BatchedRowsOperator, SendPulseAddressesOperator):
    """An operator that has something done with addresses, many in a call and several calls at a time.

    :param concurrency, max_contacts: see :class:`~airflow_provider_sendpulse.operators.rows.BatchedRowsOperator`
    :param contacts, email_column: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressesOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (*SendPulseAddressesOperator.template_fields, "max_contacts")

    def _deliver(
        self, context: Context, delivery: BatchedDelivery, noun: str, address_book_id: int | None = None
    ) -> dict[str, int]:
        """Deliver the rows and return the counts.

        :param noun: what the rows are, for the log
        :param address_book_id: what the task's link leads to
        """

        def linked(_: Sender) -> BatchedDelivery:
            if address_book_id is not None:
                SendPulseAddressBookLink().push_id(context, self.hook.settings.address_book_link, address_book_id)
            return delivery

        return self._deliver_batches(context, self.hook, self._audience(), noun, linked)


__all__ = ["AddressesOperator", "SendPulseAddressWritesOperator", "SendPulseAddressesOperator"]
