# SPDX-License-Identifier: Apache-2.0
"""Rows to deliver, a sender that does as told, and a ledger that says what it is asked."""

from __future__ import annotations

import threading

from airflow_provider_sendpulse.api.call import Call, nothing
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.ledger import Entry, KeyValueLedger
from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.rows.rejects import NoRejects
from airflow_provider_sendpulse.sendpulse import error_codes


def person(number, email=None, phone=""):
    return Person(number, f"reader{number}@example.com" if email is None else email, phone, None, {})


def persons(count):
    return [person(number) for number in range(1, count + 1)]


def build(batch):
    return Call(method="POST", path="/x", read=nothing, values={"rows": ",".join(str(row.number) for row in batch)})


def rows_of(call):
    """Return the numbers of the rows that a call holds."""
    return [int(text) for text in call.values["rows"].split(",")]


def refused(status=422, error_code=422, message="Malformed"):
    """Return what the client raises when the service says no."""
    return Refused(
        "The service said no.",
        operation="POST /x",
        status=status,
        error_code=error_code,
        service_message=message,
        due_to_a_row=error_codes.due_to_a_row(status, error_code),
        is_too_large=error_codes.is_too_large(status, message),
        most_items=error_codes.most_items(message),
    )


class Sender:
    """Carries calls out as told: an error by row number, to be raised when a call holds that row."""

    def __init__(self, ledger=None, **errors):
        self.errors = errors.pop("errors", {})
        self.sent = []
        self.tried = []
        self.steps = getattr(ledger, "steps", [])
        self._lock = threading.Lock()

    def send(self, call):
        rows = rows_of(call)
        with self._lock:
            self.tried.append(rows)
            self.steps.append(("send", len(rows)))
            for row in rows:
                if row in self.errors:
                    raise self.errors[row]
            self.sent += rows


class Journal(KeyValueLedger):
    """A ledger that says what it is asked."""

    def __init__(self, store):
        super().__init__(store.get, store.__setitem__)
        self.steps = []

    def look_up(self, keys):
        self.steps.append(("look up", len(keys)))
        return super().look_up(keys)

    def claim(self, contacts, *, again=()):
        self.steps.append(("claim", len(contacts)))
        return super().claim(contacts, again=again)

    def settle(self, recorded, released):
        self.steps.append(("settle", len(recorded), len(released)))
        super().settle(recorded, released)


class OtherRun(Journal):
    """A ledger in which another run is sending row 2, and ends it when it was looked at so many times."""

    def __init__(self, store, looks, fate):
        super().__init__(store)
        self.looks, self.fate = looks, fate

    def look_up(self, keys):
        known = super().look_up(keys)
        if (key := digest_of(2)) in keys:
            self.looks -= 1
            known |= {key: Entry.TAKEN if self.looks >= 0 else self.fate}
        return {key: entry for key, entry in known.items() if entry is not Entry.NEW}


def digest_of(number):
    """Return the key of a row."""
    return by_email(person(number)).digest.hex()


class Collected(NoRejects):
    """Keeps rejected rows."""

    def __init__(self):
        self.rows = []

    def write(self, row):
        self.rows.append(row)


def by_email(row):
    return Key(row.email.lower(), row.email)


def total(counts):
    """Add up all outcomes."""
    return sum(counts.as_dict().values()) - counts.read
