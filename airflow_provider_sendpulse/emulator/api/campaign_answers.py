# SPDX-License-Identifier: Apache-2.0
"""The several shapes in which the API shows a campaign (SendPulse API: campaigns)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from airflow_provider_sendpulse.emulator.campaigns import Campaign
from airflow_provider_sendpulse.emulator.local_time import write_local
from airflow_provider_sendpulse.emulator.mailing import Mailing
from airflow_provider_sendpulse.emulator.messages import delivery_counts, links_in
from airflow_provider_sendpulse.emulator.state import State
from airflow_provider_sendpulse.emulator.statuses import DELIVERY_STATUSES, explain

_ERRORS = frozenset({6, 7, 8, 9, 10, 12, 13, 14, 16})


def created_campaign(state: State, campaign: Campaign) -> dict[str, Any]:
    """Show the answer to a create call, with its misspelled currency key."""
    currency = state.settings.balance_currency
    if state.settings.create_answer == "manual":
        return {
            "id": campaign.id,
            "status": campaign.status,
            "count": 0,
            "tariff_email_qty": 0,
            "paid_email_qty": 0,
            "overdraft_price": 0,
            "ovedraft_currency": currency,
        }
    count = len(Mailing(state).recipients(campaign.content))
    return {
        "id": campaign.id,
        "status": campaign.status,
        "count": count,
        "tariff_email_qty": count,
        "overdraft_price": "0.0000",
        "ovedraft_currency": currency,
    }


def campaign_in_list(state: State, campaign: Campaign) -> dict[str, Any]:
    """Show a campaign as the list shows it."""
    answer = _common(state, campaign)
    if state.settings.campaign_list_statistics:
        counts = _counts(state, campaign)
        answer["statistics"] = {
            "sent": counts.get(1, 0),
            "delivered": counts.get(2, 0),
            "opening": counts.get(3, 0),
            "link_redirected": counts.get(4, 0),
            "unsubscribe": counts.get(5, 0),
            "error": sum(count for code, count in counts.items() if code in _ERRORS),
        }
    return answer


def one_campaign(state: State, campaign: Campaign, origin: str) -> dict[str, Any]:
    """Show a campaign as its own call shows it, in the older or the newer shape; its page is the emulator's own."""
    answer = _common(state, campaign)
    general = [
        {"code": code, "count": count, "explain": explain(DELIVERY_STATUSES, code)}
        for code, count in _counts(state, campaign).items()
    ]
    answer["permalink"] = f"{origin}/ui/campaigns/{campaign.id}"
    if state.settings.campaign_statistics == "array":
        answer["statistics"] = general
        return answer
    now = state.clock.now()
    clicks = Counter(
        message.clicked_link
        for message in state.mailbox.of_campaign(campaign.id)
        if message.clicked_at is not None and message.clicked_at <= now
    )
    answer["statistics"] = {
        "general": general,
        "clicks": [{"url": link, "count": clicks[link]} for link in links_in(campaign.content.body)],
    }
    answer["message"].update(body=campaign.content.body, preheader="")
    answer["external_stat"] = {
        "check_open_email": campaign.content.check_opens,
        "check_redirect_link": campaign.content.check_clicks,
    }
    return answer


def _common(state: State, campaign: Campaign) -> dict[str, Any]:
    content = campaign.content
    count = len(content.test_addresses) if content.is_test else len(campaign.recipients)
    sent_at = content.send_at or campaign.mailed_at or campaign.created_at
    return {
        "id": campaign.id,
        "name": content.name,
        "message": {
            "sender_name": content.sender_name,
            "sender_email": content.sender_email,
            "subject": content.subject,
            "attachments": ",".join(content.attachments),
            "list_id": content.book_ids[0],
        },
        "status": campaign.status,
        "all_email_qty": count,
        "tariff_email_qty": count,
        "paid_email_qty": 0,
        "overdraft_price": 0,
        "overdraft_currency": state.settings.balance_currency,
        "company_price": "0",
        "send_date": write_local(sent_at, state.settings.time_zone),
        "is_sms": False,
        "is_viber": False,
    }


def _counts(state: State, campaign: Campaign) -> dict[int, int]:
    return delivery_counts(state.mailbox.of_campaign(campaign.id), state.clock.now())
