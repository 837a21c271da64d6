# SPDX-License-Identifier: Apache-2.0
"""One mailing makes one campaign, whatever Airflow does."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from execution_api import ExecutionApi
from mailings import list_unsent
from task_runner import TaskRunner

from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")
KYIV = ZoneInfo("Europe/Kyiv")


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


class TestNoPlace:
    """SendPulse takes four campaigns an hour."""

    def test_defers_and_looks_again(self, runner: Any, account: Any, campaign_of: Any) -> None:
        account.emulator.configure(campaigns_per_window=0)
        book = account.book("Readers")
        operator = campaign_of(address_book_id=book, deferrable=True)
        result = runner.leg(operator)
        assert result.state == "deferred"
        assert result.deferral["classpath"].endswith("DateTimeTrigger")
        assert "Waiting for a place until" in result.log
        assert account.campaigns == []
        account.emulator.configure(campaigns_per_window=4)
        resumed = runner.resume(operator, result.deferral, None)
        assert resumed.state == "success", resumed.error
        assert len(account.campaigns) == 1

    def test_sleeps_within_the_deadline(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
    ) -> None:
        account.emulator.configure(campaigns_per_window=0)
        result = runner.run(campaign_of(deferrable=False, timeout=7200))
        assert result.state == "failed"
        assert type(result.error).__name__ == "DeadlinePassed"
        assert 3600 < sum(jumping_clock) <= 7200
        assert all(900 <= seconds <= 961 for seconds in jumping_clock)

    def test_skips_rather_than_mails_late(self, runner: Any, account: Any, campaign_of: Any) -> None:
        account.emulator.configure(campaigns_per_window=0)
        soon = datetime.now(UTC) + timedelta(minutes=5)
        result = runner.run(campaign_of(deferrable=True, not_after=soon.isoformat()))
        assert result.state == "skipped"
        assert account.campaigns == []


def test_nothing_is_created_after_not_after(runner: Any, account: Any, campaign_of: Any) -> None:
    book = account.book("Readers")
    late = "{{ data_interval_end }}"  # long ago
    assert runner.run(campaign_of(address_book_id=book, not_after=late)).state == "skipped"
    assert account.campaigns == []
    # One that exists is adopted at any time.
    operator = campaign_of(address_book_id=book, task_id="other")
    first = runner.run(operator)
    operator.not_after = late
    again = runner.run(operator, try_number=2)
    assert again.value == first.value


@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("skip", "skipped"), ("send_now", "success")])
def test_past_send_date(runner: Any, account: Any, campaign_of: Any, choice: str, state: str) -> None:
    result = runner.run(campaign_of(send_date="{{ data_interval_end }}", past_send_date=choice))
    assert result.state == state, result.error
    assert len(account.campaigns) == (1 if choice == "send_now" else 0)
    if choice == "send_now":
        assert "send_date" not in account.sent("campaigns.create")[0]


class TestCancelOnKill:
    """A campaign that is cancelled by the end of its own task is mailed by the next try."""

    def deferred(self, runner: Any, account: Any, campaign_of: Any, **arguments: Any) -> Any:
        account.emulator.configure(transitions="clock", seconds_per_status=1000)
        self.book = account.book("Readers")
        operator = campaign_of(
            address_book_id=self.book, wait_for_completion=True, deferrable=True, cancel_on_kill=True, **arguments
        )
        result = runner.leg(operator)
        assert result.state == "deferred"
        return operator, result.deferral

    def test_clear_while_deferred(self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
        operator, deferral = self.deferred(runner, account, campaign_of)
        asyncio.run(runner.trigger(deferral).on_kill())
        assert [campaign["status"] for campaign in account.campaigns] == [16]
        again = runner.leg(operator, try_number=2)
        assert again.state == "deferred"
        assert account.campaigns[0]["status"] == 16
        assert len(account.campaigns) == 2
        assert account.campaigns[1]["name"].endswith("-g2]")

    def test_new_try_is_faster_than_the_old_trigger(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
    ) -> None:
        operator, old = self.deferred(runner, account, campaign_of)
        new = runner.leg(operator, try_number=2)
        assert new.state == "deferred"
        asyncio.run(runner.trigger(old).on_kill())
        event = runner.trigger_event(new.deferral)
        assert event["code"] == 16
        jumping_clock.append(360)  # the grace counts until it was seen, not until a worker was free
        resumed = runner.resume(operator, new.deferral, event, try_number=2)
        assert resumed.state == "deferred"
        assert len(account.campaigns) == 2
        assert "cancelled by the end of the try before" in resumed.log

    def test_killed_on_the_worker(self, runner: Any, account: Any, campaign_of: Any) -> None:
        operator, _ = self.deferred(runner, account, campaign_of)
        operator._killable = account.campaigns[0]["id"]
        operator.on_kill()
        assert [campaign["status"] for campaign in account.campaigns] == [16]

    def test_not_unless_asked_for(self, runner: Any, account: Any, campaign_of: Any) -> None:
        account.emulator.configure(transitions="clock", seconds_per_status=1000)
        operator = campaign_of(wait_for_completion=True, deferrable=True)
        result = runner.leg(operator)
        operator._killable = account.campaigns[0]["id"]
        operator.on_kill()
        asyncio.run(runner.trigger(result.deferral).on_kill())
        assert account.campaigns[0]["status"] != 16

    def test_cancelled_by_a_person_is_an_end(self, runner: Any, account: Any, campaign_of: Any) -> None:
        operator, deferral = self.deferred(runner, account, campaign_of)
        account.force(account.campaigns[0]["id"], 16)
        event = runner.trigger_event(deferral)
        result = runner.resume(operator, deferral, event)
        assert result.state == "failed"
        assert len(account.campaigns) == 1

    def test_timeout_cancels_and_says_so(self, runner: Any, account: Any, campaign_of: Any) -> None:
        operator, deferral = self.deferred(runner, account, campaign_of)
        event = {"kind": "timeout", "code": 1, "history": [], "error": None, "message": "The deadline has passed."}
        result = runner.resume(operator, deferral, event)
        assert result.state == "failed"
        assert "was cancelled before it went out" in str(result.error)
        assert account.campaigns[0]["status"] == 16
        # Known to be ours, so the task mails again when it is cleared.
        again = runner.leg(operator, try_number=2)
        assert again.state == "deferred"
        assert len(account.campaigns) == 2

    def test_service_down_at_the_deadline(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
    ) -> None:
        operator, deferral = self.deferred(runner, account, campaign_of)
        account.emulator.faults.add("status", operation="campaigns.read", status=503, times=None)
        runner.api.should_retry = True
        event = {"kind": "timeout", "code": 1, "history": [], "error": None, "message": "The deadline has passed."}
        result = runner.resume(operator, deferral, event)
        assert result.state == "failed"
        assert type(result.error).__name__ == "DeadlinePassed"
        assert "was not cancelled" in str(result.error)

    def test_service_down_at_the_kill(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float], caplog: Any
    ) -> None:
        operator, _ = self.deferred(runner, account, campaign_of)
        account.emulator.faults.add("status", operation="campaigns.read", status=503, times=None)
        operator._killable = account.campaigns[0]["id"]
        operator.on_kill()
        assert account.campaigns[0]["status"] != 16

    @pytest.mark.parametrize("retry", [False, True])
    def test_killed_in_a_running_wait(
        self, runner: Any, account: Any, campaign_of: Any, monkeypatch: Any, retry: bool
    ) -> None:
        """Airflow's handler returns, and the process goes on for up to five seconds."""
        operator, _ = self.deferred(runner, account, campaign_of)
        operator.deferrable = False
        waiting: list[Any] = []
        real = type(operator)._wait

        def wait(self: Any, *arguments: Any) -> Any:
            waiting.append(self)
            return real(self, *arguments)

        def sleep(_: Any, seconds: float) -> None:
            assert waiting, "nothing else sleeps"
            waiting[0].on_kill()
            assert account.campaigns[-1]["status"] == 16

        from airflow_provider_sendpulse.api.clock import SystemClock

        monkeypatch.setattr(type(operator), "_wait", wait)
        monkeypatch.setattr(SystemClock, "sleep", sleep)
        if retry:
            result = runner.run(operator, try_number=2)
        else:
            account.force(account.campaigns[0]["id"], 3)
            operator.edition = 2
            result = runner.run(operator)
        assert type(result.error).__name__ == "_Killed"
        assert len(account.campaigns) == (1 if retry else 2)

    @pytest.mark.parametrize("wait", [True, False])
    def test_cancelled_after_a_part_went_out(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float], wait: bool
    ) -> None:
        operator, _ = self.deferred(runner, account, campaign_of)
        for status in (23, 16):
            account.force(account.campaigns[0]["id"], status)
        operator.wait_for_completion = wait
        runner.api.should_retry = True
        result = runner.run(operator, try_number=2)
        assert result.state == "failed"
        assert type(result.error).__name__ == "CampaignNotSent"
        assert len(account.campaigns) == 1
        assert len(account.sent("campaigns.read")) < 10

    def test_a_part_went_out_and_seen_only_in_the_triggerer(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
    ) -> None:
        operator, _ = self.deferred(runner, account, campaign_of)
        new = runner.leg(operator, try_number=2).deferral
        for status in (23, 16):
            account.force(account.campaigns[0]["id"], status)
        result = runner.resume(operator, new, runner.trigger_event(new), try_number=2)
        assert result.state == "failed"
        assert len(account.campaigns) == 1

    def test_a_person_cancels_what_a_retry_has_adopted(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]
    ) -> None:
        """The try before ended by itself, so no trigger of it can have cancelled anything."""
        operator, deferral = self.deferred(runner, account, campaign_of)
        assert runner.resume(operator, deferral, {"kind": "error", "error": "ServiceUnavailable", "message": "x"}).error
        new = runner.leg(operator, try_number=2).deferral
        account.force(account.campaigns[0]["id"], 16)
        result = runner.resume(operator, new, runner.trigger_event(new), try_number=2)
        assert result.state == "failed"
        # Nor does the next try take it for its own doing.
        assert runner.run(operator, try_number=3).state == "failed"
        assert len(account.campaigns) == 1


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


