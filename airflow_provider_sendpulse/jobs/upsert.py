# SPDX-License-Identifier: Apache-2.0
"""Rows in batches, where a repeat of any of them changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import DeliveryFailed, Refused
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person


def upsert(
    sender: Sender,
    items: Iterable[Item],
    build: Callable[[Sequence[Person]], Call[None]],
    report: Report,
    *,
    batch_size: int,
    clock: Clock,
) -> None:
    """Send rows in batches.

    :param build: makes the call for some rows
    :param report: settles on; whoever yields the items has settled what was found wrong
    :raises DeliveryFailed: the service refused a batch; the message says which rows it held
    :raises ServiceError: as the calls do
    """
    progress = Progress(clock, "batch", report.expected, batch_size)
    for batch in chunks(items, batch_size):
        persons = [item.person for item in batch]
        try:
            sender.send(build(persons))
        except Refused as error:
            raise DeliveryFailed(
                f"Rows {persons[0].number} to {persons[-1].number}: {error} So far: {report.counts}.",
                operation=error.operation,
                status=error.status,
                error_code=error.error_code,
                service_message=error.service_message,
            ) from error
        for person in persons:
            report.settle(person, Outcome.ACCEPTED)
        progress.tell(report.counts)


__all__ = ["upsert"]
