# SPDX-License-Identifier: Apache-2.0
"""What the end of a task does to its campaign."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from airflow_provider_sendpulse.version_compat import AIRFLOW_V_3_3_PLUS

pytestmark = pytest.mark.usefixtures("connect")

needs_store = pytest.mark.skipif(
    not AIRFLOW_V_3_3_PLUS, reason="only the task state store of Airflow 3.3 tells whose cancellation it was"
)


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

    @needs_store
    def test_clear_while_deferred(self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float]) -> None:
        operator, deferral = self.deferred(runner, account, campaign_of)
        asyncio.run(runner.trigger(deferral).on_kill())
        assert [campaign["status"] for campaign in account.campaigns] == [16]
        again = runner.leg(operator, try_number=2)
        assert again.state == "deferred"
        assert account.campaigns[0]["status"] == 16
        assert len(account.campaigns) == 2
        assert account.campaigns[1]["name"].endswith("-g2]")

    @needs_store
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
        again = runner.leg(operator, try_number=2)
        if not AIRFLOW_V_3_3_PLUS:
            # Nobody knows whose cancellation it was, so nothing is mailed.
            assert type(again.error).__name__ == "CampaignNotSent"
            assert len(account.campaigns) == 1
            return
        # Known to be ours, so the task mails again when it is cleared.
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
        assert type(result.error).__name__ == "Killed"
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
