# SPDX-License-Identifier: Apache-2.0
"""What became of a run in which somebody was killed: what its tasks came to, and what there is in the accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_IN_DOUBT = re.compile(r"([\d,]+) in doubt")


@dataclass(frozen=True)
class Occasion:
    """A run of an example.

    :param number: 1 for the first one
    :param start, end: its data interval
    :param conf: what it is told
    :param due: its logical date, which Airflow wants to have passed; the end of its interval when left out
    """

    number: int
    run_id: str
    start: datetime
    end: datetime
    conf: Mapping[str, Any] = field(default_factory=dict)
    due: datetime | None = None

    @property
    def logical_date(self) -> datetime:
        """The run's logical date, by which Airflow tells it from others."""
        return self.due or self.end


@dataclass
class TaskEnd:
    """What became of a task, or of one of a mapped one.

    :param tries: how many there were
    :param in_doubt: how many rows it has said to be in doubt
    """

    task_id: str
    state: str | None
    tries: int = 1
    error: str = ""
    in_doubt: int = 0


@dataclass
class Ended:
    """What became of a run.

    :param tasks: by their labels, which end in the index of a mapped one
    :param account: everything in the emulator, as JSON, once nobody works on the run any more
    :param shop: the shop's database
    :param results: what tasks have returned
    """

    occasion: Occasion
    shop: Path
    tasks: dict[str, TaskEnd] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Whether no task has ended badly."""
        return all(task.state in ("success", "skipped") for task in self.tasks.values())

    def state_of(self, task_id: str) -> str | None:
        """Return the state of a task; ``None`` when it did not get its turn."""
        task = self.tasks.get(task_id)
        return task.state if task else None


def told_in_doubt(*texts: str) -> int:
    """Return how many rows some texts, such as the log of a task, say at most to be in doubt."""
    return max((int(count.replace(",", "")) for text in texts for count in _IN_DOUBT.findall(text)), default=0)


__all__ = ["Ended", "Occasion", "TaskEnd", "told_in_doubt"]
