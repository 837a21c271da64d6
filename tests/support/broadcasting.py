# SPDX-License-Identifier: Apache-2.0
"""What broadcasts of the emulated eSputnik need, and what became of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

LETTER = {
    "name": "Digest",
    "from": "Shop <shop@example.com>",
    "subject": "Hello",
    "htmlText": "<a href='https://x.y'>x</a>",
}


class Newsletter:
    """Segments with readers, and a prepared message for them."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        self.message: int = self._command("add_message", LETTER)["id"]

    def segment(self, name: str, *emails: str) -> int:
        """Make a segment of contacts, who need not be there yet, and return its id."""
        known = {contact.channel("email"): contact.id for contact in self.emulator.state.esputnik.contacts}
        new = [{"channels": [{"type": "email", "value": email}]} for email in emails if email not in known]
        ids = self._command("add_contacts", {"contacts": new})["ids"]
        ids += [known[email] for email in emails if email in known]
        return int(self._command("add_segment", {"name": name, "contact_ids": ids})["id"])

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
        return int(self.emulator.requests.counts().get(f"esputnik.{operation}", 0))

    def _command(self, name: str, fields: dict[str, Any]) -> Any:
        from airflow_provider_sendpulse.emulator.esputnik import control

        with self.emulator.emulator.lock:
            return getattr(control, name)(self.emulator.emulator, None, fields)


__all__ = ["LETTER", "Newsletter"]
