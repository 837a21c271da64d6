# SPDX-License-Identifier: Apache-2.0
"""SendPulse takes four campaigns an hour: waiting for a place, and when that is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from execution_api import ExecutionApi
from task_runner import TaskRunner

pytestmark = pytest.mark.usefixtures("connect")


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

    @pytest.mark.parametrize("is_free", [False, True])
    def test_asks_a_last_time_before_it_is_too_late(
        self, runner: Any, account: Any, campaign_of: Any, jumping_clock: list[float], is_free: bool
    ) -> None:
        account.emulator.configure(campaigns_per_window=0)
        soon = datetime.now(UTC) + timedelta(minutes=5)
        operator = campaign_of(deferrable=True, not_after=soon.isoformat())
        result = runner.leg(operator)
        assert result.state == "deferred"
        left = soon.timestamp() - runner.trigger_arguments(result.deferral)["moment"].timestamp()
        assert 30 <= left <= 90
        account.emulator.configure(campaigns_per_window=4 if is_free else 0)
        jumping_clock.append(300 - left)
        result = runner.resume(operator, result.deferral, None)
        assert result.state == ("success" if is_free else "skipped")
        assert len(account.campaigns) == is_free

    def test_skips_rather_than_mails_late(self, runner: Any, account: Any, campaign_of: Any) -> None:
        account.emulator.configure(campaigns_per_window=0)
        soon = datetime.now(UTC) + timedelta(seconds=50)
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
