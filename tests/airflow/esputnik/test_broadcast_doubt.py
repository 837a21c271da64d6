# SPDX-License-Identifier: Apache-2.0
"""A broadcast that may be there already is not created: repeated requests, titles that were cut, segments that are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from broadcasting import Newsletter
from execution_api import ExecutionApi
from task_runner import TaskRunner

from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.operators.esputnik.broadcasts import EsputnikCreateBroadcastOperator

READERS = {f"reader{number}@example.com" for number in range(3)}
TITLE = "News of all shops"

Make = Callable[..., EsputnikCreateBroadcastOperator]


@pytest.fixture
def listed_late(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    """New broadcasts are not listed for a while, which passes where the client would wait."""
    from airflow_provider_sendpulse.api.clock import SystemClock

    newsletter.emulator.configure(esputnik_broadcast_visibility_seconds=90, clock="real")
    monkeypatch.setattr(SystemClock, "sleep", lambda _, seconds: newsletter.emulator.advance(seconds))


@pytest.mark.usefixtures("listed_late")
def test_what_was_received_before_is_looked_for(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    newsletter.emulator.faults.add("status", operation="esputnik.broadcasts.create", status=409, after_effect=True, times=1)
    result = runner.run(broadcast())
    assert result.state == "success", result.error
    assert result.value == newsletter.broadcasts[0]["id"]
    assert "was created by an earlier request" in result.log
    assert runner.run(broadcast(), try_number=2).value == result.value
    assert newsletter.count("broadcasts.create") == 1
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


def test_what_was_received_before_and_is_not_listed_is_in_doubt(
    runner: Any, newsletter: Newsletter, broadcast: Make, jumping_clock: list[float]
) -> None:
    newsletter.emulator.faults.add("status", operation="esputnik.broadcasts.create", status=409, times=1)
    runner.api.should_retry = True
    result = runner.run(broadcast())
    assert (result.state, type(result.error).__name__) == ("failed", "AmbiguousOutcome")
    assert "eSputnik says that it has received the request" in str(result.error)
    assert "Then clear the task" in str(result.error)
    assert sum(jumping_clock) >= 119
    assert newsletter.count("broadcasts.create") == 1
    assert runner.run(broadcast(), try_number=2).state == "success"
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


# In the title, in the marker, behind its digest.
@pytest.mark.parametrize("length", [16, len(TITLE), len(TITLE) + 6, len(TITLE) + 22, len(TITLE) + 24])
@pytest.mark.parametrize("stored", [True, False])
def test_one_with_a_cut_title_is_not_created_again(
    runner: Any, newsletter: Newsletter, broadcast: Make, jumping_clock: list[float], length: int, stored: bool
) -> None:
    newsletter.emulator.configure(esputnik_longest_broadcast_title=length)
    newsletter.emulator.faults.add("lose_answer", operation="esputnik.broadcasts.create", times=1)
    runner = TaskRunner(runner.api, state_store=stored)
    runner.api.should_retry = True
    for number in (1, 2):
        result = runner.run(broadcast(title=TITLE), try_number=number)
        assert (result.state, type(result.error).__name__) == ("failed", "AmbiguousOutcome")
        assert f"broadcast {newsletter.broadcasts[0]['id']} has the beginning of the name" in str(result.error)
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


def test_another_run_does_not_create_one_with_a_cut_title_again(newsletter: Newsletter, broadcast: Make) -> None:
    newsletter.emulator.configure(esputnik_longest_broadcast_title=len(TITLE) + 6)
    for run in ("first", "second"):
        result = TaskRunner(ExecutionApi(run_id=run)).run(broadcast(title=TITLE, mailing_key="weekly", visibility_window=1))
        assert result.state == "failed"
    assert "may be this one, its name cut by eSputnik" in str(result.error)
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


@pytest.mark.parametrize("other", ["message", "segment", "title", "length"])
def test_what_only_looks_like_a_cut_title_is_no_hindrance(
    runner: Any, newsletter: Newsletter, broadcast: Make, other: str
) -> None:
    segment = newsletter.segment("Others", "other@example.com")
    with newsletter.emulator.emulator.lock:
        newsletter.emulator.state.esputnik.broadcasts.create(
            newsletter.message + (other == "message"),
            [segment if other == "segment" else segment - 1],
            [],
            {"title": f"{TITLE[:-1]}!", "length": TITLE[:15]}.get(other, TITLE),
            None,
        )
    result = runner.run(broadcast(title=TITLE))
    assert result.state == "success", result.error
    assert len(newsletter.broadcasts) == 2


def test_a_namesake_made_by_hand_is_no_hindrance_where_a_longer_title_is_whole(
    newsletter: Newsletter, broadcast: Make
) -> None:
    segment = newsletter.readers()
    create = newsletter.emulator.state.esputnik.broadcasts.create

    def by_hand(title: str, message: int) -> None:
        with newsletter.emulator.emulator.lock:
            create(message, [segment], [], title, None)

    def run(name: str, **changes: Any) -> Any:
        runner = TaskRunner(ExecutionApi(run_id=name))
        return runner.run(broadcast(title=TITLE, groups=[segment], mailing_key="weekly", visibility_window=1, **changes))

    by_hand(TITLE, newsletter.message)
    by_hand("x" * len(TITLE), newsletter.message + 1)
    blocked = run("first")
    assert type(blocked.error).__name__ == "AmbiguousOutcome"
    assert "give the operator a name that begins otherwise" in str(blocked.error)
    by_hand(f"{TITLE}, and of those of our friends", newsletter.message + 1)
    made = run("second")
    assert made.state == "success", made.error
    assert run("third").value == made.value
    assert run("fourth", edition=2).value != made.value
    assert newsletter.count("broadcasts.create") == 2


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ([], "there is none"),
        ([{"id": 7, "name": "Renamed", "type": "Static"}], "there is none"),
        ([{"id": number, "name": "Readers", "type": "Static"} for number in (7, 8)], "there are several"),
    ],
)
def test_one_whose_segment_is_not_found_any_more_is_adopted(
    runner: Any, newsletter: Newsletter, broadcast: Make, segments: list[Any], told: str
) -> None:
    made = runner.run(broadcast())
    newsletter.emulator.faults.add("status", operation="esputnik.segments.list", status=200, body=segments)
    again = runner.run(broadcast(), try_number=2)
    assert (again.state, again.value) == ("success", made.value)
    assert told in again.log
    assert "cannot be compared" in again.log
    assert newsletter.mailed == dict.fromkeys(READERS, 1)


def test_segments_are_named_no_earlier_than_needed(runner: Any, newsletter: Newsletter, broadcast: Make) -> None:
    assert runner.run(broadcast(groups="Nobody")).state == "failed"
    assert newsletter.count("broadcasts.list") > 0
    marker = Marker.of(deployment="", mailing_key="key", edition=1)
    with newsletter.emulator.emulator.lock:
        newsletter.emulator.state.esputnik.broadcasts.create(newsletter.message, [1], [], marker.name("News"), None)
    result = runner.run(broadcast(mailing_key="key"))
    assert type(result.error).__name__ == "BroadcastConflict"
    assert "segments: [1] there" in str(result.error)
