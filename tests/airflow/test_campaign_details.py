# SPDX-License-Identifier: Apache-2.0
"""What a campaign is made of, and what the task tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_sendpulse.jobs.marker import Marker

pytestmark = pytest.mark.usefixtures("connect")


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


def test_long_name_keeps_its_marker(runner: Any, account: Any, campaign_of: Any) -> None:
    assert runner.run(campaign_of(name="Новини " * 60)).state == "success"
    [campaign] = account.campaigns
    assert len(campaign["name"]) <= 120
    assert Marker.in_name(campaign["name"])