def test_waiting_for_a_place_has_one_deadline(campaign_of: Any, account: Any, jumping_clock: list[float]) -> None:
    """Below Airflow 3.3 too, where nothing but the deferral itself knows it."""
    runner = TaskRunner(ExecutionApi(), state_store=False)
    account.emulator.faults.add("status", operation="campaigns.create", status=422, error_code=791, times=None)
    operator = campaign_of(address_book_id=account.book("Readers"), deferrable=True, timeout=3600)
    result = runner.leg(operator)
    resumed = 0
    while result.state == "deferred" and resumed < 10:
        jumping_clock.append(1000.0)
        result = runner.resume(operator, result.deferral, None)
        resumed += 1
    assert type(result.error).__name__ == "DeadlinePassed"
    assert 0 < resumed < 5


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


def test_report_of_cost(runner: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of())
    report = result.xcom("campaign", "campaign")
    assert report == {
        "campaign_id": result.value,
        "adopted": False,
        "tariff_email_qty": report["tariff_email_qty"],
        "paid_email_qty": report["paid_email_qty"],
        "overdraft_price": report["overdraft_price"],
        "overdraft_currency": "USD",
    }
    assert f"Campaign {result.value}: {report['tariff_email_qty']} emails within the plan" in result.log


def test_link_by_the_permalink(runner: Any, account: Any, campaign_of: Any) -> None:
    from airflow_provider_sendpulse import sendpulse as sp
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook

    result = runner.run(campaign_of())
    with SendPulseHook() as hook:
        permalink = hook.send(sp.campaigns.read(result.value)).permalink
    assert permalink.startswith("http")
    assert result.xcom("_link_SendPulseCampaignLink", "campaign") == permalink


