# SPDX-License-Identifier: Apache-2.0
"""Imports that are accepted at once and carried out later (eSputnik API: import status)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from airflow_provider_sendpulse.emulator.clock import Clock
from airflow_provider_sendpulse.emulator.esputnik.contact_data import ContactData
from airflow_provider_sendpulse.emulator.esputnik.importing import Importing, ImportPlan
from airflow_provider_sendpulse.emulator.settings import ImportOutcome, Settings

SessionStatus = Literal["STARTED", "IMPORTING", "FINISHED", "ERROR"]


@dataclass
class ImportSession:
    """One import.

    Attributes:
        source: ``call``, or ``file`` with the address it came from.
        people: its contacts, none once it is over.
        outcome: how it will end; ``LOST`` means that it never moves and nobody remembers it.
        reads: how often it was read in its status.
    """

    id: str
    source: str
    plan: ImportPlan
    people: list[ContactData]
    outcome: ImportOutcome
    entered_at: datetime
    status: SessionStatus = "STARTED"
    count: int = 0
    reads: int = 0
    description: str = ""
    mapping: list[dict[str, Any]] = field(default_factory=list)
    history: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether it does not move any more."""
        return self.status in ("FINISHED", "ERROR") or self.outcome == "LOST"

    def enter(self, status: SessionStatus, at: datetime) -> None:
        """Put the session into a status."""
        self.status, self.entered_at, self.reads = status, at, 0
        self.history.append((status, at))

    def as_dict(self) -> dict[str, Any]:
        """Return the session as JSON, for assertions."""
        return {
            "id": self.id,
            "source": self.source,
            "status": self.status,
            "lost": self.outcome == "LOST",
            "contacts": self.count,
            "plan": self.plan.as_dict(),
            "mapping": self.mapping,
            "description": self.description,
            "history": [(status, at.isoformat()) for status, at in self.history],
        }


class ImportSessions:
    """All imports of an account, oldest first."""

    def __init__(self, settings: Settings, clock: Clock, importing: Importing) -> None:
        self._settings = settings
        self._clock = clock
        self._importing = importing
        self._sessions: dict[str, ImportSession] = {}

    def __iter__(self) -> Iterator[ImportSession]:
        return iter(list(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    def start(
        self, plan: ImportPlan, people: list[ContactData], outcome: ImportOutcome, source: str = "call"
    ) -> ImportSession:
        """Accept an import."""
        now = self._clock.now()
        session = ImportSession(str(uuid.uuid4()), source, plan, people, outcome, now, count=len(people))
        session.history.append((session.status, now))
        self._sessions[session.id] = session
        return session

    def get(self, session_id: str) -> ImportSession | None:
        """Return the session with this id, unless it is lost."""
        session = self._sessions.get(session_id)
        return None if session is None or session.outcome == "LOST" else session

    def note_read(self, session: ImportSession) -> None:
        """Count a read; where states move by reads, the session moves once it was read often enough."""
        settings = self._settings
        if settings.transitions != "reads" or session.is_over:
            return
        enough = settings.esputnik_import_reads
        if session.reads >= (settings.reads_per_status if enough is None else enough):
            self._step(session, self._clock.now())
        session.reads += 1

    def settle(self, now: datetime) -> None:
        """Let every session move that was due by now, each at its own time."""
        while self._settings.transitions == "clock":
            due = [(self._due_at(session), session) for session in self if not session.is_over]
            moment, session = min(due, key=lambda pair: pair[0], default=(None, None))
            if moment is None or session is None or moment > now:
                return
            self._step(session, moment)

    def _due_at(self, session: ImportSession) -> datetime:
        seconds = self._settings.esputnik_import_seconds
        return session.entered_at + timedelta(seconds=self._settings.seconds_per_status if seconds is None else seconds)

    def _step(self, session: ImportSession, at: datetime) -> None:
        if session.status == "STARTED":
            session.enter("IMPORTING", at)
            return
        if self._settings.esputnik_import_order == "reversed":
            younger = [other for other in self if not other.is_over]
            for other in reversed(younger[younger.index(session) + 1 :]):
                self._end(other, at)
        self._end(session, at)

    def _end(self, session: ImportSession, at: datetime) -> None:
        people, session.people = session.people, []
        if session.outcome == "ERROR":
            session.description = "Import failed"
            session.enter("ERROR", at)
        else:
            session.mapping = self._importing.carry_out(session.plan, people, at)
            session.enter("FINISHED", at)
