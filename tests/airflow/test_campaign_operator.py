# SPDX-License-Identifier: Apache-2.0
"""One mailing makes one campaign, whatever Airflow does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from execution_api import ExecutionApi
from mailings import list_unsent
from task_runner import TaskRunner

from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")


def marker(result_or_campaign: Any) -> str:
    found = Marker.in_name(result_or_campaign["name"])
    assert found is not None
    return found.digest


def test_marker_in_the_name(runner: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of(name="News of {{ ds }}"))
    assert result.state == "success", result.error
    [campaign] = account.campaigns
    key = "\0".join(("a_dag", "scheduled__2026-01-05", "campaign", "-1"))
    expected = Marker.of(deployment="", mailing_key=key, edition=1)
    assert campaign["name"] == f"News of 2026-01-05 {expected}"
    assert result.value == campaign["id"]


@pytest.mark.parametrize("given", [None, True, False])
def test_dynamic_list(runner: Any, account: Any, campaign_of: Any, given: bool | None) -> None:
    result = runner.run(campaign_of(use_dynamic_list=given))
    assert result.state == "success", result.error
    [body] = account.sent("campaigns.create")
    assert body.get("use_dynamic_list") is given
    assert ("use_dynamic_list" in body) is (given is not None)


@pytest.mark.parametrize("how", ["retry", "cleared", "cleared without a store"])
def test_second_run_adopts(runner: Any, account: Any, campaign_of: Any, how: str) -> None:
    campaign = campaign_of()
    first = runner.run(campaign)
    if how == "cleared without a store":
        runner = TaskRunner(ExecutionApi(xcoms={}), state_store=False)
    second = runner.run(campaign, try_number=2 if how == "retry" else 1)
    assert second.state == "success", second.error
    assert second.value == first.value
    assert second.xcom("campaign", "campaign")["adopted"] is True
    assert first.value == account.campaigns[0]["id"]
    assert len(account.campaigns) == 1
    assert len(account.sent("campaigns.create")) == 1


def test_later_run_is_another_mailing(account: Any, campaign_of: Any) -> None:
    campaign = campaign_of()
    for run_id in ("scheduled__1", "scheduled__2"):
        assert TaskRunner(ExecutionApi(run_id=run_id)).run(campaign).state == "success"
    assert len({marker(campaign) for campaign in account.campaigns}) == 2


def test_mailing_key_joins_runs(account: Any, campaign_of: Any) -> None:
    campaign = campaign_of(mailing_key="digest-{{ ds }}")
    for run_id in ("scheduled__1", "manual__2"):
        assert TaskRunner(ExecutionApi(run_id=run_id)).run(campaign).state == "success"
    assert len(account.campaigns) == 1


def test_mailing_key_joins_a_run_of_a_month_later(account: Any, campaign_of: Any, connect: Any) -> None:
    first = campaign_of(mailing_key="spring-sale")
    assert TaskRunner(ExecutionApi(run_id="scheduled__1")).run(first).state == "success"
    account.campaign(3)
    # Somebody runs the DAG again much later, and this time there is another address book.
    later = ExecutionApi(run_id="manual__2", run_after=datetime.now(UTC) + timedelta(days=30))
    second = TaskRunner(later).run(campaign_of(mailing_key="spring-sale", task_id="again"))
    assert type(second.error).__name__ == "CampaignConflict"
    assert len(account.sent("campaigns.create")) == 1


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
    runner: Any, account: Any, campaign_of: Any, connect: Any, changes: dict[str, Any], extra: dict[str, Any]
) -> None:
    book_id = account.book()
    arguments = {"mailing_key": "key", "address_book_id": book_id}
    assert runner.run(campaign_of(**arguments)).state == "success"
    connect(extra=extra)
    assert runner.run(campaign_of(**{**arguments, "task_id": "again", **changes})).state == "success"
    assert len({marker(campaign) for campaign in account.campaigns}) == 2


@pytest.mark.parametrize("changed", ["subject", "book"])
def test_conflict(runner: Any, account: Any, campaign_of: Any, changed: str) -> None:
    books = [account.book("One"), account.book("Two")]
    arguments = {"mailing_key": "key", "address_book_id": books[0], "subject": "News"}
    assert runner.run(campaign_of(**arguments)).state == "success"
    runner.api.should_retry = True
    changes = {"subject": "Other news"} if changed == "subject" else {"address_book_id": books[1]}
    result = runner.run(campaign_of(**{**arguments, "task_id": "again", **changes}))
    assert result.state == "failed"
    assert type(result.error).__name__ == "CampaignConflict"
    there, here = ("'News' there", "'Other news' here") if changed == "subject" else (f"[{books[0]}]", f"[{books[1]}]")
    assert there in str(result.error)
    assert here in str(result.error)
    assert "edition" in str(result.error)
    assert len(account.campaigns) == 1


@pytest.mark.parametrize("kind", ["lose_answer", "cut_answer", "truncate"])
def test_lost_answer_makes_one_campaign(runner: Any, account: Any, campaign_of: Any, kind: str) -> None:
    account.emulator.faults.add(kind, operation="campaigns.create")
    result = runner.run(campaign_of())
    assert result.state == "success", result.error
    assert result.value == account.campaigns[0]["id"]
    assert len(account.sent("campaigns.create")) == 1
    assert "only the answer was lost" in result.log


def test_lost_request_is_sent_once_more(runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
    account.emulator.faults.add("drop", operation="campaigns.create")
    result = runner.run(campaign_of())
    assert result.state == "success", result.error
    assert len(account.campaigns) == 1
    assert len(account.sent("campaigns.create")) == 2
    assert sum(jumping_clock) >= 119
    assert "the request did not arrive" in result.log


def test_doubt_that_stays_is_final(runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
    account.emulator.faults.add("drop", operation="campaigns.create", times=2)
    runner.api.should_retry = True
    operator = campaign_of()
    result = runner.run(operator)
    assert result.state == "failed"
    assert type(result.error).__name__ == "AmbiguousOutcome"
    assert "Search the campaigns in the SendPulse dashboard for" in str(result.error)
    assert account.campaigns == []
    # Clearing the task is the advice, and it works.
    assert runner.run(operator, try_number=2).state == "success"
    assert len(account.campaigns) == 1


def test_retry_after_a_kill_looks_before_it_creates(
    runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    book = account.book("Readers")
    account.emulator.configure(campaign_visibility_seconds=3600)
    operator = campaign_of(address_book_id=book, mailing_key="k")
    created = runner.run(operator)
    assert created.state == "success"
    # What is left when the worker dies between the request and its answer: an intent without an id, an unlisted campaign.
    [(name, value)] = [(name, value) for name, value in runner.api.store.items() if "mailing-" in name]
    runner.api.store[name] = {**value, "intent": {**value["intent"], "campaign_id": None}}
    listed_at = sum(jumping_clock) + 60
    looks = []

    def appear(_: Any, seconds: float) -> None:
        jumping_clock.append(seconds)
        looks.append(seconds)
        if sum(jumping_clock) >= listed_at:
            account.emulator.advance(3600)

    with pytest.MonkeyPatch.context() as patch:
        from airflow_provider_sendpulse.api.clock import SystemClock

        patch.setattr(SystemClock, "sleep", appear)
        result = runner.run(operator, try_number=2)
    assert result.state == "success", result.error
    assert result.value == created.value
    assert len(account.sent("campaigns.create")) == 1
    assert looks


def test_retry_reads_the_id_and_pushes_everything_again(runner: Any, account: Any, campaign_of: Any) -> None:
    book = account.book("Readers")
    operator = campaign_of(address_book_id=book)
    first = runner.run(operator)
    lists, creations = len(account.sent("campaigns.list")), len(account.sent("campaigns.create"))
    again = runner.run(operator, try_number=2)
    assert again.value == first.value
    assert again.xcom("campaign", "campaign")["adopted"] is True
    assert again.xcom("_link_SendPulseCampaignLink", "campaign").startswith("http")
    assert len(account.sent("campaigns.create")) == creations
    if AIRFLOW_V_3_3_PLUS:
        assert len(account.sent("campaigns.list")) == lists


def test_intent_that_cannot_be_written_sends_nothing(runner: Any, account: Any, campaign_of: Any) -> None:
    if not AIRFLOW_V_3_3_PLUS:
        pytest.skip("needs the task state store of Airflow 3.3")
    runner.api.broken_store = True
    result = runner.run(campaign_of())
    assert result.state in ("failed", "up_for_retry")
    assert account.sent("campaigns.create") == []


@pytest.mark.parametrize(("code", "recreated"), [(5, True), (12, True), (16, True), (25, False), (11, False), (6, False)])
def test_ended_badly(
    runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float], code: int, recreated: bool, monkeypatch: Any
) -> None:
    list_unsent(monkeypatch)
    book = account.book("Readers")
    operator = campaign_of(address_book_id=book, if_ended_badly="recreate")
    first = runner.run(operator)
    account.force(first.value, code)
    again = runner.run(operator, try_number=2)
    # What is adopted and will never go out is no success.
    assert again.state == ("failed" if code in (6, 25) else "success"), again.error
    assert len(account.campaigns) == (2 if recreated else 1)
    assert again.state == "failed" or (again.value != first.value) == recreated


def test_deadline_across_tries(runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
    account.emulator.configure(transitions="clock", seconds_per_status=1000)
    book = account.book("Readers")
    operator = campaign_of(address_book_id=book, wait_for_completion=True, deferrable=True, timeout=600)
    first = runner.trigger_arguments(runner.leg(operator).deferral)["deadline"]
    jumping_clock.append(300)
    second = runner.trigger_arguments(runner.leg(operator, try_number=2).deferral)["deadline"]
    if AIRFLOW_V_3_3_PLUS:
        assert second == first
    else:
        assert second == pytest.approx(first + 300, abs=60)
    runner.api.clear_number = 1
    cleared = runner.trigger_arguments(runner.leg(operator, try_number=3).deferral)["deadline"]
    assert cleared == pytest.approx(first + 300, abs=60)


def test_campaign_that_cannot_be_read_yet(runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
    account.emulator.faults.add("status", operation="campaigns.read", status=404, error_code=802, times=3)
    result = runner.run(campaign_of())
    assert result.state == "success", result.error
    assert len(account.campaigns) == 1
    assert sum(jumping_clock) == 30


def test_draft_is_not_adopted_as_a_campaign(runner: Any, account: Any, campaign_of: Any) -> None:
    book = account.book("Readers")
    operator = campaign_of(address_book_id=book, draft=True, wait_for_completion=True)
    assert runner.run(operator).state == "success"
    operator.draft = False
    result = runner.run(operator, try_number=2)
    assert result.state == "failed"
    assert type(result.error).__name__ == "CampaignConflict"
    assert len(account.campaigns) == 1
