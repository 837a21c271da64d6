# SPDX-License-Identifier: Apache-2.0
"""The activity of a period, every row once, into tables and files."""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from broadcasting import Newsletter
from execution_api import ExecutionApi
from fresh_dag import anew
from task_runner import TaskRunner

from airflow_provider_sendpulse.esputnik import broadcasts
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.jobs.esputnik import activity as jobs
from airflow_provider_sendpulse.operators.esputnik.activity import EsputnikActivityOperator
from airflow_provider_sendpulse.rows import OutputTable

OPERATION = "esputnik.activity.list"
START = datetime(2026, 3, 1, 22, tzinfo=UTC)
"""Midnight in Kyiv."""


@pytest.fixture(autouse=True)
def clock(emulator: Any) -> None:
    emulator.configure(clock="manual", time_zone="Europe/Kyiv", clock_start=START.isoformat())


def activity(dag: Any, **arguments: Any) -> EsputnikActivityOperator:
    interval = {"date_from": START, "date_to": START + timedelta(days=1)}
    return EsputnikActivityOperator(task_id="activity", dag=anew(dag), **{**interval, **arguments})


@pytest.fixture
def sent(newsletter: Newsletter) -> list[int]:
    """Two broadcasts to three readers, an hour apart; everybody opens both."""
    newsletter.emulator.configure(open_share=1, click_share=0)
    group = newsletter.readers()
    ids = []
    for number in (1, 2):
        with EsputnikHook() as hook:
            ids.append(hook.send(broadcasts.create(newsletter.message, [group], title=f"News {number}")).id)
        newsletter.emulator.advance(3600)
    newsletter.emulator.advance(7200)
    return ids


def asked_for(emulator: Any) -> list[dict[str, str]]:
    return [dict(parse_qsl(record.query)) for record in emulator.requests.records(OPERATION)]


