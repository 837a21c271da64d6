# SPDX-License-Identifier: Apache-2.0
"""What broadcasts of the emulated eSputnik need, and what became of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from emulated_account import connected, esputnik_account

from airflow_provider_sendpulse import esputnik as es
from airflow_provider_sendpulse.api.client import Client
from airflow_provider_sendpulse.esputnik.contacts import Contact

LETTER = {"name": "Digest", "from": "Shop <shop@example.com>", "subject": "Hello", "htmlText": "<a href='https://x.y'>x</a>"}


class Newsletter:
    """Segments with readers, and a prepared message for them."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        with self._client() as client:
            self.message = client.send(es.templates.create("email", LETTER))

    def segment(self, name: str, *emails: str) -> int:
        """Import contacts into a segment, and return its id."""
        with self._client() as client:
            started = client.send(
                es.import_sessions.start(
                    [Contact.reached(email=email) for email in emails],
                    dedupe_on="email",
                    contact_fields=["email"],
                    group_names=[name],
                )
            )
            while client.send(es.import_sessions.read(started.session_id)).status != "FINISHED":
                pass
            [found] = [item for item in client.pages(es.segments.list(name)) if item.name == name]
        return found.id

    def readers(self, count: int = 3, name: str = "Readers") -> int:
        """Return the id of a segment with new readers."""
        return self.segment(name, *(f"reader{number}@example.com" for number in range(count)))

    @property
    def broadcasts(self) -> list[dict[str, Any]]:
        """All broadcasts that there are."""
        found: list[dict[str, Any]] = self.emulator.state.as_dict()["esputnik"]["broadcasts"]
        return found

    @property
    def mailed(self) -> Counter[str]:
        """How often everybody was mailed."""
        return Counter(message["to"] for message in self.emulator.inbox())

    def count(self, operation: str) -> int:
        """Return how often an operation was asked for."""
        return int(self.emulator.requests.counts().get(operation, 0))

    def _client(self) -> contextlib.closing[Client]:
        return contextlib.closing(connected(self.emulator, whose=esputnik_account(self.emulator)))


__all__ = ["LETTER", "Newsletter"]
