# SPDX-License-Identifier: Apache-2.0
"""A broadcast that is created once, or called off, and the activity of one that went out before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from broadcasting import LETTER, Newsletter

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from torture.ended import Ended, Occasion
from torture.picture import Picture
from torture.subjects.pictured import PicturedSubject

READERS = tuple(f"reader{number}@example.com" for number in range(3))


class EsputnikBroadcast(PicturedSubject):
    """The broadcast begins after the run; time passes until then, and the mails are counted."""

    name = file = dag_id = "esputnik_broadcast"
    settings: Mapping[str, Any] = {"bounce_share": 0.0, "open_share": 0.0}
    under_airflow: Mapping[str, Any] | None = {}
    tables: Mapping[str, str] = {"esputnik_activity": "contact_id, activity_status, broadcast_id"}
    is_called_off: ClassVar[bool] = False

    def __init__(self) -> None:
        # All runs are for the same day, however long the torture takes.
        self._begun = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def occasion(self, number: int) -> Occasion:
        """Return a day around this moment: the activity is of now, and the broadcast of tomorrow or the day after."""
        start = self._begun - timedelta(hours=12)
        due = self._begun - timedelta(hours=1) + timedelta(seconds=number)
        told = {"call_off": self.is_called_off}
        return Occasion(number, f"broadcast-{number}", start, start + timedelta(days=1), told, due)

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Have readers, a message, and a broadcast that went out a moment ago."""
        newsletter = Newsletter(emulator)
        segment = newsletter.readers(len(READERS))
        with emulator.emulator.lock:
            before = emulator.state.esputnik.broadcasts.create(newsletter.message, [segment], [], "Before", self._begun)
            # It is listed already, and not only some time in the run.
            before.created_at = self._begun
        if not emulator.inbox():
            raise AssertionError("the broadcast before has mailed nobody")
        return {"message_id": newsletter.message}

    def settle(self, emulator: RunningEmulator) -> None:
        """Let the days pass until every broadcast has begun."""
        super().settle(emulator)
        emulator.advance(4 * 86400)

    def wanted(self, ended: Ended) -> Picture:
        """Return two mails for every reader, or one when the broadcast was called off, and the activity."""
        mailings = 1 if self.is_called_off else 2
        letter = f"{LETTER['subject']} | {LETTER['htmlText']}"
        return {
            "mails": Counter({f"broadcast to {reader}: {letter}": mailings for reader in READERS}),
            "rows of esputnik_activity": Counter(f'[{reader}, "DELIVERED", 810001]' for reader in READERS),
        }


class EsputnikCalledOffBroadcast(EsputnikBroadcast):
    """The broadcast is deleted before it begins: it reaches nobody."""

    name = "esputnik_broadcast_called_off"
    under_airflow = None
    is_called_off = True


__all__ = ["EsputnikBroadcast", "EsputnikCalledOffBroadcast"]
