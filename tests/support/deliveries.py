# SPDX-License-Identifier: Apache-2.0
"""Rows to deliver, a sender that does as told, and a ledger that says what it is asked."""

from __future__ import annotations

from airflow_provider_sendpulse.api.call import Call, nothing
from airflow_provider_sendpulse.jobs.ledger import KeyValueLedger
from airflow_provider_sendpulse.jobs.screening import Key
from airflow_provider_sendpulse.rows.people import Person


def person(number, email=None, phone=""):
    return Person(number, f"reader{number}@example.com" if email is None else email, phone, None, {})


def persons(count):
    return [person(number) for number in range(1, count + 1)]


def build(batch):
    return Call(method="POST", path="/x", read=nothing, values={"rows": ",".join(str(row.number) for row in batch)})


class Sender:
    """Carries calls out as told: an error by row number, to be raised when a call holds that row."""

    def __init__(self, ledger=None, **errors):
        self.errors = errors.pop("errors", {})
        self.sent = []
        self.tried = []
        self.steps = getattr(ledger, "steps", [])

    def send(self, call):
        rows = [int(text) for text in call.values["rows"].split(",")]
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


def by_email(row):
    return Key(row.email.lower(), row.email)


def total(counts):
    """Add up all outcomes."""
    return sum(counts.as_dict().values()) - counts.read
