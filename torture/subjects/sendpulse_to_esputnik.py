# SPDX-License-Identifier: Apache-2.0
"""An address book of SendPulse that moves to eSputnik, with what people have agreed to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse.emulator import control
from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo.week import Week
from torture.ended import Ended, Occasion
from torture.picture import Picture, contact_line
from torture.subjects.pictured import PicturedSubject, doubtful

SEGMENT = "Moved"
STATUSES = range(15)
IMPORTED, ASKED, OUT = {1}, {2, 3, 7}, {4, 6, 8}
"""Where contacts of some statuses belong; all others stay in SendPulse."""
OF_EACH = 2


class SendPulseToEsputnik(PicturedSubject):
    """A book with contacts of every status."""

    name = file = dag_id = "sendpulse_to_esputnik"
    changes: Mapping[str, Any] = {"batch_size": 1}
    tables: Mapping[str, str] = {"moving_contacts": "email, status, phone, variables"}
    sent_by: Mapping[str, str] = {
        "contacts": "ask_unconfirmed",
        f"contacts in {SEGMENT!r}": "ask_unconfirmed",
        "subscribeFromApi-moved events": "ask_unconfirmed",
    }
    is_doubtful = doubtful(sent_by)

    def occasion(self, number: int) -> Occasion:
        """Return a run."""
        return Occasion(number, "move", *Week(number, keep=1).interval, {"segment": SEGMENT})

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Make the book."""
        people = {_address(status, place): (status, place) for status in STATUSES for place in range(OF_EACH)}
        with emulator.emulator.lock:
            book_id = control.add_book(emulator.emulator, None, {"name": "Readers", "emails": [*people]})["id"]  # type: ignore[arg-type]
            book = emulator.state.books.find(book_id)
            for email, (status, place) in people.items():
                contact = book.contacts[email]
                contact.status, contact.phone = status, _phone(status, place)
                contact.variables["name"] = "Олена"
        return {"address_book_id": book_id}

    def wanted(self, ended: Ended) -> Picture:
        """Return who has moved, who of them is confirmed, who is asked, and who is unsubscribed."""

        def of(statuses: set[int]) -> list[tuple[int, int]]:
            return [(status, place) for status in sorted(statuses) for place in range(OF_EACH)]

        return {
            "contacts": Counter(
                contact_line(_address(*who), _phone(*who), confirmed=who[0] in IMPORTED) for who in of(IMPORTED | ASKED)
            ),
            f"contacts in {SEGMENT!r}": Counter(_address(*who) for who in of(IMPORTED | ASKED)),
            "subscribeFromApi-moved events": Counter(_address(*who) for who in of(ASKED)),
            "unsubscribed": Counter(_address(*who) for who in of(OUT)),
        }


def _address(status: int, place: int) -> str:
    return f"status{status}.{place}@example.com"


def _phone(status: int, place: int) -> str:
    return f"+38067{place}2345{status:02}"


__all__ = ["SendPulseToEsputnik"]
