# SPDX-License-Identifier: Apache-2.0
"""Cancelling a campaign, as a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_sendpulse.operators.campaigns import SendPulseCancelCampaignOperator
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus

pytestmark = pytest.mark.usefixtures("connect")

# Written out by hand, for every documented status.
CANCELLED = [0, 1, 10, 11, 13, 14, 16, 27]
GONE = [5, 6, 12]
TOO_LATE = [2, 3, 4, 7, 8, 9, 15, 22, 23, 25, 28]
OPEN = [26, 33, 36]


@pytest.fixture
def cancel(dag: Any, account: Any) -> Any:
    # A read moves nothing: a status stays as it was forced.
    account.emulator.configure(transitions="clock", clock="manual", seconds_per_status=86400.0)
    return lambda campaign_id: SendPulseCancelCampaignOperator(task_id="cancel", campaign_id=campaign_id, dag=dag)


def test_every_documented_status_is_here() -> None:
    assert sorted([*CANCELLED, *GONE, *TOO_LATE, *OPEN]) == sorted(status.code for status in CampaignStatus)


@pytest.mark.parametrize("code", [*CANCELLED, *GONE, *TOO_LATE, *OPEN, 17])
def test_status(runner: Any, account: Any, cancel: Any, code: int) -> None:
    campaign_id = account.campaign(code)
    runner.api.should_retry = True
    result = runner.run(cancel(str(campaign_id)))
    status = account.campaigns[0]["status"]
    if code in CANCELLED:
        assert (result.value, status) == ("cancelled", 16)
        assert not account.emulator.state.mailbox
    elif code in GONE:
        assert (result.value, status) == ("gone", code)
    else:
        # Nothing that a repeat would change.
        assert (result.state, status) == ("failed", code)
        assert type(result.error).__name__ == ("TooLate" if code in TOO_LATE else "NeedsHuman")
        assert f"it is at status {code}" in str(result.error)
        assert "dashboard" in str(result.error)


def test_scheduled_one(runner: Any, account: Any, campaign_of: Any, cancel: Any) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    created = runner.run(campaign_of(send_date=tomorrow))
    operator = cancel(created.value)
    assert runner.run(operator).value == "cancelled"
    assert runner.run(operator, try_number=2).value == "cancelled"
    assert len(account.sent("campaigns.cancel")) == 1
    account.emulator.advance(2 * 86400)
    assert not account.emulator.state.mailbox


def test_one_in_moderation(runner: Any, account: Any, campaign_of: Any, cancel: Any) -> None:
    book = account.book(emails=[f"reader{number}@example.com" for number in range(25)])
    created = runner.run(campaign_of(address_book_id=book))
    account.force(created.value, 1)
    assert runner.run(cancel(created.value)).value == "cancelled"


def test_one_that_is_gone(runner: Any, cancel: Any) -> None:
    result = runner.run(cancel(4711))
    assert result.value == "gone"
    assert "it cannot be read" in result.log


@pytest.mark.parametrize("again", ["refuse", "accept"])
@pytest.mark.parametrize("kind", ["lose_answer", "truncate"])
def test_lost_answer(runner: Any, account: Any, cancel: Any, quick: Any, again: Any, kind: str) -> None:
    account.emulator.configure(cancel_again=again)
    campaign_id = account.campaign(14)
    account.emulator.faults.add(kind, operation="campaigns.cancel")
    assert runner.run(cancel(campaign_id)).value == "cancelled"


def test_it_began_to_go_out_between_two_calls(
    runner: Any, account: Any, cancel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_sendpulse.sendpulse import campaigns

    book = account.book(emails=["ada@example.com", "grace@example.com"])
    campaign_id = account.campaign(14)
    really = campaigns.cancel

    def late(number: int) -> Any:
        account.force(number, 2)
        return really(number)

    monkeypatch.setattr(campaigns, "cancel", late)
    result = runner.run(cancel(campaign_id))
    assert account.campaigns[0]["status"] == 16
    assert type(result.error).__name__ == "TooLate"
    assert "a part of it had gone out" in str(result.error)
    assert len(account.emulator.state.mailbox) == 1
    assert book


def test_refused(runner: Any, account: Any, cancel: Any) -> None:
    campaign_id = account.campaign(14)
    account.emulator.faults.add("status", status=422, error_code=800, operation="campaigns.cancel")
    result = runner.run(cancel(campaign_id))
    assert type(result.error).__name__ == "NeedsHuman"
    assert "SendPulse refused" in str(result.error)


def test_confirmed_and_never_shown(runner: Any, account: Any, cancel: Any, jumping_clock: list[float]) -> None:
    campaign_id = account.campaign(14)
    account.emulator.faults.add("status", status=200, body={"result": True}, operation="campaigns.cancel")
    result = runner.run(cancel(campaign_id))
    assert type(result.error).__name__ == "NeedsHuman"
    assert "still at status 14" in str(result.error)
    assert sum(jumping_clock) == 60


def test_no_campaign(runner: Any, account: Any, cancel: Any) -> None:
    result = runner.run(cancel("{{ ti.xcom_pull(task_ids='nothing') }}"))
    assert "campaign_id is empty" in str(result.error)
    assert not account.emulator.requests.counts().get("campaigns.read")
