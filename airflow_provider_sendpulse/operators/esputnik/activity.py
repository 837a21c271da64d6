# SPDX-License-Identifier: Apache-2.0
"""Operators for the activity of contacts: what became of messages."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.arguments import optional_number, texts
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.esputnik.activity import IMPERSONAL, Selection, layout, records, rows_of
from airflow_provider_sendpulse.jobs.schedule import clock_times, timezone
from airflow_provider_sendpulse.operators.dates import optional_date
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikOperator
from airflow_provider_sendpulse.operators.service import plain_text
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, output_of
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context

Place = str | os.PathLike[str] | OutputFile | OutputTable


class EsputnikActivityOperator(EsputnikOperator):
    """Count what became of messages in a period, and write it to a file or a table.

    A row is something that happened to a message of a contact: delivered, read, clicked, unsubscribed. ``activity_id``,
    made of what the row says, tells it from others: a run that is repeated replaces its rows in a table, and a row that
    two periods hold is there once. A file is written anew each time.

    It is also how a broadcast is followed, which has no status of its own: by ``broadcast_id``, without a ``destination``,
    it returns the counts of that broadcast.

    A day is asked for at a time, and less where there is more than eSputnik's paging was seen to be good for. The dates are
    sent in the time zone of the organisation, which is the connection's ``account_timezone``.

    :param date_from: beginning of the period, an aware date or its ISO text; the run's data interval when left out
        (templated)
    :param date_to: end of the period, which is at most three months; the run's data interval when left out (templated)
    :param destination: where rows go: a path or URL that ends in ``.csv`` or ``.jsonl``, an
        :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable`; nowhere when left out (templated)
    :param columns: which columns rows have, beside ``activity_id``. When left out, all that hold nothing personal:
        ``iid``, ``activity_status``, ``activity_date_time``, ``contact_id``, ``media_type``, ``message_id``,
        ``message_name``, ``message_tag``, ``message_language_code``, ``broadcast_id``, ``workflow_id``,
        ``workflow_block_id``, ``workflow_instance_id``, ``message_instance_id`` and ``source_event_type_key``. There are
        also ``email``, ``sms``, ``web_push_token``, ``mob_push_token``, ``external_customer_id``,
        ``external_request_id``, ``source_event_key``, ``sender``, ``status_description``, ``status_data``,
        ``view_message_link`` and ``click_event_link``.
    :param statuses: only these: ``DELIVERED``, ``UNDELIVERED``, ``READ``, ``UNSUBSCRIBED``, ``SUBSCRIPTION_CHANGED``,
        ``CLICKED``, ``SPAM``; one or a list (templated)
    :param channels: only these media types, such as ``email``; one or a list (templated)
    :param tag: only messages with this tag (templated)
    :param broadcast_id: only messages of this broadcast (templated)
    """

    template_fields: Collection[str] = (
        *EsputnikOperator.template_fields,
        "date_from",
        "date_to",
        "destination",
        "statuses",
        "channels",
        "tag",
        "broadcast_id",
    )

    def __init__(
        self,
        *,
        date_from: datetime | str | None = None,
        date_to: datetime | str | None = None,
        destination: Place | None = None,
        columns: Sequence[str] | None = None,
        statuses: Sequence[str] | str = (),
        channels: Sequence[str] | str = (),
        tag: str | None = None,
        broadcast_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.date_from = date_from
        self.date_to = date_to
        self.destination: Place | None = as_template(destination)
        self.columns = columns
        self.statuses = statuses
        self.channels = channels
        self.tag = tag
        self.broadcast_id = broadcast_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the activity, count it, and write it.

        :return: ``rows``, how many there are, ``by_status``, how many of each status, and ``destination``, where they are
        :raises InvalidRequest: when an argument cannot be meant, the period is longer than three months, there is no
            period, or nothing can be written to the destination; eSputnik is not asked then
        :raises NeedsHuman: when eSputnik does not keep or show activity for this account: its support enables it
        :raises ServiceError: when not all rows could be listed; nothing was written
        """
        columns = IMPERSONAL if self.columns is None else self.columns
        shape = layout(columns)
        place = None if self.destination is None else output_of(self.destination, "destination")
        with self.hook as hook:
            selection = self._selection(context, hook.settings.account_timezone)
            if place is not None:
                place.prepare(shape)
            by_status: Counter[str] = Counter()
            rows = rows_of(hook, selection, by_status)
            if place is None:
                for _ in rows:
                    pass
            else:
                place.write(shape, records(rows, columns))
        told = {"rows": by_status.total(), "by_status": dict(sorted(by_status.items()))}
        self.log.info("Activity from %s to %s: %s.", selection.start, selection.end, told)
        return {**told, "destination": None if place is None else str(place)}

    def _selection(self, context: Context, account_timezone: str | None) -> Selection:
        zone = timezone(account_timezone, "The activity of a period")
        interval = (context.get("data_interval_start"), context.get("data_interval_end"))
        begins = optional_date(self.date_from, "date_from") or interval[0]
        ends = optional_date(self.date_to, "date_to") or interval[1]
        if begins is None or ends is None:
            raise InvalidRequest("This run has no data interval: give date_from and date_to.")
        return Selection(
            start=clock_times(begins, zone)[0],
            end=clock_times(ends, zone)[1],
            statuses=[name.upper() for name in texts(self.statuses, "statuses")],
            channels=[name.lower() for name in texts(self.channels, "channels")],
            tag=plain_text(self.tag).strip() or None,
            broadcast_id=optional_number(self.broadcast_id, "broadcast_id"),
        )


__all__ = ["EsputnikActivityOperator"]
