# SPDX-License-Identifier: Apache-2.0
"""When a wait for messages to single recipients is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_sendpulse.arguments import one_of
from airflow_provider_sendpulse.esputnik.messages import Status
from airflow_provider_sendpulse.esputnik.statuses import Outcome
from airflow_provider_sendpulse.exceptions import MessageNotDelivered
from airflow_provider_sendpulse.jobs.waiting import Decision, Verdict

Until = Literal["all", "any"]


@dataclass(frozen=True, slots=True)
class Expected:
    """Which messages are waited for.

    :param until: ``all``: until each has arrived or failed; ``any``: until one has arrived
    :param max_failed: messages that may fail, with ``all``; ``None`` is any number
    """

    request_ids: tuple[str, ...]
    until: Until = "all"
    max_failed: int | None = 0

    @classmethod
    def of(cls, request_ids: Sequence[str], until: str, max_failed: int | None) -> Expected:
        """Return what is waited for.

        :raises InvalidRequest: for another ``until``
        """
        ids = tuple(dict.fromkeys(str(one).strip() for one in request_ids))
        return cls(ids, "any" if one_of(until, "until", "all", "any") == "any" else "all", max_failed)


def figures_of(expected: Expected, found: Iterable[Status]) -> dict[str, Any]:
    """Return figures of plain JSON; a message that is not listed is pending."""
    by_id = {status.request_id: status for status in found if status.request_id in expected.request_ids}
    outcomes = Counter(status.outcome for status in by_id.values())
    delivered, failed = outcomes[Outcome.SUCCESS], outcomes[Outcome.FAILURE]
    return {
        "messages": len(expected.request_ids),
        "delivered": delivered,
        "failed": failed,
        "pending": len(expected.request_ids) - delivered - failed,
        "statuses": dict(sorted(Counter(status.status for status in by_id.values()).items())),
    }


def judge_messages(expected: Expected, figures: Mapping[str, Any]) -> Decision:
    """Decide on the figures of messages."""
    delivered, failed, pending = (int(figures[name]) for name in ("delivered", "failed", "pending"))
    statuses = ", ".join(f"{count} {status}" for status, count in figures.get("statuses", {}).items())
    text = f"{delivered:,} delivered, {failed:,} failed, {pending:,} pending ({statuses or 'none listed'})"
    allowed = expected.max_failed
    if expected.until == "any":
        is_done = delivered > 0 or not figures["messages"]
        is_lost = not is_done and not pending
    else:
        is_lost = allowed is not None and failed > allowed
        is_done = not pending and not is_lost
    if is_lost:
        bound = "none arrived" if expected.until == "any" else f"more than max_failed={allowed} failed"
        error = MessageNotDelivered(f"Of {figures['messages']:,} messages {bound}: {text}.")
        return Decision(Verdict.FAILED, None, text, error, dict(figures))
    return Decision(Verdict.DONE if is_done else Verdict.WAIT, None, text, figures=dict(figures))


__all__ = ["Expected", "Until", "figures_of", "judge_messages"]
