# SPDX-License-Identifier: Apache-2.0
"""What became of a campaign, in tables or files."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import whole_number
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs import campaign_figures as figures
from airflow_provider_sendpulse.operators.base import SendPulseOperator
from airflow_provider_sendpulse.rows.output import OutputFile, OutputTable, distinct_outputs
from airflow_provider_sendpulse.rows.storage import as_template
from airflow_provider_sendpulse.sendpulse import campaigns

if TYPE_CHECKING:
    from airflow.sdk import Context

Place = str | os.PathLike[str] | OutputFile | OutputTable

_LAYOUTS = {"totals": figures.TOTALS, "countries": figures.COUNTRIES, "links": figures.LINKS}


class SendPulseCampaignStatisticsOperator(SendPulseOperator):
    """Write the statistics of a campaign into tables or files, and return its totals.

    A repeat replaces what is there of the campaign: in a table the rows with its ``campaign_id``, a file as a whole. The
    columns are those of :mod:`airflow_provider_sendpulse.jobs.campaign_figures`. Counters keep changing for days after a
    campaign is sent; ``taken_at`` says how old they are.

    ``totals``, ``countries`` and ``links`` each are a path or URL that ends in ``.csv`` or ``.jsonl``, or an ``OutputFile``
    or ``OutputTable`` of ``airflow_provider_sendpulse.rows``; at least one is given, and no two are the same.

    :param campaign_id: the campaign (templated)
    :param totals: where one row a campaign goes: recipients, sent, delivered, opened, clicked, unsubscribed, marked as
        spam, failed, and the counts of all statuses (templated)
    :param countries: where opens by country go, a row each (templated)
    :param links: where clicks by link go, a row each (templated)
    """

    template_fields: Collection[str] = (*SendPulseOperator.template_fields, "campaign_id", *_LAYOUTS)

    def __init__(
        self,
        *,
        campaign_id: int | str,
        totals: Place | None = None,
        countries: Place | None = None,
        links: Place | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.totals: Place | None = as_template(totals)
        self.countries: Place | None = as_template(countries)
        self.links: Place | None = as_template(links)

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the statistics and write them.

        :return: the totals: ``campaign_id``, ``campaign_status``, ``recipients``, ``sent``, ``delivered``, ``opened``,
            ``clicked``, ``unsubscribed``, ``marked_as_spam`` and ``failed``
        :raises InvalidRequest: when no output is given, two are the same, or one cannot be written to
        """
        campaign_id = whole_number(self.campaign_id, "campaign_id")
        outputs = distinct_outputs({name: getattr(self, name) for name in _LAYOUTS})
        if not outputs:
            raise InvalidRequest("The statistics go nowhere: give totals, countries or links.")
        for name, output in outputs.items():
            output.prepare(_LAYOUTS[name])
        with self.hook as hook:
            taken_at = datetime.fromtimestamp(SystemClock().now(), tz=UTC).replace(microsecond=0)
            totals = figures.totals(hook.send(campaigns.read(campaign_id)), taken_at)
            records: dict[str, list[Any]] = {"totals": [totals]}
            if "countries" in outputs:
                opens = hook.send(campaigns.countries(campaign_id))
                records["countries"] = [*figures.countries(campaign_id, opens, taken_at)]
            if "links" in outputs:
                referrals = hook.send(campaigns.referrals(campaign_id))
                records["links"] = [*figures.links(campaign_id, referrals, taken_at)]
        for name, output in outputs.items():
            written = output.write(_LAYOUTS[name], records[name], of={"campaign_id": campaign_id})
            self.log.info("%s of campaign %s: %s, in %s.", name, campaign_id, written, output)
        told = ("name", "send_date", "by_status", "taken_at")
        return {name: value for name, value in totals.items() if name not in told}


__all__ = ["SendPulseCampaignStatisticsOperator"]
