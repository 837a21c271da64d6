# SPDX-License-Identifier: Apache-2.0
"""What the torture needs to know of an example."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from torture.ended import Ended, Occasion

EMULATOR: dict[str, Any] = {
    # States move with the reads, so that every run makes the same requests in the same order.
    "transitions": "reads",
    "requests_per_second": None,
    "requests_per_minute": None,
    "esputnik_limits": False,
    # A new mailing is listed late: a retry that does not know of it finds nothing.
    "campaign_visibility_seconds": 5,
    "esputnik_broadcast_visibility_seconds": 5,
    # A retry meets the refusal of a repeat, and does not wait for a minute.
    "esputnik_repeat_seconds": 1,
}


class Subject(ABC):
    """An example DAG, its data, and a judgement of what it has left behind."""

    name: ClassVar[str]
    """What it is called on the command line."""
    file: ClassVar[str]
    """The example's file, without its ending."""
    dag_id: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    """What the emulator does otherwise than :data:`EMULATOR` says."""
    under_airflow: ClassVar[Mapping[str, Any] | None] = None
    """The same in part 2; ``None`` where there is no part 2."""
    changes: ClassVar[Mapping[str, Any]] = {}
    """What tasks have that have it at all, such as small batches: then one is done when another is killed."""
    results: ClassVar[Collection[str]] = ()
    """Tasks that have returned what the judgement needs."""
    is_doubtful: ClassVar[Collection[str]] = ()
    """Tasks that may end badly: what one was sending when it was killed is in doubt, is said so, and not sent again."""

    @abstractmethod
    def occasion(self, number: int) -> Occasion:
        """Return a run; under Airflow each has a number of its own."""

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Fill the accounts and the shop's database, and return what the run is told beside what the occasion says.

        :param shop: the database, made anew
        """
        return {}

    @contextlib.contextmanager
    def surroundings(self) -> Iterator[Mapping[str, str]]:
        """Have around what the example needs beside the accounts, and yield what its tasks find in their environment."""
        yield {}

    def settle(self, emulator: RunningEmulator) -> None:
        """Let everything happen that is still to come of what the run has asked for."""
        emulator.configure(transitions="clock", seconds_per_status=0.0)
        emulator.advance(1)

    @abstractmethod
    def faults(self, ended: Ended, usual: Ended | None) -> list[str]:
        """Return what is wrong with the accounts and the database, in a few words each.

        :param usual: a run of the same in which nobody was killed; ``None`` when this is one
        """

    @abstractmethod
    def numbers(self, ended: Ended) -> str:
        """Return what has arrived, in a few figures for the table."""


__all__ = ["EMULATOR", "Subject"]
