# SPDX-License-Identifier: Apache-2.0
"""A row fails for what it is there to find: in its tasks, and in the weekly digest's mails and events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo import shop
from demo.checks import SEED
from demo.week import Week
from torture import judgement
from torture.ended import Ended, TaskEnd, told_in_doubt
from torture.subjects.weekly_digest import EVENTS, WeeklyDigest

WEEK = Week(1, keep=1)
CAMPAIGN, BOOK = 700001, 1002
DIGEST = WeeklyDigest()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    shop.create(path)
    with shop.opened(path) as connection, connection:
        connection.execute("CREATE TABLE campaign_statistics (campaign_id, recipients, delivered, opened, clicked)")
        connection.execute("INSERT INTO campaign_statistics VALUES (?, 16, 16, 0, 0)", (CAMPAIGN,))
    return path


@pytest.fixture
def account(database: Path) -> dict[str, Any]:
    people = {person.email: person.name for person in shop.buyers(database, WEEK.first_day, WEEK.end)}
    campaign = {"id": CAMPAIGN, "name": "Digest", "status": 3, "history": [], "book_ids": [BOOK], "recipients": []}
    contacts = [{"email": to, "variables": {"Sent": str(WEEK.end)}} for to in (*people, SEED)]
    return {
        "books": [{"id": BOOK, "contacts": contacts}],
        "campaigns": [campaign],
        "messages": [
            {
                "campaign_id": CAMPAIGN,
                "to": to,
                "subject": f"{name}, your week until {WEEK.end} 🎁",
                "body": "",
                "status": 2,
            }
            for to, name in {**people, SEED: "The Shop"}.items()
        ],
        "events": [
            {"body": {"cart_id": cart, "email": to, "left_on": str(WEEK.first_day)}}
            for cart, to in shop.abandoned_carts(database, WEEK.first_day, WEEK.end)
        ],
    }


@pytest.fixture
def ended(database: Path, account: dict[str, Any]) -> Any:
    def make(tries: int = 1, events: TaskEnd | None = None, **changes: Any) -> Ended:
        return Ended(
            DIGEST.occasion(1),
            database,
            tasks={
                "create_campaign": TaskEnd("create_campaign", "success", tries),
                EVENTS: events or TaskEnd(EVENTS, "success"),
            },
            account={**account, **changes},
            results={"create_campaign": CAMPAIGN, "create_address_book": BOOK},
        )

    return make


def faults(run: Ended, tried_again: str | None = None) -> list[str]:
    return judgement.faults(DIGEST, run, None, tried_again)


def test_a_run_in_which_all_went_well(ended: Any) -> None:
    assert faults(ended()) == []
    assert faults(ended(tries=2), "create_campaign") == []
    assert DIGEST.numbers(ended()) == "16/16 mails, 5/5 events"


def test_tries(ended: Any) -> None:
    assert faults(ended(), "create_campaign") == ["create_campaign was not tried again"]
    assert faults(ended(tries=3), "create_campaign") == ["create_campaign took 3 tries"]
    assert faults(ended(tries=2)) == ["create_campaign took 2 tries, and nobody killed it"]
    assert faults(ended(), "store_statistics") == ["store_statistics was not run"]
    assert judgement.of_tasks(Ended(DIGEST.occasion(1), Path()), None) == ["no task was run"]


def test_mailed_twice(ended: Any, account: Any) -> None:
    assert "16 MAILED TWICE" in faults(ended(messages=account["messages"] * 2))


def test_two_campaigns_though_the_second_mailed_nobody(ended: Any, account: Any) -> None:
    assert faults(ended(campaigns=account["campaigns"] * 2)) == ["2 CAMPAIGNS"]


def test_somebody_was_forgotten(ended: Any, account: Any) -> None:
    [fault] = faults(ended(messages=account["messages"][1:]))[:1]
    assert "reached its audience" in fault


def test_events_twice_and_events_lost(ended: Any, account: Any) -> None:
    twice = ended()
    twice.account["events"] = account["events"] * 2
    assert faults(twice) == ["5 EVENTS TWICE"]
    lost = ended()
    lost.account["events"] = account["events"][1:]
    assert faults(lost) == ["1 events missing, and nothing said"]


def test_events_in_doubt_must_be_counted_and_come_from_a_kill_there(ended: Any, account: Any) -> None:
    run = ended(events=TaskEnd(EVENTS, "failed", 2))
    run.account["events"] = account["events"][1:]
    assert faults(run, EVENTS)[0].startswith(f"{EVENTS} failed")
    run.tasks[EVENTS].in_doubt = 1
    run.tasks["delete_old_books"] = TaskEnd("delete_old_books", "upstream_failed")
    assert faults(run, EVENTS) == []
    assert faults(run, "create_campaign")[0] == "create_campaign was not tried again"
    assert f"{EVENTS} failed" in faults(run, "create_campaign")
    run.account["events"] = account["events"][2:]
    assert faults(run, EVENTS) == ["2 events missing, and only 1 said to be in doubt"]


def test_a_task_that_failed_by_another_s_doubt_only(ended: Any) -> None:
    run = ended(tries=2)
    run.tasks["wait_until_sent"] = TaskEnd("wait_until_sent", "upstream_failed")
    assert faults(run, "create_campaign") == ["wait_until_sent upstream_failed"]


def test_a_run_without_a_campaign(ended: Any) -> None:
    run = ended()
    run.tasks["create_campaign"].state = "failed"
    assert "no campaign was created" in faults(run)
    assert DIGEST.numbers(run) == "?"


def test_what_is_told_to_be_in_doubt() -> None:
    assert told_in_doubt("Events: 5 read, 4 accepted, 1 in doubt", "a log: 1,200 in doubt") == 1200
    assert told_in_doubt("5 read, 5 accepted") == 0
