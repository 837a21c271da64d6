# SPDX-License-Identifier: Apache-2.0
"""Cancelling what has not gone out, and saying which of the two happened."""

from __future__ import annotations

import asyncio

import pytest
from emulated_account import add_book, add_campaign, count
from mailings import MARKER

from airflow_provider_sendpulse.exceptions import AuthenticationFailed, Refused, ServiceUnavailable
from airflow_provider_sendpulse.jobs.cancelling import CANCELLABLE, acancel, cancel, cancelling
from airflow_provider_sendpulse.sendpulse.statuses import CampaignStatus

# Written out by hand: what nobody has received anything of, and what has an end or recipients already.
YES = [0, 1, 10, 11, 13, 14, 27]
NO = [2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 22, 23, 25, 26, 28, 33, 36]


@pytest.fixture(autouse=True)
def by_hand(emulator):
    # A read moves nothing: a status stays as it was forced.
    emulator.configure(transitions="clock", clock="manual", seconds_per_status=86400.0)


@pytest.fixture(params=["sync", "async"])
def cancel_it(request, client):
    """Both drivers, one face."""
    if request.param == "sync":
        return lambda number: str(cancel(client, number))

    async def send(call):
        await asyncio.sleep(0)
        return client.send(call)

    return lambda number: str(asyncio.run(acancel(send, number)))


@pytest.fixture
def campaign(emulator):
    return add_campaign(emulator, add_book(emulator, contacts=4), MARKER.name("x"))


def force(emulator, campaign, status):
    with emulator.emulator.lock:
        emulator.state.course.force(campaign, status, [])


def test_every_documented_status_is_here():
    assert sorted([*YES, *NO, 16]) == sorted(status.code for status in CampaignStatus)
    assert sorted(status.code for status in CANCELLABLE) == YES


@pytest.mark.parametrize("status", YES)
def test_it_is_cancelled_before_it_goes_out(emulator, campaign, cancel_it, status):
    force(emulator, campaign, status)
    assert cancel_it(campaign.id) == f"Campaign {campaign.id} was cancelled before it went out."
    assert campaign.status == 16
    assert len(emulator.state.mailbox) == 0


@pytest.mark.parametrize("status", NO)
def test_it_is_left_alone(emulator, campaign, cancel_it, status):
    force(emulator, campaign, status)
    meaning = CampaignStatus.of(status).meaning
    assert cancel_it(campaign.id) == f"Campaign {campaign.id} was not cancelled: it is at status {status} ({meaning})."
    assert count(emulator, "campaigns.cancel") == 0
    assert campaign.status == status


@pytest.mark.parametrize("status", [17, 99])
def test_a_status_nobody_knows_is_left_alone(emulator, campaign, cancel_it, status):
    force(emulator, campaign, status)
    assert cancel_it(campaign.id).endswith(f"it is at status {status} (not documented).")
    assert count(emulator, "campaigns.cancel") == 0


def test_it_was_cancelled_before(emulator, campaign, cancel_it):
    force(emulator, campaign, 16)
    assert cancel_it(campaign.id) == f"Campaign {campaign.id} is cancelled already."
    assert count(emulator, "campaigns.cancel") == 0


def test_it_cannot_be_read(emulator, cancel_it):
    said = cancel_it(4711)
    assert said.startswith("Campaign 4711 was not cancelled: it cannot be read (")
    assert "802" in said
    assert count(emulator, "campaigns.cancel") == 0


@pytest.mark.parametrize("code", [602, 800, 802])
def test_it_is_refused(emulator, campaign, cancel_it, code):
    emulator.faults.add("status", status=422, error_code=code, operation="campaigns.cancel")
    said = cancel_it(campaign.id)
    assert said.startswith(f"Campaign {campaign.id} was not cancelled: SendPulse refused (")
    assert f"error_code {code}" in said
    assert campaign.status == 13


def test_it_is_refused_and_gone(emulator, campaign, cancel_it):
    emulator.faults.add("status", status=422, error_code=602, operation="campaigns.cancel")
    emulator.faults.add("status", status=422, error_code=802, operation="campaigns.read", after=1)
    assert "was not cancelled: SendPulse refused (" in cancel_it(campaign.id)


@pytest.mark.parametrize("again", ["refuse", "accept"])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "lose_answer"}, {"kind": "truncate"}, {"kind": "status", "status": 503, "after_effect": True}],
    ids=str,
)
def test_a_lost_answer_is_still_a_cancellation(emulator, campaign, cancel_it, again, fault):
    # The request is repeated, and cancelling twice may be refused.
    emulator.configure(cancel_again=again)
    emulator.faults.add(**fault, operation="campaigns.cancel")
    assert cancel_it(campaign.id) == f"Campaign {campaign.id} was cancelled before it went out."
    assert count(emulator, "campaigns.cancel") == 2


@pytest.mark.parametrize("operation", ["campaigns.read", "campaigns.cancel"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [({"kind": "html"}, ServiceUnavailable), ({"kind": "status", "status": 401}, AuthenticationFailed)],
    ids=["html", "401"],
)
def test_a_service_that_cannot_be_asked_is_an_error(emulator, campaign, cancel_it, operation, fault, error):
    emulator.faults.add(**fault, operation=operation, times=None)
    with pytest.raises(error):
        cancel_it(campaign.id)
    assert campaign.status == 13


def test_both_drivers_hand_over_nothing_but_refusals(campaign):
    calls = cancelling(campaign.id)
    assert next(calls).operation == f"GET /campaigns/{campaign.id}"
    with pytest.raises(StopIteration) as end:
        calls.send(Refused("no"))
    assert end.value.value.told == f"Campaign {campaign.id} was not cancelled: it cannot be read (no)."
