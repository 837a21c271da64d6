# SPDX-License-Identifier: Apache-2.0
"""What became of a campaign, as records: its totals, opens by country, clicks by link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_sendpulse.rows.output import Layout, Record
from airflow_provider_sendpulse.sendpulse.campaigns import Campaign, Referral
from airflow_provider_sendpulse.sendpulse.statuses import DeliveryClass, DeliveryStatus

TOTALS = Layout(
    noun="totals of campaigns",
    columns={
        "campaign_id": int,
        "name": str,
        "campaign_status": int,
        "send_date": str,
        "recipients": int,
        "sent": int,
        "delivered": int,
        "opened": int,
        "clicked": int,
        "unsubscribed": int,
        "marked_as_spam": int,
        "failed": int,
        "by_status": dict,
        "taken_at": str,
    },
    key=("campaign_id",),
)
"""One record a campaign. ``by_status`` holds every delivery status with its count, by its code; ``failed`` adds up those
that say that a message did not arrive; ``send_date`` is in the account's time zone, ``taken_at`` in UTC."""

COUNTRIES = Layout(
    noun="opens by country",
    columns={"campaign_id": int, "country": str, "opens": int, "taken_at": str},
    key=("campaign_id", "country"),
)
"""One record a campaign and country (ISO code)."""

LINKS = Layout(
    noun="clicks by link",
    columns={"campaign_id": int, "link_number": int, "link": str, "clicks": int, "taken_at": str},
    key=("campaign_id", "link_number"),
)
"""One record a campaign and link, in the order that SendPulse tells them: a link is too long for a key."""

_STAGES = {
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "opened": DeliveryStatus.OPENED,
    "clicked": DeliveryStatus.CLICKED,
    "unsubscribed": DeliveryStatus.UNSUBSCRIBED,
    "marked_as_spam": DeliveryStatus.MARKED_AS_SPAM,
}
_FAILED = frozenset(status.code for status in DeliveryStatus if status.delivery_class is DeliveryClass.FAILED)


def totals(campaign: Campaign, taken_at: dt.datetime) -> dict[str, Any]:
    """Return the record of a campaign."""
    return {
        "campaign_id": campaign.id,
        "name": campaign.name,
        "campaign_status": campaign.status,
        "send_date": campaign.send_date or None,
        "recipients": campaign.all_email_qty,
        # A later stage is part of the earlier ones, which SendPulse has counted along.
        **{name: campaign.count(status.code) for name, status in _STAGES.items()},
        "failed": sum(statistic.count for statistic in campaign.statistics if statistic.code in _FAILED),
        "by_status": {str(statistic.code): statistic.count for statistic in campaign.statistics},
        "taken_at": taken_at.isoformat(),
    }


def countries(campaign_id: int, opens: Mapping[str, int], taken_at: dt.datetime) -> Iterator[Record]:
    """Yield a record for each country."""
    for country, count in opens.items():
        yield {"campaign_id": campaign_id, "country": country, "opens": count, "taken_at": taken_at.isoformat()}


def links(campaign_id: int, referrals: list[Referral], taken_at: dt.datetime) -> Iterator[Record]:
    """Yield a record for each link."""
    for number, referral in enumerate(referrals, start=1):
        yield {
            "campaign_id": campaign_id,
            "link_number": number,
            "link": referral.link,
            "clicks": referral.count,
            "taken_at": taken_at.isoformat(),
        }


__all__ = ["COUNTRIES", "LINKS", "TOTALS", "countries", "links", "totals"]
