# SPDX-License-Identifier: Apache-2.0
"""Cancelling a campaign that has not gone out, and saying which of the two it was.

A generator of calls, so that a worker and a trigger do the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import NeedsHuman, Refused, TooLate
from airflow_provider_sendpulse.jobs.mailing import LOOK_AGAIN, went_out
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus, StatusClass

CANCELLABLE = frozenset(
    {
        CampaignStatus.NEW,
        CampaignStatus.IN_MODERATION,
        CampaignStatus.PREPARING,
        CampaignStatus.AWAITING_OWNER,
        CampaignStatus.COPYING,
        CampaignStatus.QUEUED,
        CampaignStatus.NEEDS_EDITING,
    }
)
"""Statuses in which nothing has gone out yet."""


SETTLED_WITHIN = 60.0
"""Seconds within which a campaign that SendPulse has cancelled shows it; nobody documents how long that takes."""


class Fate(Enum):
    """What is the case with a campaign that was to be cancelled."""

    CANCELLED = "cancelled"
    """It is cancelled, by this or before."""

    GONE = "gone"
    """There is none any more, or it has ended without going out and never will."""

    TOO_LATE = "too late"
    """It is going out, or has gone out, at least in part."""

    OPEN = "open"
    """It is none of these, and not cancelled."""


_GONE = frozenset({ErrorCode.CAMPAIGN_GONE.code, ErrorCode.CAMPAIGN_NOT_FOUND.code})
_FATES = {
    StatusClass.CANCELLED: Fate.CANCELLED,
    StatusClass.IN_PROGRESS: Fate.TOO_LATE,
    StatusClass.SUCCESS: Fate.TOO_LATE,
    StatusClass.PARTIAL: Fate.TOO_LATE,
    StatusClass.FAILURE: Fate.GONE,
}


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What became of the wish to cancel a campaign.

    :param done: it was this that cancelled it, and nothing had gone out
    :param told: what happened, as a sentence
    """

    done: bool
    told: str
    fate: Fate = Fate.OPEN

    def __str__(self) -> str:
        return self.told


Cancelling = Generator[Call[Any], Any, Cancellation]


def cancelling(campaign_id: int) -> Cancelling:
    """Yield the calls that cancel a campaign, and return what happened.

    Each call is answered with its result, or with the :class:`Refused` that it raised.
    """
    seen = yield campaigns.read(campaign_id)
    if isinstance(seen, Refused):
        return Cancellation(False, f"Campaign {campaign_id} was not cancelled: it cannot be read ({seen}).", _fate(seen))
    status = CampaignStatus.of(seen.status)
    if status is CampaignStatus.CANCELLED:
        return Cancellation(False, f"Campaign {campaign_id} is cancelled already.", Fate.CANCELLED)
    if status not in CANCELLABLE:
        meaning = status.meaning if status else "not documented"
        told = f"Campaign {campaign_id} was not cancelled: it is at status {seen.status} ({meaning})."
        return Cancellation(False, told, _fate(seen))
    answer = yield campaigns.cancel(campaign_id)
    if isinstance(answer, Refused):
        # Cancelling twice is refused, and a repeat after a lost answer is such a second time.
        seen = yield campaigns.read(campaign_id)
        if (fate := _fate(seen)) is not Fate.CANCELLED:
            return Cancellation(False, f"Campaign {campaign_id} was not cancelled: SendPulse refused ({answer}).", fate)
    return Cancellation(True, f"Campaign {campaign_id} was cancelled before it went out.", Fate.CANCELLED)


def _fate(seen: campaigns.Campaign | Refused) -> Fate:
    if isinstance(seen, Refused):
        return Fate.GONE if seen.error_code in _GONE else Fate.OPEN
    status = CampaignStatus.of(seen.status)
    if status is None or status in CANCELLABLE:
        return Fate.OPEN
    if status is CampaignStatus.BLOCKED_AFTER_PART:
        return Fate.TOO_LATE
    return _FATES.get(status.status_class, Fate.OPEN)


def cancel(sender: Sender, campaign_id: int) -> Cancellation:
    """Cancel a campaign if it has not gone out, and say what happened.

    :raises ServiceError: when the service could not be asked
    """
    return _run(cancelling(campaign_id), sender.send)


def require_cancelled(sender: Sender, campaign_id: int, clock: Clock) -> tuple[Fate, str]:
    """Cancel a campaign, and see what SendPulse has made of it.

    :return: that it is cancelled and reached nobody, or gone; and what happened, as a sentence
    :raises TooLate: it is going out or has gone out, at least in part
    :raises NeedsHuman: it is neither cancelled nor going out, and nobody but a person can find out why
    :raises ServiceError: when the service could not be asked
    """
    cancellation = cancel(sender, campaign_id)
    if cancellation.fate is Fate.GONE:
        return Fate.GONE, str(cancellation)
    if cancellation.fate is Fate.TOO_LATE:
        raise TooLate(f"{cancellation} What has gone out cannot be called back; the SendPulse dashboard can stop the rest.")
    if cancellation.fate is Fate.OPEN:
        raise NeedsHuman(f"{cancellation} Look at the campaign in the SendPulse dashboard.")
    try:
        seen = _settled(sender, campaign_id, clock)
    except Refused as error:
        if error.error_code not in _GONE:
            raise
        return Fate.CANCELLED, str(cancellation)
    if went_out(seen):
        # It began to go out between two calls, or somebody stopped it in the middle.
        raise TooLate(f"Campaign {campaign_id} is cancelled, and a part of it had gone out: see its statistics.")
    return Fate.CANCELLED, str(cancellation)


def _settled(sender: Sender, campaign_id: int, clock: Clock) -> campaigns.Campaign:
    give_up_at = clock.now() + SETTLED_WITHIN
    while (seen := sender.send(campaigns.read(campaign_id))).status != CampaignStatus.CANCELLED.code:
        if clock.now() >= give_up_at:
            raise NeedsHuman(
                f"SendPulse confirmed that campaign {campaign_id} is cancelled, and it is still at status {seen.status}. "
                "Look at it in the SendPulse dashboard."
            )
        clock.sleep(LOOK_AGAIN)
    return seen


async def acancel(send: Callable[[Call[Any]], Awaitable[Any]], campaign_id: int) -> Cancellation:
    """Cancel a campaign from a coroutine, as :func:`cancel` does."""
    steps = cancelling(campaign_id)
    answer: Any = None
    while True:
        try:
            call = steps.send(answer)
        except StopIteration as end:
            return cast("Cancellation", end.value)
        try:
            answer = await send(call)
        except Refused as error:
            answer = error


def _run(steps: Cancelling, send: Callable[[Call[Any]], Any]) -> Cancellation:
    answer: Any = None
    while True:
        try:
            call = steps.send(answer)
        except StopIteration as end:
            return cast("Cancellation", end.value)
        try:
            answer = send(call)
        except Refused as error:
            answer = error


__all__ = ["CANCELLABLE", "Cancellation", "Fate", "acancel", "cancel", "cancelling", "require_cancelled"]
