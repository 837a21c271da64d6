# SPDX-License-Identifier: Apache-2.0
"""The emulated account of eSputnik, changed and looked at behind the client's back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class EsputnikState:
    """What the emulated account of eSputnik holds."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator

    @property
    def _account(self) -> Any:
        return self.emulator.state.esputnik

    def contact(
        self,
        email: str | list[str] = "",
        *,
        phone: str = "",
        others: Sequence[Mapping[str, Any]] = (),
        external_id: str = "",
        confirmed: bool = True,
        **values: Any,
    ) -> int:
        """Make a contact, and return its id.

        :param others: its other channels, as the API writes them
        """
        emails = [email] if isinstance(email, str) else email
        channels = [("email", text) for text in emails if text] + ([("sms", phone)] if phone else [])
        with self.emulator.emulator.lock:
            now = self._account.clock.now()
            made = self._account.contacts.create("panel", now, is_confirmed=confirmed)
            for kind, value in channels:
                made.channels.setdefault(kind, []).append({"type": kind, "value": value})
            for channel in others:
                made.channels.setdefault(channel["type"], []).append(dict(channel))
            made.values |= {**values, **({"externalCustomerId": external_id} if external_id else {})}
            self._account.contacts.changed(made, now)
            return int(made.id)

    def segment(self, name: str, *contact_ids: int, kind: str = "Static") -> int:
        """Make a segment with some contacts, and return its id."""
        with self.emulator.emulator.lock:
            made = self._account.segments.create(name, self._account.clock.now(), kind)
            for contact_id in contact_ids:
                self._account.contacts.get(contact_id).segments.add(made.id)
            return int(made.id)

    def members(self, segment_id: int) -> list[int]:
        """Return the ids of the contacts of a segment."""
        [segment] = [one for one in self.told["segments"] if one["id"] == segment_id]
        return [*segment["contacts"]]

    def segment_names(self, contact_id: int) -> set[str]:
        """Return the names of the segments of a contact."""
        return {one["name"] for one in self.told["segments"] if contact_id in one["contacts"]}

    @property
    def told(self) -> dict[str, Any]:
        """Everything, as JSON."""
        found: dict[str, Any] = self.emulator.state.as_dict()["esputnik"]
        return found

    @property
    def contacts(self) -> dict[int, dict[str, Any]]:
        """All contacts that are not deleted, by their ids."""
        return {one["id"]: one for one in self.told["contacts"] if not one["deleted"]}

    def by_email(self, email: str) -> dict[str, Any]:
        """Return the one contact with an address."""
        [found] = [
            one
            for one in self.contacts.values()
            if any(channel["value"] == email for channel in one["channels"] if channel["type"] == "email")
        ]
        return found

    @property
    def events(self) -> list[tuple[str, str]]:
        """Type and key of all events."""
        return [(event["eventTypeKey"], event["keyValue"]) for event in self.told["events"]]

    def count(self, operation: str) -> int:
        """Return how many requests of an operation came in."""
        return int(self.emulator.requests.counts().get(f"esputnik.{operation}", 0))

    def sent(self, operation: str) -> list[Any]:
        """Return the bodies of all requests of an operation."""
        return [record.body for record in self.emulator.requests.records(f"esputnik.{operation}")]
