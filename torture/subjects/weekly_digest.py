# SPDX-License-Identifier: Apache-2.0
"""The weekly digest: one campaign, and an event for every abandoned cart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_sendpulse.emulator.server import RunningEmulator
from demo import shop as shops
from demo.checks import Checks, audience_of, check_mailing, events_of, messages_of
from demo.emulator_api import Account
from demo.week import Outcome, Week
from torture.ended import Ended, Occasion
from torture.subjects.subject import Subject

EVENTS = "send_cart_events"
OLD_BOOK = "Weekly digest until 2025-12-29"
"""What the run is to delete."""


class WeeklyDigest(Subject):
    """Everybody is mailed once, by one campaign, and everything in the accounts and the shop is as it should be."""

    name = file = dag_id = "weekly_digest"
    # All weeks are too small for a moderator, and the book is locked for longer than the trigger's first look.
    under_airflow: Mapping[str, Any] = {
        "reads_in_status": {13: 2},
        "book_load_reads": 2,
        "campaigns_per_window": None,
        "campaign_visibility_seconds": 15,
        "moderation_from_recipients": 1000,
    }
    results = ("create_campaign", "create_address_book")
    is_doubtful = (EVENTS,)

    def occasion(self, number: int) -> Occasion:
        """Return a week."""
        week = Week(number, keep=1)
        return Occasion(number, week.run_id, *week.interval, {"keep": week.keep})

    def prepare(self, emulator: RunningEmulator, shop: Path) -> Mapping[str, Any]:
        """Have a book that is old."""
        with emulator.emulator.lock:
            emulator.state.books.create(OLD_BOOK)
        return {}

    def settle(self, emulator: RunningEmulator) -> None:
        """Leave all as it is: the run has waited for what it has asked for."""

    def faults(self, ended: Ended, usual: Ended | None) -> list[str]:
        """Return what is wrong with the mailing, and with the events."""
        outcome = _outcome(ended)
        if outcome is None:
            return ["no campaign was created"]
        return [*_of_mailing(ended, outcome), *_of_events(ended, outcome)]

    def numbers(self, ended: Ended) -> str:
        """Return how many messages were mailed and how many events received, each of how many wanted."""
        outcome = _outcome(ended)
        if outcome is None:
            return "?"
        mails, events = len(outcome.account.messages), len(outcome.account.events)
        return f"{mails}/{len(audience_of(outcome))} mails, {events}/{len(_carts(ended))} events"


def _outcome(ended: Ended) -> Outcome | None:
    """Return what the run has come to; nothing when it has not come as far as to create its campaign."""
    if ended.state_of("create_campaign") != "success":
        return None
    return Outcome(
        week=Week(ended.occasion.number, keep=1),
        seconds=0.0,
        account=Account.of(ended.account),
        campaign_id=int(ended.results["create_campaign"]),
        book_id=int(ended.results["create_address_book"]),
        contacts={},
        events={},
        deferred=frozenset(),
        shop=ended.shop,
    )


def _of_mailing(ended: Ended, outcome: Outcome) -> list[str]:
    found = []
    if len(outcome.account.campaigns) != 1:
        found.append(f"{len(outcome.account.campaigns)} CAMPAIGNS")
    mailed = Counter(message["to"] for message in outcome.account.messages)
    if twice := sum(count > 1 for count in mailed.values()):
        found.append(f"{twice} MAILED TWICE")
    if len(messages_of(outcome)) != len(outcome.account.messages):
        found.append("mails of another campaign")
    if ended.is_well and [*outcome.account.books] != [outcome.book_id]:
        found.append(f"address books {[*outcome.account.books]}, not only {outcome.book_id}")
    checks = Checks(lambda _, __: None)
    check_mailing(checks, outcome, audience_of(outcome))
    return found + [" ".join(failure.split()) for failure in checks.failures]


def _of_events(ended: Ended, outcome: Outcome) -> list[str]:
    found, carts = [], _carts(ended)
    got = Counter(events_of(outcome))
    if repeated := sum(count > 1 for count in got.values()):
        found.append(f"{repeated} EVENTS TWICE")
    if strange := set(got) - set(carts):
        found.append(f"{len(strange)} events of other weeks")
    missing = len(set(carts) - set(got))
    task = ended.tasks.get(EVENTS)
    if task is not None and task.state == "failed" and task.in_doubt:
        if missing > task.in_doubt:
            found.append(f"{missing} events missing, and only {task.in_doubt} said to be in doubt")
    elif missing:
        found.append(f"{missing} events missing, and nothing said")
    return found


def _carts(ended: Ended) -> list[tuple[int, str]]:
    week = Week(ended.occasion.number, keep=1)
    return shops.abandoned_carts(ended.shop, week.first_day, week.end)


__all__ = ["EVENTS", "WeeklyDigest"]
