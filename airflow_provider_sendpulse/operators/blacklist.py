# SPDX-License-Identifier: Apache-2.0
"""Operators for the account's blacklist: addresses that no campaign reaches, whatever book they are in."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.jobs.address_delivery import blacklisting, unblacklisting
from airflow_provider_sendpulse.jobs.listing import BLACKLIST, blacklisted
from airflow_provider_sendpulse.operators.addresses import SendPulseAddressWritesOperator
from airflow_provider_sendpulse.operators.base import SendPulseOperator, plain_text
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseAddToBlacklistOperator(SendPulseAddressWritesOperator):
    """Put addresses on the account's blacklist, and return the counts.

    No campaign reaches them any more, and adding them to a book does nothing. SendPulse keeps the addresses for that.

    :param comment: why, for those who read the blacklist in the dashboard; not about a person, as all of these addresses
        get the same (templated)
    :param batch_size: addresses per call; when SendPulse refuses that many, fewer are sent
    :param contacts, email_column, concurrency, max_contacts, max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressWritesOperator`
    """

    template_fields: Collection[str] = (*SendPulseAddressWritesOperator.template_fields, "comment")

    def __init__(self, *, comment: str | None = None, batch_size: int = 500, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.comment = comment
        self.batch_size = batch_size

    def execute(self, context: Context) -> dict[str, int]:
        """Put the addresses on the blacklist.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: there are more rows than ``max_contacts``; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        delivery = blacklisting(plain_text(self.comment) or None, self.batch_size, self.concurrency)
        return self._deliver(context, delivery, "Addresses for the blacklist")


class SendPulseRemoveFromBlacklistOperator(SendPulseAddressWritesOperator):
    """Take addresses off the account's blacklist, and return the counts. One that is not on it counts as accepted.

    :param batch_size: addresses per call; when SendPulse refuses that many, fewer are sent
    :param max_contacts: with more rows than that nothing is sent and the task fails: campaigns reach again whoever a wrong
        query takes off. ``None`` allows any number (templated)
    :param contacts, email_column, concurrency, max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.addresses.SendPulseAddressWritesOperator`
    """

    def __init__(self, *, batch_size: int = 500, max_contacts: int | str | None = 1000, **kwargs: Any) -> None:
        super().__init__(max_contacts=max_contacts, **kwargs)
        self.batch_size = batch_size

    def execute(self, context: Context) -> dict[str, int]:
        """Take the addresses off the blacklist.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt
        :raises InvalidRequest: there are more rows than ``max_contacts``; nothing was sent
        :raises DeliveryFailed: when more rows went wrong than is allowed
        """
        return self._deliver(context, unblacklisting(self.batch_size, self.concurrency), "Addresses off the blacklist")


class SendPulseExportBlacklistOperator(SendPulseOperator):
    """Write the account's blacklist to a file or a table, with the columns ``sendpulse_conn_id`` and ``email``.

    Addresses are written as SendPulse has them, in whatever case: compare them in lower case, ``LOWER(email)``. In a table,
    what is there of the same connection is replaced as a whole. The API has no paging here, so the list is in
    memory once.

    :param destination: where to: a path or URL that ends in ``.csv`` or ``.jsonl``, an
        :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "destination")

    def __init__(self, *, destination: str | os.PathLike[str] | OutputFile | OutputTable, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.destination: str | os.PathLike[str] | OutputFile | OutputTable = as_template(destination)

    def execute(self, context: Context) -> dict[str, Any]:
        """Export the blacklist.

        :return: ``addresses``, how many there are, and ``destination``, where they are
        :raises InvalidRequest: when nothing can be written there; SendPulse is not asked then
        """
        place = output_of(self.destination, "destination")
        place.prepare(BLACKLIST)
        with self.hook as hook:
            records = blacklisted(hook, self.sendpulse_conn_id)
            written = place.write(BLACKLIST, records, of={"sendpulse_conn_id": self.sendpulse_conn_id})
        self.log.info("%s addresses of the blacklist are in %s.", f"{written:,}", place)
        return {"addresses": written, "destination": str(place)}


__all__ = [
    "SendPulseAddToBlacklistOperator",
    "SendPulseExportBlacklistOperator",
    "SendPulseRemoveFromBlacklistOperator",
]
