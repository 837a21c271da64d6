# SPDX-License-Identifier: Apache-2.0
"""Import sessions that were started before, by an earlier try or before a wait in the triggerer: first they have to end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import Mapped
from airflow_provider_sendpulse.exceptions import DeadlinePassed, ServiceError
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.recognition import MappedValues, Recognition
from airflow_provider_sendpulse.jobs.esputnik.session_watch import End, SessionWatch
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSession, StartedSessions, advanced
from airflow_provider_sendpulse.jobs.position import Position, PositionStore, Prefix, Reading
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Earlier:
    """How the sessions have ended that were started before.

    :param ends: each with how it ended, and why
    :param failure: what the try that has started them fails with; ``None`` when all have finished
    :param values: of those that have finished, by their id, the values by which they know their contacts
    :param changed: whether the rows are known to be others than those that they hold
    """

    ends: list[tuple[StartedSession, End, str]] = field(default_factory=list)
    failure: ServiceError | None = None

    changed: bool = False
    values: dict[str, MappedValues] = field(default_factory=dict)

    def finished(self, number: int, contact: Callable[[], Contact]) -> Outcome:
        """Return what became of a row that is in the position now, which its session has moved on."""
        for session, end, _ in self.ends:
            if end is End.FINISHED and session.holds(number):
                return outcome_in(self.values[session.id], contact())
        return Outcome.ACCEPTED

    def compare(self, binding: str, reading: AbstractContextManager[Iterator[Person]]) -> None:
        """Find out whether the rows are still those that the sessions hold.

        :param binding: what the rows are sent to, and how they are read
        :param reading: the source, opened for this
        """
        marks = {session.rows: session.digest for session, _, _ in self.ends if session.rows > session.after}
        found = Reading(binding)
        with reading as persons:
            for person in persons if marks else ():
                found.add(person)
                if found.rows in marks and marks.pop(found.rows) != found.digest():
                    self.changed = True
                if self.changed or not marks:
                    return
        self.changed = bool(marks)

    def outcome_of(self, number: int, prefix: Prefix) -> tuple[Outcome | None, str]:
        """Return what became of a row, where it is too late to send it again; ``None`` where it is not, or not known."""
        if self.failure is None:
            return None, ""
        if self.changed:
            return Outcome.IN_DOUBT, _CHANGED
        for session, end, reason in self.ends:
            if number in (session.refused or ()):
                return Outcome.REJECTED, _REFUSED
            if session.holds(number):
                return (Outcome.ACCEPTED, "") if end is End.FINISHED else (Outcome.IN_DOUBT, reason)
        return (Outcome.REJECTED, _REFUSED) if prefix.was_refused(number) else (None, "")


_REFUSED = "eSputnik refused the contact when it was sent; another try sends it again and says why"
_CHANGED = "the rows are others than those that were sent, so which of them was in a session that failed cannot be told"


def wait_for_earlier(
    sender: Sender,
    position: PositionStore,
    sessions: StartedSessions,
    clock: Clock,
    poll_interval: float,
    timeout: float,
    mapped: Callable[[str, Sequence[Mapped]], None],
    recognition: Recognition,
    *,
    same_try: bool,
) -> Earlier:
    """Wait for the sessions that were started before, and move the position over what they have finished.

    :param timeout: seconds that a session may take; those of an earlier try have as much again
    :param recognition: what tells contacts apart
    :param same_try: whether this try has started them
    :raises DeadlinePassed: when one of an earlier try is not over in time; it is not waited for again
    :raises ServiceError: as the calls do
    """
    if not sessions.open:
        return Earlier()
    now = clock.now()
    log.info("Waiting for %s import sessions that were started before.", len(sessions.open))
    waiting = [
        (session, SessionWatch(session.id, (session.since if same_try else now) + timeout)) for session in sessions.open
    ]
    earlier = Earlier()
    while waiting:
        left = []
        for session, watch in waiting:
            end = watch.look(sender, clock)
            if end is None:
                left.append((session, watch))
                continue
            earlier.ends.append((session, end, watch.reason))
            if end is End.FINISHED:
                mapped(session.id, watch.session.mapping)
                earlier.values[session.id] = MappedValues(watch.session.mapping, recognition)
        if len(left) == len(waiting):
            clock.sleep(poll_interval)
        waiting = left
    _advance(position, [session for session, end, _ in earlier.ends if end is End.FINISHED])
    overdue = [(session, reason) for session, end, reason in earlier.ends if end is End.OVERDUE]
    kept = {session.id for session, _ in overdue} if same_try else set()
    sessions.over(*(session.id for session, end, _ in earlier.ends if end is End.FINISHED))
    sessions.failed(*(session.id for session, end, _ in earlier.ends if end is not End.FINISHED and session.id not in kept))
    if overdue:
        told = "waits for it again" if same_try else "imports its rows again, and does not wait for it"
        earlier.failure = DeadlinePassed(f"{overdue[0][1]}. A task that is cleared {told}.")
        if not same_try:
            raise earlier.failure
    for session, end, reason in earlier.ends:
        if end not in (End.FAILED, End.LOST):
            continue
        rows = f"Rows {session.after + 1} to {session.rows}"
        if same_try:
            failure = ServiceError(f"{rows}: {reason} Another try imports these rows again.")
            earlier.failure = earlier.failure or failure
        else:
            log.warning("%s: %s They are imported again.", rows, reason)
    return earlier


def outcome_in(values: MappedValues, contact: Contact) -> Outcome:
    """Return what became of a contact whose session has finished: one that it says nothing of was left out.

    A session that says nothing of anybody does not tell.
    """
    return Outcome.ACCEPTED if not values or values.has(contact) else Outcome.SKIPPED


def _advance(position: PositionStore, finished: list[StartedSession]) -> None:
    before = Position.of(position.read())
    after = advanced(before, finished)
    if after is None:
        position.delete()
    elif after != before:
        position.write(after.as_dict())


__all__ = ["Earlier", "outcome_in", "wait_for_earlier"]
