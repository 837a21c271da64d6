# SPDX-License-Identifier: Apache-2.0
"""A row fails for what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo import folders, followed_run, shop, week
from demo.airflow_api import TaskState
from demo.checks import SEED
from demo.emulator_api import Account, Campaign
from demo.week import Outcome, Week
from torture import judgement
from torture.airflow_run import Ended

WEEK = Week(1, keep=1)
CAMPAIGN, BOOK = 700001, 1002


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "SHOP", tmp_path / "shop.db")
    monkeypatch.setattr(followed_run, "TASK_LOGS", tmp_path / "logs")
    shop.create(folders.SHOP)
    with shop.opened(folders.SHOP) as database, database:
        database.execute("CREATE TABLE campaign_statistics (campaign_id, recipients, delivered, opened, clicked)")
        database.execute("INSERT INTO campaign_statistics VALUES (?, 16, 16, 0, 0)", (CAMPAIGN,))


def account() -> Account:
    people = {person.email: person.name for person in shop.buyers(folders.SHOP, WEEK.first_day, WEEK.end)}
    messages = [
        {"campaign_id": CAMPAIGN, "to": to, "subject": f"{name}, your week until {WEEK.end} 🎁", "body": "", "status": 2}
        for to, name in {**people, SEED: "The Shop"}.items()
    ]
    contacts = [{"email": to, "variables": {"Sent": str(WEEK.end)}} for to in (*people, SEED)]
    events = [
        {"body": {"cart_id": cart, "email": to, "left_on": str(WEEK.first_day)}}
        for cart, to in shop.abandoned_carts(folders.SHOP, WEEK.first_day, WEEK.end)
    ]
    return Account(
        books={BOOK: {"contacts": contacts}},
        campaigns=[Campaign(CAMPAIGN, "Digest", 3, [], [BOOK], [])],
        messages=messages,
        events=events,
    )


def ended(tries: int = 1, events_state: str = "success", **changes: Any) -> Ended:
    outcome = Outcome(
        week=WEEK,
        seconds=1.0,
        account=replace(account(), **changes),
        campaign_id=CAMPAIGN,
        book_id=BOOK,
        contacts={},
        events={},
        deferred=frozenset({"wait_until_sent"}),
    )
    tasks = {
        "create_campaign": TaskState("1", "create_campaign", -1, "success", tries),
        judgement.EVENTS: TaskState("2", judgement.EVENTS, -1, events_state, 2 if events_state == "failed" else 1),
    }
    return Ended(WEEK, state=events_state, tasks=tasks, outcome=outcome)


def say_in_log(text: str) -> None:
    log = (
        followed_run.TASK_LOGS
        / f"dag_id={week.DAG_ID}"
        / f"run_id={WEEK.run_id}"
        / f"task_id={judgement.EVENTS}"
        / "attempt=2.log"
    )
    log.parent.mkdir(parents=True)
    log.write_text(text)


def test_a_run_in_which_all_went_well() -> None:
    assert judgement.faults(ended(), None) == []
    assert judgement.faults(ended(tries=2), "create_campaign") == []
    assert judgement.numbers(ended()) == ("16/16", "5/5")


def test_tries() -> None:
    assert judgement.faults(ended(), "create_campaign") == ["create_campaign was not tried again"]
    assert judgement.faults(ended(tries=3), "create_campaign") == ["create_campaign took 3 tries"]
    assert judgement.faults(ended(tries=2), None) == ["create_campaign took 2 tries, and nobody killed it"]


def test_mailed_twice() -> None:
    twice = judgement.faults(ended(messages=account().messages * 2), None)
    assert "16 MAILED TWICE" in twice


def test_two_campaigns_though_the_second_mailed_nobody() -> None:
    assert judgement.faults(ended(campaigns=account().campaigns * 2), None) == ["2 CAMPAIGNS"]


def test_somebody_was_forgotten() -> None:
    [fault] = judgement.faults(ended(messages=account().messages[1:]), None)[:1]
    assert "reached its audience" in fault


def test_events_twice_and_events_lost() -> None:
    assert judgement.faults(ended(events=account().events * 2), None) == ["5 EVENTS TWICE"]
    assert judgement.faults(ended(events=account().events[1:]), None) == ["1 events missing, and nothing said"]


def test_events_in_doubt_must_be_counted_and_come_from_a_kill_there() -> None:
    run = ended(events_state="failed", events=account().events[1:])
    assert judgement.faults(run, judgement.EVENTS)[0].startswith("run failed")
    say_in_log("Events abandoned_cart: 5 read, 4 accepted, 1 in doubt")
    assert judgement.faults(run, judgement.EVENTS) == []
    assert judgement.faults(run, "create_campaign")[0].startswith("run failed")
    more = ended(events_state="failed", events=account().events[2:])
    assert judgement.faults(more, judgement.EVENTS) == ["2 events missing, and only 1 said to be in doubt"]


def test_a_run_without_a_campaign() -> None:
    run = ended()
    run.outcome = None
    assert judgement.faults(run, None) == ["no campaign was created"]
    assert judgement.numbers(run) == ("?", "?")
