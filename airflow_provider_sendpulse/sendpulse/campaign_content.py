# SPDX-License-Identifier: Apache-2.0
"""What a campaign says and to whom, and how that is sent. Source: SendPulse API, "Campaigns"; email service manual."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.budget import Limit
from airflow_provider_sendpulse.exceptions import InvalidRequest

MOST_BOOKS = 10
MOST_ATTACHMENTS = 5
MOST_TEST_ADDRESSES = 3
TEST_MESSAGES = Limit(20, 3600.0)
"""Messages of tests to named addresses."""

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
"""How dates are written, in the account's time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignContent:
    """What a campaign says and to whom, as both creating and editing take it.

    :param body: HTML of the message; either it or ``template_id``
    :param template_id: id or, better, ``real_id`` of a template: the id changes with every edit
    :param send_date: when to send, in the account's time zone and therefore without one of its own
    """

    name: str
    sender_name: str
    sender_email: str
    subject: str
    body: str | None = field(default=None, repr=False)
    template_id: int | str | None = None
    send_date: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign(CampaignContent):
    """A campaign to create.

    :param address_book_ids: one to ten address books; contacts in several are mailed once
    :param segment_id: a segment of the (one) address book instead of the whole book
    :param attachments: file name to text or bytes, at most five
    :param body_amp: AMP version of the message
    :param draft: create it as a draft, which only the dashboard can launch
    :param stats: ``{"opens": bool, "clicks": bool, "utm_campaign": str}``
    :param is_test: send it only to ``sender_email``, as a test; of one address book
    :param use_dynamic_list: mail contacts too that are added before it is sent (paid plans)
    """

    address_book_ids: Sequence[int] = ()
    segment_id: int | None = None
    attachments: Mapping[str, str | bytes] = field(default_factory=dict, repr=False)
    body_amp: str | None = field(default=None, repr=False)
    draft: bool = False
    stats: Mapping[str, Any] | None = None
    is_test: bool = False
    use_dynamic_list: bool | None = None


def edited_fields(content: CampaignContent) -> dict[str, Any]:
    """Return the body of a request that edits a campaign.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    if (content.body is None) == (content.template_id is None):
        raise InvalidRequest("A campaign needs either a body or a template_id, and not both.")
    fields: dict[str, Any] = {
        "name": content.name,
        "sender_name": content.sender_name,
        "sender_email": content.sender_email,
        "subject": content.subject,
    }
    if content.body is not None:
        fields["body"] = _base64(content.body)
    else:
        fields["template_id"] = content.template_id
    if content.send_date is not None:
        if content.send_date.tzinfo is not None:
            raise InvalidRequest("send_date is given in the account's time zone, without a zone of its own.")
        fields["send_date"] = content.send_date.strftime(DATE_FORMAT)
    return fields


def new_fields(campaign: NewCampaign, *, most_books: int = MOST_BOOKS) -> dict[str, Any]:
    """Return the body of a request that creates a campaign.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    fields = edited_fields(campaign)
    if campaign.is_test:
        if campaign.draft:
            raise InvalidRequest("A test is sent at once, and a draft is not.")
        most_books = 1
        fields["is_test"] = True
    if campaign.use_dynamic_list is not None:
        fields["use_dynamic_list"] = campaign.use_dynamic_list
    books = [*campaign.address_book_ids]
    if campaign.segment_id is not None:
        if len(books) > 1:
            raise InvalidRequest("A segment belongs to exactly one address book.")
        fields["segment_id"] = campaign.segment_id
    elif not 1 <= len(books) <= most_books:
        allowed = "exactly one address book" if most_books == 1 else f"1 to {most_books} address books"
        raise InvalidRequest(f"A {'test' if most_books == 1 else 'campaign'} goes to {allowed}, not {len(books)}.")
    if books:
        # A single book is sent as a number: only the newest documentation knows lists.
        fields["list_id"] = books[0] if len(books) == 1 else books
    if len(campaign.attachments) > MOST_ATTACHMENTS:
        raise InvalidRequest(f"A campaign has at most {MOST_ATTACHMENTS} attachments, not {len(campaign.attachments)}.")
    texts = {name: content for name, content in campaign.attachments.items() if isinstance(content, str)}
    binaries = {name: _base64(content) for name, content in campaign.attachments.items() if isinstance(content, bytes)}
    if texts:
        fields["attachments"] = texts
    if binaries:
        fields["attachments_binary"] = binaries
    if campaign.body_amp is not None:
        fields["body_amp"] = _base64(campaign.body_amp)
    if campaign.draft:
        fields["type"] = "draft"
    if campaign.stats is not None:
        fields["stats"] = dict(campaign.stats)
    return fields


def _base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


__all__ = [
    "DATE_FORMAT",
    "MOST_ATTACHMENTS",
    "MOST_BOOKS",
    "MOST_TEST_ADDRESSES",
    "TEST_MESSAGES",
    "CampaignContent",
    "NewCampaign",
    "edited_fields",
    "new_fields",
]
