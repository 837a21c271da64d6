# SPDX-License-Identifier: Apache-2.0
"""One campaign and no second one: adopted, created, or created anew where the first ended badly and reached nobody."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.lease import Lease
from airflow_provider_sendpulse.exceptions import (
    CampaignConflict,
    CampaignNotSent,
)
from airflow_provider_sendpulse.jobs.intent import ANY_GENERATION, Intent, MailingRecord
from airflow_provider_sendpulse.jobs.lookup import find_marked, generation
from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name
from airflow_provider_sendpulse.jobs.one_of_a_kind import One, OneOfAKind
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.visibility import (
    LONGEST_HOLD,
    LONGEST_WAIT,
    LOOK_AGAIN,
    VISIBILITY_WINDOW,
    require_window,
)
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus, DeliveryStatus

log = logging.getLogger(__name__)

ENDED_BADLY = frozenset(
    {
        CampaignStatus.BLOCKED,
        CampaignStatus.NO_ACTIVE_ADDRESSES,
        CampaignStatus.CANCELLED,
    }
)
"""Statuses that are an end and do not say that anything went out."""


def _as_it_is(campaign: campaigns.NewCampaign) -> campaigns.NewCampaign:
    return campaign


@dataclass(frozen=True, slots=True)
class Mailing:
    """A campaign that is to exist once.

    :param campaign: what to create; its name is still without the marker
    :param marker: by what it is recognised
    :param since: no campaign with this marker can be older than this; bounds how far the look-up pages back
    :param recreate: codes of :data:`ENDED_BADLY` after which a new generation is created, if nothing went out
    :param recreate_killed: whether one is created also after what the end of an earlier try has cancelled
    :param before_creating: last look at the campaign directly before it is created: may change it, or raise
    :param visibility_window: seconds after which a campaign that exists is certainly listed; more than 0, at most
        :data:`LONGEST_WINDOW`
    :param call: what creates it
    :param listed: whether a campaign that exists is certainly listed; of another, what is not found may have been sent
    :raises InvalidRequest: for another window
    """

    campaign: campaigns.NewCampaign
    marker: Marker
    since: dt.datetime
    recreate: frozenset[int] = frozenset()
    recreate_killed: bool = False
    before_creating: Callable[[campaigns.NewCampaign], campaigns.NewCampaign] = field(default=_as_it_is)
    visibility_window: float = VISIBILITY_WINDOW
    call: Callable[[campaigns.NewCampaign], Call[campaigns.CreatedCampaign]] = campaigns.create
    listed: bool = True

    def __post_init__(self) -> None:
        require_window(self.visibility_window)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one campaign of a mailing.

    :param adopted: it existed already
    :param created: what the service said on creating it; ``None`` for an adopted one
    """

    campaign_id: int
    adopted: bool
    created: campaigns.CreatedCampaign | None = None


def create_once(
    sender: Sender, mailing: Mailing, record: MailingRecord, clock: Clock, lease: Lease | None = None
) -> Outcome:
    """Make sure that the campaign of a mailing exists, and that there is no second one.

    :param lease: shared with all who might create the same mailing at the same time; its owner is the task, not the try
    :raises CampaignConflict: one with this marker exists, to other address books or with another subject
    :raises CampaignNotSent: the one that exists was deleted, or ended badly and nobody knows whether it reached anybody
    :raises AmbiguousOutcome: it may exist and could not be found, or could not be looked for: it is not created then
    :raises Throttled: the service takes no campaign now; nothing was created
    :raises ServiceUnavailable: another task has been creating it for too long; nothing was created
    :raises ServiceError: the service could not be asked; nothing was created
    """
    one = _Creation(sender, mailing, record, clock, lease).run()
    return Outcome(one.id, adopted=one.created is None, created=one.created)


def went_out(campaign: campaigns.Campaign) -> bool | None:
    """Whether any recipient got a message of a campaign that ended badly; ``None`` when it has no figures to tell.

    Also true for a campaign that has not ended, or at a status that is not documented.
    """
    status = CampaignStatus.of(campaign.status)
    if status not in ENDED_BADLY:
        return True
    unsent = (DeliveryStatus.IN_QUEUE.code, DeliveryStatus.NOT_SENT.code)
    if any(statistic.count for statistic in campaign.statistics if statistic.code not in unsent):
        return True
    # Without an active address there is nobody to have figures of.
    return False if campaign.statistics or status is CampaignStatus.NO_ACTIVE_ADDRESSES else None


