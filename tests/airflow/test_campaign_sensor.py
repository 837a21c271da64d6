# SPDX-License-Identifier: Apache-2.0
"""Every documented status of a campaign, in every mode of the sensor, with one outcome."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_sendpulse.sensors.campaigns import SendPulseCampaignSensor

# Written by hand from the documentation of statuses: what each means for somebody who waits for 3.
OUTCOMES = {
    0: "waits",
    1: "waits",
    2: "waits",
    3: "success",
    4: "waits",
    5: "CampaignNotSent",
    6: "CampaignNotSent",
    7: "waits",
    8: "CampaignNotSent",
    9: "waits",
    10: "waits",
    11: "NeedsHuman",
    12: "CampaignNotSent",
    13: "waits",
    14: "waits",
    15: "waits",
    16: "CampaignNotSent",
    22: "waits",
    23: "CampaignNotSent",
    25: "CampaignNotSent",
    26: "NeedsHuman",
    27: "NeedsHuman",
    28: "waits",
    33: "NeedsHuman",
    36: "NeedsHuman",
    99: "waits",
}
MODES = ("poke", "reschedule", "deferred")
pytestmark = pytest.mark.usefixtures("connect")


def sensor(dag: Any, mode: str, **arguments: Any) -> SendPulseCampaignSensor:
    deferrable = mode == "deferred"
    return SendPulseCampaignSensor(
        task_id="wait",
        dag=dag,
        mode="poke" if deferrable else mode,
        deferrable=deferrable,
        **{"poke_interval": 0.001, **arguments},
    )


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", OUTCOMES)
def test_first_look(runner: Any, dag: Any, account: Any, code: int, mode: str, soft_fail: bool) -> None:
    campaign_id = account.campaign(code, 3)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, soft_fail=soft_fail))
    _check(result, OUTCOMES[code], code, soft_fail=soft_fail)
    assert len(result.legs) == (2 if OUTCOMES[code] == "waits" and mode != "poke" else 1)


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", [code for code, outcome in OUTCOMES.items() if outcome not in ("waits", "success")])
def test_end_after_waiting(runner: Any, dag: Any, account: Any, code: int, mode: str, soft_fail: bool) -> None:
    campaign_id = account.campaign(14, code)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, soft_fail=soft_fail))
    _check(result, OUTCOMES[code], code, soft_fail=soft_fail)
    assert len(result.legs) == (1 if mode == "poke" else 2)


def _check(result: Any, outcome: str, code: int, *, soft_fail: bool) -> None:
    if outcome in ("waits", "success"):
        assert result.state == "success", result.error
        assert result.value["status"] == 3
        assert result.value["history"][-1][0] == 3
        return
    assert result.value is None
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == outcome
        assert f"is at status {code}" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_partial_sending_may_do(runner: Any, dag: Any, account: Any, mode: str) -> None:
    campaign_id = account.campaign(22, 23)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, on_partial="success"))
    assert result.state == "success"
    assert result.value["status"] == 23


@pytest.mark.parametrize("mode", MODES)
def test_another_target(runner: Any, dag: Any, account: Any, mode: str) -> None:
    campaign_id = account.campaign(13, 14)
    result = runner.run(sensor(dag, mode, campaign_id=str(campaign_id), target_statuses="14, 3"))
    assert result.state == "success"
    assert result.value["status"] == 14


@pytest.mark.parametrize("mode", MODES)
def test_success_that_came_too_late_for_another_target(runner: Any, dag: Any, account: Any, mode: str) -> None:
    campaign_id = account.campaign(14, 3)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, target_statuses=[1]))
    assert result.state == "failed"
    assert "while 1 was waited for" in str(result.error)


@pytest.mark.parametrize("target", ["3", "{{ 3 }}", [3], ["3"], "[3, 23]"])
def test_targets_of_native_rendering(runner: Any, native_dag: Any, account: Any, target: Any) -> None:
    campaign_id = account.campaign(3)
    result = runner.run(sensor(native_dag, "poke", campaign_id=f"{{{{ {campaign_id} }}}}", target_statuses=target))
    assert result.state == "success", result.error


# Rescheduled, a sensor is another process at every look: it returns the status seen last only.
@pytest.mark.parametrize("mode", ["poke", "deferred"])
def test_history_holds_every_status_once(runner: Any, dag: Any, account: Any, mode: str) -> None:
    campaign_id = account.campaign(13, 1, 14, 2, 7, 3)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id))
    assert [code for code, _ in result.value["history"]] == [13, 1, 14, 2, 7, 3]
    times = [moment for _, moment in result.value["history"]]
    assert times == sorted(times)


def test_unknown_status_is_said_once(runner: Any, dag: Any, account: Any) -> None:
    account.emulator.configure(reads_in_status={99: 3})
    result = runner.run(sensor(dag, "poke", campaign_id=account.campaign(99, 3)))
    assert result.state == "success"
    assert result.log.count("not documented") == 1
    assert "taken as in progress" in result.log


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
def test_timeout(runner: Any, dag: Any, account: Any, mode: str, soft_fail: bool) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, campaign_id=account.campaign(15), timeout=0, soft_fail=soft_fail))
    # A sensor's timeout is final in every mode.
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == "AirflowSensorTimeout"
    if mode != "deferred" or not soft_fail:
        assert "een last: status 15 (" in (str(result.error) if result.error else result.log)


@pytest.mark.parametrize("mode", MODES)
def test_timeout_says_that_the_last_look_failed(runner: Any, dag: Any, account: Any, quick: Any, mode: str) -> None:
    campaign_id = account.campaign(15)
    account.emulator.faults.add("status", operation="campaigns.read", times=None, status=503)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, timeout=0))
    assert "een last: nothing. The last look failed: SendPulse: GET /campaigns/" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_look_that_ends_the_wait_is_no_timeout(runner: Any, dag: Any, account: Any, mode: str) -> None:
    result = runner.run(sensor(dag, mode, campaign_id=account.campaign(15) + 1, timeout=0, soft_fail=True))
    assert result.state == "skipped"
    assert "een last" not in result.log


def test_deferred_timeout_says_what_was_seen(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(sensor(dag, "deferred", campaign_id=account.campaign(15), timeout=0))
    assert "The last status was 15" in str(result.error)
    assert "deadline" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_passing_error_is_tolerated(runner: Any, dag: Any, account: Any, quick: Any, mode: str) -> None:
    campaign_id = account.campaign(14, 3)
    # Enough to use up all attempts of one look.
    account.emulator.faults.add("status", operation="campaigns.read", after=1, times=5, status=503)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id))
    assert result.state == "success", result.error
    assert "Looking again" in result.log


@pytest.mark.parametrize("mode", MODES)
def test_passing_error_at_the_first_look(runner: Any, dag: Any, account: Any, quick: Any, mode: str) -> None:
    campaign_id = account.campaign(3)
    account.emulator.faults.add("status", operation="campaigns.read", times=5, status=502)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id))
    assert result.state == "success", result.error


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", MODES)
def test_rejected_credentials_end_it_at_once(
    runner: Any, dag: Any, account: Any, connect: Any, mode: str, soft_fail: bool
) -> None:
    connect(password="wrong")
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, campaign_id=account.campaign(14, 3), soft_fail=soft_fail))
    assert result.legs == ["skipped" if soft_fail else "failed"]
    assert account.emulator.requests.counts() == {"tokens.issue": 1}


@pytest.mark.parametrize("soft_fail", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("mode", ["reschedule", "deferred"])
def test_credentials_rejected_during_the_wait(runner: Any, dag: Any, account: Any, mode: str, soft_fail: bool) -> None:
    runner.api.should_retry = True
    campaign_id = account.campaign(14, 3)
    account.emulator.faults.add("status", operation="campaigns.read", after=1, times=None, status=401)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, soft_fail=soft_fail))
    assert result.state == ("skipped" if soft_fail else "failed")
    if not soft_fail:
        assert type(result.error).__name__ == "AuthenticationFailed"
        assert "Likely causes" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_missing_campaign_is_refused_with_the_code(runner: Any, dag: Any, account: Any, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, campaign_id=42))
    assert result.state == "failed"
    assert "error_code 802" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("campaign_id", "told"),
    [
        (None, "campaign_id is empty"),
        ("", "campaign_id is empty"),
        ("None", "is empty"),
        ("soon", "'soon'"),
        (True, "True"),
    ],
)
def test_wrong_id(runner: Any, dag: Any, account: Any, campaign_id: Any, told: str, mode: str) -> None:
    runner.api.should_retry = True
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id))
    assert result.state == "failed"
    assert told in str(result.error)
    assert not account.emulator.requests.total


def test_id_of_an_upstream_task(runner: Any, dag: Any, account: Any, upstream: Any) -> None:
    campaign_id = account.campaign(3)
    result = runner.run(sensor(dag, "poke", campaign_id=upstream("create", campaign_id)))
    assert result.value["status"] == 3


def test_upstream_task_that_returned_nothing(runner: Any, dag: Any, upstream: Any) -> None:
    result = runner.run(sensor(dag, "poke", campaign_id=upstream("create", None)))
    assert "Does the task it comes from return something?" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_templated_connection(
    runner: Any, dag: Any, account: Any, connect: Any, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SENDPULSE_DEFAULT")
    connect("account_of_a_dag")
    campaign_id = account.campaign(14, 3)
    result = runner.run(sensor(dag, mode, campaign_id=campaign_id, sendpulse_conn_id="account_of_{{ dag.dag_id }}"))
    assert result.state == "success", result.error
    assert result.rendered["sendpulse_conn_id"] == "account_of_a_dag"


@pytest.mark.parametrize("mode", MODES)
def test_mapped(runner: Any, dag: Any, account: Any, mode: str) -> None:
    ids = [account.campaign(14, 3), account.campaign(14, 16)]
    mapped = SendPulseCampaignSensor.partial(
        task_id="wait",
        dag=dag,
        poke_interval=0.001,
        mode="reschedule" if mode == "reschedule" else "poke",
        deferrable=mode == "deferred",
    ).expand(campaign_id=ids)
    assert runner.run(mapped, map_index=0).value["status"] == 3
    second = runner.run(mapped, map_index=1)
    assert type(second.error).__name__ == "CampaignNotSent"
    assert second.rendered["campaign_id"] == ids[1]


def test_wrong_on_partial(runner: Any, dag: Any, account: Any) -> None:
    result = runner.run(sensor(dag, "poke", campaign_id=account.campaign(3), on_partial="maybe"))
    assert "on_partial is 'maybe'; it is one of fail, success" in str(result.error)


@pytest.mark.parametrize("mode", MODES)
def test_never_fail_skips_in_every_mode(runner: Any, dag: Any, account: Any, mode: str) -> None:
    result = runner.run(sensor(dag, mode, campaign_id=account.campaign(5), never_fail=True))
    assert result.state == "skipped"
