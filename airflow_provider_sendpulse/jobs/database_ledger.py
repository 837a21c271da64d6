# SPDX-License-Identifier: Apache-2.0
"""A ledger in a table of a SQL database: for all runs, and for processes that run at the same time."""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import ServiceUnavailable
from airflow_provider_sendpulse.jobs.ledger import Entry
from airflow_provider_sendpulse.jobs.ledger_table import create, insert_missing
from airflow_provider_sendpulse.jobs.sending_rules import Sighting

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Select, Table

R = TypeVar("R")

log = logging.getLogger(__name__)

CLAIM_LIFE = 15 * 60
"""Seconds for which another task's claim means that it is sending; afterwards the row is in doubt."""

_CLAIMED, _LISTED, _RECORDED = "claimed", "listed", "recorded"
_PER_QUERY = 500
_EXPIRED_AT_ONCE = 1000
_EXPIRED_ROUNDS = 50
_PAUSES = (0.2, 1.0, 3.0)


@dataclass(frozen=True, slots=True)
class LedgerScope:
    """Whose rows they are.

    :param account: what tells one account from another
    :param event: name of the event
    :param owner: the task instance, whichever try
    """

    account: str
    event: str
    owner: str
    try_number: int = 1

    @property
    def digest(self) -> str:
        """What stands for account and event in the table."""
        return _digest(self.account, self.event)

    @property
    def owner_digest(self) -> str:
        """What stands for the task instance in the table."""
        return _digest(self.owner)


