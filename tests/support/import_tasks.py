# SPDX-License-Identifier: Apache-2.0
"""A task that imports rows into the emulated account of eSputnik, tried again and again."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from deliveries import Collected, total
from emulated_account import SharedClock, connected, esputnik_account

from airflow_provider_sendpulse.jobs.esputnik.contact_mapping import ContactMapping
from airflow_provider_sendpulse.jobs.esputnik.import_pace import ImportPace
from airflow_provider_sendpulse.jobs.esputnik.import_request import ImportRequest
from airflow_provider_sendpulse.jobs.esputnik.import_run import SessionsOpen
from airflow_provider_sendpulse.jobs.esputnik.importing import ContactImport, GoingOn
from airflow_provider_sendpulse.jobs.esputnik.recognition import Recognition
from airflow_provider_sendpulse.jobs.esputnik.started_sessions import StartedSessions
from airflow_provider_sendpulse.jobs.position import MemoryPosition
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.source import InlineRows

MAPPING = ContactMapping(email="email", first_name="name")


class ImportTask:
    """The tries of one task."""

    def __init__(
        self,
        emulator: Any,
        rows: Any,
        mapping: ContactMapping = MAPPING,
        dedupe_on: str = "email",
        event_key: str | None = None,
        **how: Any,
    ) -> None:
        self.client = connected(emulator, SharedClock(emulator), whose=esputnik_account(emulator))
        self.clock = SharedClock(emulator)
        self.audience = Audience(InlineRows(rows), mapping.columns())
        contacts = mapping.resolved([])
        request = ImportRequest(contacts, Recognition.of(dedupe_on, None, contacts), event_key_for_new_contacts=event_key)
        self.job = ContactImport(request, ImportPace(**how))
        self.position, self.sessions = MemoryPosition(), MemoryPosition()

    def attempt(self, pause: bool = False, mapped: Any = None) -> tuple[Any, list[Any], Any]:
        """Try once, with a pause if asked for, and return the counts, the bad rows and what it failed with."""
        going_on: Any = None
        while True:
            rejects = Collected()
            report = Report(rejects)
            error: Any = None
            try:
                self.job.run(
                    self.client,
                    self.audience,
                    self.position,
                    StartedSessions(self.sessions, "account"),
                    report,
                    self.clock,
                    account="account",
                    mapped=mapped,
                    pause=pause,
                    going_on=going_on,
                )
                report.finish()
            except SessionsOpen as stop:
                assert going_on is None, "paused twice"
                going_on = GoingOn(stop.begun)
                continue
            except Exception as failure:
                error = failure
                report.abandon()
            assert total(report.counts) == report.counts.read
            return report.counts, rejects.rows, error


def contacts_of(emulator: Any) -> dict[str, Any]:
    """The first name of every contact, by its address."""
    found: dict[str, Any] = {}
    for contact in emulator.state.as_dict()["esputnik"]["contacts"]:
        for channel in contact["channels"]:
            if channel["type"] == "email":
                assert channel["value"].lower() not in found
                found[channel["value"].lower()] = contact.get("firstName")
    return found


def sessions(emulator: Any) -> list[tuple[set[str], datetime, datetime | None]]:
    """Whom every session is about, when it began, and when it was over."""
    answered = [record for record in emulator.requests.records("esputnik.contacts.import") if record.handled_status == 200]
    found = []
    for record, session in zip(answered, emulator.state.as_dict()["esputnik"]["imports"], strict=True):
        emails = {channel["value"].lower() for contact in record.body["contacts"] for channel in contact["channels"]}
        (_, begun), *_, (status, ended) = session["history"]
        over = datetime.fromisoformat(ended) if status in ("FINISHED", "ERROR") else None
        found.append((emails, datetime.fromisoformat(begun), over))
    return found


def overlapping(emulator: Any) -> list[set[str]]:
    """Contacts that were in two sessions at a time."""
    found = []
    for (first, _, over), (second, begun, _) in itertools.combinations(sessions(emulator), 2):
        if first & second and (over is None or begun < over):
            found.append(first & second)
    return found
