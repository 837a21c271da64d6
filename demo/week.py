# SPDX-License-Identifier: Apache-2.0
"""One week: a run of the example, followed from its trigger to its end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_sendpulse.emulator.statuses import BOOK_STATUSES, CAMPAIGN_STATUSES
from demo.airflow_api import AirflowApi, TaskState
from demo.emulator_api import Account, Campaign, EmulatorApi
from demo.environment import TIME_ZONE
from demo.failure import DemoFailed
from demo.folders import TASK_LOGS, shown
from demo.processes import Processes
from demo.progress import Progress
from demo.shop import FIRST_MONDAY, WEEK

DAG_ID = "weekly_digest"
TIMEOUT = 300.0
"""Seconds that a week may take; it needs some thirty."""
LOOK_INTERVAL = 0.25
FAILURES = frozenset({"failed", "up_for_retry", "upstream_failed"})
PASSING = frozenset({None, "none", "scheduled", "queued"})


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


@dataclass(frozen=True)
class Outcome:
    """What a week came to.

    :param account: the account in SendPulse as it was at the end of the run
    :param contacts: what became of the rows that were loaded
    :param events: what became of the rows that were sent as events
    :param deferred: the tasks that waited in the triggerer
    """

    week: Week
    seconds: float
    account: Account
    campaign_id: int
    book_id: int
    contacts: dict[str, int]
    events: dict[str, int]
    deferred: frozenset[str]

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
        self._processes = processes
        self._progress = progress
        self._tasks: dict[str, str | None] = {}
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
        self._say(f"run {week.run_id} for {week.first_day} to {week.end}")
        self._airflow.trigger(DAG_ID, run_id=week.run_id, start=start, end=end, conf={"keep": week.keep})
        while True:
            self._processes.require_running()
            account = self._look_at_emulator()
            self._look_at_tasks()
            state = self._airflow.run_state(DAG_ID, week.run_id)
            if state == "success":
                break
            if state == "failed":
                raise DemoFailed(f"The run {week.run_id} has failed.")
            if time.monotonic() - begun > TIMEOUT:
                unfinished = ", ".join(
                    f"{task} ({state or 'not scheduled'})"
                    for task, state in sorted(self._tasks.items())
                    if state not in ("success", "skipped")
                )
                raise DemoFailed(f"{week.label} is not over after {TIMEOUT:.0f} s. Unfinished: {unfinished}")
            time.sleep(LOOK_INTERVAL)
        self._look_at_tasks()
        account = self._look_at_emulator()
        seconds = time.monotonic() - begun
        self._say(f"done in {seconds:.1f} s")
        return Outcome(
            week=week,
            seconds=seconds,
            account=account,
            campaign_id=int(self._result("create_campaign")),
            book_id=int(self._result("create_address_book")),
            contacts=dict(self._result("add_contacts")),
            events=dict(self._result("send_cart_events")),
            deferred=waited_in_triggerer(week),
        )

    def _result(self, task_id: str) -> Any:
        return self._airflow.result(DAG_ID, self._week.run_id, task_id)

    def _say(self, what: str) -> None:
        self._progress.say(self._week.label, what)

    def _look_at_tasks(self) -> None:
        for task in self._airflow.task_states(DAG_ID, self._week.run_id):
            before = self._tasks.get(task.label)
            if task.state == before:
                continue
            self._tasks[task.label] = task.state
            if task.state not in PASSING:
                self._say(f"  {task.label:<26} {task.state}")
            if task.state in FAILURES:
                raise DemoFailed(self._failure(task))

    def _look_at_emulator(self) -> Account:
        account = self._emulator.account()
        for book_id in sorted(self._books.keys() - account.books.keys()):
            self._say(f"    SendPulse: address book {book_id} deleted")
        for book_id, book in account.books.items():
            status = int(book["status"])
            if self._books.get(book_id) != status:
                text = BOOK_STATUSES.get(status, "?")
                self._say(
                    f"    SendPulse: address book {book_id}: {status} {text}, {_count(len(book['contacts']), 'contact')}"
                )
        self._books = {book_id: int(book["status"]) for book_id, book in account.books.items()}
        for campaign in account.campaigns:
            seen = self._known_campaigns.get(campaign.id, 0)
            for code in campaign.path[seen:]:
                self._say(f"    SendPulse: campaign {campaign.id}: {code} {CAMPAIGN_STATUSES.get(code, '?')}")
            self._known_campaigns[campaign.id] = len(campaign.history)
        if len(account.messages) > self._messages:
            self._say(f"    SendPulse: {_count(len(account.messages) - self._messages, 'message')} mailed")
        if len(account.events) > self._events:
            self._say(f"    SendPulse: {_count(len(account.events) - self._events, 'event')} received")
        self._messages, self._events = len(account.messages), len(account.events)
        return account

    def _failure(self, task: TaskState) -> str:
        verb = "is to be tried again" if task.state == "up_for_retry" else "has failed"
        logs = sorted(run_logs(self._week, "*"), key=lambda path: path.stat().st_mtime)
        own = [
            path
            for path in logs
            if path.parent.name == f"task_id={task.task_id}" or f"task_id={task.task_id}/" in str(path)
        ]
        if not own:
            return f"{task.label} of {self._week.label} {verb}, and left no log."
        return f"{task.label} of {self._week.label} {verb}. The end of {shown(own[-1])}:\n{task_log_tail(own[-1])}"


def run_logs(week: Week, pattern: str) -> list[Path]:
    """Return the logs of a week's run whose names match a pattern."""
    folder = TASK_LOGS / f"dag_id={DAG_ID}" / f"run_id={week.run_id}"
    return [path for path in folder.rglob(pattern) if path.is_file()]


def waited_in_triggerer(week: Week) -> frozenset[str]:
    """Return the tasks of a week's run that waited in the triggerer."""
    return frozenset(path.parent.name.removeprefix("task_id=") for path in run_logs(week, "*.trigger.*"))


def task_log_tail(path: Path, lines: int = 15) -> str:
    """Return the end of a task's log, which is a JSON object a line, in readable form."""
    readable: list[str] = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            readable.append(line)
            continue
        event = str(record.get("event", "")).rstrip().splitlines() or [""]
        readable.append(f"{str(record.get('level', '')).upper():<8} {event[0]}")
        readable += [" " * 9 + more for more in event[1:]]
        for cause in record.get("error_detail") or []:
            readable.append(f"         {cause.get('exc_type')}: {cause.get('exc_value')}")
    return "\n".join("    " + line for line in readable[-lines:])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


__all__ = ["DAG_ID", "Followed", "Outcome", "Week", "run_logs", "task_log_tail", "waited_in_triggerer"]
