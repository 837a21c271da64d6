# SPDX-License-Identifier: Apache-2.0
"""What becomes of a campaign or a broadcast, whatever is done to its task: the table of docs/reliability.md, carried out.

Airflow does to a metadata database what the table's first column says; the task is then run with what that database
holds, and the emulator's inbox tells what became of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers.base import BaseTrigger
from airflow_actions import Action, perform_all
from broadcasting import Newsletter
from mailers import READERS, BroadcastMailer, CampaignMailer, Mailer
from metadata_database import Start

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.version_compat import AIRFLOW_VERSION

pytestmark = pytest.mark.usefixtures("connect")

RELIABILITY = Path(__file__).parents[2] / "docs" / "reliability.md"
RELEASE = ".".join(map(str, AIRFLOW_VERSION))
KEYS = {"default": None, "own": "digest-{{ data_interval_end | ds }}"}
LONG_AGO = datetime(2026, 1, 12, 12, tzinfo=UTC)


def mailed(mailer: Mailer, start: Start) -> None:
    result = mailer.run(start)
    assert result.state == "success", result.error


def failed_after_mailing(mailer: Mailer, start: Start) -> None:
    mailer.fail_after_mailing(start)


def waits_in_the_triggerer(mailer: Mailer, start: Start) -> None:
    result = mailer.runner(start).leg(mailer.operator(start, deferrable=True), try_number=start.try_number)
    assert result.state == "deferred"


def killed_before_the_request(mailer: Mailer, start: Start) -> None:
    with mailer.killed_at_the_creation(after=False):
        mailer.run(start)
    assert mailer.ids == []


def killed_before_the_answer(mailer: Mailer, start: Start) -> None:
    mailer.list_late()
    with mailer.killed_at_the_creation(after=True):
        mailer.run(start)
    assert len(mailer.ids) == 1


def mailed_and_not_listed_yet(mailer: Mailer, start: Start) -> None:
    mailer.list_late()
    mailed(mailer, start)


def not_run(mailer: Mailer, start: Start) -> None:
    """The task has not run."""


def mailed_and_deleted_there(mailer: Mailer, start: Start) -> None:
    mailed(mailer, start)
    mails = mailer.mails()
    assert all(mails[reader] == 1 for reader in READERS)
    [number] = mailer.ids
    mailer.delete(number)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    :param action: what is done, a name of :class:`airflow_actions.Actions`
    :param before: what the first try came to
    :param arguments: arguments of the operator that are others after the action
    :param other_content: whether the mailing is another one after the action
    :param deployment: the connection's deployment after the action
    :param error: why it fails, where it does: an exception, or the attribute of the mailer that names it
    :param waits: the row is tried with a task that waits on the worker and with one that waits in the triggerer
    """

    action: str
    before: Callable[[Mailer, Start], None] = mailed
    arguments: dict[str, Any] = field(default_factory=dict)
    other_content: bool = False
    deployment: str = ""
    error: str = ""
    waits: bool = False


CASES = {
    "retry after a failure": Case("retry", failed_after_mailing, waits=True),
    "retry; killed before the request that creates": Case("retry", killed_before_the_request, waits=True),
    "retry; killed between that request and its answer": Case("retry", killed_before_the_answer, waits=True),
    "clear the task": Case("clear_task", waits=True),
    "clear the task while it waits in the triggerer": Case("clear_deferred_task", waits_in_the_triggerer),
    "clear the task while it runs, between request and answer": Case(
        "clear_running_task", killed_before_the_answer, waits=True
    ),
    "clear the failed task": Case("clear_failed_task", failed_after_mailing, waits=True),
    "clear the run": Case("clear_run", waits=True),
    "mark success between request and answer, then clear": Case(
        "mark_success_then_clear", killed_before_the_answer, waits=True
    ),
    "mark success before it runs, then clear": Case("mark_success_before_it_runs", not_run),
    "delete the run; it is due again": Case("delete_run"),
    "the same, before the service lists it": Case("delete_run", mailed_and_not_listed_yet),
    "manual trigger without a logical date": Case("trigger_without_date", error="UndefinedError"),
    "manual trigger later that day": Case("trigger_same_day"),
    "manual trigger on another day": Case("trigger_next_day"),
    "manual trigger with that run's data interval": Case("trigger_same_interval"),
    "manual trigger with that run's logical date": Case("trigger_same_logical_date"),
    "backfill of missing runs": Case("backfill"),
    "backfill that reprocesses complete runs": Case("backfill_completed"),
    "delete the run, then backfill its date": Case("delete_run_then_backfill"),
    "rename the task, then clear the run": Case("rename_task"),
    "rename the DAG; its run is due again": Case("rename_dag"),
    "new metadata database; the run is due again": Case("new_metadata_database"),
    "clear after `not_after`": Case("clear_task", arguments={"not_after": LONG_AGO}),
    "clear after `not_after`, nothing created yet": Case(
        "mark_success_before_it_runs", not_run, arguments={"not_after": LONG_AGO}
    ),
    "another subject or message, then clear": Case("clear_task", other_content=True, error="conflict"),
    "deleted in the service, then clear": Case("clear_task", mailed_and_deleted_there, error="gone"),
    "another `edition`, then clear": Case("clear_task", arguments={"edition": 2}),
    "another `deployment` in the connection, then clear": Case("clear_task", deployment="staging"),
}


