# SPDX-License-Identifier: Apache-2.0
"""The import sessions that the tries of a task have started, so that another try waits for them before it sends anything.

They are written down directly after the request that starts one, and directly before it that it is about to be sent: a try
that Airflow has replaced may not write, and so sends nothing. An import without an answer is remembered as well, so that
nobody sends its rows again while it may be under way.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.jobs.esputnik.unanswered import UnansweredImport
from airflow_provider_sendpulse.jobs.position import MOST_AGAIN, Position, PositionStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartedSession:
    """An import session with the rows it holds: those between two places in the source, and refused ones before these.

    :param since: seconds since the epoch when it was started
    :param after: rows of the source that were read before it
    :param rows: rows that were read when it was complete
    :param digest: of these; see :class:`~airflow_provider_sendpulse.jobs.position.Position`
    :param refused: numbers of its rows that were refused at once; ``None`` when these are not known, or too many
    :param cured: numbers of rows that were refused before, and are in it again
    """

    id: str
    since: float
    after: int
    rows: int
    digest: str
    refused: tuple[int, ...] | None = ()
    cured: tuple[int, ...] = ()

    @classmethod
    def of(cls, value: dict[str, Any]) -> Self:
        """Read a stored value."""
        refused = value["refused"]
        return cls(**{**value, "refused": None if refused is None else tuple(refused), "cured": tuple(value["cured"])})

    def as_dict(self) -> dict[str, Any]:
        """Return the value to store."""
        refused = None if self.refused is None else [*self.refused]
        return {**asdict(self), "refused": refused, "cured": [*self.cured]}

    def holds(self, number: int) -> bool:
        """Whether a row is in it, or was refused when it was started."""
        return self.after < number <= self.rows or number in self.cured


@dataclass(frozen=True, slots=True)
class EndedSession:
    """An import session that need not be waited for any more.

    :param after: rows of the source that were read before it
    :param rows: rows that were read when it was complete
    :param finished: whether it has, so that it says which contacts it has made of its rows
    """

    id: str
    after: int
    rows: int
    finished: bool = True


class StartedSessions:
    """What is known of the sessions of a delivery.

    :param store: keeps one value across the tries of a task
    :param account: what tells one account from another; sessions of another one are forgotten
    """

    def __init__(self, store: PositionStore, account: str) -> None:
        self._store = store
        self._account = account
        self.ended: list[EndedSession] = []
        self.open: list[StartedSession] = []
        self.unanswered: list[UnansweredImport] = []
        self._sending: UnansweredImport | None = None
        value = store.read()
        if not isinstance(value, dict) or value.get("account") != account:
            return
        try:
            ended = [EndedSession(**item) for item in value["ended"]]
            started = [StartedSession.of(item) for item in value["open"]]
            unanswered = [UnansweredImport(**item) for item in value["unanswered"]]
        except (KeyError, TypeError):
            log.warning("What an earlier try has written down of its import sessions cannot be read: starting over.")
            return
        self.ended, self.open, self.unanswered = ended, started, unanswered

    @property
    def ids(self) -> list[str]:
        """All sessions, those that are over first."""
        return [*(item.id for item in self.ended), *(item.id for item in self.open)]

    def wait_for_unanswered(self, clock: Clock, window: float) -> None:
        """Wait until whatever has come of imports without an answer is over, and forget them.

        :param window: seconds in which an import is carried out that was taken
        """
        now = clock.now()
        left = max((item.settled_at(now, window) - now for item in self.unanswered), default=0.0)
        for item in self.unanswered:
            log.warning(
                "An earlier try was about to import rows %s to %s, and whether eSputnik has got them is not known. They "
                "are imported again in %.0f s, when whatever has come of that is over.",
                item.first,
                item.last,
                max(left, 0.0),
            )
        if left > 0:
            clock.sleep(left)
        if self.unanswered:
            self.unanswered = []
            self._keep()

    def about_to_send(self, first: int, last: int, now: float) -> None:
        """Write down that an import with these rows is about to be sent; what came of an earlier one of them is over."""
        self._sending = UnansweredImport(now, first=first, last=last)
        self.unanswered = [item for item in self.unanswered if item.first != first]
        self._keep()

    def got_no_answer(self, now: float) -> None:
        """Write down that no answer has come to it."""
        if self._sending is not None:
            self.unanswered.append(replace(self._sending, missed_at=now))
        self._sending = None
        self._keep()

    def not_started(self) -> None:
        """Write down that no session has come of it."""
        self._sending = None
        self._keep()

    def started(self, session: StartedSession) -> None:
        """Write down which session has come of it."""
        if session.refused is not None and len(session.refused) > MOST_AGAIN:
            session = replace(session, refused=None)
        self._sending = None
        self.open.append(session)
        self._keep()

    def over(self, *ids: str) -> None:
        """Write down that sessions have finished."""
        self._end(ids, finished=True)

    def failed(self, *ids: str) -> None:
        """Write down that sessions need not be waited for any more, and say nothing of their contacts."""
        self._end(ids, finished=False)

    def _end(self, ids: Sequence[str], *, finished: bool) -> None:
        over = [item for item in self.open if item.id in ids]
        if over:
            self.ended += [EndedSession(item.id, item.after, item.rows, finished) for item in over]
            self.open = [item for item in self.open if item.id not in ids]
            self._keep()

    def forget(self) -> None:
        """Forget everything."""
        self._store.delete()

    def _keep(self) -> None:
        self._store.write(
            {
                "account": self._account,
                "ended": [asdict(item) for item in self.ended],
                "open": [item.as_dict() for item in self.open],
                "unanswered": [asdict(item) for item in [*self.unanswered, *([self._sending] if self._sending else [])]],
            }
        )


def advanced(position: Position | None, finished: list[StartedSession]) -> Position | None:
    """Return where sessions that have finished take a position to: as far as they follow on it without a gap.

    :return: ``None`` when there is nothing to go on from, or more rows were refused than a position remembers
    """
    rows, digest = (position.rows, position.digest) if position else (0, "")
    again = set(position.again) if position else set()
    for session in sorted(finished, key=lambda item: item.after):
        if session.after != rows or session.refused is None:
            continue
        if session.rows > rows:
            rows, digest = session.rows, session.digest
        again.difference_update(session.cured)
        again.update(session.refused)
    return Position(rows, digest, frozenset(again)) if rows and len(again) <= MOST_AGAIN else None


__all__ = ["EndedSession", "StartedSession", "StartedSessions", "advanced"]
