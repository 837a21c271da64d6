# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows, imported in sessions that are waited for.

eSputnik carries an import out later, in a session of its own, and sessions may overtake one another. So no two that are
under way may hold the same contact, and a batch counts only when its session has finished.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik.import_sessions import Mapped
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.earlier_sessions import Earlier, wait_for_earlier
from airflow_provider_sendpulse.jobs.esputnik.forgotten_sessions import ForgottenSessions
from airflow_provider_sendpulse.jobs.esputnik.import_pace import ImportPace
from airflow_provider_sendpulse.jobs.esputnik.import_request import ImportRequest
from airflow_provider_sendpulse.jobs.esputnik.import_run import ImportRun
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSessions
from airflow_provider_sendpulse.jobs.position import Position, PositionStore, Prefix, resumed
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, screened
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.audience import Audience


@dataclass(frozen=True, slots=True)
class GoingOn:
    """That this is the second leg of a try, whose first has sent all rows.

    :param begun: where an earlier try had got to when this one began
    """

    begun: Position | None


@dataclass(frozen=True, slots=True)
class ContactImport:
    """How contacts are imported."""

    request: ImportRequest
    pace: ImportPace

    def run(
        self,
        sender: Sender,
        audience: Audience,
        position: PositionStore,
        sessions: StartedSessions,
        report: Report,
        clock: Clock,
        *,
        account: str,
        mapped: Callable[[str, Sequence[Mapped]], None] | None = None,
        pause: bool = False,
        going_on: GoingOn | None = None,
    ) -> None:
        """Import the rows, from where an earlier try has got to, and wait for every session.

        Whoever calls this forgets position and sessions at the end.

        :param position, sessions: kept for another try
        :param account: what tells one account from another; a digest, never a credential
        :param mapped: is told of a session that has finished, and what it says of its contacts
        :param pause: stop where nothing is left but to wait for sessions
        :param going_on: that this goes on after such a stop
        :raises SessionsOpen: for ``pause``
        :raises DeliveryFailed: the service refused a batch as a whole
        :raises DeadlinePassed: when a session was not over in time
        :raises ServiceError: when a session ended in an error or was lost, or as the calls do
        """
        tell = mapped or _nothing
        forgotten = ForgottenSessions(sender, self.request.recognition, tell)
        if mapped is not None:
            forgotten.read(sessions.ended)
        earlier = wait_for_earlier(
            sender,
            position,
            sessions,
            clock,
            self.pace.poll_interval,
            self.pace.timeout,
            tell,
            self.request.recognition,
            same_try=going_on is not None,
        )
        sessions.wait_for_unanswered(clock, self.pace.settle_window)
        bound = self.request.binding(account, audience)
        if earlier.failure is not None:
            earlier.compare(bound, audience.reading())
        begun = resumed(position, bound, audience.reading())
        prefix = Prefix(position, bound, begun)
        with (
            audience.reading() as persons,
            # Closed here and now, by the thread that has opened their temporary file.
            contextlib.closing(screened(prefix.reading(persons), report, self.request.key)) as items,
            contextlib.closing(self._left(items, prefix, report, earlier, forgotten, going_on)) as left,
        ):
            if earlier.failure is not None:
                for item in left:
                    report.settle(item.person, Outcome.SKIPPED)
                raise earlier.failure
            ImportRun(
                self.request,
                self.pace,
                sender,
                left,
                sessions,
                report,
                prefix,
                clock,
                mapped=tell,
                begun=begun,
                pause=pause and going_on is None,
            ).run()
        forgotten.tell()

    def _left(
        self,
        items: Iterable[Item],
        prefix: Prefix,
        report: Report,
        earlier: Earlier,
        forgotten: ForgottenSessions,
        going_on: GoingOn | None,
    ) -> Generator[Item, None, None]:
        """Settle the rows that were delivered before, and yield the others."""
        for item in items:
            person = item.person
            if prefix.has(person.number):
                contact = partial(self.request.contacts.contact, person)
                forgotten.delivered(person.number, contact)
                had = going_on is None or (going_on.begun is not None and _has(going_on.begun, person.number))
                report.settle(person, Outcome.SKIPPED if had else earlier.finished(person.number, contact))
                continue
            outcome, reason = earlier.outcome_of(person.number, prefix)
            if outcome is not None:
                report.settle(person, outcome, reason, item.label)
            else:
                yield item


def _has(position: Position, number: int) -> bool:
    return number <= position.rows and number not in position.again


def _nothing(session_id: str, mapping: Sequence[Mapped]) -> None:
    """Tell nobody."""


__all__ = ["ContactImport", "GoingOn"]
