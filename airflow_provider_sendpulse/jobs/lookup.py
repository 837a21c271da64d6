# SPDX-License-Identifier: Apache-2.0
"""Looking for the campaigns of a mailing: far enough back, and in every list that could hold them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.namesakes import Namesakes
from airflow_provider_sendpulse.jobs.sending import Sender, as_far_back
from airflow_provider_sendpulse.sendpulse import address_books, campaigns
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode

# The dates of the list are in the account's time zone, and nobody documents what they mean for a campaign in moderation.
_SLACK = dt.timedelta(days=2)


def find_marked(
    sender: Sender, marker: Marker, since: dt.datetime, address_book_ids: Sequence[int], name: str | None = None
) -> list[campaigns.Campaign]:
    """Return every campaign whose name ends in the mailing's marker, of any generation, the latest generation first.

    :param since: none of them can have been created before this; the account's list is read back to there
    :param address_book_ids: address books whose own lists are read too; they hold names only
    :param name: the name that was given, without the marker: with it, those are returned too whose name may be what is left
        of that, by the names beside it, and that do not say that they are older; they come last
    :raises ServiceError: when a list could not be read to the end: the look-up says nothing then
    """
    oldest = (since - _SLACK).strftime(campaigns.DATE_FORMAT)

    def is_one(text: str, date: str = "") -> bool:
        if marker.marks(text):
            return True
        is_old = date[:2] == "20" and date < oldest
        return name is not None and not is_old and marker.is_cut_in(text, name)

    listed = as_far_back(
        sender,
        campaigns.list(order="desc"),
        number=lambda campaign: campaign.id,
        date=lambda campaign: campaign.send_date,
        oldest=oldest,
    )
    namesakes = Namesakes(marker, name or "")
    found: dict[int, campaigns.Campaign] = {}
    for campaign in listed:
        namesakes.see(campaign.name)
        if is_one(campaign.name, campaign.send_date):
            found[campaign.id] = campaign
    for book in address_book_ids:
        for entry in _in_book(sender, book):
            if entry.task_id not in found and is_one(entry.task_name):
                campaign = sender.send(campaigns.read(entry.task_id))
                if is_one(campaign.name or entry.task_name, campaign.send_date):
                    found[campaign.id] = campaign
    ours = [one for one in found.values() if generation(one) or not one.name or namesakes.may_be_cut(one.name)]
    return sorted(ours, key=lambda campaign: (generation(campaign), campaign.id), reverse=True)


def generation(campaign: campaigns.Campaign) -> int:
    """Return the generation in the marker of a campaign's name, or 0 where there is no marker."""
    marker = Marker.in_name(campaign.name)
    return marker.generation if marker else 0


def _in_book(sender: Sender, address_book_id: int) -> list[address_books.BookCampaign]:
    try:
        return [*sender.pages(address_books.campaigns(address_book_id))]
    except Refused as error:
        # A book may be deleted by the time its campaign is looked for; no campaign can be created from it then.
        if error.error_code != ErrorCode.BOOK_NOT_FOUND.code:
            raise
        return []


__all__ = ["find_marked", "generation"]
