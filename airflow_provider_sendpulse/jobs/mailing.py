# SPDX-License-Identifier: Apache-2.0
"""One campaign and no second one: look for it by its marker, adopt it, or create it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, CampaignConflict, FinalFailure, ServiceError
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import address_books, campaigns

log = logging.getLogger(__name__)

VISIBILITY_WINDOW = 120.0
"""Seconds for which a campaign may exist without being listed; nobody documents how long that really takes."""

LOOK_AGAIN = 10.0
"""Seconds between two looks for a campaign whose creation is in doubt."""

_SLACK = dt.timedelta(days=2)
_NO_DATE = "0001"


@dataclass(frozen=True, slots=True)
class Mailing:
    """A campaign that is to exist once.

    :param campaign: what to create; its name is still without the marker
    :param marker: by what it is recognised
    :param since: no campaign with this marker can be older than this; bounds how far the look-up pages back
    """

    campaign: campaigns.NewCampaign
    marker: Marker
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one campaign of a mailing.

    :param adopted: it existed already
    :param created: what the service said on creating it; ``None`` for an adopted one
    """

    campaign_id: int
    adopted: bool
    created: campaigns.CreatedCampaign | None = None


def create_once(sender: Sender, mailing: Mailing, clock: Clock) -> Outcome:
    """Make sure that the campaign of a mailing exists, and that there is no second one.

    :raises CampaignConflict: one with this marker exists, to other address books or with another subject
    :raises AmbiguousOutcome: it was sent to the service, the answer was lost, and it could not be found within
        :data:`VISIBILITY_WINDOW`: it may still exist, so it is not created again
    """
    if (found := _find(sender, mailing)) is not None:
        log.info("Adopted campaign %s: one with the marker %s exists already.", found.id, mailing.marker)
        return Outcome(found.id, adopted=True)
    campaign = replace(mailing.campaign, name=mailing.marker.name(mailing.campaign.name))
    try:
        created = sender.send(campaigns.create(campaign))
    except AmbiguousOutcome as error:
        return _resolve(sender, mailing, clock, error)
    log.info("Created campaign %s with the marker %s.", created.id, mailing.marker)
    return Outcome(created.id, adopted=False, created=created)


def _resolve(sender: Sender, mailing: Mailing, clock: Clock, doubt: AmbiguousOutcome) -> Outcome:
    """Look for a campaign that was sent and not confirmed, until it must be visible if it exists.

    A look that fails in passing ends nothing: Airflow would retry the task, and that could create what is not listed yet.
    """
    log.warning("%s Looking for the marker %s.", doubt, mailing.marker)
    end = clock.now() + VISIBILITY_WINDOW
    while True:
        trouble = ""
        try:
            found = _find(sender, mailing)
        except FinalFailure:
            raise
        except ServiceError as error:
            found, trouble = None, f" The last look failed: {error}"
            log.warning("Looking for the marker %s failed: %s", mailing.marker, error)
        if found is not None:
            log.info("Adopted campaign %s: it was created, only the answer was lost.", found.id)
            return Outcome(found.id, adopted=True)
        left = end - clock.now()
        if left <= 0:
            break
        clock.sleep(min(LOOK_AGAIN, left))
    raise AmbiguousOutcome(
        f"The request that creates the campaign was sent, its answer was lost, and no campaign with the marker "
        f"{mailing.marker} was listed within {VISIBILITY_WINDOW:.0f} s. Search the campaigns in the SendPulse dashboard "
        f"for the marker. If it is not there, clear the task: it looks again and creates the campaign.{trouble}",
        operation=doubt.operation,
        status=doubt.status,
    )


def _find(sender: Sender, mailing: Mailing) -> campaigns.Campaign | None:
    found = {campaign.id: campaign for campaign in _marked(sender, mailing)}
    if not found:
        return None
    newest = max(found.values(), key=lambda campaign: (_generation(campaign), campaign.id))
    if len(found) > 1:
        log.warning("More than one campaign has the marker %s: %s.", mailing.marker, sorted(found))
    _compare(newest, mailing)
    return newest


def _marked(sender: Sender, mailing: Mailing) -> Iterator[campaigns.Campaign]:
    """Yield the campaigns with the mailing's marker, from the account's list or else from those of its books.

    A book may be gone by the time its campaign is looked for, so the books are asked only when they must be.
    """
    listed_there = False
    oldest = (mailing.since - _SLACK).strftime(campaigns.DATE_FORMAT)
    for campaign in sender.pages(campaigns.list(order="desc")):
        if mailing.marker.marks(campaign.name):
            listed_there = True
            yield campaign
        # The list is in order of creation; dates are in the account's zone, hence the slack of two days. What was never
        # sent may have a date of zeros.
        elif _NO_DATE < campaign.send_date < oldest:
            break
    if listed_there:
        return
    for book in mailing.campaign.address_book_ids:
        for listed in sender.pages(address_books.campaigns(book)):
            if mailing.marker.marks(listed.task_name):
                yield sender.send(campaigns.read(listed.task_id))


def _compare(found: campaigns.Campaign, mailing: Mailing) -> None:
    wanted = mailing.campaign
    differences: list[tuple[str, Any, Any]] = []
    if found.subject != wanted.subject:
        differences.append(("subject", found.subject, wanted.subject))
    # A segment's campaign may name no book, or one that was not given; that of several books may name only one of them.
    there, here = set(found.address_book_ids), set(wanted.address_book_ids)
    if wanted.segment_id is None and there and there != here and not (len(there) == 1 and there < here):
        differences.append(("address books", [*found.address_book_ids], [*wanted.address_book_ids]))
    if differences:
        told = "; ".join(f"{what}: {theirs!r} there, {ours!r} here" for what, theirs, ours in differences)
        raise CampaignConflict(
            f"Campaign {found.id} has this task's marker {mailing.marker}, but it is another one ({told}). Nothing was "
            "created. To mail again on purpose, give the operator another edition or mailing_key."
        )


def _generation(campaign: campaigns.Campaign) -> int:
    marker = Marker.in_name(campaign.name)
    return marker.generation if marker else 0


__all__ = ["LOOK_AGAIN", "VISIBILITY_WINDOW", "Mailing", "Outcome", "create_once"]
