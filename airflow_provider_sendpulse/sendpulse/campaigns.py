# SPDX-License-Identifier: Apache-2.0
"""Campaigns. Source: SendPulse API, "Campaigns"; email service manual, "Campaigns"."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.campaign_content import (
    DATE_FORMAT,
    MOST_ATTACHMENTS,
    MOST_BOOKS,
    MOST_TEST_ADDRESSES,
    TEST_MESSAGES,
    CampaignContent,
    NewCampaign,
    edited_fields,
    new_fields,
)


@dataclass(frozen=True, slots=True)
class CreatedCampaign:
    """What the service says right after creating a campaign.

    :param count: recipients; 0 while they are being copied
    :param overdraft_price: what the mails beyond the plan cost, in ``overdraft_currency``
    """

    id: int
    status: int
    count: int
    tariff_email_qty: int
    paid_email_qty: int
    overdraft_price: float
    overdraft_currency: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Statistic:
    """How many recipients reached a delivery status.

    Later stages are part of earlier ones: do not add the counts up.

    :param code: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.DeliveryStatus`
    """

    code: int
    count: int
    explain: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign.

    :param status: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.CampaignStatus`
    :param address_book_ids: as far as the answer names them
    :param send_date: as the service writes it, in the account's time zone
    :param statistics: delivery status code to count; empty in listings
    :param clicks: link to clicks, where the answer has them
    :param body: HTML of the message, where the answer has it
    """

    id: int
    name: str
    status: int
    subject: str
    address_book_ids: tuple[int, ...]
    send_date: str
    all_email_qty: int
    tariff_email_qty: int
    paid_email_qty: int
    overdraft_price: float
    overdraft_currency: str
    permalink: str
    sender_name: str = ""
    sender_email: str = ""
    statistics: tuple[Statistic, ...] = ()
    clicks: dict[str, int] = field(default_factory=dict)
    body: str | None = field(default=None, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def count(self, code: int) -> int:
        """Return how many recipients reached a delivery status."""
        return next((statistic.count for statistic in self.statistics if statistic.code == code), 0)


@dataclass(frozen=True, slots=True)
class Referral:
    """How often a link of a campaign was followed."""

    link: str
    count: int


def create(campaign: NewCampaign) -> Call[CreatedCampaign]:
    """Create a campaign: unless it is a draft or has a date, it goes to moderation and out at once.

    A repeat mails everybody again, so it is never repeated when its outcome is not known.

    :raises InvalidRequest: for a combination that SendPulse does not take
    """
    return Call(
        method="POST",
        path="/campaigns",
        body=JsonBody(new_fields(campaign)),
        read=_created,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=not campaign.draft,
    )


def send_test(campaign: NewCampaign, addresses: Sequence[str]) -> Call[CreatedCampaign]:
    """Send a campaign as a test to at most :data:`MOST_TEST_ADDRESSES` addresses; SendPulse sends 20 such messages an hour.

    The email service manual's way: ``send_test_only``, and ``PATCH`` where creating has ``POST``. The newer way is
    ``is_test``, which mails the sender alone.

    :raises InvalidRequest: for no address or too many, a second address book, a draft, a date or ``is_test``
    """
    if isinstance(addresses, str) or not 1 <= len(addresses) <= MOST_TEST_ADDRESSES:
        raise InvalidRequest(f"A test goes to a list of 1 to {MOST_TEST_ADDRESSES} addresses.")
    if campaign.is_test or campaign.draft or campaign.send_date is not None:
        raise InvalidRequest("A test to addresses is sent at once: it is no draft, has no send_date and no is_test.")
    return Call(
        method="PATCH",
        path="/campaigns",
        body=JsonBody({**new_fields(campaign, most_books=1), "send_test_only": [*addresses]}),
        read=_created,
        repeat=Repeat.IF_NOT_EXECUTED,
        reaches_people=True,
    )


def edit(campaign_id: int, content: CampaignContent) -> Call[None]:
    """Edit a scheduled campaign; all fields are sent, because sources disagree about leaving some out."""
    return Call(
        method="PATCH",
        path="/campaigns/{id}",
        values={"id": campaign_id},
        body=JsonBody(edited_fields(content)),
        read=_edited,
        repeat=Repeat.ALWAYS,
        reaches_people=True,
    )


def read(campaign_id: int) -> Call[Campaign]:
    """Read one campaign with its statistics; both documented shapes of ``statistics`` are understood."""
    return Call(
        method="GET",
        path="/campaigns/{id}",
        values={"id": campaign_id},
        read=lambda answer: _campaign(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def list(
    *,
    order: Literal["asc", "desc"] = "desc",
    status: Sequence[int] = (),
    planed: bool | None = None,
    limit: int = 100,
) -> PagedCall[Campaign]:
    """List the account's campaigns, newest first unless told otherwise.

    :param status: only these codes
    :param planed: only scheduled ones (the API spells it so)
    """
    return PagedCall(
        method="GET",
        path="/campaigns",
        query={"order": order, "status[]": [*status], "planed": planed},
        read=wire.listed(_campaign),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def cancel(campaign_id: int) -> Call[None]:
    """Cancel a campaign that has not finished; what is delivered already is not recalled."""
    return Call(
        method="DELETE",
        path="/campaigns/{id}",
        values={"id": campaign_id},
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def countries(campaign_id: int) -> Call[dict[str, int]]:
    """Return opens by country: ISO code to count."""
    return Call(
        method="GET",
        path="/campaigns/{id}/countries",
        values={"id": campaign_id},
        read=lambda answer: {str(code): wire.integer(count) for code, count in wire.record(answer).items()},
        repeat=Repeat.ALWAYS,
    )


def referrals(campaign_id: int) -> Call[builtins.list[Referral]]:
    """Return clicks by link."""
    return Call(
        method="GET",
        path="/campaigns/{id}/referrals",
        values={"id": campaign_id},
        read=wire.listed(lambda item: Referral(wire.text(item["link"]), wire.integer(item["count"]))),
        repeat=Repeat.ALWAYS,
    )


def _created(answer: Any) -> CreatedCampaign:
    data = wire.record(answer)
    return CreatedCampaign(
        id=wire.integer(data["id"]),
        status=wire.integer_or(data.get("status"), 0),
        count=wire.integer_or(data.get("count"), 0),
        tariff_email_qty=wire.integer_or(data.get("tariff_email_qty"), 0),
        paid_email_qty=wire.integer_or(data.get("paid_email_qty"), 0),
        overdraft_price=wire.number_or(data.get("overdraft_price"), 0.0),
        # The service spells it so in this answer, and correctly elsewhere.
        overdraft_currency=wire.text(data.get("ovedraft_currency", data.get("overdraft_currency"))),
        extra=wire.rest(
            data,
            "id",
            "status",
            "count",
            "tariff_email_qty",
            "paid_email_qty",
            "overdraft_price",
            "ovedraft_currency",
            "overdraft_currency",
        ),
    )


def _edited(answer: Any) -> None:
    """Read ``{"result": true, "id": …}``, or the campaign as after its creation: sources disagree."""
    if "id" not in wire.record(answer):
        wire.confirmed(answer)


def _campaign(data: Mapping[str, Any]) -> Campaign:
    message = wire.record(data.get("message") or {})
    statistics, clicks = _statistics(data.get("statistics"))
    return Campaign(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        status=wire.integer(data["status"]),
        subject=wire.text(message.get("subject")),
        address_book_ids=_books(message.get("list_id")),
        send_date=wire.text(data.get("send_date")),
        all_email_qty=wire.integer_or(data.get("all_email_qty"), 0),
        tariff_email_qty=wire.integer_or(data.get("tariff_email_qty"), 0),
        paid_email_qty=wire.integer_or(data.get("paid_email_qty"), 0),
        overdraft_price=wire.number_or(data.get("overdraft_price"), 0.0),
        overdraft_currency=wire.text(data.get("overdraft_currency")),
        permalink=wire.text(data.get("permalink")),
        sender_name=wire.text(message.get("sender_name")),
        sender_email=wire.text(message.get("sender_email")),
        statistics=statistics,
        clicks=clicks,
        body=wire.text(message["body"]) if message.get("body") else None,
        extra=wire.rest(
            data,
            "id",
            "name",
            "status",
            "send_date",
            "all_email_qty",
            "tariff_email_qty",
            "paid_email_qty",
            "overdraft_price",
            "overdraft_currency",
            "permalink",
        ),
    )


def _statistics(value: Any) -> tuple[tuple[Statistic, ...], dict[str, int]]:
    """Read the list of the manual and the object of newer answers; the summary of listings stays in ``extra``."""
    clicks: dict[str, int] = {}
    if isinstance(value, dict):
        for item in map(wire.record, value.get("clicks") or []):
            clicks[wire.text(item.get("url"))] = wire.integer_or(item.get("count"), 0)
        value = value.get("general")
    if not isinstance(value, builtins.list):
        return (), clicks
    rows = tuple(
        Statistic(wire.integer(item["code"]), wire.integer_or(item.get("count"), 0), wire.text(item.get("explain")))
        for item in map(wire.record, value)
    )
    return rows, clicks


def _books(value: Any) -> tuple[int, ...]:
    if value in (None, "", []):
        return ()
    values = value if isinstance(value, builtins.list) else [value]
    return tuple(wire.integer(item) for item in values)


__all__ = [
    "DATE_FORMAT",
    "MOST_ATTACHMENTS",
    "MOST_BOOKS",
    "MOST_TEST_ADDRESSES",
    "TEST_MESSAGES",
    "Campaign",
    "CampaignContent",
    "CreatedCampaign",
    "NewCampaign",
    "Referral",
    "Statistic",
    "cancel",
    "countries",
    "create",
    "edit",
    "list",
    "read",
    "referrals",
    "send_test",
]