def test_link_by_the_pattern(
    runner: Any, account: Any, campaign_of: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from airflow_provider_sendpulse.sendpulse import campaigns

    connect(extra={"campaign_link": "https://example.com/campaign/{id}?x={y}"})
    read = campaigns.read

    def without_permalink(campaign_id: int) -> Any:
        call = read(campaign_id)
        return replace(call, read=lambda answer: replace(call.read(answer), permalink=""))

    monkeypatch.setattr(campaigns, "read", without_permalink)
    result = runner.run(campaign_of())
    assert result.xcom("_link_SendPulseCampaignLink", "campaign") == f"https://example.com/campaign/{result.value}?x={{y}}"


def test_link_after_a_failure(runner: Any, account: Any, campaign_of: Any) -> None:
    account.emulator.configure(next_campaign_outcomes=[11])
    result = runner.run(campaign_of(wait_for_completion=True))
    assert result.state == "failed"
    assert result.xcom("_link_SendPulseCampaignLink", "campaign")


def test_segment(runner: Any, account: Any, campaign_of: Any) -> None:
    book_id = account.book()
    account.emulator.configure(segments={7: book_id})
    assert runner.run(campaign_of(segment_id="{{ 7 }}", address_book_id=None)).state == "success"
    [body] = account.sent("campaigns.create")
    assert body["segment_id"] == 7
    assert "list_id" not in body


def test_segment_of_two_books(runner: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of(segment_id=7, address_book_id=[account.book("One"), account.book("Two")]))
    assert "A segment belongs to exactly one address book" in str(result.error)


@pytest.mark.parametrize("form", ["numbers", "texts", "text", "XCom"])
def test_several_books(runner: Any, account: Any, campaign_of: Any, upstream: Any, form: str) -> None:
    ids = [account.book("One"), account.book("Two")]
    given: Any = {
        "numbers": ids,
        "texts": [str(book_id) for book_id in ids],
        "text": ", ".join(map(str, ids)),
        "XCom": upstream("books", ids),
    }[form]
    assert runner.run(campaign_of(address_book_id=given)).state == "success"
    assert account.sent("campaigns.create")[0]["list_id"] == ids


def test_book_of_an_upstream_task_in_the_list(runner: Any, account: Any, campaign_of: Any, upstream: Any) -> None:
    book_id = account.book()
    assert runner.run(campaign_of(address_book_id=[upstream("book", book_id)])).state == "success"
    assert account.sent("campaigns.create")[0]["list_id"] == book_id


def test_draft(runner: Any, account: Any, campaign_of: Any) -> None:
    result = runner.run(campaign_of(draft=True, wait_for_completion=True))
    assert result.state == "success", result.error
    assert account.campaigns[0]["status"] == 26
    assert account.sent("campaigns.create")[0]["type"] == "draft"
    assert result.xcom("status_history", "campaign")[-1][0] == 26


class TestSendDate:
    """When a campaign goes out."""

    @pytest.fixture
    def tomorrow(self) -> datetime:
        return (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0, hour=12)

    @pytest.mark.parametrize("form", ["date", "text", "other zone", "pendulum"])
    def test_account_time(self, runner: Any, account: Any, campaign_of: Any, tomorrow: datetime, form: str) -> None:
        import pendulum

        given = {
            "date": tomorrow,
            "text": tomorrow.isoformat(),
            "other zone": tomorrow.astimezone(ZoneInfo("Asia/Tokyo")),
            "pendulum": pendulum.instance(tomorrow),
        }[form]
        result = runner.run(campaign_of(send_date=given))
        assert result.state == "success", result.error
        local = tomorrow.astimezone(KYIV)
        assert account.sent("campaigns.create")[0]["send_date"] == local.strftime("%Y-%m-%d %H:%M:%S")

    @pytest.mark.parametrize("native", [False, True])
    def test_template(self, runner: Any, native_dag: Any, dag: Any, account: Any, campaign_of: Any, native: bool) -> None:
        date = "{{ macros.datetime(2099, 1, 5, 6, tzinfo=data_interval_end.tzinfo) }}"
        result = runner.run(campaign_of(send_date=date, dag=native_dag if native else dag))
        assert result.state == "success", result.error
        assert account.sent("campaigns.create")[0]["send_date"] == "2099-01-05 08:00:00"

    @pytest.mark.parametrize("date", ["2099-01-05 06:00:00", datetime(2099, 1, 5, 6), "{{ '2099-01-05T06:00' }}"])
    def test_naive_date_is_refused(self, runner: Any, account: Any, campaign_of: Any, date: Any) -> None:
        runner.api.should_retry = True
        result = runner.run(campaign_of(send_date=date))
        assert result.state == "failed"
        assert "has no time zone" in str(result.error)
        assert not account.sent("campaigns.create")

    def test_date_that_is_none(self, runner: Any, account: Any, campaign_of: Any) -> None:
        result = runner.run(campaign_of(send_date="soon"))
        assert "soon" in str(result.error)

    @pytest.mark.parametrize("zone", [None, "", "Europe/Nowhere"])
    def test_account_without_a_zone(
        self, runner: Any, account: Any, campaign_of: Any, connect: Any, tomorrow: datetime, zone: str | None
    ) -> None:
        connect(extra={"account_timezone": zone})
        runner.api.should_retry = True
        result = runner.run(campaign_of(send_date=tomorrow))
        assert result.state == "failed"
        assert "account_timezone" in str(result.error)
        assert not account.sent("campaigns.create")

    @pytest.mark.parametrize("empty", [None, "", "None"])
    def test_no_date(self, runner: Any, account: Any, campaign_of: Any, connect: Any, empty: Any) -> None:
        connect(extra={"account_timezone": None})
        assert runner.run(campaign_of(send_date=empty)).state == "success"
        assert "send_date" not in account.sent("campaigns.create")[0]

    def test_past_date_is_refused(self, runner: Any, account: Any, campaign_of: Any) -> None:
        result = runner.run(campaign_of(send_date="2026-01-05T06:00:00+00:00"))
        assert result.state == "failed"
        assert "has passed, and no campaign was created before" in str(result.error)
        assert not account.sent("campaigns.create")

    @pytest.mark.parametrize("recipients", [1, 25])
    def test_early_start_fails_loudly(
        self, runner: Any, account: Any, campaign_of: Any, tomorrow: datetime, recipients: int
    ) -> None:
        account.emulator.configure(ignore_send_date=True)
        book_id = account.book(emails=[f"reader{number}@example.com" for number in range(recipients)])
        runner.api.should_retry = True
        result = runner.run(campaign_of(send_date=tomorrow, address_book_id=book_id))
        assert result.state == "failed"
        assert type(result.error).__name__ == "CampaignStartedEarly"
        assert "DMARC" in str(result.error)
        # Who opens the task must get to the campaign.
        assert result.xcom("_link_SendPulseCampaignLink", "campaign")

    def test_wait_counts_from_the_date(self, runner: Any, account: Any, campaign_of: Any, tomorrow: datetime) -> None:
        campaign = campaign_of(send_date=tomorrow, wait_for_completion=True, deferrable=True, timeout=600)
        result = runner.leg(campaign)
        assert result.state == "deferred"
        arguments = runner.trigger_arguments(result.deferral)
        assert arguments["deadline"] == pytest.approx(tomorrow.timestamp() + 600, abs=2)
        assert json.dumps(arguments)


def test_campaign_that_cannot_be_read_yet(runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
    account.emulator.faults.add("status", operation="campaigns.read", status=404, error_code=802, times=3)
    result = runner.run(campaign_of())
    assert result.state == "success", result.error
    assert len(account.campaigns) == 1
    assert sum(jumping_clock) == 30


def test_long_name_keeps_its_marker(runner: Any, account: Any, campaign_of: Any) -> None:
    assert runner.run(campaign_of(name="Новини " * 60)).state == "success"
    [campaign] = account.campaigns
    assert len(campaign["name"]) <= 120
    assert marker(campaign)


def test_draft_is_not_adopted_as_a_campaign(runner: Any, account: Any, campaign_of: Any) -> None:
    book = account.book("Readers")
    operator = campaign_of(address_book_id=book, draft=True, wait_for_completion=True)
    assert runner.run(operator).state == "success"
    operator.draft = False
    result = runner.run(operator, try_number=2)
    assert result.state == "failed"
    assert type(result.error).__name__ == "CampaignConflict"
    assert len(account.campaigns) == 1
