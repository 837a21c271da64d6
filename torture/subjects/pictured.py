# SPDX-License-Identifier: Apache-2.0
"""A subject that is judged by a picture of everything that it has left behind."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping
from typing import ClassVar

from torture.ended import Ended
from torture.picture import Picture, differences, picture_of
from torture.subjects.subject import Subject

FIRST_DAY, LAST_DAY = "the first day", "the last day"
"""What stands in a picture for the days on which the run's interval begins and ends."""


class PicturedSubject(Subject):
    """A run that nobody was killed in must be what follows from the shop's data; any other one must be like that one."""

    tables: ClassVar[Mapping[str, str]] = {}
    """Tables that the example writes, with the columns that are alike in every run."""
    sent_by: ClassVar[Mapping[str, str]] = {}
    """The task that sends what is there at most once, by its kind in the picture."""
    completed_by: ClassVar[Mapping[str, str]] = {}
    """The task that changes what others have made: without its turn a kind is as these have left it."""

    @abstractmethod
    def wanted(self, ended: Ended) -> Picture:
        """Return what must be there by the data alone, found without the example's queries, for some of the kinds."""

    def numbers(self, ended: Ended) -> str:
        """Return how many contacts, events and mails there are."""
        seen = self._picture(ended)
        events = sum(seen[kind].total() for kind in seen if kind.endswith(" events") and not kind.startswith("content"))
        return f"{seen['contacts'].total()} contacts, {events} events, {seen['mails'].total()} mails"

    def faults(self, ended: Ended, usual: Ended | None) -> list[str]:
        """Return what there is too much, and what is missing without having been said to be in doubt."""
        seen = self._picture(ended)
        if usual is None:
            wanted = self.wanted(ended)
            return differences({kind: seen.get(kind, Counter()) for kind in wanted}, wanted, {})
        due = self._picture(usual)
        for kind, task_id in self.completed_by.items():
            if ended.state_of(task_id) == "upstream_failed":
                seen.pop(kind, None)
                due.pop(kind, None)
        return differences(seen, due, {kind: self._missing(kind, due[kind].total(), ended) for kind in due})

    def _picture(self, ended: Ended) -> Picture:
        days = {str(ended.occasion.start.date()): FIRST_DAY, str(ended.occasion.end.date()): LAST_DAY}
        return picture_of(ended.account, ended.shop, self.tables, days)

    def _missing(self, kind: str, due: int, ended: Ended) -> int:
        """Return how many of a kind may be missing, after what the task that sends them has said."""
        task = ended.tasks.get(self.sent_by.get(kind.removeprefix("content of "), ""))
        if task is None:
            return 0
        return due if task.state == "upstream_failed" else task.in_doubt if task.state == "failed" else 0


def doubtful(sent_by: Mapping[str, str]) -> Collection[str]:
    """Return the tasks that send what is there at most once."""
    return frozenset(sent_by.values())


__all__ = ["FIRST_DAY", "LAST_DAY", "PicturedSubject", "doubtful"]
