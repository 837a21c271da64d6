# SPDX-License-Identifier: Apache-2.0
"""What must be true after a run under Airflow, whoever was killed in it."""

from __future__ import annotations

from collections import Counter

from demo import folders, shop
from demo.checks import Checks, audience_of, check_mailing, events_of, messages_of
from torture.airflow_run import Ended

EVENTS = "send_cart_events"
"""The one task that may end badly: what was being sent when it was killed is in doubt, is said so, and not sent again."""


def faults(ended: Ended, tried_again: str | None) -> list[str]:
    """Return what is wrong with a run, in a few words each.

    :param tried_again: the task that Airflow has to try again
    """
    return [*_of_tasks(ended, tried_again), *_of_mailing(ended), *_of_events(ended)]


def numbers(ended: Ended) -> tuple[str, str]:
    """Return how many messages were mailed and how many events received, each of how many wanted."""
    if ended.outcome is None:
        return "?", "?"
    mails, wanted = len(ended.outcome.account.messages), len(audience_of(ended.outcome))
    return f"{mails}/{wanted}", f"{len(ended.outcome.account.events)}/{len(_carts(ended))}"


def is_in_doubt(ended: Ended) -> bool:
    """Whether the run has ended as documented for events whose fate is not known."""
    return EVENTS in ended.tasks and ended.tasks[EVENTS].state == "failed" and ended.in_doubt(EVENTS) > 0


def _of_tasks(ended: Ended, tried_again: str | None) -> list[str]:
    found = []
    in_doubt = tried_again == EVENTS and is_in_doubt(ended)
    if ended.state != "success" and not in_doubt:
        bad = [f"{task.label} {task.state}" for task in ended.tasks.values() if task.state not in ("success", "skipped")]
        found.append(f"run {ended.state}: {', '.join(bad)}")
    for task in ended.tasks.values():
        if task.task_id == tried_again:
            if task.try_number < 2:
                found.append(f"{task.label} was not tried again")
            elif task.try_number > 2 and not in_doubt:
                found.append(f"{task.label} took {task.try_number} tries")
        elif task.try_number > 1:
            found.append(f"{task.label} took {task.try_number} tries, and nobody killed it")
    return found


def _of_mailing(ended: Ended) -> list[str]:
    outcome = ended.outcome
    if outcome is None:
        return ["no campaign was created"]
    found = []
    if len(outcome.account.campaigns) != 1:
        found.append(f"{len(outcome.account.campaigns)} CAMPAIGNS")
    mailed = Counter(message["to"] for message in outcome.account.messages)
    if twice := sum(count > 1 for count in mailed.values()):
        found.append(f"{twice} MAILED TWICE")
    if len(messages_of(outcome)) != len(outcome.account.messages):
        found.append("mails of another campaign")
    if ended.state == "success" and [*outcome.account.books] != [outcome.book_id]:
        found.append(f"address books {[*outcome.account.books]}, not only {outcome.book_id}")
    checks = Checks(lambda _, __: None)
    check_mailing(checks, outcome, audience_of(outcome))
    return found + [" ".join(failure.split()) for failure in checks.failures]


def _of_events(ended: Ended) -> list[str]:
    if ended.outcome is None:
        return []
    found, carts = [], _carts(ended)
    got = Counter(events_of(ended.outcome))
    if repeated := sum(count > 1 for count in got.values()):
        found.append(f"{repeated} EVENTS TWICE")
    if strange := set(got) - set(carts):
        found.append(f"{len(strange)} events of other weeks")
    missing = len(set(carts) - set(got))
    if is_in_doubt(ended):
        if missing > (told := ended.in_doubt(EVENTS)):
            found.append(f"{missing} events missing, and only {told} said to be in doubt")
    elif missing:
        found.append(f"{missing} events missing, and nothing said")
    return found


def _carts(ended: Ended) -> list[tuple[int, str]]:
    return shop.abandoned_carts(folders.SHOP, ended.week.first_day, ended.week.end)


__all__ = ["EVENTS", "faults", "is_in_doubt", "numbers"]
