# SPDX-License-Identifier: Apache-2.0
"""The operator that asks what the account knows of addresses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import optional_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs import contact_lookups
from airflow_provider_sendpulse.jobs.address_delivery import address_key
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.operators.addresses import SendPulseAddressesOperator
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, distinct_outputs
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context

_NAMES = ("statistics", "memberships", "origins", "deliveries")


class SendPulseContactStatisticsOperator(SendPulseAddressesOperator):
    """Ask what the account knows of contacts, and write it to files or tables: one for each kind of look-up, at least one.

    Contacts that SendPulse does not know are counted, and are no failure. Addresses are written in lower case, each record
    with the time ``looked_up_at`` (in UTC). A record in a table is replaced when the contact is looked up again; that of a
    book which the contact has left stays, with the time when it was seen last. Files are written anew.

    Dates of SendPulse are in the account's time zone.

    :param statistics: what was sent to a contact over all campaigns: ``sent``, ``opened``, ``links_followed``,
        ``blacklisted``, and ``address_books`` (ids, as JSON). A hundred contacts go into one call. A path or URL that ends
        in ``.csv`` or ``.jsonl``, an :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated)
    :param memberships: a record for each address book of a contact: ``address_book_id``, ``status``, ``status_explain``,
        ``mailable``, and ``variables`` (as JSON). A hundred contacts go into one call (templated)
    :param origins: how a contact came into each of its address books: ``address_book_id``, ``address_book_name``,
        ``add_date``, ``source``. A call for each contact (templated)
    :param deliveries: what became of one campaign's message to a contact: ``campaign_id``, ``sent_date``,
        ``global_status``, ``global_status_explain``, ``detail_status``, ``detail_status_explain``. A call for each contact
        (templated)
    :param campaign_id: the campaign of ``deliveries`` (templated)
    """

    template_fields: Collection[str] = (*SendPulseAddressesOperator.template_fields, *_NAMES, "campaign_id")

    def __init__(
        self,
        *,
        statistics: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        memberships: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        origins: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        deliveries: str | os.PathLike[str] | OutputFile | OutputTable | None = None,
        campaign_id: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.statistics = as_template(statistics)
        self.memberships = as_template(memberships)
        self.origins = as_template(origins)
        self.deliveries = as_template(deliveries)
        self.campaign_id = campaign_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Look the contacts up.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt; ``unknown``, how many of the
            accepted SendPulse knows nothing of; ``records``, kind of look-up to how many records were written; and
            ``destinations``, kind of look-up to where they are
        :raises InvalidRequest: there is no kind of look-up, two go to the same place, or nothing can be written to where
            one goes; SendPulse is not asked then
        :raises DeliveryFailed: more rows were no addresses, or were refused, than is allowed; nothing was written
        """
        audience = self._audience()
        lookups = self._lookups()
        places = distinct_outputs({name: getattr(self, name) for name in lookups})
        for name, place in places.items():
            place.prepare(lookups[name].layout)
        written = {}
        clock = SystemClock()
        with self.hook as hook, contact_lookups.looking(hook, [*lookups.values()], clock) as ways:
            inquiry = contact_lookups.Inquiry(ways)
            with (
                self._accounted("Contacts to look up", audience.source) as report,
                audience.reading() as persons,
                contextlib.closing(screened(persons, report, address_key)) as items,
            ):
                inquiry.run(items, report)
            for (name, place), way in zip(places.items(), ways, strict=True):
                written[name] = place.write(way.layout, way.records())
        self.log.info("Not known: %s. Records: %s", f"{inquiry.unknown:,}", written)
        return {
            **report.counts.as_dict(),
            "unknown": inquiry.unknown,
            "records": written,
            "destinations": {name: str(place) for name, place in places.items()},
        }

    def _lookups(self) -> dict[str, contact_lookups.Lookup]:
        wanted = [name for name in _NAMES if getattr(self, name) is not None]
        campaign_id = optional_number(self.campaign_id, "campaign_id")
        if not wanted:
            raise InvalidRequest(f"Nothing is to be looked up: give {', '.join(_NAMES[:-1])} or {_NAMES[-1]}.")
        if (campaign_id is None) == ("deliveries" in wanted):
            raise InvalidRequest("deliveries are those of one campaign: give campaign_id with deliveries, and only then.")
        simple = {
            "statistics": contact_lookups.statistics,
            "memberships": contact_lookups.memberships,
            "origins": contact_lookups.origins,
        }
        found = {name: simple[name]() for name in wanted if name in simple}
        return found if campaign_id is None else {**found, "deliveries": contact_lookups.deliveries(campaign_id)}


__all__ = ["SendPulseContactStatisticsOperator"]