class DatabaseLedger:
    """A ledger in a table, which is created when it is missing.

    Every statement or few make a transaction of their own: none is open while anything is sent. The database is asked
    again a few times when it fails in passing.

    :param retention: seconds after which a row that this ledger writes is forgotten, and would be sent again. It is kept
        with the row: a ledger with another retention leaves the row alone for as long
    """

    capacity: int | None = None
    is_lasting = True
    size = 0

    def __init__(self, engine: Engine, table: Table, scope: LedgerScope, retention: float, clock: Clock) -> None:
        self._engine = engine
        self._table = table
        self._scope = scope
        self._retention = retention
        self._clock = clock
        self._claim = ""
        self._expired: set[str] = set()

    def open(self) -> None:
        """Create the table if need be, and delete rows whose time has come, so many at most.

        :raises ServiceUnavailable: as every method, when the database cannot be used
        """
        self._attempt(lambda: create(self._engine, self._table))
        deleted = 0
        for _ in range(_EXPIRED_ROUNDS):
            count = self._transaction(self._delete_expired)
            deleted += count
            if count < _EXPIRED_AT_ONCE:
                break
        if deleted:
            log.info(
                "The ledger forgot %s rows that are older than the ledger_retention they were written with.", f"{deleted:,}"
            )

    def look_up(self, keys: Collection[str]) -> dict[str, Entry]:
        """Say what is known of keys; new ones are left out."""
        import sqlalchemy as sa

        columns = self._table.c
        statement = sa.select(columns.row_key, columns.state, columns.owner, columns.claimed_at, columns.expires_at)
        found: dict[str, Entry] = {}
        for some in _in_parts(keys):
            for key, state, owner, claimed_at, expires_at in self._rows(statement.where(self._own(some))):
                if expires_at < self._clock.now():
                    self._expired.add(key)
                elif state == _RECORDED:
                    found[key] = Entry.RECORDED
                elif state == _LISTED and owner != self._scope.owner_digest:
                    found[key] = Entry.LISTED
                elif owner == self._scope.owner_digest or claimed_at < self._clock.now() - CLAIM_LIFE:
                    found[key] = Entry.IN_DOUBT
                else:
                    found[key] = Entry.TAKEN
        return found

    def claim(self, contacts: Mapping[str, str], *, again: Collection[str] = ()) -> set[str]:
        """Write down that rows are about to be sent, and return the keys that are ours: nobody else gets these."""
        # A token of its own for every claim. So it can be repeated when nobody knows whether it has arrived, and what
        # another process has claimed since is never recorded or given back by mistake.
        self._claim = token = secrets.token_hex(12)
        keys = sorted(contacts)
        expired = [key for key in keys if key in self._expired]
        self._expired.difference_update(keys)
        return self._transaction(lambda at: self._claim_rows(at, contacts, keys, expired, {*again}, token))

    def settle(self, recorded: Collection[str], released: Collection[str]) -> None:
        """Write down that rows were sent, and give back those that certainly were not."""
        import sqlalchemy as sa

        ours = self._table.c.claim == self._claim

        def write(connection: Connection) -> None:
            if recorded:
                sent = {"state": _RECORDED, "sent_at": int(self._clock.now())}
                connection.execute(sa.update(self._table).where(self._own(recorded), ours).values(**sent))
            if released:
                unsent = self._table.c.state == _CLAIMED
                connection.execute(sa.delete(self._table).where(self._own(released), ours, unsent))

        if recorded or released:
            self._transaction(write)

    def note_listed(self, keys: Collection[str]) -> None:
        """Write down that rows are in doubt and were listed by this task; what another is sending is left alone."""
        import sqlalchemy as sa

        columns = self._table.c
        listed = {"state": _LISTED, "owner": self._scope.owner_digest}

        def write(connection: Connection) -> None:
            for some in _in_parts(keys):
                doubtful = sa.and_(self._own(some), columns.state == _CLAIMED, self._is_doubtful)
                connection.execute(sa.update(self._table).where(doubtful).values(**listed))

        if keys:
            self._transaction(write)

    def seen_since(self, contacts: Iterable[str], since: float) -> list[Sighting]:
        """Return the rows of some contacts that were claimed since a moment, in seconds since the epoch."""
        import sqlalchemy as sa

        columns = self._table.c
        statement = sa.select(columns.contact, columns.row_key, columns.state, columns.claimed_at)
        found: list[Sighting] = []
        for some in _in_parts({*contacts}):
            seen = sa.and_(columns.scope == self._scope.digest, columns.contact.in_(some), columns.claimed_at > int(since))
            for contact, key, state, claimed_at in self._rows(statement.where(seen)):
                found.append(Sighting(contact, key, state == _RECORDED, claimed_at))
        return found

    def close(self) -> None:
        """Close kept connections."""
        self._engine.dispose()

    def _claim_rows(
        self,
        connection: Connection,
        contacts: Mapping[str, str],
        keys: list[str],
        expired: list[str],
        again: set[str],
        token: str,
    ) -> set[str]:
        import sqlalchemy as sa

        columns = self._table.c
        now = int(self._clock.now())
        expires_at = math.ceil(self._clock.now() + self._retention)
        if expired:
            connection.execute(sa.delete(self._table).where(self._own(expired), columns.expires_at < now))
        rows = [
            {
                "scope": self._scope.digest,
                "row_key": key,
                "event": self._scope.event[:100],
                "contact": contacts[key],
                "state": _CLAIMED,
                "claim": token,
                "owner": self._scope.owner_digest,
                "try_number": self._scope.try_number,
                "claimed_at": now,
                "sent_at": None,
                "expires_at": expires_at,
            }
            for key in keys
        ]
        insert_missing(connection, self._table, rows)
        if again:
            # Only what is still in doubt: another process may have taken it over just as well.
            doubtful = sa.or_(columns.state == _LISTED, sa.and_(columns.state == _CLAIMED, self._is_doubtful))
            mine = {"state": _CLAIMED, "claim": token, "owner": self._scope.owner_digest, "claimed_at": now}
            connection.execute(
                sa.update(self._table)
                .where(self._own(again), doubtful, columns.claim != token)
                .values(
                    **mine,
                    try_number=self._scope.try_number,
                    expires_at=sa.case((columns.expires_at > expires_at, columns.expires_at), else_=expires_at),
                )
            )
        query = sa.select(columns.row_key).where(self._own(keys), columns.claim == token)
        return {*connection.execute(query).scalars()}

    def _delete_expired(self, connection: Connection) -> int:
        import sqlalchemy as sa

        columns = self._table.c
        old = sa.and_(columns.scope == self._scope.digest, columns.expires_at < int(self._clock.now()))
        keys = [*connection.execute(sa.select(columns.row_key).where(old).limit(_EXPIRED_AT_ONCE)).scalars()]
        for some in _in_parts(keys):
            connection.execute(sa.delete(self._table).where(old, columns.row_key.in_(some)))
        return len(keys)

    @property
    def _is_doubtful(self) -> ColumnElement[bool]:
        """Whether a claim is an earlier try's, or so old that nobody is sending any more."""
        columns = self._table.c
        too_old = columns.claimed_at < int(self._clock.now()) - CLAIM_LIFE
        return (columns.owner == self._scope.owner_digest) | too_old

    def _own(self, keys: Collection[str]) -> ColumnElement[bool]:
        columns = self._table.c
        return (columns.scope == self._scope.digest) & columns.row_key.in_(sorted(keys))

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return self._transaction(lambda connection: connection.execute(query).all())

    def _transaction(self, work: Callable[[Connection], R]) -> R:
        def carry_out() -> R:
            with self._engine.begin() as connection:
                return work(connection)

        return self._attempt(carry_out)

    def _attempt(self, work: Callable[[], R]) -> R:
        """Do what may be repeated, a few times when the database fails: a deadlock, or a server that restarts."""
        import sqlalchemy as sa

        pauses = iter(_PAUSES)
        while True:
            try:
                return work()
            except sa.exc.SQLAlchemyError as error:
                pause = next(pauses, None)
                if pause is None or not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
                    raise ServiceUnavailable(
                        f"The ledger in {self._table.fullname} cannot be used: {_told(error)}"
                    ) from None
                log.warning("The ledger in %s failed: %s; again in %s s", self._table.fullname, _told(error), pause)
                self._clock.sleep(pause)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _in_parts(keys: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _PER_QUERY):
        yield ordered[start : start + _PER_QUERY]


def _told(error: Any) -> str:
    """Return what a driver said, without the statement and its parameters."""
    said = str(getattr(error, "orig", None) or "").strip().splitlines()
    return f"{type(error).__name__}{f' ({said[0]})' if said else ''}"


__all__ = ["CLAIM_LIFE", "DatabaseLedger", "LedgerScope"]
