# SPDX-License-Identifier: Apache-2.0
"""The audience that is imported into eSputnik, its segment and its scenario; and two imports that others prepare."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contact_file import served_file

from airflow_provider_sendpulse.emulator.esputnik import control
from airflow_provider_sendpulse.emulator.esputnik.contact_data import read_contact
from airflow_provider_sendpulse.emulator.esputnik.dedupe import DedupeRule
from airflow_provider_sendpulse.emulator.esputnik.importing import ImportPlan
from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop as shops
from demo.week import Week
from torture.ended import Ended, Occasion
from torture.picture import Picture, contact_line
from torture.subjects.pictured import FIRST_DAY, PicturedSubject, doubtful

SEGMENT = "Buyers of the week"
BY_HAND = "guest@example.com"
"""Somebody in the segment whom no import has put there."""
_BEFORE = (5, 6, 7, 8, 9, 34, 35)
"""Who was imported last week, by place among the customers: the last two buy nothing this week."""


class EsputnikAudience(PicturedSubject):
    """Last week's buyers are in the segment; this week's are imported in small batches, and the last of them first."""

    name = file = dag_id = "esputnik_audience"
    settings: Mapping[str, Any] = {"esputnik_import_order": "reversed"}
    under_airflow: Mapping[str, Any] = {}
    changes: Mapping[str, Any] = {"batch_size": 6}
    tables: Mapping[str, str] = {"esputnik_contacts": "dedupe_value, contact_id"}
    sent_by: Mapping[str, str] = {"weeklyBuyer events": "start_scenario"}
    is_doubtful = doubtful(sent_by)

    def occasion(self, number: int) -> Occasion:
        """Return every other week: their buyers are the same."""
        week = Week(2 * number - 1, keep=1)
        return Occasion(number, f"audience-{week.end}", *week.interval)

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Import last week's buyers, with another language and without a telephone number."""
        before = self._before(shop)
        contacts = [{"channels": [{"type": "email", "value": email}], "languageCode": "pl"} for email in (*before, BY_HAND)]
        with emulator.emulator.lock:
            ids = _told(control.add_contacts, emulator, {"contacts": contacts, "segments": [SEGMENT]})["ids"]
        with shops.opened(shop) as database, database:
            database.execute(
                "CREATE TABLE esputnik_contacts (dedupe_value TEXT PRIMARY KEY, contact_id INTEGER, session_id TEXT)"
            )
            rows = [(email, number, "of last week") for email, number in zip(before, ids, strict=False)]
            database.executemany("INSERT INTO esputnik_contacts VALUES (?, ?, ?)", rows)
        return {}

    def wanted(self, ended: Ended) -> Picture:
        """Return who is in the segment, who holds what, and who got which event."""
        monday, before = ended.occasion.start.date(), self._before(ended.shop)
        buyers = {person.email: person for person in shops.buyers(ended.shop, monday, ended.occasion.end.date())}
        with shops.opened(ended.shop) as database:
            languages = dict(database.execute("SELECT email, language FROM customers"))
        lines = [contact_line(email, person.phone, languages[email]) for email, person in buyers.items()]
        lines += [contact_line(email, None, "pl") for email in (*before, BY_HAND) if email not in buyers]
        return {
            f"contacts in {SEGMENT!r}": Counter([*buyers, BY_HAND]),
            "contacts": Counter(lines),
            "newBuyer events": Counter(email for email in buyers if email not in before),
            "weeklyBuyer events": Counter(f"{email}:{FIRST_DAY}" for email in buyers),
        }

    @staticmethod
    def _before(shop: Path) -> list[str]:
        people = shops.customers(shop)
        return [people[place].email for place in _BEFORE]


class EsputnikPartnerFile(PicturedSubject):
    """A partner's file is imported by its URL."""

    name = dag_id = "esputnik_partner_file"
    file = "esputnik_audience"

    def occasion(self, number: int) -> Occasion:
        """Return a week."""
        return Occasion(number, "partner-file", *Week(number, keep=1).interval)

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[Mapping[str, str]]:
        """Serve the file."""
        with served_file() as serve:
            yield {"AIRFLOW_VAR_PARTNER_FILE": serve()}

    def wanted(self, ended: Ended) -> Picture:
        """Return who is in the file."""
        people = ("ada@example.com", "bob@example.com")
        return {
            "contacts": Counter(contact_line(email) for email in people),
            "contacts in 'Partners'": Counter(people),
        }


class EsputnikAfterAnImport(PicturedSubject):
    """A session that somebody else has started is waited for."""

    name = dag_id = "esputnik_after_an_import"
    file = "esputnik_audience"
    tables: Mapping[str, str] = {"esputnik_contacts": "dedupe_value, contact_id"}

    def occasion(self, number: int) -> Occasion:
        """Return a week."""
        return Occasion(number, "after-an-import", *Week(number, keep=1).interval)

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Start the session."""
        account = emulator.state.esputnik
        people = [
            read_contact({"channels": [{"type": "email", "value": person.email}]}, account.fields)
            for person in shops.customers(shop)
        ]
        with emulator.emulator.lock:
            session = account.imports.start(ImportPlan(DedupeRule("email")), people, "FINISHED")
        return {"session_id": session.id}

    def wanted(self, ended: Ended) -> Picture:
        """Return who was in the session, and that their ids are written down."""
        people = [person.email for person in shops.customers(ended.shop)]
        return {
            "contacts": Counter(contact_line(email) for email in people),
            "rows of esputnik_contacts": Counter(f'["{email}", {email}]' for email in people),
        }


def _told(command: Any, emulator: RunningEmulator, fields: Mapping[str, Any]) -> Any:
    return command(emulator.emulator, None, dict(fields))


__all__ = ["EsputnikAfterAnImport", "EsputnikAudience", "EsputnikPartnerFile"]
