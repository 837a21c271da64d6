# SPDX-License-Identifier: Apache-2.0
"""The rows of an import on their way: batches that are sent, sessions that are waited for, and imports without an answer.

A contact is never in two imports that may be under way. So rows whose import got no answer are set aside, and sent again
only when whatever has come of it is over.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import Mapped, StartedImport
from airflow_provider_sendpulse.exceptions import (
    AmbiguousOutcome,
    DeadlinePassed,
    DeliveryFailed,
    FinalFailure,
    Refused,
    ServiceError,
    ServiceUnavailable,
)
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.earlier_sessions import outcome_in
from airflow_provider_sendpulse.jobs.esputnik.import_pace import ImportPace
from airflow_provider_sendpulse.jobs.esputnik.import_request import ImportRequest
from airflow_provider_sendpulse.jobs.esputnik.recognition import MappedValues, blamed
from airflow_provider_sendpulse.jobs.esputnik.session_waiting import AGAIN
from airflow_provider_sendpulse.jobs.esputnik.session_watch import End, SessionWatch
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSession, StartedSessions
from airflow_provider_sendpulse.jobs.esputnik.unanswered import MOST_SILENCE, repeats
from airflow_provider_sendpulse.jobs.pausing import Paused
from airflow_provider_sendpulse.jobs.position import Mark, Position, Prefix
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.refused_batch import refused_batch
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender

log = logging.getLogger(__name__)

_NO_ANSWER = f"no answer came to the import, which may have been taken. {AGAIN}"


class SessionsOpen(Paused):
    """All rows were sent, and nothing but the end of sessions is waited for.

    :param session_ids: those that are not over
    :param begun: where an earlier try had got to when this one began
    :param deadline: seconds since the epoch after which they are not waited for
    """

    def __init__(self, session_ids: list[str], begun: Position | None, deadline: float) -> None:
        super().__init__("import sessions are under way")
        self.session_ids = session_ids
        self.begun = begun
        self.deadline = deadline


@dataclass(slots=True)
class _Batch:
    """Rows that are imported together.

    :param index: its place in the order, from 0
    :param after: rows that were read before it
    :param mark: where reading stood when it was complete
    :param refused: its rows that were refused at once
    :param doubt: why it is not known which of its rows were refused
    :param silence: how many answers to it were lost
    :param settled_at: when whatever has come of the last lost one is over, in seconds since the epoch
    """

    index: int
    items: list[Item]
    after: int
    mark: Mark
    contacts: list[Contact] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    doubt: str = ""
    silence: int = 0
    settled_at: float = 0.0

    @property
    def first(self) -> int:
        return self.items[0].person.number

    @property
    def last(self) -> int:
        return self.items[-1].person.number

    @property
    def rows(self) -> str:
        return f"Rows {self.first} to {self.last}"

    @property
    def taken(self) -> Iterator[tuple[Item, Contact]]:
        """Its rows that were not refused."""
        pairs = zip(self.items, self.contacts, strict=True)
        return ((item, contact) for item, contact in pairs if item.person.number not in self.refused)


class ImportRun:
    """Imports rows and waits for their sessions; to be used once.

    :param items: the rows to import
    :param sessions: keeps what was started for another try
    :param prefix: the beginning of the source that is behind us
    :param mapped: is told of a session that has finished, and what it says of its contacts
    :param begun: where an earlier try had got to
    :param pause: stop where nothing is left but to wait for sessions
    """

    def __init__(
        self,
        request: ImportRequest,
        pace: ImportPace,
        sender: Sender,
        items: Iterator[Item],
        sessions: StartedSessions,
        report: Report,
        prefix: Prefix,
        clock: Clock,
        *,
        mapped: Callable[[str, Sequence[Mapped]], None],
        begun: Position | None,
        pause: bool,
    ) -> None:
        self._request = request
        self._pace = pace
        self._sender = sender
        self._items = items
        self._sessions = sessions
        self._report = report
        self._prefix = prefix
        self._clock = clock
        self._mapped = mapped
        self._begun = begun
        self._pause = pause
        self._progress = Progress(clock, "session", report.expected, pace.batch_size)
        self._concurrency = pace.concurrency if request.recognition.is_exact else 1
        self._read = begun.rows if begun else 0
        self._fetched = 0
        self._acknowledged = 0
        self._any_finished = False
        self._following: _Batch | None = None
        self._sending: _Batch | None = None
        self._silent: list[_Batch] = []
        self._open: dict[str, tuple[_Batch, SessionWatch]] = {}
        self._ended: dict[int, tuple[_Batch, str | None]] = {}
        self._failures: list[ServiceError] = []
        if self._concurrency < pace.concurrency:
            log.info("One import session at a time: a contact of one could be found by the keys of another.")

    def run(self) -> None:
        """Import the rows.

        :raises SessionsOpen: for ``pause``
        :raises ServiceError: with the first failure, or the first final one, after all sessions are over
        """
        try:
            while True:
                while (batch := self._next()) is not None:
                    self._send(batch)
                if not self._open and (self._failures or not self._silent):
                    break
                if self._pause and self._open and not (self._following or self._silent or self._failures):
                    raise self._paused()
                if not self._look():
                    self._clock.sleep(self._until_next_look())
        except Paused:
            raise
        except BaseException as error:
            self._leave(f"{type(error).__name__} has ended this try")
            raise
        if self._failures:
            for batch in self._silent:
                self._doubt(batch, _NO_ANSWER)
            raise next((error for error in self._failures if isinstance(error, FinalFailure)), self._failures[0])

    def _next(self) -> _Batch | None:
        """Return what is to be sent now; nothing more after a failure."""
        if self._failures:
            return None
        self._following = self._following or self._fetch()
        if self._silent and self._silent[0].settled_at <= self._clock.now():
            # It had its place among those at a time all along.
            return self._silent.pop(0)
        if self._following is None or len(self._open) + len(self._silent) >= self._most:
            return None
        batch, self._following = self._following, None
        return batch

    @property
    def _most(self) -> int:
        """Sessions at a time. Whether two that name a new segment would make it twice is not known: the first makes it."""
        return self._concurrency if self._any_finished or not self._request.group_names else 1

    def _until_next_look(self) -> float:
        # After a failure nothing is sent again.
        waiting = [] if self._failures else self._silent[:1]
        settled = [max(batch.settled_at - self._clock.now(), 0.0) for batch in waiting]
        return min([self._pace.poll_interval, *settled] if self._open else settled)

    def _fetch(self) -> _Batch | None:
        items = list(itertools.islice(self._items, self._pace.batch_size))
        if not items:
            return None
        mark = self._prefix.mark()
        batch = _Batch(self._fetched, items, self._read, mark)
        self._fetched += 1
        self._read = max(self._read, mark.rows)
        return batch

    def _send(self, batch: _Batch) -> None:
        batch.contacts = [self._request.contacts.contact(item.person) for item in batch.items]
        if batch.silence:
            # It may have been taken already, whatever keeps it from being sent again.
            self._sending = batch
        self._sessions.about_to_send(batch.first, batch.last, self._clock.now())
        self._sending = batch
        try:
            started = self._sender.send(self._request.call(batch.contacts))
        except ServiceError as error:
            if isinstance(error, AmbiguousOutcome) or repeats(error):
                self._set_aside(batch, error)
            else:
                self._sessions.not_started()
                if batch.silence:
                    self._doubt(batch, _NO_ANSWER)
                if isinstance(error, Refused):
                    error = refused_batch(error, batch.first, batch.last, self._report.counts)
                self._failures.append(error)
            self._sending = None
            return
        found, unknown = blamed(started.failed, batch.contacts, self._request.recognition)
        batch.refused = {batch.items[place].person.number for place in found}
        if unknown:
            batch.doubt = (
                f"eSputnik refused {len(unknown)} contacts of the batch and does not say clearly which: {unknown[0]}"
            )
        if started.error_message:
            batch.doubt = f"eSputnik took the import and said “{started.error_message}”"
            self._failures.append(DeliveryFailed(f"{batch.rows}: {batch.doubt}. So far: {self._report.counts}."))
        self._keep(batch, started)
        self._sending = None
        for place, reason in found.items():
            item = batch.items[place]
            self._report.settle(item.person, Outcome.REJECTED, reason, item.label)
        if started.session_id is None:
            reason = batch.doubt or "eSputnik began no import session, and does not say why"
            for item, _ in batch.taken:
                self._report.settle(item.person, Outcome.REJECTED, reason, item.label)
            batch.refused = {item.person.number for item in batch.items}
            self._end(batch, None)

    def _set_aside(self, batch: _Batch, error: ServiceError) -> None:
        """Let a batch wait that may have been taken: a session of it can be under way that nobody could ask for."""
        now = self._clock.now()
        self._sessions.got_no_answer(now)
        batch.silence += 1
        batch.settled_at = now + self._pace.settle_window
        if batch.silence < MOST_SILENCE:
            log.warning(
                "%s: %s They are imported again in %.0f s, when whatever has come of it is over.",
                batch.rows,
                error,
                self._pace.settle_window,
            )
            self._silent.append(batch)
            return
        self._doubt(batch, _NO_ANSWER)
        self._failures.append(
            ServiceUnavailable(
                f"{batch.rows}: {error} That was the second time. Another try imports these rows again. {AGAIN}",
                operation=error.operation,
                status=error.status,
            )
        )

    def _keep(self, batch: _Batch, started: StartedImport) -> None:
        if started.session_id is None:
            self._sessions.not_started()
            return
        since = self._clock.now()
        # Before it is written down: if that fails, the rows are known to be in a session.
        self._open[started.session_id] = batch, SessionWatch(started.session_id, since + self._pace.timeout)
        numbers = [item.person.number for item in batch.items]
        self._sessions.started(
            StartedSession(
                started.session_id,
                since,
                batch.after,
                max(batch.after, batch.mark.rows),
                batch.mark.digest,
                None if batch.doubt else tuple(sorted(batch.refused)),
                tuple(number for number in numbers if self._prefix.was_refused(number)),
            )
        )

    def _look(self) -> bool:
        """Look at every session that is under way, and say whether any has ended."""
        any_ended = False
        for session_id, (batch, watch) in list(self._open.items()):
            end = watch.look(self._sender, self._clock)
            if end is None:
                continue
            any_ended = True
            del self._open[session_id]
            if end is End.FINISHED:
                self._any_finished = True
                self._finish(batch, watch)
                self._end(batch, session_id)
            else:
                self._doubt(batch, watch.reason)
                if end is End.OVERDUE:
                    self._failures.append(DeadlinePassed(f"{watch.reason}. A task that is cleared waits for it again."))
                else:
                    self._sessions.failed(session_id)
                    self._failures.append(
                        ServiceError(f"{batch.rows}: {watch.reason} Another try imports these rows again.")
                    )
        return any_ended

    def _finish(self, batch: _Batch, watch: SessionWatch) -> None:
        mapping = watch.session.mapping
        self._mapped(watch.session_id, mapping)
        values = MappedValues(mapping, self._request.recognition)
        taken = 0
        for item, contact in batch.taken:
            taken += 1
            if batch.doubt and (self._failures or not values.has(contact)):
                self._report.settle(item.person, Outcome.IN_DOUBT, batch.doubt, item.label)
                batch.refused.add(item.person.number)
            else:
                self._report.settle(item.person, outcome_in(values, contact))
        if not values:
            log.warning(
                "Import session %s says nothing of its %s contacts: they count as accepted, and whether some were left out "
                "is not known.",
                watch.session_id,
                f"{taken:,}",
            )
        elif len(mapping) < taken:
            log.warning(
                "Import session %s tells the ids of %s of its %s contacts. eSputnik leaves out those that were deleted%s. "
                "They count as skipped.",
                watch.session_id,
                f"{len(mapping):,}",
                f"{taken:,}",
                "" if self._request.restore_deleted else ", which restore_deleted=True brings back",
            )

    def _end(self, batch: _Batch, session_id: str | None) -> None:
        """Move the position over all batches that have ended without a gap."""
        self._ended[batch.index] = batch, session_id
        over = []
        while self._acknowledged in self._ended:
            done, its_session = self._ended.pop(self._acknowledged)
            self._acknowledged += 1
            self._prefix.advance(
                done.mark, accepted=(item.person.number for item, _ in done.taken), refused=sorted(done.refused)
            )
            over += [its_session] if its_session is not None else []
        self._prefix.save()
        # Afterwards: a session that is kept too long is looked at once more, and its rows are not sent again.
        self._sessions.over(*over)
        self._progress.tell(self._report.counts)

    def _paused(self) -> SessionsOpen:
        deadline = max(watch.deadline for _, watch in self._open.values())
        return SessionsOpen([*self._open], self._begun, deadline)

    def _doubt(self, batch: _Batch, reason: str) -> None:
        for item, _ in batch.taken:
            self._report.settle(item.person, Outcome.IN_DOUBT, reason, item.label)

    def _leave(self, why: str) -> None:
        """Say what is known of the rows that are in imports, now that nobody waits for these."""
        sending, settled = self._sending, [batch for batch, _ in self._open.values()] + self._silent
        if sending is not None and not any(batch is sending for batch in settled):
            self._doubt(sending, f"{why} while they were sent. {AGAIN}")
        for batch in self._silent:
            self._doubt(batch, _NO_ANSWER)
        for session_id, (batch, _) in self._open.items():
            self._doubt(batch, f"{why} before the import session {session_id} did, which another try waits for")


__all__ = ["ImportRun", "SessionsOpen"]
