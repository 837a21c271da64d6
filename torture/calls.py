# SPDX-License-Identifier: Apache-2.0
"""The kinds of call that a recorded run has made, and the rows of the table that come of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from demo.failure import DemoFailed

T = TypeVar("T")

WORKER, TRIGGERER = "worker", "triggerer"

NEVER_REPEATED = (
    "campaigns.create",
    "events.",
    "esputnik.broadcasts.create",
    "esputnik.contacts.import",
    "esputnik.events.",
)
"""Beginnings of the operations that can reach people anew with every request: these are killed before their effect, too."""


@dataclass(frozen=True)
class Request:
    """A request, and where it came from.

    :param place: ``worker`` or ``triggerer``
    :param task_id: the task; the triggerer makes requests for many tasks, and then it is ``None``
    """

    place: str
    task_id: str | None
    operation: str


@dataclass(frozen=True)
class Kind:
    """A kind of call, by a request that stands for it.

    :param skipped: how many requests of its operation a run makes before it
    """

    request: Request
    skipped: int


@dataclass(frozen=True)
class Victim:
    """Who is killed.

    :param is_sender: the process that has sent the request, or the one that has started that process
    """

    name: str
    is_sender: bool

    @property
    def fault(self) -> Literal["client", "parent"]:
        """What the emulator calls it."""
        return "client" if self.is_sender else "parent"


VICTIMS = {
    WORKER: (Victim("task", is_sender=True), Victim("supervisor", is_sender=False)),
    TRIGGERER: (Victim("runner", is_sender=True), Victim("triggerer", is_sender=False)),
}


@dataclass(frozen=True)
class Row:
    """A run in which somebody is killed at one request."""

    number: int
    kind: Kind
    after_effect: bool
    victim: Victim

    @property
    def moment(self) -> str:
        """When the kill comes."""
        return "after" if self.after_effect else "before"


def kinds(requests: Iterable[Request]) -> list[Kind]:
    """Return the kinds of call among the requests of a run, in an order that does not depend on which task was faster.

    The second request of a kind stands for it where there is one: then something of it is done already, and must not be
    done again.
    """
    met: Counter[Request] = Counter()
    by_operation: Counter[str] = Counter()
    found: dict[Request, Kind] = {}
    for request in requests:
        if met[request] < 2:
            found[request] = Kind(request, by_operation[request.operation])
        met[request] += 1
        by_operation[request.operation] += 1
    return sorted(found.values(), key=lambda kind: (kind.request.operation, kind.request.place, kind.request.task_id or ""))


def rows(of: Sequence[Kind]) -> list[Row]:
    """Return the rows: every kind of call, and everybody who can be killed there."""
    planned = [
        (kind, after_effect, victim)
        for kind in of
        for after_effect in ((False, True) if kind.request.operation.startswith(NEVER_REPEATED) else (True,))
        for victim in VICTIMS[kind.request.place]
    ]
    return [Row(number, *what) for number, what in enumerate(planned, start=1)]


def chosen_of(numbered: Mapping[int, T], numbers: Collection[int]) -> list[T]:
    """Return what was chosen by its number, and everything when there is no choice.

    :raises DemoFailed: when there is nothing of a number: a table without rows would say that all is well
    """
    if missing := sorted(set(numbers) - set(numbered)):
        raise DemoFailed(f"There are rows 1 to {max(numbered)}, and no {', '.join(map(str, missing))}.")
    return [value for number, value in numbered.items() if not numbers or number in numbers]


__all__ = ["NEVER_REPEATED", "TRIGGERER", "WORKER", "Kind", "Request", "Row", "Victim", "chosen_of", "kinds", "rows"]
