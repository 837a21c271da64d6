# SPDX-License-Identifier: Apache-2.0
"""One week: a run of the example, followed from its trigger to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow_provider_sendpulse.emulator.statuses import BOOK_STATUSES, CAMPAIGN_STATUSES
from demo import folders
from demo.airflow_api import AirflowApi
from demo.emulator_api import Account, Campaign, EmulatorApi
from demo.environment import TIME_ZONE
from demo.failure import DemoFailed
from demo.followed_run import FollowedRun, Run, waited_in_triggerer
from demo.processes import Processes
from demo.progress import Progress
from demo.shop import FIRST_MONDAY, WEEK

DAG_ID = "weekly_digest"


@dataclass(frozen=True)
class Week:
    """A week of the shop, which a run reports on.

    :param number: 1 for the first one
    :param keep: how many address books the run is to keep
    """

    number: int
    keep: int

    @property
    def label(self) -> str:
        """The week as it is shown."""
        return f"week {self.number}"

    @property
    def first_day(self) -> date:
        """Monday."""
        return FIRST_MONDAY + (self.number - 1) * WEEK

    @property
    def end(self) -> date:
        """The Monday after."""
        return self.first_day + WEEK

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """What Airflow's schedule would give: from Monday at eight to Monday at eight, in the shop's time zone."""
        zone, eight = ZoneInfo(TIME_ZONE), timedelta(hours=8)
        first, last = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (self.first_day, self.end))
        return (first + eight).astimezone(UTC), (last + eight).astimezone(UTC)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return f"digest-{self.end}"

    @property
    def run(self) -> Run:
        """The run."""
        return Run(DAG_ID, self.run_id, self.label)


@dataclass(frozen=True)
class Outcome:
    """What a week came to.

    :param account: the account in SendPulse as it was at the end of the run
    :param contacts: what became of the rows that were loaded
    :param events: what became of the rows that were sent as events
    :param deferred: the tasks that waited in the triggerer
    :param shop: the shop's database
    """

    week: Week
    seconds: float
    account: Account
    campaign_id: int
    book_id: int
    contacts: dict[str, int]
    events: dict[str, int]
    deferred: frozenset[str]
    shop: Path = field(default_factory=lambda: folders.SHOP)

    @property
    def campaign(self) -> Campaign:
        """The campaign of the week."""
        for campaign in self.account.campaigns:
            if campaign.id == self.campaign_id:
                return campaign
        raise DemoFailed(f"The emulator has no campaign {self.campaign_id}, which {self.week.label} has created.")


class Followed:
    """Follows a run, and says what changes in Airflow and in SendPulse."""

    def __init__(
        self, week: Week, airflow: AirflowApi, emulator: EmulatorApi, processes: Processes, progress: Progress
    ) -> None:
        self._week = week
        self._airflow = airflow
        self._emulator = emulator
        self._followed = FollowedRun(week.run, airflow, processes, progress)
        account = emulator.account()
        self._books = {book_id: int(book["status"]) for book_id, book in account.books.items()}
        self._known_campaigns = {campaign.id: len(campaign.history) for campaign in account.campaigns}
        self._messages = len(account.messages)
        self._events = len(account.events)

    def run(self) -> Outcome:
        """Trigger the run and follow it to its end.

        :raises DemoFailed: as soon as a task fails or is to be tried again, or a process has ended
        """
        week, begun = self._week, time.monotonic()
        start, end = week.interval
        self._followed.say(f"run {week.run_id} for {week.first_day} to {week.end}")
        self._airflow.trigger(DAG_ID, run_id=week.run_id, start=start, end=end, conf={"keep": week.keep})
        self._followed.to_its_end(self._look_at_emulator)
        account = self._look_at_emulator()
        seconds = time.monotonic() - begun
        self._followed.say(f"done in {seconds:.1f} s")
        return Outcome(
            week=week,
            seconds=seconds,
            account=account,
            campaign_id=int(self._followed.result("create_campaign")),
            book_id=int(self._followed.result("create_address_book")),
            contacts=dict(self._followed.result("add_contacts")),
            events=dict(self._followed.result("send_cart_events")),
            deferred=waited_in_triggerer(week.run),
        )

    def _look_at_emulator(self) -> Account:
        account = self._emulator.account()
        for book_id in sorted(self._books.keys() - account.books.keys()):
            self._followed.say(f"    SendPulse: address book {book_id} deleted")
        for book_id, book in account.books.items():
            status = int(book["status"])
            if self._books.get(book_id) != status:
                text = BOOK_STATUSES.get(status, "?")
                self._followed.say(
                    f"    SendPulse: address book {book_id}: {status} {text}, {_count(len(book['contacts']), 'contact')}"
                )
        self._books = {book_id: int(book["status"]) for book_id, book in account.books.items()}
        for campaign in account.campaigns:
            seen = self._known_campaigns.get(campaign.id, 0)
            for code in campaign.path[seen:]:
                self._followed.say(f"    SendPulse: campaign {campaign.id}: {code} {CAMPAIGN_STATUSES.get(code, '?')}")
            self._known_campaigns[campaign.id] = len(campaign.history)
        if len(account.messages) > self._messages:
            self._followed.say(f"    SendPulse: {_count(len(account.messages) - self._messages, 'message')} mailed")
        if len(account.events) > self._events:
            self._followed.say(f"    SendPulse: {_count(len(account.events) - self._events, 'event')} received")
        self._messages, self._events = len(account.messages), len(account.events)
        return account


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


__all__ = ["DAG_ID", "Followed", "Outcome", "Week"]
