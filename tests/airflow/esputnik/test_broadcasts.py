# SPDX-License-Identifier: Apache-2.0
"""One mailing makes one broadcast, whatever Airflow does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from broadcasting import Newsletter
from execution_api import ExecutionApi
from fresh_dag import anew
from task_runner import TaskRunner

from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.operators.esputnik.broadcasts import (
    EsputnikCreateBroadcastOperator,
    EsputnikDeleteBroadcastOperator,
)
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

READERS = {f"reader{number}@example.com" for number in range(3)}
NEXT_WEEK = datetime.now(UTC).replace(hour=12, minute=30, second=0, microsecond=0) + timedelta(days=7)

Make = Callable[..., EsputnikCreateBroadcastOperator]


def marks(newsletter: Newsletter) -> set[str]:
    found = {Marker.in_name(broadcast["title"]) for broadcast in newsletter.broadcasts}
    assert None not in found
    return {marker.digest for marker in found if marker}


def test_marker_in_the_title(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    result = runner.run(broadcast(title="News of {{ ds }}"))
    assert result.state == "success", result.error
    [made] = newsletter.broadcasts
    key = "\0".join(("a_dag", "scheduled__2026-01-05", "broadcast", "-1"))
    assert made["title"] == f"News of 2026-01-05 {Marker.of(deployment='', mailing_key=key, edition=1)}"
    assert result.value == made["id"]
    assert result.xcom("broadcast", "broadcast") == {"broadcast_id": made["id"], "adopted": False}
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


@pytest.mark.parametrize("how", ["retry", "cleared", "cleared without a store", "retry without a store"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_second_run_adopts(
    runner: Any, newsletter: Newsletter, broadcast: Make, jumping_clock: list[float], how: str, order: str
) -> None:
    newsletter.emulator.configure(esputnik_broadcast_order=order)
    first = runner.run(broadcast())
    if "without" in how:
        runner = TaskRunner(ExecutionApi(xcoms={}), state_store=False)
    second = runner.run(broadcast(), try_number=2 if "retry" in how else 1)
    assert second.state == "success", second.error
    assert second.value == first.value
    assert second.xcom("broadcast", "broadcast")["adopted"] is True
    assert newsletter.count("broadcasts.create") == 1
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_one_behind_many_others_is_found(
    newsletter: Newsletter, broadcast: Make, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    newsletter.emulator.configure(esputnik_broadcast_order=order)
    groups = newsletter.segment("Nobody", "nobody@example.com")
    runs = [ExecutionApi(run_id=f"scheduled__{number}") for number in range(5)]
    for run in runs:
        assert TaskRunner(run).run(broadcast(groups=groups)).state == "success"
    # Pages of two.
    from airflow_provider_sendpulse.esputnik import broadcasts

    listed = broadcasts.list
    monkeypatch.setattr(broadcasts, "list", lambda: listed(2))
    for run in runs:
        result = TaskRunner(ExecutionApi(run_id=run.run_id)).run(broadcast(groups=groups))
        assert result.xcom("broadcast", "broadcast")["adopted"] is True
    assert newsletter.count("broadcasts.create") == 5


def test_later_run_is_another_mailing(newsletter: Newsletter, broadcast: Make) -> None:
    for run_id in ("scheduled__1", "scheduled__2"):
        assert TaskRunner(ExecutionApi(run_id=run_id)).run(broadcast()).state == "success"
    assert len(marks(newsletter)) == 2


def test_mailing_key_joins_runs(newsletter: Newsletter, broadcast: Make) -> None:
    for run_id, months in (("scheduled__1", 0), ("manual__2", 3)):
        run = ExecutionApi(run_id=run_id, run_after=datetime.now(UTC) + timedelta(days=30 * months))
        assert TaskRunner(run).run(broadcast(mailing_key="digest-{{ ds }}")).state == "success"
    assert len(newsletter.broadcasts) == 1


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({"edition": 2}, {}),
        ({"edition": "{{ 1 + 1 }}"}, {}),
        ({"mailing_key": "other"}, {}),
        ({}, {"deployment": "staging"}),
    ],
)
def test_what_makes_another_mailing(
    runner: Any, newsletter: Newsletter, broadcast: Make, connect_esputnik: Any, changes: dict[str, Any], extra: Any
) -> None:
    arguments: dict[str, Any] = {"mailing_key": "key"}
    assert runner.run(broadcast(**arguments)).state == "success"
    connect_esputnik(extra=extra)
    assert runner.run(broadcast(**{**arguments, "task_id": "again", **changes})).state == "success"
    assert len(marks(newsletter)) == 2


@pytest.mark.parametrize("changed", ["message", "segment", "date"])
def test_conflict(runner: Any, newsletter: Newsletter, broadcast: Make, changed: str) -> None:
    other = newsletter.segment("Others", "other@example.com")
    date = NEXT_WEEK.isoformat()
    arguments: dict[str, Any] = {"mailing_key": "key", "send_date": date}
    assert runner.run(broadcast(**arguments)).state == "success"
    runner.api.should_retry = True
    changes = {
        "message": {"message_id": newsletter.message + 1},
        "segment": {"groups": other},
        "date": {"send_date": (NEXT_WEEK + timedelta(hours=1)).isoformat()},
    }[changed]
    result = runner.run(broadcast(**{**arguments, "task_id": "again", **changes}))
    assert result.state == "failed"
    assert type(result.error).__name__ == "BroadcastConflict"
    there, here = {
        "message": (f"'{newsletter.message}' there", f"'{newsletter.message + 1}' here"),
        "segment": (f"{newsletter.broadcasts[0]['groups']} there", f"[{other}] here"),
        "date": ("start: '", "there"),
    }[changed]
    assert there in str(result.error)
    assert here in str(result.error)
    assert "edition" in str(result.error)
    assert len(newsletter.broadcasts) == 1


def test_one_of_several_segments_that_the_view_names(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    other = newsletter.segment("Others", "other@example.com", "reader0@example.com")
    excluded = newsletter.segment("Tired", "reader1@example.com")
    arguments = {"groups": ["Readers", other], "excluded_groups": [excluded]}
    assert runner.run(broadcast(**arguments)).state == "success"
    assert newsletter.mailed == dict.fromkeys([*READERS - {"reader1@example.com"}, "other@example.com"], 1)
    again = runner.run(broadcast(**arguments), try_number=2)
    assert again.xcom("broadcast", "broadcast")["adopted"] is True


@pytest.mark.parametrize("kind", ["lose_answer", "cut_answer", "truncate"])
def test_lost_answer_makes_one_broadcast(runner: Any, newsletter: Newsletter, broadcast: Make, kind: str) -> None:
    newsletter.emulator.faults.add(kind, operation="esputnik.broadcasts.create")
    result = runner.run(broadcast())
    assert result.state == "success", result.error
    assert result.value == newsletter.broadcasts[0]["id"]
    assert newsletter.count("broadcasts.create") == 1
    assert "only the answer was lost" in result.log
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


def test_lost_answer_of_one_that_is_listed_late(
    runner: Any, newsletter: Newsletter, broadcast: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_sendpulse.api.clock import SystemClock

    newsletter.emulator.configure(esputnik_broadcast_visibility_seconds=90, clock="real")
    newsletter.emulator.faults.add("lose_answer", operation="esputnik.broadcasts.create")
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: newsletter.emulator.advance(seconds))
    result = runner.run(broadcast())
    assert result.state == "success", result.error
    assert newsletter.count("broadcasts.create") == 1
    assert newsletter.count("broadcasts.list") > 2


def test_lost_request_is_sent_once_more(
    runner: Any, newsletter: Newsletter, broadcast: Make, jumping_clock: list[float]
) -> None:
    newsletter.emulator.faults.add("drop", operation="esputnik.broadcasts.create")
    result = runner.run(broadcast())
    assert result.state == "success", result.error
    assert len(newsletter.broadcasts) == 1
    assert newsletter.count("broadcasts.create") == 2
    assert sum(jumping_clock) >= 119
    assert "the request did not arrive" in result.log


def test_doubt_that_stays_is_final(
    runner: Any, newsletter: Newsletter, broadcast: Make, jumping_clock: list[float]
) -> None:
    newsletter.emulator.faults.add("drop", operation="esputnik.broadcasts.create", times=2)
    runner.api.should_retry = True
    result = runner.run(broadcast())
    assert result.state == "failed"
    assert type(result.error).__name__ == "AmbiguousOutcome"
    assert "Search the broadcasts in the eSputnik dashboard for [af-" in str(result.error)
    assert newsletter.broadcasts == []
    # Clearing the task is the advice, and it works.
    assert runner.run(broadcast(), try_number=2).state == "success"
    assert len(newsletter.broadcasts) == 1


def test_list_that_cannot_be_read_creates_nothing(
    runner: Any, newsletter: Newsletter, broadcast: Make, quick: list[float]
) -> None:
    newsletter.emulator.faults.add("status", operation="esputnik.broadcasts.list", status=500, times=None)
    runner.api.should_retry = True
    assert runner.run(broadcast()).state == "up_for_retry"
    assert newsletter.count("broadcasts.create") == 0


def test_refusal_leaves_nothing_behind(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    refused = runner.run(broadcast(message_id=newsletter.message + 1))
    assert type(refused.error).__name__ == "Refused"
    assert "not found" in str(refused.error)
    assert runner.run(broadcast(), try_number=2).state == "success"
    assert newsletter.count("broadcasts.create") == 2


def test_intent_that_cannot_be_written_sends_nothing(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    runner.api.broken_store = True
    assert runner.run(broadcast()).state == "failed"
    assert newsletter.count("broadcasts.create") == 0


def test_deleted_one_is_not_created_again(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    made = runner.run(broadcast(send_date=NEXT_WEEK.isoformat()))
    deletion = EsputnikDeleteBroadcastOperator(
        task_id="delete", dag=anew(broadcast().dag), broadcast_id="{{ ti.xcom_pull(task_ids='broadcast') }}"
    )
    assert runner.run(deletion).value is True
    assert newsletter.broadcasts == []
    again = runner.run(broadcast(send_date=NEXT_WEEK.isoformat()), try_number=2)
    assert type(again.error).__name__ == "BroadcastNotSent"
    assert f"Broadcast {made.value}, which an earlier try" in str(again.error)
    assert newsletter.count("broadcasts.create") == 1


def test_date_is_the_time_of_the_organisation(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    newsletter.emulator.configure(time_zone="Europe/Kyiv")
    result = runner.run(broadcast(send_date=NEXT_WEEK.isoformat(), batch_size="{{ 2 }}", batch_interval_unit="hour"))
    assert result.state == "success", result.error
    assert datetime.fromisoformat(newsletter.broadcasts[0]["starts_at"]) == NEXT_WEEK
    assert newsletter.mailed == {}
    newsletter.emulator.advance((NEXT_WEEK - datetime.now(UTC)).total_seconds() + 60)
    assert newsletter.mailed.total() == 2
    newsletter.emulator.advance(3600)
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


def test_another_time_zone_than_the_organisations_is_told(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    newsletter.emulator.faults.add(
        "status",
        operation="esputnik.broadcasts.create",
        status=200,
        body={"broadcastId": "810001", "title": "", "messageId": "1", "groupId": 1, "startDate": "2030-01-01T10:00"},
    )
    result = runner.run(broadcast(send_date=NEXT_WEEK.isoformat()))
    assert type(result.error).__name__ == "BroadcastUnlike"
    assert "and eSputnik says 2030-01-01 10:00:00" in str(result.error)


def test_title_that_the_service_cuts(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    body = {"broadcastId": "810001", "title": "New", "messageId": "1", "groupId": 1}
    newsletter.emulator.faults.add("status", operation="esputnik.broadcasts.create", status=200, body=body)
    result = runner.run(broadcast())
    assert type(result.error).__name__ == "BroadcastUnlike"
    assert "Give it a shorter title" in str(result.error)


@pytest.mark.parametrize(("past", "state"), [("fail", "failed"), ("skip", "skipped"), ("send_now", "success")])
def test_past_date(runner: Any, newsletter: Newsletter, broadcast: Make, past: str, state: str) -> None:
    result = runner.run(broadcast(send_date="2026-01-05T06:00:00+00:00", past_send_date=past))
    assert result.state == state, result.error
    assert newsletter.mailed == (dict.fromkeys(READERS, 1) if past == "send_now" else {})
    if past == "send_now":
        # What exists is adopted at any time.
        assert runner.run(broadcast(send_date="2026-01-05T06:00:00+00:00"), try_number=2).state == "success"


def test_too_late(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    assert runner.run(broadcast(not_after="{{ data_interval_end }}")).state == "skipped"
    assert newsletter.count("broadcasts.create") == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"title": " "}, "title is empty"),
        ({"message_id": "{{ none }}"}, "message_id is empty"),
        ({"groups": []}, "groups is empty"),
        ({"groups": "Reader"}, "groups names the segment 'Reader', and there is none"),
        ({"groups": "{{ ['Readers', 'Others'] }}"}, "groups names the segment 'Others', and there is none"),
        ({"groups": ["Readers"], "excluded_groups": "Readers"}, "nobody of these would get it"),
        ({"groups": [1.5]}, "groups is 1.5"),
        ({"groups": "[Readers]"}, "not a list of segments"),
        ({"batch_size": 10}, "belong together"),
        ({"batch_interval_unit": "HOUR"}, "belong together"),
        ({"batch_size": 0, "batch_interval_unit": "HOUR"}, "belong together"),
        ({"batch_size": 10, "batch_interval_unit": "WEEK"}, "MINUTE, HOUR, DAY, MONTH"),
        ({"send_date": "tomorrow"}, "send_date 'tomorrow' is not a date"),
        ({"send_date": datetime(2030, 1, 1)}, "has no time zone"),
        ({"past_send_date": "wait"}, "past_send_date is 'wait'"),
        ({"mailing_key": " "}, "mailing_key is empty"),
        ({"visibility_window": 7200}, "visibility_window is 7200 seconds"),
    ],
)
def test_wrong_arguments(runner: Any, newsletter: Newsletter, broadcast: Make, arguments: Any, told: str) -> None:
    runner.api.should_retry = True
    result = runner.run(broadcast(**arguments))
    assert result.state == "failed"
    assert told in str(result.error)
    assert newsletter.count("broadcasts.create") == 0


def test_date_needs_a_time_zone(runner: Any, broadcast: Make, connect_esputnik: Any) -> None:
    connect_esputnik(extra={"account_timezone": None})
    result = runner.run(broadcast(send_date=NEXT_WEEK.isoformat()))
    assert "A send_date needs the connection's account_timezone" in str(result.error)


def test_segment_name_that_two_have(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    two = [{"id": 7, "name": "Readers", "type": "Static"}, {"id": 8, "name": "Readers", "type": "Dynamic"}]
    newsletter.emulator.faults.add("status", operation="esputnik.segments.list", status=200, body=two)
    assert "there are several: [7, 8]" in str(runner.run(broadcast()).error)


def test_deletion(runner: Any, dag: Any, newsletter: Newsletter, broadcast: Make) -> None:
    made = runner.run(broadcast(send_date=NEXT_WEEK.isoformat())).value

    def delete(broadcast_id: Any = made) -> Any:
        operator = EsputnikDeleteBroadcastOperator(task_id="delete", dag=anew(dag), broadcast_id=broadcast_id)
        return runner.run(operator)

    newsletter.emulator.faults.add("lose_answer", operation="esputnik.broadcasts.delete")
    assert delete().value is True
    gone = delete()
    assert (gone.state, gone.value) == ("success", False)
    assert f"Broadcast {made} is gone already" in gone.log
    newsletter.emulator.advance(8 * 86400)
    assert newsletter.mailed == {}
    begun = delete(runner.run(broadcast(mailing_key="now")).value)
    assert type(begun.error).__name__ == "Refused"
    assert "Only a scheduled broadcast can be deleted" in str(begun.error)
    assert "broadcast_id is empty" in str(delete(None).error)


def test_nothing_personal_is_told(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    result = runner.run(broadcast())
    for told in (result.log, str(result.rendered), str(result.api.xcoms), str(result.api.store)):
        assert "@example.com" not in told
        assert newsletter.emulator.esputnik_key not in told
