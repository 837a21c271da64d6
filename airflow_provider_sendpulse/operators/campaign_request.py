# SPDX-License-Identifier: Apache-2.0
"""What a campaign operator's arguments ask for; everything that can be found wrong is found before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.arguments import optional_number, whole_numbers
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.marker import Marker
from airflow_provider_sendpulse.jobs.schedule import account_time
from airflow_provider_sendpulse.operators.base import plain_text
from airflow_provider_sendpulse.operators.content import ContentRenderer
from airflow_provider_sendpulse.operators.dates import optional_date
from airflow_provider_sendpulse.operators.identity import marker_of
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.sendpulse.campaigns import NewCampaign

if TYPE_CHECKING:
    from airflow_provider_sendpulse.operators.campaigns import SendPulseCreateCampaignOperator


def campaign_request(
    operator: SendPulseCreateCampaignOperator, context: Mapping[str, Any], account_timezone: str | None
) -> NewCampaign:
    """Return the campaign to create, its name still without the marker.

    :raises InvalidRequest: for arguments that cannot be meant
    """
    if sum(value is not None for value in (operator.body, operator.body_file, operator.template_id)) != 1:
        raise InvalidRequest("A campaign needs exactly one of body, body_file and template_id.")
    for field in ("name", "sender_name", "sender_email", "subject"):
        if not plain_text(getattr(operator, field)).strip():
            raise InvalidRequest(f"{field} is empty.")
    renderer = ContentRenderer(operator, {**context, **(operator.body_params or {})})
    body = renderer.html_or_file(operator.body, operator.body_file, "body")
    subject = renderer.plain(plain_text(operator.subject), "subject").strip()
    if not subject:
        raise InvalidRequest("subject is empty.")
    if body is not None and not body.strip():
        raise InvalidRequest("The body is empty.")
    send_date = optional_date(operator.send_date)
    books = operator.address_book_id
    return NewCampaign(
        name=plain_text(operator.name),
        sender_name=plain_text(operator.sender_name),
        sender_email=plain_text(operator.sender_email),
        subject=subject,
        body=body,
        template_id=operator.template_id,
        send_date=None if send_date is None else account_time(send_date, account_timezone),
        address_book_ids=[] if books is None else whole_numbers(books, "address_book_id"),
        segment_id=optional_number(operator.segment_id, "segment_id"),
        attachments=dict(reveal(operator.attachments) or {}),
        body_amp=None if operator.body_amp is None else renderer.html(operator.body_amp, "body_amp"),
        draft=operator.draft,
        stats=operator.stats,
    )


def mailing_marker(operator: SendPulseCreateCampaignOperator, context: Any, deployment: str) -> Marker:
    """Return by what the campaign is recognised."""
    return marker_of(context, deployment, operator.mailing_key, operator.edition, "mailing_key")


__all__ = ["campaign_request", "mailing_marker"]
