# SPDX-License-Identifier: Apache-2.0
"""Contacts from rows, imported in sessions that are waited for.

eSputnik carries an import out later, in a session of its own, and sessions may overtake one another. So no two that are
under way may hold the same contact, and a batch counts only when its session has finished.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.esputnik import import_sessions
from airflow_provider_sendpulse.esputnik.contact_data import Contact
from airflow_provider_sendpulse.esputnik.import_sessions import MOST_CONTACTS, Mapped, StartedImport
from airflow_provider_sendpulse.esputnik.service import REPEAT_AFTER, REPEATED
from airflow_provider_sendpulse.exceptions import (
    DeadlinePassed,
    DeliveryFailed,
    FinalFailure,
    InvalidRequest,
    Refused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
)
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import Contacts
from airflow_provider_sendpulse.jobs.esputnik.earlier_sessions import Earlier, wait_for_earlier
from airflow_provider_sendpulse.jobs.esputnik.recognition import Recognition, blamed, comparable, is_mapped
from airflow_provider_sendpulse.jobs.esputnik.session_waiting import AGAIN
from airflow_provider_sendpulse.jobs.esputnik.session_watch import End, SessionWatch
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSession, StartedSessions
from airflow_provider_sendpulse.jobs.pausing import Paused
from airflow_provider_sendpulse.jobs.position import Mark, Position, PositionStore, Prefix, binding, resumed
from airflow_provider_sendpulse.jobs.progress import Progress
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.people import Person

log = logging.getLogger(__name__)

MOST_CONCURRENCY = 10
"""Sessions at a time; the rows of all of them are in memory."""

_REPEATS = 3
"""Imports that are tried where the one before counts as a repeat."""


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


@dataclass(frozen=True, slots=True)
class GoingOn:
    """That this is the second leg of a try, whose first has sent all rows.

    :param begun: where an earlier try had got to when this one began
    """

    begun: Position | None


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What every batch is imported with.

    :param contacts: makes contacts of rows
    :param recognition: what tells them apart
    """

    contacts: Contacts
    recognition: Recognition
    group_names: Sequence[str] = ()
    group_names_exclude: Sequence[str] = ()
    restore_deleted: bool = False
    event_key_for_new_contacts: str | None = None

    def call(self, contacts: Sequence[Contact]) -> Call[StartedImport]:
        """Return the call that imports contacts."""
        return import_sessions.start(
            contacts,
            dedupe_on=self.recognition.dedupe_on,
            field_id=self.recognition.field_id,
            contact_fields=self.contacts.mapping.contact_fields,
            custom_field_ids=self.contacts.custom_field_ids,
            group_names=self.group_names,
            group_names_exclude=self.group_names_exclude,
            restore_deleted=self.restore_deleted,
            event_key_for_new_contacts=self.event_key_for_new_contacts,
        )

    def key(self, person: Person) -> Key:
        """Return what a row is recognised by.

        :raises InvalidRequest: when it cannot be imported
        """
        if not self.contacts.is_confirmed(person):
            raise InvalidRequest(
                "not confirmed, and an import makes contacts confirmed: EsputnikSubscribeContactOperator asks them first"
            )
        contact = self.contacts.contact(person)
        key = self.recognition.key(contact)
        self.call([contact])
        return Key(key, key.partition(" ")[2])

    def binding(self, account: str, audience: Audience) -> str:
        """Return a text for all that makes the import of a row what it is."""
        parts: dict[str, Any] = {
            "account": account,
            "mapping": audience.mapping,
            "dedupe_on": str(self.recognition.dedupe_on),
            "field_id": self.recognition.field_id or 0,
            "fields": ",".join(map(str, self.contacts.custom_field_ids)),
            "join": "\n".join(self.group_names),
            "leave": "\n".join(self.group_names_exclude),
            "restore": self.restore_deleted,
            "event": self.event_key_for_new_contacts or "",
        }
        return binding(**parts)


