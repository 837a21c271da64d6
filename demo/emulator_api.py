# SPDX-License-Identifier: Apache-2.0
"""The control API of the emulator: what the demo sees of SendPulse without going through the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from demo.failure import DemoFailed

# Statuses that last for around a second can be followed by eye.
SETTINGS: Mapping[str, object] = {
    "seconds_per_status": 1.2,
    "book_load_seconds": 1.5,
    "bounce_share": 0.08,
    "open_share": 0.6,
    "click_share": 0.5,
}


@dataclass(frozen=True)
class Campaign:
    """A campaign as the emulator knows it."""

    id: int
    name: str
    status: int
    history: list[tuple[int, datetime]]
    book_ids: list[int]
    recipients: list[str]

    @property
    def path(self) -> list[int]:
        """The statuses it has been in."""
        return [code for code, _ in self.history]

    @property
    def durations(self) -> list[tuple[int, float]]:
        """Statuses that are over, with the seconds each lasted."""
        following = [entered for _, entered in self.history[1:]]
        return [
            (code, (left - entered).total_seconds()) for (code, entered), left in zip(self.history, following, strict=False)
        ]


@dataclass(frozen=True)
class Account:
    """Everything in the account, at a moment."""

    books: dict[int, dict[str, Any]]
    campaigns: list[Campaign]
    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Account:
        """Return the account of SendPulse in what the emulator says of its state."""
        return cls(
            books={book["id"]: book for book in state["books"]},
            campaigns=[
                Campaign(
                    id=item["id"],
                    name=item["name"],
                    status=item["status"],
                    history=[(code, datetime.fromisoformat(entered)) for code, entered in item["history"]],
                    book_ids=item["book_ids"],
                    recipients=item["recipients"],
                )
                for item in state["campaigns"]
            ],
            messages=state["messages"],
            events=state["events"],
        )


class EmulatorApi:
    """Talks to the emulator on this machine.

    :param url: its address
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def account(self) -> Account:
        """Return everything in the account."""
        return Account.of(self._get("/__emulator__/state"))

    def esputnik(self) -> dict[str, Any]:
        """Return everything in the account of eSputnik."""
        return dict(self._get("/__emulator__/state")["esputnik"])

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests of one operation."""
        return list(self._get("/__emulator__/requests", operation=operation)["requests"])

    def total_requests(self) -> int:
        """Return how many requests there were."""
        return int(self._get("/__emulator__/requests", operation="none")["total"])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _get(self, path: str, **query: str) -> Any:
        try:
            return self._client.get(path, params=query).raise_for_status().json()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The emulator does not answer GET {path}: {type(error).__name__}: {error}") from error


__all__ = ["SETTINGS", "Account", "Campaign", "EmulatorApi"]
