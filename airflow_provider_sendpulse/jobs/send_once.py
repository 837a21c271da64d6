# SPDX-License-Identifier: Apache-2.0
"""Rows of which none may arrive twice: check, claim, send, record, one window at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import AmbiguousOutcome, Refused, ServiceError, ServiceUnavailable
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.ledger import Entry, Ledger
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

WINDOW = 20
"""Rows that are claimed in the ledger at once: as many are in doubt when the process ends in between."""

_FIRST = 3
_IN_A_ROW = 3


def send_once(
    sender: Sender,
    items: Iterable[Item],
    build: Callable[[Sequence[Person]], Call[None]],
    ledger: Ledger,
    report: Report,
    *,
    per_call: int,
    clock: Clock,
) -> None:
    """Send rows.

    :param build: makes the call for at most ``per_call`` rows
    :param report: settles on; whoever yields the items has settled what was found wrong
    :raises Refused: when the first calls are all refused, so that it cannot be the rows
    :raises ServiceUnavailable: when some answers in a row were lost: what is wrong is not the rows. Only these are in doubt
    :raises ServiceError: when going on is no use; what was not sent is given back, and a retry of the task goes on there
    """
    progress = Progress(clock, "request", report.expected, per_call)
    calls = refusals = lost = 0
    for window in chunks(_unsent(items, ledger, report), WINDOW):
        recorded: list[str] = []
        unsent = [item.key for item in window]
        ledger.claim(unsent)
        try:
            for group in chunks(window, per_call):
                keys = [item.key for item in group]
                call = build([item.person for item in group])
                # From here on the rows count as in doubt until something says otherwise, whatever ends this process.
                unsent = [key for key in unsent if key not in keys]
                calls += 1
                try:
                    sender.send(call)
                except AmbiguousOutcome as error:
                    _settle(group, report, Outcome.IN_DOUBT, f"in doubt: {error}")
                    lost += 1
                    if lost >= _IN_A_ROW:
                        raise ServiceUnavailable(
                            f"{lost} answers in a row were lost ({report.counts}). These rows are in doubt and are not "
                            "sent again; a retry of the task goes on with the others."
                        ) from None
                except Refused as error:
                    unsent += keys
                    refusals += 1
                    if refusals == calls == _FIRST:
                        raise
                    _settle(group, report, Outcome.REJECTED, str(error))
                except ServiceError:
                    unsent += keys
                    raise
                except BaseException:
                    _settle(group, report, Outcome.IN_DOUBT, "this try ended while the row was being sent")
                    raise
                else:
                    recorded += keys
                    lost = 0
                    _settle(group, report, Outcome.ACCEPTED)
                progress.tell(report.counts)
        finally:
            ledger.settle(recorded, unsent)


def _unsent(items: Iterable[Item], ledger: Ledger, report: Report) -> Iterator[Item]:
    for item in items:
        entry = ledger.look_up(item.key)
        if entry is Entry.RECORDED:
            report.settle(item.person, Outcome.SKIPPED)
        elif entry is Entry.CLAIMED:
            reason = "an earlier try ended while this row was being sent: not sent again"
            report.settle(item.person, Outcome.IN_DOUBT, reason, item.label)
        else:
            yield item


def _settle(items: Iterable[Item], report: Report, outcome: Outcome, reason: str = "") -> None:
    for item in items:
        report.settle(item.person, outcome, reason, item.label)


__all__ = ["WINDOW", "send_once"]
