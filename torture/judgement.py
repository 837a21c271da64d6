# SPDX-License-Identifier: Apache-2.0
"""What must be true of the tasks of a run, whoever was killed in it."""

from __future__ import annotations

from collections.abc import Collection

from torture.ended import Ended, TaskEnd
from torture.subjects.subject import Subject


def faults(subject: Subject, ended: Ended, usual: Ended | None, tried_again: str | None) -> list[str]:
    """Return what is wrong with a run, in a few words each.

    :param usual: a run in which nobody was killed; ``None`` when this is one
    :param tried_again: the task that Airflow has to try again
    """
    return [*of_tasks(ended, tried_again, subject.is_doubtful), *subject.faults(ended, usual)]


def is_in_doubt(ended: Ended, doubtful: Collection[str]) -> bool:
    """Whether the run has ended as documented for rows whose fate is not known."""
    return any(_is_in_doubt(task, doubtful) for task in ended.tasks.values())


def of_tasks(ended: Ended, tried_again: str | None, doubtful: Collection[str] = ()) -> list[str]:
    """Return what is wrong with the states and the tries of the tasks.

    :param doubtful: those that may end badly when they are killed, with rows in doubt
    """
    found = []
    if not ended.tasks:
        found.append("no task was run")
    in_doubt = tried_again in doubtful and is_in_doubt(ended, {str(tried_again)})
    for label, task in ended.tasks.items():
        of_doubt = task.task_id == tried_again or task.state == "upstream_failed"
        if task.state not in ("success", "skipped") and not (in_doubt and of_doubt):
            found.append(f"{label} {task.state}{f': {task.error[:200]}' if task.error else ''}")
        if task.task_id == tried_again:
            if task.tries < 2:
                found.append(f"{label} was not tried again")
            elif task.tries > 2 and not in_doubt:
                found.append(f"{label} took {task.tries} tries")
        elif task.tries > 1:
            found.append(f"{label} took {task.tries} tries, and nobody killed it")
    if tried_again is not None and not any(task.task_id == tried_again for task in ended.tasks.values()):
        found.append(f"{tried_again} was not run")
    return found


def _is_in_doubt(task: TaskEnd, doubtful: Collection[str]) -> bool:
    return task.task_id in doubtful and task.state == "failed" and task.tries > 1 and task.in_doubt > 0


__all__ = ["faults", "is_in_doubt", "of_tasks"]
