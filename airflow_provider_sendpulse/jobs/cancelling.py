# SPDX-License-Identifier: Apache-2.0
"""Cancelling a campaign that has not gone out, and saying which of the two it was.

A generator of calls, so that a worker and a trigger do the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, cast

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import campaigns
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus

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


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What became of the wish to cancel a campaign.

    :param done: it was this that cancelled it, and nothing had gone out
    :param told: what happened, as a sentence
    """

    done: bool
    told: str

    def __str__(self) -> str:
        return self.told


Cancelling = Generator[Call[Any], Any, Cancellation]


def cancelling(campaign_id: int) -> Cancelling:
    """Yield the calls that cancel a campaign, and return what happened.

    Each call is answered with its result, or with the :class:`Refused` that it raised.
    """
    seen = yield campaigns.read(campaign_id)
    if isinstance(seen, Refused):
        return Cancellation(False, f"Campaign {campaign_id} was not cancelled: it cannot be read ({seen}).")
    status = CampaignStatus.of(seen.status)
    if status is CampaignStatus.CANCELLED:
        return Cancellation(False, f"Campaign {campaign_id} is cancelled already.")
    if status not in CANCELLABLE:
        meaning = status.meaning if status else "not documented"
        told = f"Campaign {campaign_id} was not cancelled: it is at status {seen.status} ({meaning})."
        return Cancellation(False, told)
    answer = yield campaigns.cancel(campaign_id)
    if isinstance(answer, Refused):
        # Cancelling twice is refused, and a repeat after a lost answer is such a second time.
        seen = yield campaigns.read(campaign_id)
        if isinstance(seen, Refused) or CampaignStatus.of(seen.status) is not CampaignStatus.CANCELLED:
            return Cancellation(False, f"Campaign {campaign_id} was not cancelled: SendPulse refused ({answer}).")
    return Cancellation(True, f"Campaign {campaign_id} was cancelled before it went out.")


def cancel(sender: Sender, campaign_id: int) -> Cancellation:
    """Cancel a campaign if it has not gone out, and say what happened.

    :raises ServiceError: when the service could not be asked
    """
    return _run(cancelling(campaign_id), sender.send)


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


__all__ = ["CANCELLABLE", "Cancellation", "acancel", "cancel", "cancelling"]
