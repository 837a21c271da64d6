# SPDX-License-Identifier: Apache-2.0
"""When a campaign goes out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.usefixtures("connect")
KYIV = ZoneInfo("Europe/Kyiv")


@pytest.mark.parametrize(("choice", "state"), [("fail", "failed"), ("skip", "skipped"), ("send_now", "success")])
def test_past_send_date(runner: Any, account: Any, campaign_of: Any, choice: str, state: str) -> None:
    result = runner.run(campaign_of(send_date="{{ data_interval_end }}", past_send_date=choice))
    assert result.state == state, result.error
    assert len(account.campaigns) == (1 if choice == "send_now" else 0)
    if choice == "send_now":
        assert "send_date" not in account.sent("campaigns.create")[0]


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

    @pytest.mark.parametrize("status", [14, 3])
    def test_date_that_was_changed_since(
        self, runner: Any, account: Any, campaign_of: Any, tomorrow: datetime, status: int
    ) -> None:
        operator = campaign_of(send_date=tomorrow)
        created = runner.run(operator)
        account.force(created.value, status)
        operator.send_date = tomorrow + timedelta(days=1)
        result = runner.run(operator, try_number=2)
        assert type(result.error).__name__ == "CampaignConflict"
        assert "exists already" in str(result.error)
        assert "SendPulseEditCampaignOperator" in str(result.error)
        assert len(account.campaigns) == 1