def table(heading: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the head and the rows of the table below a heading, by their first cell; emphasis is dropped."""
    section = RELIABILITY.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("**", "") for cell in line.strip("|").split("|")] for line in lines]
    return cells[0][1:], {first: others for first, *others in cells[2:]}


def told(cell: str) -> str:
    """Return what a cell says of the running release: it names releases where they differ."""
    for part in cell.split(";"):
        releases, colon, outcome = part.rpartition(":")
        if not colon or RELEASE in re.findall(r"3\.\d+", releases):
            return outcome.strip()
    raise AssertionError(f"{cell!r} says nothing of Airflow {RELEASE}")


SAME, NO_WAIT = "the same", "does not wait"
HEAD, ROWS = table("What Airflow does, and what becomes of the campaign")
_, RELEASES = table("By Airflow version")


@pytest.fixture(scope="session")
def actions() -> dict[str, Action]:
    return perform_all()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch, emulator: Any) -> list[float]:
    """Let whoever sleeps find the time passed at once, also in the account; returns how long was slept, each time."""
    slept: list[float] = []

    def sleep(_: Any, seconds: float) -> None:
        slept.append(seconds)
        emulator.advance(seconds)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(SystemClock, "now", lambda _: time.time() + sum(slept))
    return slept


@pytest.fixture
def campaign(account: Any, campaign_of: Any, connect: Any, slept: list[float]) -> CampaignMailer:
    return CampaignMailer(account, campaign_of, connect)


@pytest.fixture
def broadcast(emulator: Any, connect_esputnik: Any, slept: list[float]) -> BroadcastMailer:
    emulator.configure(bounce_share=0, open_share=0)
    return BroadcastMailer(Newsletter(emulator), connect_esputnik)


def outcome(mailer: Mailer, then: Start | None, case: Case) -> str:
    """Run the task as Airflow starts it after the action, and return what the inbox and the mailings say."""
    before, earlier = mailer.ids, mailer.creations
    if then is None:
        assert set(mailer.mails().values()) == {1}
        return "no run"
    mailer.connect(extra={"deployment": case.deployment})
    result = mailer.run(then, **case.arguments, **(mailer.other_content if case.other_content else {}))
    created = [number for number in mailer.ids if number not in before]
    assert mailer.creations == earlier + len(created)
    mails = mailer.mails()
    # Whatever happens, it happens to all readers alike.
    [each] = {mails[reader] for reader in READERS}
    if result.state in ("skipped", "failed"):
        assert created == []
        assert each == (0 if case.before is not_run else 1)
        if result.state == "skipped":
            return "skips"
        assert type(result.error).__name__ == getattr(mailer, case.error, case.error)
        return "fails"
    assert result.state == "success", result.error
    adopted = result.xcom(mailer.noun, then.task_id)["adopted"]
    if created == []:
        assert adopted is True
        assert [result.value] == before
        assert each == 1
        return "adopts"
    assert adopted is False
    assert [result.value] == created
    return {1: "mails", 2: "mails again"}[each]


def test_table_has_the_rows_that_are_tested() -> None:
    assert list(ROWS) == list(CASES)
    assert HEAD == ["default `mailing_key`", "your own `mailing_key`", "a broadcast"]
    assert {cells[2] for cells in ROWS.values()} == {SAME, NO_WAIT}
    assert [row for row, case in CASES.items() if case.before is waits_in_the_triggerer] == [
        row for row, cells in ROWS.items() if cells[2] == NO_WAIT
    ]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("row", "deferrable"),
    [(row, deferrable) for row, case in CASES.items() for deferrable in ((False, True) if case.waits else (False,))],
)
def test_action(row: str, deferrable: bool, key: str, actions: dict[str, Action], campaign: CampaignMailer) -> None:
    campaign.arguments |= {"deferrable": deferrable}
    check(campaign, row, key, actions)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("row", [row for row in CASES if ROWS[row][2] == SAME])
def test_action_with_a_broadcast(row: str, key: str, actions: dict[str, Action], broadcast: BroadcastMailer) -> None:
    check(broadcast, row, key, actions)


def check(mailer: Mailer, row: str, key: str, actions: dict[str, Action]) -> None:
    case = CASES[row]
    action = actions[case.action]
    mailer.arguments |= {"mailing_key": KEYS[key]}
    case.before(mailer, action.first)
    assert outcome(mailer, action.then, case) == told(ROWS[row][[*KEYS].index(key)])


@pytest.mark.parametrize("day", ["trigger_same_day", "trigger_next_day"])
@pytest.mark.parametrize("what", ["campaign", "broadcast"])
def test_key_of_a_whole_week(
    what: str, day: str, actions: dict[str, Action], campaign: CampaignMailer, broadcast: BroadcastMailer
) -> None:
    """The way out that the text below the table names."""
    mailer: Mailer = {"campaign": campaign, "broadcast": broadcast}[what]
    key = "digest-{{ data_interval_end.strftime('%G-W%V') }}"
    assert f"`{key}`" in RELIABILITY.read_text()
    mailer.arguments |= {"mailing_key": key}
    mailed(mailer, actions[day].first)
    assert outcome(mailer, actions[day].then, Case(day)) == "adopts"


def try_that_failed_before_it_created(mailer: CampaignMailer, start: Start, slept: list[float]) -> str:
    mailer.account.emulator.faults.add("status", operation="campaigns.list", status=403)
    assert mailer.run(start).state == "failed"
    again = mailer.runner(replace(start, stored=True)).run(mailer.operator(start), try_number=2)
    assert again.state == "success", again.error
    assert len(mailer.account.campaigns) == 1
    return "assumes so, and looks for two minutes" if sum(slept) >= 100 else "reads the stored intent or id"


def deadlines_of_two_tries(mailer: CampaignMailer, start: Start, slept: list[float]) -> str:
    mailer.account.emulator.configure(transitions="clock", seconds_per_status=1000)
    mailer.arguments |= {"deferrable": True, "timeout": 600}

    def deadline(start: Start) -> float:
        runner = mailer.runner(start)
        deferral = runner.leg(mailer.operator(start), try_number=start.try_number).deferral
        slept.append(100)
        return runner.trigger_arguments(deferral)["deadline"]

    first, second, cleared = (
        deadline(replace(start, stored=stored, try_number=number, clear_number=clearing))
        for number, clearing, stored in ((1, 0, False), (2, 0, True), (3, 1, True))
    )
    assert cleared > second
    return "kept until the run is cleared" if second == first else "anew with every try"


def killing_of_triggers(mailer: CampaignMailer, start: Start, slept: list[float]) -> str:
    # Airflow calls what its own base class declares, and nothing else.
    return "yes" if hasattr(BaseTrigger, "on_kill") else "no"


def import_of_the_retry_policy(mailer: CampaignMailer, start: Start, slept: list[float]) -> str:
    try:
        import_module("airflow_provider_sendpulse.retry_policy")
    except ImportError:
        return "no"
    return "yes"


PROBES = {
    "A retry knows whether the try before it has sent": try_that_failed_before_it_created,
    "Deadline kept across tries": deadlines_of_two_tries,
    "`cancel_on_kill` when a waiting task is cleared or marked": killing_of_triggers,
    "`SendPulseRetryPolicy`": import_of_the_retry_policy,
}
HELD_ELSEWHERE = {
    "Campaign adopted by its marker": "the table above",
    "Events with `ledger=`: a retry sends only what was not sent": "test_events_ledger.py",
    "Events without, and double opt-in: a retry sends only what was not sent": "test_events_operator.py",
    "Contacts: a retry goes on where the try before it got to": "test_add_emails.py",
    "Broadcast adopted by its marker": "esputnik/test_broadcasts.py",
    "Import into eSputnik: a retry waits for the sessions of the try before it, and goes on there": (
        "esputnik/test_import_contacts.py"
    ),
    "Messages, orders and subscriptions of eSputnik with `ledger=`: a retry sends only what was not sent": (
        "esputnik/test_ledger_page.py"
    ),
    "Messages, orders and subscriptions of eSputnik without": "esputnik/test_ledger_page.py",
    "Connection form in the UI": "test_provider_info.py",
}


def test_every_row_by_version_is_held() -> None:
    assert RELEASES.keys() == PROBES.keys() | HELD_ELSEWHERE.keys()
    assert all(len(cells) == 3 for cells in RELEASES.values())


@pytest.mark.parametrize("row", PROBES)
def test_by_version(row: str, actions: dict[str, Action], campaign: CampaignMailer, slept: list[float]) -> None:
    column = ["3.1", "3.2", "3.3"].index(RELEASE)
    assert PROBES[row](campaign, actions["retry"].first, slept) == RELEASES[row][column]
