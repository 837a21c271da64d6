# SPDX-License-Identifier: Apache-2.0
"""What the operators share that take addresses from rows and leave alone what else the rows hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.jobs.batched_delivery import BatchedDelivery
from airflow_provider_sendpulse.links.sendpulse import SendPulseAddressBookLink
from airflow_provider_sendpulse.operators.rows import SendPulseRowsOperator
from airflow_provider_sendpulse.operators.task_store import task_position
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import RowSource, source_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseAddressesOperator(SendPulseRowsOperator):
    """An operator that takes addresses from rows. Without rows it asks SendPulse for nothing.

    :param contacts: a row source such as :class:`~airflow_provider_sendpulse.rows.SqlRows`, a list of addresses, or a
        list of ``{"email": …}`` (templated; shows as a count in the UI)
    :param email_column: column of the address in a row source; other columns do not matter (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    template_fields: Collection[str] = (*SendPulseRowsOperator.template_fields, "contacts", "email_column")
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


class SendPulseAddressWritesOperator(SendPulseAddressesOperator):
    """An operator that has something done with addresses, many in a call and several calls at a time.

    Doing it again changes nothing. A retry goes on where the try before it has got to, if the source still begins with
    the same rows in the same order, and starts over if not; that needs Airflow 3.3, below it a retry starts over.

    :param concurrency: calls at a time, from 1 to 32, within the request budget of the account
    :param contacts, email_column: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressesOperator`
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.SendPulseRowsOperator`
    """

    _skips_what_it_has_sent = True

    def __init__(self, *, concurrency: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.concurrency = concurrency

    def _deliver(
        self, context: Context, delivery: BatchedDelivery, noun: str, address_book_id: int | None = None
    ) -> dict[str, int]:
        """Deliver the rows and return the counts.

        :param noun: what the rows are, for the log
        :param address_book_id: what the task's link leads to
        """
        audience = self._audience()
        position = task_position(context)
        with self._accounted(noun, audience.source) as report, self.hook as hook:
            if address_book_id is not None:
                SendPulseAddressBookLink().push_id(context, hook.settings.address_book_link, address_book_id)
            delivery.run(
                hook.get_conn(),  # what threads may share: the hook asks Airflow, which only this thread may
                audience,
                position,
                report,
                SystemClock(),
                account=hook.settings.account.budget_key,
                catch_up=hook.catch_up,
            )
        # As late as can be: until here another try would go on, from here on it begins again.
        position.delete()
        return report.counts.as_dict()


__all__ = ["SendPulseAddressWritesOperator", "SendPulseAddressesOperator"]