def ignore_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator begin every page with the first row."""
    from airflow_provider_sendpulse.emulator.esputnik.api import activity as api

    number = api.Call.number
    monkeypatch.setattr(api.Call, "number", lambda call, name, *rest: 0 if name == "offset" else number(call, name, *rest))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [*csv.DictReader(stream)]


def test_counts(runner: Any, dag: Any, sent: list[int]) -> None:
    result = runner.run(activity(dag))
    assert result.state == "success", result.error
    assert result.value == {"rows": 12, "by_status": {"DELIVERED": 6, "READ": 6}, "destination": None}
    assert runner.run(activity(dag, broadcast_id=f"{sent[0]}")).value["by_status"] == {"DELIVERED": 3, "READ": 3}
    assert runner.run(activity(dag, broadcast_id=sent[1] + 1)).value["rows"] == 0


@pytest.mark.parametrize("most", [1000, 9])
def test_rows_that_are_alike(
    runner: Any, dag: Any, sent: list[int], emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    emulator.configure(esputnik_reads_at_once=3)
    monkeypatch.setattr(jobs, "_MOST_ROWS", most)
    path = tmp_path / "activity.csv"
    ids = []
    for _ in range(2):
        result = runner.run(activity(dag, destination=path))
        assert result.state == "success", result.error
        assert result.value["by_status"] == {"DELIVERED": 6, "READ": 18}
        ids.append([row["activity_id"] for row in rows(path)])
    assert len({*ids[0]}) == 24
    assert sorted(ids[0]) == sorted(ids[1])


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("statusData", [{"news": 1, "sales": 2}, {"news": 2, "sales": 1}]),
        ("statusDescription", ["Left news", "Left sales"]),
        ("messageId", [1, 2]),
    ],
)
def test_what_tells_rows_apart(runner: Any, dag: Any, newsletter: Newsletter, member: str, values: list[Any]) -> None:
    row = {"iid": "i", "contactId": 5, "activityStatus": "SUBSCRIPTION_CHANGED", "activityDateTime": "2026-03-02T10:00:00"}
    answer = [{**row, "offset": place, member: value} for place, value in enumerate(values, start=1)]
    # The next day's answer says the same again, in another order.
    again = [{name: row[name] for name in reversed(row)} for row in answer[::-1]]
    if member == "statusData":
        again = [{**row, member: dict(reversed(row[member].items()))} for row in again]
    for body in (answer, [], again, []):
        newsletter.emulator.faults.add("status", operation=OPERATION, status=200, body=json.dumps(body), times=1)
    result = runner.run(activity(dag, date_to=START + timedelta(days=2)))
    assert result.value["rows"] == 2


def test_rows_that_two_answers_hold_are_counted_once(runner: Any, dag: Any, newsletter: Newsletter) -> None:
    row = {"iid": "i", "contactId": 5, "activityStatus": "READ", "activityDateTime": "2026-03-03T00:00:00"}
    first, second = [{**row, "offset": 1}, {**row, "offset": 2}], [{**row, "offset": place} for place in (2, 3, 4)]
    for answer in (first, [], second, []):
        newsletter.emulator.faults.add("status", operation=OPERATION, status=200, body=json.dumps(answer), times=1)
    result = runner.run(activity(dag, date_to=START + timedelta(days=2)))
    assert result.value["rows"] == 3
    assert "2 rows of activity were listed in two answers" in result.log


def test_into_a_table_twice(runner: Any, dag: Any, sent: list[int], tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    # The second period begins where the first has not ended yet.
    for start in (START, START + timedelta(minutes=30)):
        result = runner.run(activity(dag, date_from=start, destination=OutputTable("warehouse", "activity")))
        assert result.state == "success", result.error
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT activity_status, count(*), count(DISTINCT contact_id) FROM activity GROUP BY 1")
        assert sorted(found) == [("DELIVERED", 6, 3), ("READ", 6, 3)]
        columns = [column[1] for column in database.execute("PRAGMA table_info(activity)")]
    assert columns == ["activity_id", *jobs.IMPERSONAL]
    assert "@example.com" not in path.read_bytes().decode("latin-1")


def test_into_a_file_with_addresses(runner: Any, dag: Any, sent: list[int], tmp_path: Path) -> None:
    path = tmp_path / "{{ ds }}.csv"
    result = runner.run(
        activity(dag, destination=path, columns=["email", "activity_status", "broadcast_id"], statuses="read")
    )
    assert result.state == "success", result.error
    path = tmp_path / "2026-01-05.csv"
    assert result.value == {"rows": 6, "by_status": {"READ": 6}, "destination": str(path)}
    assert path.stat().st_mode & 0o777 == 0o600
    found = rows(path)
    assert [*found[0]] == ["activity_id", "email", "activity_status", "broadcast_id"]
    assert {row["email"] for row in found} == {f"reader{number}@example.com" for number in range(3)}
    assert {row["broadcast_id"] for row in found} == {str(number) for number in sent}
    for told in (result.log, str(result.rendered), str(result.api.xcoms)):
        assert "@example.com" not in told


def test_period_is_the_data_interval(dag: Any, sent: list[int], emulator: Any) -> None:
    operator = EsputnikActivityOperator(task_id="activity", dag=anew(dag))
    run = ExecutionApi(interval=(START, START + timedelta(minutes=90)))
    assert TaskRunner(run).run(operator).value["by_status"]["DELIVERED"] == 6
    run = ExecutionApi(interval=(START, START + timedelta(minutes=30)))
    assert TaskRunner(run).run(operator).value["by_status"]["DELIVERED"] == 3
    nothing = TaskRunner(ExecutionApi(data_interval=False)).run(operator)
    assert "This run has no data interval: give date_from and date_to." in str(nothing.error)


@pytest.mark.parametrize(
    ("arguments", "asked", "counts"),
    [
        ({"statuses": "READ"}, "READ", {"READ": 6}),
        ({"statuses": "{{ ['READ', 'CLICKED'] }}"}, None, {"READ": 6}),
        ({"statuses": ["SUBSCRIPTION_CHANGED"]}, None, {}),
        ({"channels": "EMAIL"}, None, {"DELIVERED": 6, "READ": 6}),
        ({"channels": ["sms", "viber"]}, None, {}),
        ({"tag": "spring"}, None, {}),
    ],
)
def test_filters(
    runner: Any, dag: Any, sent: list[int], emulator: Any, arguments: Any, asked: str | None, counts: Any
) -> None:
    result = runner.run(activity(dag, **arguments))
    assert result.value["by_status"] == counts, result.error
    query = asked_for(emulator)[0]
    assert query.get("activityStatus") == asked
    assert query.get("messageTag") == arguments.get("tag")


def test_a_day_at_a_time(runner: Any, dag: Any, sent: list[int], emulator: Any) -> None:
    start = START - timedelta(days=1, hours=12)
    assert runner.run(activity(dag, date_from=start, date_to=START + timedelta(days=1))).value["rows"] == 12
    asked = [(query["dateFrom"], query["dateTo"]) for query in asked_for(emulator)]
    assert [*dict.fromkeys(asked)] == [
        ("2026-02-28T12:00", "2026-03-01T12:00"),
        ("2026-03-01T12:00", "2026-03-02T12:00"),
        ("2026-03-02T12:00", "2026-03-03T00:00"),
    ]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_more_than_a_page_is_asked_for_in_halves(
    runner: Any, dag: Any, sent: list[int], emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(jobs, "_MOST_ROWS", most)
    path = tmp_path / "rows.csv"
    result = runner.run(activity(dag, destination=path))
    assert result.value["by_status"] == {"DELIVERED": 6, "READ": 6}, result.error
    found = rows(path)
    assert len({row["activity_id"] for row in found}) == len(found) == 12


def test_fewer_at_a_time_than_asked_for(
    runner: Any, dag: Any, sent: list[int], emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_sendpulse.emulator.esputnik.api import activity as api

    monkeypatch.setattr(api, "MOST_ROWS", 2)
    number = api.Call.number
    # As if it did not heed what it is asked for.
    monkeypatch.setattr(api.Call, "number", lambda call, name, *rest: 2 if name == "maxrows" else number(call, name, *rest))
    assert runner.run(activity(dag)).value["by_status"] == {"DELIVERED": 6, "READ": 6}


def test_paging_that_is_not_heeded(runner: Any, dag: Any, sent: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    ignore_offsets(monkeypatch)
    assert runner.run(activity(dag)).value["by_status"] == {"DELIVERED": 6, "READ": 6}


def test_paging_that_leads_nowhere_is_no_end(
    runner: Any, dag: Any, sent: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three rows of one minute, and pages of two.
    monkeypatch.setattr(jobs, "_MOST_ROWS", 2)
    ignore_offsets(monkeypatch)
    path = tmp_path / "rows.csv"
    result = runner.run(activity(dag, destination=path))
    assert type(result.error).__name__ == "ServiceError"
    assert "does not advance" in str(result.error)
    assert not path.exists()


def test_activity_that_is_off(runner: Any, dag: Any, newsletter: Newsletter) -> None:
    newsletter.emulator.configure(esputnik_activity=False)
    runner.api.should_retry = True
    result = runner.run(activity(dag))
    assert result.state == "failed"
    assert type(result.error).__name__ == "NeedsHuman"
    assert "Ask its support to enable ContactActivity" in str(result.error)


def test_hour_that_the_clock_shows_twice(runner: Any, dag: Any, newsletter: Newsletter) -> None:
    # The second 03:30 of the night in which the clock is set back: all that is certainly before it.
    twice = datetime(2026, 10, 25, 3, 30, tzinfo=ZoneInfo("Europe/Kyiv"), fold=1)
    assert runner.run(activity(dag, date_from=twice - timedelta(hours=4), date_to=twice)).state == "success"
    [query] = asked_for(newsletter.emulator)
    assert (query["dateFrom"], query["dateTo"]) == ("2026-10-24T23:30", "2026-10-25T04:30")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"date_to": START}, "it ends after it begins"),
        ({"date_to": START + timedelta(days=120)}, "not longer than three months"),
        ({"date_from": "yesterday"}, "date_from 'yesterday' is not a date"),
        ({"statuses": "OPENED"}, "There is no activity OPENED"),
        ({"columns": ["email", "name"]}, "Activity has no column name; it has iid,"),
        ({"broadcast_id": "first"}, "broadcast_id is 'first'"),
        ({"destination": "/tmp/rows.xlsx"}, "ends in neither .csv nor .jsonl"),
        ({"destination": 7}, "destination is a int"),
    ],
)
def test_wrong_arguments(runner: Any, dag: Any, newsletter: Newsletter, arguments: Any, told: str) -> None:
    result = runner.run(activity(dag, **arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert newsletter.count("activity.list") == 0


def test_no_time_zone(runner: Any, dag: Any, newsletter: Newsletter, connect_esputnik: Any) -> None:
    connect_esputnik(extra={"account_timezone": None})
    assert "The activity of a period needs the connection's account_timezone" in str(runner.run(activity(dag)).error)