@dataclass(frozen=True, slots=True)
class ContactImport:
    """How contacts are imported.

    :param batch_size: contacts in a session
    :param concurrency: sessions at a time; one after the other where a contact might be in two of them
    :param poll_interval: seconds between two looks at a session
    :param timeout: seconds that a session may take
    :raises InvalidRequest: for numbers that cannot be meant
    """

    request: ImportRequest
    batch_size: int = MOST_CONTACTS
    concurrency: int = 4
    poll_interval: float = 10.0
    timeout: float = 7200.0

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= MOST_CONTACTS:
            raise InvalidRequest(f"batch_size is {self.batch_size}; it is a number from 1 to {MOST_CONTACTS}.")
        if not 1 <= self.concurrency <= MOST_CONCURRENCY:
            raise InvalidRequest(f"concurrency is {self.concurrency}; it is a number from 1 to {MOST_CONCURRENCY}.")

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
        if mapped is not None:
            _read_again(sender, sessions, tell)
        earlier = wait_for_earlier(
            sender, position, sessions, clock, self.poll_interval, self.timeout, tell, same_try=going_on is not None
        )
        bound = self.request.binding(account, audience)
        begun = resumed(position, bound, audience.reading())
        prefix = Prefix(position, bound, begun)
        with (
            audience.reading() as persons,
            # Closed here and now, by the thread that has opened their temporary file.
            contextlib.closing(screened(prefix.reading(persons), report, self.request.key)) as items,
            contextlib.closing(_left(items, prefix, report, earlier, going_on)) as left,
        ):
            if earlier.failure is not None and going_on is not None:
                for item in left:
                    report.settle(item.person, Outcome.SKIPPED)
                raise earlier.failure
            _Run(self, sender, left, sessions, report, prefix, clock, tell, begun, pause and going_on is None).run()


def _left(
    items: Iterable[Item], prefix: Prefix, report: Report, earlier: Earlier, going_on: GoingOn | None
) -> Generator[Item, None, None]:
    """Settle the rows that were delivered before, and yield the others."""
    for item in items:
        number = item.person.number
        outcome, reason = earlier.outcome_of(number, prefix) if going_on is not None else (None, "")
        if prefix.has(number):
            had = going_on is None or (going_on.begun is not None and _has(going_on.begun, number))
            report.settle(item.person, Outcome.SKIPPED if had else Outcome.ACCEPTED)
        elif outcome is not None:
            report.settle(item.person, outcome, reason, item.label)
        else:
            yield item


def _has(position: Position, number: int) -> bool:
    return number <= position.rows and number not in position.again


def _nothing(session_id: str, mapping: Sequence[Mapped]) -> None:
    """Tell nobody."""


def _read_again(sender: Sender, sessions: StartedSessions, mapped: Callable[[str, Sequence[Mapped]], None]) -> None:
    """Tell of the sessions that have ended before this began."""
    for session_id in sessions.ended:
        try:
            mapped(session_id, sender.send(import_sessions.read(session_id)).mapping)
        except Refused as error:
            log.warning("Import session %s cannot be read any more: its contacts are not written. %s", session_id, error)


@dataclass(slots=True)
class _Batch:
    """Rows that are imported together.

    :param index: its place in the order, from 0
    :param after: rows that were read before it
    :param mark: where reading stood when it was complete
    :param refused: its rows that were refused at once
    :param doubt: why it is not known which of its rows were refused
    """

    index: int
    items: list[Item]
    after: int
    mark: Mark
    contacts: list[Contact] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    doubt: str = ""

    @property
    def rows(self) -> str:
        return f"Rows {self.items[0].person.number} to {self.items[-1].person.number}"

    @property
    def taken(self) -> Iterator[tuple[Item, Contact]]:
        """Its rows that were not refused."""
        pairs = zip(self.items, self.contacts, strict=True)
        return ((item, contact) for item, contact in pairs if item.person.number not in self.refused)


