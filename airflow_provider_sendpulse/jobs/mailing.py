# SPDX-License-Identifier: Apache-2.0
"""One campaign and no second one: look for it by its marker, adopt it, or create it.

Nothing but the marker decides that a campaign exists. The record of earlier tries only says how long to look before
believing that it does not: a campaign that was just created may not be listed yet.
"""

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
    AmbiguousOutcome,
    CampaignConflict,
    CampaignNotSent,
    Refused,
    ServiceError,
    ServiceUnavailable,
)
from airflow_provider_sendpulse.jobs.alone import HOLD, Renewing, Right
from airflow_provider_sendpulse.jobs.intent import ANY_GENERATION, Intent, MailingRecord
from airflow_provider_sendpulse.jobs.lookup import find_marked, generation
from airflow_provider_sendpulse.jobs.marker import Marker, edit_in_name
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.visibility import (
    LONGEST_HOLD,
    LONGEST_WAIT,
    LOOK_AGAIN,
    VISIBILITY_WINDOW,
    look_until_visible,
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
    return _Creation(sender, mailing, record, clock, lease).run()


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


class _RightLost(Exception):
    """The right to create was lost before anything was sent."""


class _Creation:
    def __init__(self, sender: Sender, mailing: Mailing, record: MailingRecord, clock: Clock, lease: Lease | None) -> None:
        self._right = Right(lease, clock, HOLD + mailing.visibility_window)
        self._sender = Renewing(sender, self._right)
        self._mailing = mailing
        self._record = record
        self._clock = clock
        self._may_be_unlisted = False

    def run(self) -> Outcome:
        give_up_at = self._clock.now() + LONGEST_WAIT
        while True:
            if (found := self._await_right(give_up_at)) is not None:
                return self._adopt(found)
            try:
                return self._run()
            except _RightLost:
                if self._clock.now() >= give_up_at:
                    raise self._not_alone() from None
                log.warning("Somebody else may have created the marker %s meanwhile: looking again.", self._mailing.marker)
                self._clock.sleep(LOOK_AGAIN)
            finally:
                # Others look only when it would be listed.
                self._right.leave(self._mailing.visibility_window if self._may_be_unlisted else 0.0)

    def _await_right(self, give_up_at: float) -> campaigns.Campaign | None:
        """Wait for the right to create; return the campaign if the other one has created it meanwhile."""
        pause = 1.0
        while (left := self._right.take()) > 0:
            found: campaigns.Campaign | None = None
            try:
                found = self._look()
                if found is not None and not self._is_enough(found):
                    found = None
            except ServiceError as error:
                log.warning("Looking for the marker %s failed: %s", self._mailing.marker, error)
            if found is not None:
                return found
            if self._clock.now() >= give_up_at:
                raise self._not_alone()
            log.info("Another task is creating the mailing %s: waiting for it.", self._mailing.marker)
            self._clock.sleep(min(pause, left))
            pause = min(2 * pause, LOOK_AGAIN)
        return None

    def _not_alone(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"Another task has been creating the mailing {self._mailing.marker} for {LONGEST_WAIT / 60:.0f} minutes, and "
            "no campaign of it is listed. This task has created nothing."
        )

    def _is_enough(self, found: campaigns.Campaign) -> bool:
        intent = self._record.intent()
        return (intent is None or generation(found) >= intent.generation) and self._is_to_be_recreated(found) is False

    def _run(self) -> Outcome:
        intent = self._record.intent()
        self._may_be_unlisted = intent is not None
        if not self._mailing.listed and intent is not None and intent.campaign_id is not None:
            return Outcome(intent.campaign_id, adopted=True)
        found = self._remembered(intent)
        if found is None and intent is not None and intent.campaign_id is not None:
            found = self._look()
            if found is None or generation(found) < intent.generation:
                raise CampaignNotSent(
                    f"Campaign {intent.campaign_id}, which an earlier try of this task has created, is gone: somebody "
                    "deleted it. Nothing was created. To mail again on purpose, give the operator another edition."
                )
        elif found is None:
            # Without an intent nothing of ours can be on its way, so a look-up that fails is just a failed look-up.
            found = self._look() if intent is None else self._look_until_visible(intent)
            if found is None and intent is not None and not self._mailing.listed:
                raise self._not_established("An earlier try may have sent it")
        while found is not None and (recreated := self._is_to_be_recreated(found)) is not False:
            later = self._later_than(found, intent)
            if later is None and recreated is None:
                self._adopt(found)
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
                return self._create(replace(self._mailing.marker, generation=generation(found) + 1))
            found = later
        return self._create(self._mailing.marker) if found is None else self._adopt(found)

    def _later_than(self, found: campaigns.Campaign, intent: Intent | None) -> campaigns.Campaign | None:
        """Return a campaign of a later generation than one that ended badly."""
        if intent is None:
            return None  # it is the latest of a look-up
        if intent.campaign_id is not None:
            later = self._look()  # it was only read, and somebody else may have created the next generation
        elif intent.generation == ANY_GENERATION:
            later = self._look_until_visible(replace(intent, generation=generation(found) + 1))
        else:
            return None
        return later if later is not None and generation(later) > generation(found) else None

    def _remembered(self, intent: Intent | None) -> campaigns.Campaign | None:
        """Return the campaign that an earlier try has created and written down."""
        if intent is None or intent.campaign_id is None:
            return None
        try:
            return self._sender.send(campaigns.read(intent.campaign_id))
        except Refused as error:
            log.warning("Campaign %s of an earlier try cannot be read: %s", intent.campaign_id, error)
            return None

    def _adopt(self, found: campaigns.Campaign) -> Outcome:
        _compare(found, self._mailing)
        self._record.keep_intent(Intent(generation(found), self._clock.now(), found.id))
        log.info("Adopted campaign %s: one with the marker %s exists already.", found.id, self._mailing.marker)
        return Outcome(found.id, adopted=True)

    def _is_to_be_recreated(self, found: campaigns.Campaign) -> bool | None:
        """Whether the next generation is due; ``None`` when it would be, were it known that nothing went out."""
        cancelled = found.status == CampaignStatus.CANCELLED.code
        ours = self._record.cancelled(found.id) if cancelled else False
        killed = self._mailing.recreate_killed and ours is not False
        if found.status not in self._mailing.recreate and not killed:
            return False
        # Listings hold no figures, and a recreated campaign must be known not to have reached anybody.
        went = went_out(self._sender.send(campaigns.read(found.id)))
        if went is None:
            # What this task itself has cancelled had not begun to go out.
            return True if ours or (killed and self._record.killable() == found.id) else None
        return not went

    def _create(self, marker: Marker, *, again: bool = False) -> Outcome:
        campaign = self._mailing.before_creating(self._mailing.campaign)
        if not self._right.is_held():
            raise _RightLost
        intent = Intent(marker.generation, self._clock.now())
        self._record.keep_intent(intent)
        self._may_be_unlisted = True
        try:
            created = self._sender.send(self._mailing.call(replace(campaign, name=marker.name(campaign.name))))
        except AmbiguousOutcome as doubt:
            log.warning("%s Looking for the marker %s.", doubt, marker)
            if (found := self._look_until_visible(intent, doubt)) is not None and generation(found) >= marker.generation:
                log.info("Campaign %s was created; only the answer was lost.", found.id)
                return self._adopt(found)
            if again or not self._mailing.listed:
                raise self._not_established(
                    "The request that creates the campaign was sent twice, two minutes apart, and both answers were lost"
                    if again
                    else "The request was sent, and its answer was lost",
                    doubt,
                ) from None
            log.warning("No campaign with the marker %s is there: the request did not arrive. Creating it.", marker)
            return self._create(marker, again=True)
        except ServiceError:
            # Refused, throttled or not reached: certainly nothing was created.
            self._may_be_unlisted = False
            self._record.keep_intent(None)
            raise
        self._record.keep_intent(replace(intent, campaign_id=created.id))
        log.info("Created campaign %s with the marker %s.", created.id, marker)
        return Outcome(created.id, adopted=False, created=created)

    def _look(self) -> campaigns.Campaign | None:
        mailing = self._mailing
        found = find_marked(self._sender, mailing.marker, mailing.since, mailing.campaign.address_book_ids)
        if len(found) > 1:
            log.info("Campaigns with the marker %s: %s.", mailing.marker, [campaign.id for campaign in found])
        return found[0] if found else None

    def _look_until_visible(self, intent: Intent, doubt: AmbiguousOutcome | None = None) -> campaigns.Campaign | None:
        """Look until the campaign of an intent would certainly be listed; ``None`` means that it was not created."""
        earlier: campaigns.Campaign | None = None

        def look() -> campaigns.Campaign | None:
            nonlocal earlier
            found = earlier = self._look()
            return found if found is not None and generation(found) >= intent.generation else None

        found, trouble = look_until_visible(
            look,
            thing="campaign",
            sign=f"the marker {self._mailing.marker}",
            intended_at=intent.at,
            window=self._mailing.visibility_window,
            right=self._right,
            clock=self._clock,
            log=log,
        )
        if found is not None:
            self._may_be_unlisted = False
            return found
        if trouble is not None:
            raise self._not_established(
                f"An earlier request may have created the campaign, and it could not be looked for ({trouble})", doubt
            )
        return earlier

    def _not_established(self, what: str, doubt: AmbiguousOutcome | None = None) -> AmbiguousOutcome:
        advice = (
            f"Search the campaigns in the SendPulse dashboard for {self._mailing.marker}. Then clear the task: it adopts "
            "the campaign if it is there, and creates it if not."
            if self._mailing.listed
            else "Ask whoever was to get it. To send it on purpose, give the operator another edition."
        )
        return AmbiguousOutcome(
            f"{what}. Nothing more is sent. {advice}",
            operation=self._mailing.call(self._mailing.campaign).operation,
            status=doubt.status if doubt else None,
        )


def _compare(found: campaigns.Campaign, mailing: Mailing) -> None:
    wanted = mailing.campaign
    differences: list[tuple[str, Any, Any]] = []
    if found.status == CampaignStatus.DRAFT.code and not wanted.draft:
        differences.append(("kind", "a draft", "a campaign to send"))
    if found.subject != wanted.subject and edit_in_name(found.name) is None:
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