class _Creation(OneOfAKind[campaigns.Campaign, campaigns.CreatedCampaign]):
    noun = "campaign"
    likeness = "the subject and the address books"
    dashboard = "SendPulse"
    gone = CampaignNotSent

    def __init__(self, sender: Sender, mailing: Mailing, record: MailingRecord, clock: Clock, lease: Lease | None) -> None:
        super().__init__(
            sender,
            record,
            clock,
            lease,
            marker=mailing.marker,
            window=mailing.visibility_window,
            log=log,
            listed=mailing.listed,
        )
        self._mailing = mailing
        self._cancellations = record

    def find(self) -> list[campaigns.Campaign]:
        mailing = self._mailing
        books = mailing.campaign.address_book_ids
        # A test may bear the name of the campaign that it is a test of.
        name = mailing.campaign.name if mailing.listed else None
        return find_marked(self._sender, mailing.marker, mailing.since, books, name)

    def reading(self, number: int) -> Call[campaigns.Campaign]:
        return campaigns.read(number)

    def creating(self, marker: Marker) -> Call[campaigns.CreatedCampaign]:
        campaign = self._mailing.before_creating(self._mailing.campaign)
        return self._mailing.call(replace(campaign, name=marker.name(campaign.name)))

    @property
    def operation(self) -> str:
        return self._mailing.call(self._mailing.campaign).operation

    def compare(self, found: campaigns.Campaign) -> None:
        _compare(found, self._mailing)

    def is_like(self, found: campaigns.Campaign) -> bool:
        # Nobody is mailed by a draft, and what is to be sent never becomes one.
        is_draft = found.status == CampaignStatus.DRAFT.code
        return (self._mailing.campaign.draft or not is_draft) and not _other_content(found, self._mailing)

    def found_id(self, found: campaigns.Campaign) -> int:
        return found.id

    def created_id(self, created: campaigns.CreatedCampaign) -> int:
        return created.id

    def generation(self, found: campaigns.Campaign) -> int:
        return generation(found)

    def is_enough(self, found: campaigns.Campaign) -> bool:
        return super().is_enough(found) and self._is_to_be_recreated(found) is False

    def settle(self, found: campaigns.Campaign, intent: Intent | None) -> One[campaigns.CreatedCampaign]:
        """Adopt a campaign, or create the next generation where that is wanted and nothing of this one went out."""
        while (recreated := self._is_to_be_recreated(found)) is not False:
            later = self._later_than(found, intent)
            if later is None and recreated is None:
                self.adopt(found)
                raise CampaignNotSent(
                    f"Campaign {found.id} ended at status {found.status}, and SendPulse gives no figures of it: nobody "
                    "knows whether a part went out. Nothing was created. Search the campaigns in the SendPulse dashboard "
                    f"for {self._mailing.marker} and check whether it reached anybody. If it did not, give the operator "
                    "another edition to mail again."
                )
            if later is None:
                log.warning(
                    "Campaign %s ended at status %s and nothing of it went out: creating the next generation.",
                    found.id,
                    found.status,
                )
                return self.create(replace(self._mailing.marker, generation=generation(found) + 1))
            found = later
        return self.adopt(found)

    def _later_than(self, found: campaigns.Campaign, intent: Intent | None) -> campaigns.Campaign | None:
        """Return a campaign of a later generation than one that ended badly."""
        if intent is None:
            return None  # it is the latest of a look-up
        if intent.campaign_id is not None:
            later = self.look()  # it was only read, and somebody else may have created the next generation
        elif intent.generation == ANY_GENERATION:
            later = self.look_until_visible(replace(intent, generation=generation(found) + 1))
        else:
            return None
        return later if later is not None and generation(later) > generation(found) else None

    def _is_to_be_recreated(self, found: campaigns.Campaign) -> bool | None:
        """Whether the next generation is due; ``None`` when it would be, were it known that nothing went out."""
        cancelled = found.status == CampaignStatus.CANCELLED.code
        ours = self._cancellations.cancelled(found.id) if cancelled else False
        killed = self._mailing.recreate_killed and ours is not False
        if found.status not in self._mailing.recreate and not killed:
            return False
        # Listings hold no figures, and a recreated campaign must be known not to have reached anybody.
        went = went_out(self._sender.send(campaigns.read(found.id)))
        if went is None:
            # What this task itself has cancelled had not begun to go out.
            return True if ours or (killed and self._cancellations.killable() == found.id) else None
        return not went


def _other_content(found: campaigns.Campaign, mailing: Mailing) -> list[tuple[str, Any, Any]]:
    """Return what is other, there and here: the subject, the address books."""
    wanted = mailing.campaign
    differences: list[tuple[str, Any, Any]] = []
    if found.subject != wanted.subject and edit_in_name(found.name) is None:
        differences.append(("subject", found.subject, wanted.subject))
    # A segment's campaign may name no book, or one that was not given; that of several books may name only one of them.
    there, here = set(found.address_book_ids), set(wanted.address_book_ids)
    if wanted.segment_id is None and there and there != here and not (len(there) == 1 and there < here):
        differences.append(("address books", [*found.address_book_ids], [*wanted.address_book_ids]))
    return differences


def _compare(found: campaigns.Campaign, mailing: Mailing) -> None:
    differences = _other_content(found, mailing)
    if found.status == CampaignStatus.DRAFT.code and not mailing.campaign.draft:
        differences.insert(0, ("kind", "a draft", "a campaign to send"))
    if differences:
        told = "; ".join(f"{what}: {theirs!r} there, {ours!r} here" for what, theirs, ours in differences)
        raise CampaignConflict(
            f"Campaign {found.id} has this task's marker {mailing.marker}, but it is another one ({told}). Nothing was "
            "created. To mail again on purpose, give the operator another edition or mailing_key."
        )


__all__ = [
    "ENDED_BADLY",
    "LONGEST_HOLD",
    "LONGEST_WAIT",
    "LOOK_AGAIN",
    "VISIBILITY_WINDOW",
    "Mailing",
    "Outcome",
    "create_once",
    "went_out",
]