class _Run:
    def __init__(
        self,
        how: ContactImport,
        sender: Sender,
        items: Iterator[Item],
        sessions: StartedSessions,
        report: Report,
        prefix: Prefix,
        clock: Clock,
        mapped: Callable[[str, Sequence[Mapped]], None],
        begun: Position | None,
        pause: bool,
    ) -> None:
        self._how = how
        self._request = how.request
        self._sender = sender
        self._items = items
        self._sessions = sessions
        self._report = report
        self._prefix = prefix
        self._clock = clock
        self._mapped = mapped
        self._begun = begun
        self._pause = pause
        self._progress = Progress(clock, "session", report.expected, how.batch_size)
        self._concurrency = how.concurrency if self._request.recognition.is_exact else 1
        self._read = begun.rows if begun else 0
        self._fetched = 0
        self._acknowledged = 0
        self._any_finished = False
        self._sending: _Batch | None = None
        self._open: dict[str, tuple[_Batch, SessionWatch]] = {}
        self._ended: dict[int, tuple[_Batch, str | None]] = {}
        self._failures: list[ServiceError] = []
        if self._concurrency < how.concurrency:
            log.info("One import session at a time: a contact of one could be found by the keys of another.")

    def run(self) -> None:
        following = self._fetch()
        try:
            while True:
                while following is not None and not self._failures and len(self._open) < self._most:
                    self._send(following)
                    following = None if self._failures else self._fetch()
                if not self._open:
                    break
                if self._pause and following is None and not self._failures:
                    raise self._paused()
                if not self._look():
                    self._clock.sleep(self._how.poll_interval)
        except Paused:
            raise
        except BaseException as error:
            self._leave(f"{type(error).__name__} has ended this try")
            raise
        if self._failures:
            raise next((error for error in self._failures if isinstance(error, FinalFailure)), self._failures[0])

    @property
    def _most(self) -> int:
        """Sessions at a time. Whether two that name a new segment would make it twice is not known: the first makes it."""
        return self._concurrency if self._any_finished or not self._request.group_names else 1

    def _fetch(self) -> _Batch | None:
        items = list(itertools.islice(self._items, self._how.batch_size))
        if not items:
            return None
        mark = self._prefix.mark()
        batch = _Batch(self._fetched, items, self._read, mark)
        self._fetched += 1
        self._read = max(self._read, mark.rows)
        return batch

    def _send(self, batch: _Batch) -> None:
        batch.contacts = [self._request.contacts.contact(item.person) for item in batch.items]
        self._sessions.about_to_send(batch.items[0].person.number, batch.items[-1].person.number)
        self._sending = batch
        try:
            started = self._started(self._request.call(batch.contacts))
        except ServiceUnavailable as error:
            # Some request may have got through: what comes of it is nothing that anybody could ask for.
            self._sending = None
            self._doubt(batch, f"no answer came to the import, which may have been taken. {AGAIN}")
            self._failures.append(error)
            return
        except ServiceError as error:
            self._sending = None
            self._sessions.not_started()
            self._failures.append(_told(batch, error, self._report))
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
        self._keep(batch, started.session_id)
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

    def _started(self, call: Call[StartedImport]) -> StartedImport:
        """Start an import. One that repeats another is not carried out, and the session of the other is not known."""
        for _ in range(_REPEATS - 1):
            try:
                return self._sender.send(call)
            except Throttled as error:
                if error.status != REPEATED:
                    raise
                log.warning("%s Waiting for a minute.", error)
                self._clock.sleep(error.retry_after or REPEAT_AFTER)
        return self._sender.send(call)

    def _keep(self, batch: _Batch, session_id: str | None) -> None:
        if session_id is None:
            self._sessions.not_started()
            return
        since = self._clock.now()
        # Before it is written down: if that fails, the rows are known to be in a session.
        self._open[session_id] = batch, SessionWatch(session_id, since + self._how.timeout)
        numbers = [item.person.number for item in batch.items]
        self._sessions.started(
            StartedSession(
                session_id,
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
                    self._sessions.over(session_id)
                    self._failures.append(
                        ServiceError(f"{batch.rows}: {watch.reason} Another try imports these rows again. {AGAIN}")
                    )
        return any_ended

    def _finish(self, batch: _Batch, watch: SessionWatch) -> None:
        mapping = watch.session.mapping
        self._mapped(watch.session_id, mapping)
        by_value = {comparable(item.dedupe_value): item for item in mapping}
        taken = 0
        for item, contact in batch.taken:
            taken += 1
            if batch.doubt and (self._failures or not is_mapped(contact, by_value)):
                self._report.settle(item.person, Outcome.IN_DOUBT, batch.doubt, item.label)
                batch.refused.add(item.person.number)
            else:
                self._report.settle(item.person, Outcome.ACCEPTED)
        if len(mapping) < taken:
            log.warning(
                "Import session %s tells the ids of %s of its %s contacts. eSputnik leaves out those that were deleted%s.",
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
        """Say what is known of the rows that are in sessions, now that nobody waits for these."""
        if self._sending is not None and not any(batch is self._sending for batch, _ in self._open.values()):
            self._doubt(self._sending, f"{why} while they were sent. {AGAIN}")
        for session_id, (batch, _) in self._open.items():
            self._doubt(batch, f"{why} before the import session {session_id} did, which another try waits for")


def _told(batch: _Batch, error: ServiceError, report: Report) -> ServiceError:
    if not isinstance(error, Refused):
        return error
    failed = DeliveryFailed(
        f"{batch.rows}: {error} So far: {report.counts}.",
        operation=error.operation,
        status=error.status,
        error_code=error.error_code,
        service_message=error.service_message,
    )
    failed.__cause__ = error
    return failed


__all__ = ["MOST_CONCURRENCY", "ContactImport", "GoingOn", "ImportRequest", "SessionsOpen"]
