# SPDX-License-Identifier: Apache-2.0
"""Campaigns (SendPulse API: campaigns)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from airflow_provider_sendpulse.emulator.api.call import Call, endpoint
from airflow_provider_sendpulse.emulator.api.campaign_answers import (
    campaign_in_list,
    created_campaign,
    one_campaign,
)
from airflow_provider_sendpulse.emulator.campaign_request import CampaignRequest
from airflow_provider_sendpulse.emulator.campaigns import Campaign, CampaignContent
from airflow_provider_sendpulse.emulator.contacts import clean_address
from airflow_provider_sendpulse.emulator.errors import Refusal, address_not_found, missing, wrong_type
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.messages import links_in
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.statuses import DELIVERY_STATUSES, explain


def create(state: State, call: Call) -> dict[str, Any]:
    """Start a campaign. The answer comes before its addresses are copied."""
    fields = dict(call.fields)
    # This way of sending a test belongs to PATCH.
    fields.pop("send_test_only", None)
    return _create(state, fields)


def send_test(state: State, call: Call) -> dict[str, Any]:
    """Send a test to up to three addresses."""
    if not call.fields.get("send_test_only"):
        raise missing("send_test_only")
    return _create(state, call.fields)


def read(state: State, call: Call) -> dict[str, Any]:
    """One campaign with its statistics."""
    campaign = _campaign(state, call)
    state.course.note_read(campaign)
    return one_campaign(state, campaign, call.origin)


def list_all(state: State, call: Call) -> list[dict[str, Any]]:
    """Show a page of campaigns, by date of creation."""
    limit, offset = call.page()
    order = call.order(state.settings.campaign_list_order)
    wanted = _wanted_statuses(call)
    found = state.campaigns.listed()
    if wanted is not None:
        found = [campaign for campaign in found if campaign.status in wanted]
    if call.flag("planed"):
        found = [campaign for campaign in found if campaign.is_planned(state.clock.now())]
    if order == "desc":
        found.reverse()
    return [campaign_in_list(state, campaign) for campaign in found[offset : offset + limit]]


def edit(state: State, call: Call) -> dict[str, Any]:
    """Change a campaign that waits for its date."""
    campaign = _campaign(state, call)
    if not campaign.is_planned(state.clock.now()):
        raise state.campaigns.refusal(800, "Invalid operation")
    CampaignRequest(state, call.fields).edit(campaign.content)
    if state.settings.patch_answer == "campaign":
        return created_campaign(state, campaign)
    return {"result": True, "id": campaign.id}


def cancel(state: State, call: Call) -> dict[str, bool]:
    """Cancel a campaign that is not over."""
    campaign = _campaign(state, call)
    if campaign.status != 16 or state.settings.cancel_again == "refuse":
        state.course.cancel(campaign)
    return {"result": True}


def countries(state: State, call: Call) -> dict[str, int] | list[Any]:
    """Show opens by country; an empty object comes as an empty array."""
    now = state.clock.now()
    opened = [
        message.country
        for message in state.mailbox.of_campaign(_campaign(state, call).id)
        if message.opened_at is not None and message.opened_at <= now
    ]
    return dict(Counter(opened).most_common()) or []


def referrals(state: State, call: Call) -> list[dict[str, Any]]:
    """Clicks by link of the message."""
    campaign = _campaign(state, call)
    clicks = _clicks(state, campaign)
    return [{"link": link, "count": clicks[link]} for link in links_in(campaign.content.body)]


def one_address(state: State, call: Call) -> dict[str, Any]:
    """Tell what became of the message to one address."""
    campaign = _campaign(state, call)
    email = clean_address(call.path_text("email"))
    for message in state.mailbox.of_campaign(campaign.id):
        if message.to == email:
            status = message.status_at(state.clock.now())
            settings = state.settings
            answer: dict[str, Any] = {
                settings.delivery_date_key: write_local(message.sent_at, settings.time_zone),
                "global_status": min(status, 2),
                "global_status_explain": explain(DELIVERY_STATUSES, min(status, 2)),
            }
            if settings.delivery_details:
                answer.update(detail_status=status, detail_status_explain=explain(DELIVERY_STATUSES, status))
            return answer
    raise address_not_found()


def _create(state: State, fields: dict[str, Any]) -> dict[str, Any]:
    settings = state.settings
    try:
        content = CampaignRequest(state, fields).content()
        _check_books(state, content)
        _check_payment(state, content)
    except Refusal:
        if settings.refused_use_campaign_limit:
            state.campaign_limit.check()
            state.campaign_limit.count()
        raise
    is_counted = settings.drafts_use_campaign_limit if content.is_draft else True
    if content.is_test:
        is_counted = settings.tests_use_campaign_limit
    if is_counted:
        state.campaign_limit.check()
        state.campaign_limit.count()
    if fields.get("send_test_only"):
        state.test_limit.take(len(content.test_addresses))
    campaign = state.campaigns.create(content)
    answer = created_campaign(state, campaign)
    state.course.started(campaign)
    return answer


def _check_books(state: State, content: CampaignContent) -> None:
    for book_id in content.book_ids:
        book = state.books.find(book_id)
        if book.status in (1, 3):
            raise state.campaigns.refusal(703, "Address book not found")
        if book.status != 0 and state.settings.locked_book_campaigns == "refuse":
            raise Refusal(state.settings.http_status_locked_book, 422, "The address book is locked")


def _check_payment(state: State, content: CampaignContent) -> None:
    if content.is_draft:
        return
    if state.settings.balance_exhausted:
        raise state.campaigns.refusal(707, "Balance is exhausted")
    count = sum(len(state.books.find(book_id).contacts) for book_id in content.book_ids)
    if count > state.settings.plan_recipients:
        raise state.campaigns.refusal(708, "Recipients exceed the plan")


def _campaign(state: State, call: Call) -> Campaign:
    return state.campaigns.find(call.path_int("campaign_id"))


def _clicks(state: State, campaign: Campaign) -> Counter[str]:
    now = state.clock.now()
    return Counter(
        message.clicked_link
        for message in state.mailbox.of_campaign(campaign.id)
        if message.clicked_link and message.clicked_at is not None and message.clicked_at <= now
    )


def _wanted_statuses(call: Call) -> set[int] | None:
    texts = [value for name, value in call.query.multi_items() if name.partition("[")[0] == "status"]
    try:
        return {int(text) for text in texts} if texts else None
    except ValueError:
        raise wrong_type("status", "integer") from None


_ONE = "/campaigns/{campaign_id:int}"
ROUTES = [
    endpoint("POST", "/campaigns", "campaigns.create", create),
    endpoint("PATCH", "/campaigns", "campaigns.send_test", send_test),
    endpoint("GET", "/campaigns", "campaigns.list", list_all),
    endpoint("GET", _ONE, "campaigns.read", read),
    endpoint("PATCH", _ONE, "campaigns.edit", edit),
    endpoint("DELETE", _ONE, "campaigns.cancel", cancel),
    endpoint("GET", f"{_ONE}/countries", "campaigns.countries", countries),
    endpoint("GET", f"{_ONE}/referrals", "campaigns.referrals", referrals),
    endpoint("GET", f"{_ONE}/email/{{email}}", "campaigns.address", one_address),
]
