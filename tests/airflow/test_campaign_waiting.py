# SPDX-License-Identifier: Apache-2.0
"""The campaign operator waits for its campaign: every documented end, on the worker and in the triggerer."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("connect")

# Written by hand from the documentation of statuses.
ENDS = {
    3: "success",
    5: "CampaignNotSent",
    6: "CampaignNotSent",
    8: "CampaignNotSent",
    11: "NeedsHuman",
    12: "CampaignNotSent",
    16: "CampaignNotSent",
    23: "CampaignNotSent",
    25: "CampaignNotSent",
    26: "NeedsHuman",
    27: "NeedsHuman",
    33: "NeedsHuman",
    36: "NeedsHuman",
}
DEFERRABLE = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])


@DEFERRABLE
@pytest.mark.parametrize("code", ENDS)
def test_end(runner: Any, account: Any, campaign_of: Any, code: int, deferrable: bool) -> None:
    account.emulator.configure(next_campaign_outcomes=[[1, code]])
    runner.api.should_retry = True
    result = runner.run(campaign_of(wait_for_completion=True, deferrable=deferrable))
    assert len(result.legs) == (2 if deferrable else 1)
    if ENDS[code] == "success":
        assert result.state == "success", result.error
        assert result.value == account.campaigns[0]["id"]
        assert [seen for seen, _ in result.xcom("status_history", "campaign")] == [13, 1, 3]
        return
    assert result.state == "failed"
    assert type(result.error).__name__ == ENDS[code]
    assert f"Campaign {account.campaigns[0]['id']} is at status {code}" in str(result.error)
    assert result.xcom("return_value", "campaign") is None


@DEFERRABLE
def test_partial_sending_may_do(runner: Any, account: Any, campaign_of: Any, deferrable: bool) -> None:
    account.emulator.configure(next_campaign_outcomes=[23])
    result = runner.run(campaign_of(wait_for_completion=True, deferrable=deferrable, on_partial="success"))
    assert result.state == "success", result.error
    assert result.xcom("status_history", "campaign")[-1][0] == 23


@DEFERRABLE
def test_timeout(runner: Any, account: Any, campaign_of: Any, deferrable: bool) -> None:
    account.emulator.configure(next_campaign_outcomes=[[15]])
    runner.api.should_retry = True
    result = runner.run(campaign_of(wait_for_completion=True, deferrable=deferrable, timeout=0.2))
    assert result.state == "failed"
    assert type(result.error).__name__ == "DeadlinePassed"
    assert "15" in str(result.error)


@DEFERRABLE
def test_retry_after_a_failed_wait_adopts(runner: Any, account: Any, campaign_of: Any, deferrable: bool) -> None:
    account.emulator.configure(next_campaign_outcomes=[[15]])
    campaign = campaign_of(wait_for_completion=True, deferrable=deferrable, timeout=0.2)
    assert runner.run(campaign).state == "failed"
    account.force(account.campaigns[0]["id"], 7, 3)
    again = runner.run(campaign, try_number=2)
    assert again.state == "success", again.error
    assert len(account.campaigns) == 1
    # XComs end with a try, so what others read must be there again.
    assert again.value == account.campaigns[0]["id"]
    assert again.xcom("_link_SendPulseCampaignLink", "campaign")


@DEFERRABLE
def test_campaign_that_is_sent_already(runner: Any, account: Any, campaign_of: Any, deferrable: bool) -> None:
    campaign = campaign_of(wait_for_completion=True, deferrable=deferrable)
    assert runner.run(campaign).state == "success"
    again = runner.run(campaign, try_number=2)
    assert again.legs == ["success"]


@DEFERRABLE
def test_passing_error_is_tolerated(runner: Any, account: Any, campaign_of: Any, quick: Any, deferrable: bool) -> None:
    account.emulator.faults.add("status", operation="campaigns.read", after=2, times=6, status=503)
    result = runner.run(campaign_of(wait_for_completion=True, deferrable=deferrable))
    assert result.state == "success", result.error
    assert "Looking again" in result.log


@DEFERRABLE
def test_credentials_rejected_during_the_wait(runner: Any, account: Any, campaign_of: Any, deferrable: bool) -> None:
    account.emulator.faults.add("status", operation="campaigns.read", after=2, times=None, status=401)
    runner.api.should_retry = True
    result = runner.run(campaign_of(wait_for_completion=True, deferrable=deferrable))
    assert result.state == "failed"
    assert type(result.error).__name__ == "AuthenticationFailed"


def test_timeout_of_a_triggerer_that_does_not_run(runner: Any, account: Any, campaign_of: Any) -> None:
    account.emulator.configure(next_campaign_outcomes=[[15]])
    campaign = campaign_of(wait_for_completion=True, deferrable=True, timeout=3600)
    result = runner.leg(campaign)
    # Airflow's own timeout is later than the trigger's, so that the trigger can say what it saw.
    assert result.deferral["trigger_timeout"] in ("PT1H10M", "PT4200S") or "PT" in result.deferral["trigger_timeout"]
    arguments = runner.trigger_arguments(result.deferral)
    assert set(arguments) == {
        "sendpulse_conn_id",
        "poll_interval",
        "deadline",
        "history",
        "campaign_id",
        "target_statuses",
        "on_partial",
        "cancel_on_kill",
        "poll_error_window",
    }


@pytest.mark.parametrize(
    "event",
    [
        None,
        "success",
        {},
        {"kind": "done"},
        {"kind": "seen"},
        {"kind": "seen", "code": "3"},
        {"kind": "seen", "code": None},
        {"kind": "error", "error": ["x"], "message": 1},
        {"kind": "error", "error": "annotations"},
        {"kind": "timeout"},
        {"kind": "seen", "code": 14},
        ["seen", 3],
    ],
)
def test_malformed_event_is_no_success(runner: Any, account: Any, campaign_of: Any, event: Any) -> None:
    runner.api.should_retry = True
    campaign = campaign_of(wait_for_completion=True, deferrable=True)
    deferral = runner.leg(campaign).deferral
    result = runner.resume(campaign, deferral, event)
    assert result.state == "failed", result.error


@pytest.mark.parametrize("event", [None, {"kind": "seen", "code": 14}, {"kind": "seen", "code": True}, {"kind": "error"}])
def test_malformed_event_of_a_sensor(runner: Any, dag: Any, account: Any, event: Any) -> None:
    from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

    sensor = SendPulseCampaignSensor(task_id="wait", dag=dag, campaign_id=account.campaign(14, 3), deferrable=True)
    deferral = runner.leg(sensor).deferral
    assert runner.resume(sensor, deferral, event).state == "failed"
