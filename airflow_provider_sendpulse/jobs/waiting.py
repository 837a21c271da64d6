# SPDX-License-Identifier: Apache-2.0
"""What a status means for somebody who waits: one decision for sensors, operators and triggers."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from airflow_provider_sendpulse.exceptions import (
    AddressBookUnusable,
    CampaignNotSent,
    FinalFailure,
    NeedsHuman,
)
from airflow_provider_sendpulse.sendpulse.statuses import AddressBookStatus, CampaignStatus, StatusClass

log = logging.getLogger(__name__)

_TELL_AGAIN = 1800.0

SENT = frozenset({CampaignStatus.SENT.code})


class Verdict(Enum):
    """What to do next."""

    WAIT = "wait"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one look: at a status, such as a campaign's, or at figures, such as a balance.

    :param code: the status seen, a number or a word; ``None`` where figures are waited for
    :param text: what was seen with its meaning, for logs
    :param error: what to raise when the verdict is ``FAILED``
    :param figures: the figures seen, of plain JSON; ``None`` where a status is waited for
    """

    verdict: Verdict
    code: int | str | None
    text: str
    error: FinalFailure | None = None
    figures: Mapping[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.verdict is not Verdict.WAIT


def judge_campaign(
    campaign_id: int,
    code: int,
    *,
    targets: Collection[int] = SENT,
    on_partial: str = "fail",
) -> Decision:
    """Decide on a campaign's status.

    :param targets: status codes that are what is waited for; they win over every other meaning
    :param on_partial: ``success`` when having been sent in part (23) is enough
    """
    status = CampaignStatus.of(code)
    if status is None:
        return _decide(Verdict.DONE if code in targets else Verdict.WAIT, code, "not documented")
    if code in targets:
        return _decide(Verdict.DONE, code, status.meaning)
    status_class = status.status_class
    if status_class is StatusClass.IN_PROGRESS:
        return _decide(Verdict.WAIT, code, status.meaning)
    if status_class is StatusClass.SUCCESS:
        # A success that was not asked for: sent, where a wait for an earlier status came too late.
        text = f"{status.meaning}, while {_codes(targets)} was waited for"
        error = CampaignNotSent(f"Campaign {campaign_id} is at status {code} ({text}): it cannot get there any more.")
        return _decide(Verdict.FAILED, code, text, error)
    if status_class is StatusClass.PARTIAL and on_partial == "success":
        return _decide(Verdict.DONE, code, status.meaning)
    kind: type[FinalFailure] = (
        NeedsHuman if status_class in (StatusClass.NEEDS_HUMAN, StatusClass.DRAFT) else CampaignNotSent
    )
    failure = kind(f"Campaign {campaign_id} is at status {code}: {status.meaning}. {status.advice}".strip())
    return _decide(Verdict.FAILED, code, status.meaning, failure)


def judge_address_book(
    address_book_id: int,
    code: int,
    *,
    contacts: int,
    expected_contacts: int | None = None,
) -> Decision:
    """Decide on an address book's status and size.

    :param contacts: how many contacts are in the book
    :param expected_contacts: how many there must be at least; loading goes on after the book was filled
    """
    status = AddressBookStatus.of(code)
    if status is None:
        return _decide(Verdict.WAIT, code, "not documented")
    if status.status_class is StatusClass.IN_PROGRESS:
        return _decide(Verdict.WAIT, code, status.meaning)
    if status.status_class is StatusClass.SUCCESS:
        if expected_contacts is not None and contacts < expected_contacts:
            return _decide(Verdict.WAIT, code, f"{contacts} of {expected_contacts} contacts are there")
        return _decide(Verdict.DONE, code, status.meaning)
    kind: type[FinalFailure] = NeedsHuman if status.status_class is StatusClass.NEEDS_HUMAN else AddressBookUnusable
    error = kind(f"Address book {address_book_id} is at status {code}: {status.meaning}. {status.advice}".strip())
    return _decide(Verdict.FAILED, code, status.meaning, error)


def judge_figures(figures: Mapping[str, Any], missing: Collection[str]) -> Decision:
    """Decide on figures that may move either way, so that nothing but time ends a wait for them.

    :param figures: all that were seen, of plain JSON
    :param missing: what they fall short of, in words; the wait is over when there is nothing
    """
    text = "; ".join(missing) or "all that was waited for"
    return Decision(Verdict.WAIT if missing else Verdict.DONE, None, text, figures=dict(figures))


@dataclass(slots=True)
class History:
    """The statuses seen during a wait, each once, with when it was first seen.

    Figures may be others at every look, so they are told of from time to time, and none are kept.

    :param seen: ``[code, seconds since the epoch]`` in order
    """

    seen: list[list[Any]] = field(default_factory=list)
    _told: float = 0.0
    _text: str = ""

    @property
    def last(self) -> str:
        """What was seen last, for messages."""
        if not self.seen and self._text:
            return self._text
        return f"status {self.seen[-1][0]} ({self._text})" if self.seen and self._text else "nothing"

    def note(self, what: str, decision: Decision, now: float, deadline: float | None = None) -> None:
        """Remember a status, and say so in the log when it is a new one or has lasted for long."""
        if decision.code is None:
            self._note_figures(what, decision, now, deadline)
            return
        if self.seen and self.seen[-1][0] == decision.code:
            changed, self._text = bool(self._text) and decision.text != self._text, decision.text
            if now - self._told >= _TELL_AGAIN or changed:
                self._told = now
                log.info(
                    "%s: status %s (%s) since %s%s%s",
                    what,
                    decision.code,
                    decision.text,
                    moment(self.seen[-1][1]),
                    f", deadline {moment(deadline)}" if deadline else "",
                    "; hours are normal" if decision.code == CampaignStatus.IN_MODERATION.code else "",
                )
            return
        self._told = now
        self._text = decision.text
        since = f", after {now - self.seen[-1][1]:.0f} s" if self.seen else ""
        self.seen.append([decision.code, round(now, 3)])
        undocumented = decision.text == "not documented"
        log.log(
            logging.WARNING if undocumented else logging.INFO,
            "%s: status %s (%s)%s%s",
            what,
            decision.code,
            decision.text,
            since,
            "; taken as in progress" if undocumented and not decision.is_over else "",
        )

    def _note_figures(self, what: str, decision: Decision, now: float, deadline: float | None) -> None:
        if not self._text or decision.is_over or now - self._told >= _TELL_AGAIN:
            self._told = now
            log.info("%s: %s%s", what, decision.text, f", deadline {moment(deadline)}" if deadline else "")
        self._text = decision.text


def moment(epoch: float) -> str:
    """Return a time for logs."""
    return dt.datetime.fromtimestamp(epoch, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _decide(verdict: Verdict, code: int, text: str, error: FinalFailure | None = None) -> Decision:
    return Decision(verdict, code, text, error)


def _codes(codes: Collection[int]) -> str:
    return " or ".join(str(code) for code in sorted(codes))


__all__ = [
    "SENT",
    "Decision",
    "History",
    "Verdict",
    "judge_address_book",
    "judge_campaign",
    "judge_figures",
    "moment",
]
