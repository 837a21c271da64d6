# SPDX-License-Identifier: Apache-2.0
"""One address across all address books. Source: SendPulse API, "Emails"; email service manual, "Contacts"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, Repeat
from airflow_provider_sendpulse.sendpulse import wire


@dataclass(frozen=True, slots=True)
class Membership:
    """An address in one address book.

    :param status: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.ContactStatus`
    """

    book_id: int
    status: int
    status_explain: str = ""
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """How an address came into an address book.

    :param add_date: as the service writes it, in the account's time zone
    :param source: such as ``panel`` or ``form``
    """

    list_id: int
    list_name: str
    add_date: str
    source: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BookName:
    """An address book by id and name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class AddressStatistics:
    """What was sent to an address over all campaigns.

    :param blacklist: whether the address is on the account's blacklist
    :param address_books: as far as the answer names them
    """

    sent: int
    open: int
    link: int
    blacklist: bool
    address_books: tuple[BookName, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one campaign's message to an address.

    :param sent_date: as the service writes it, in the account's time zone
    :param global_status: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.DeliveryStatus`
    :param detail_status: the same table, more exact; ``None`` where the answer has none
    """

    sent_date: str
    global_status: int
    global_status_explain: str
    detail_status: int | None = None
    detail_status_explain: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def memberships(email: str) -> Call[list[Membership]]:
    """Return the address books that an address is in."""
    return Call(
        method="GET",
        path="/emails/{email}",
        values={"email": email},
        read=wire.listed(_membership),
        repeat=Repeat.ALWAYS,
    )


def origins(email: str) -> Call[list[Origin]]:
    """Return when and how an address came into each of its address books."""
    return Call(
        method="GET",
        path="/emails/{email}/details",
        values={"email": email},
        read=wire.listed(_origin),
        repeat=Repeat.ALWAYS,
    )


def memberships_of_many(emails: Sequence[str]) -> Call[dict[str, list[Membership]]]:
    """Return the address books of many addresses: address to memberships; unknown addresses are left out."""
    return Call(
        method="POST",
        path="/emails",
        body=JsonBody({"emails": wire.many(emails)}),
        read=lambda answer: {email: wire.listed(_membership)(found) for email, found in wire.record(answer).items()},
        repeat=Repeat.ALWAYS,
    )


def statistics(email: str) -> Call[AddressStatistics]:
    """Return what was sent to an address over all campaigns."""
    return Call(
        method="GET",
        path="/emails/{email}/campaigns",
        values={"email": email},
        read=lambda answer: _statistics(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def statistics_of_many(emails: Sequence[str]) -> Call[dict[str, AddressStatistics]]:
    """Return what was sent to many addresses: address to statistics, with books and blacklist."""
    return Call(
        method="POST",
        path="/emails/campaigns",
        body=JsonBody({"emails": wire.many(emails)}),
        read=lambda answer: {email: _statistics(wire.record(found)) for email, found in wire.record(answer).items()},
        repeat=Repeat.ALWAYS,
    )


def delivery(campaign_id: int, email: str) -> Call[Delivery]:
    """Return what became of a campaign's message to an address."""
    return Call(
        method="GET",
        path="/campaigns/{id}/email/{email}",
        values={"id": campaign_id, "email": email},
        read=lambda answer: _delivery(wire.only(answer)),
        repeat=Repeat.ALWAYS,
    )


def remove_everywhere(email: str) -> Call[None]:
    """Remove an address from all address books; removing it again changes nothing."""
    return Call(
        method="DELETE",
        path="/emails/{email}",
        values={"email": email},
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def _membership(data: Mapping[str, Any]) -> Membership:
    return Membership(
        book_id=wire.integer(data["book_id"]),
        status=wire.integer(data["status"]),
        status_explain=wire.text(data.get("status_explain")),
        variables=wire.variables(data.get("variables")),
        extra=wire.rest(data, "book_id", "email", "status", "status_explain", "variables"),
    )


def _origin(data: Mapping[str, Any]) -> Origin:
    return Origin(
        list_id=wire.integer(data["list_id"]),
        list_name=wire.text(data.get("list_name")),
        add_date=wire.text(data.get("add_date")),
        source=wire.text(data.get("source")),
        extra=wire.rest(data, "list_id", "list_name", "add_date", "source"),
    )


def _statistics(data: Mapping[str, Any]) -> AddressStatistics:
    # One call nests the figures and names the books rightly, the other does neither (the API writes "adressbooks").
    figures = wire.record(data.get("statistic") or data)
    books = data.get("addressbooks") or data.get("adressbooks") or []
    return AddressStatistics(
        sent=wire.integer_or(figures.get("sent"), 0),
        open=wire.integer_or(figures.get("open"), 0),
        link=wire.integer_or(figures.get("link"), 0),
        blacklist=bool(data.get("blacklist")),
        address_books=tuple(
            BookName(wire.integer(book["id"]), wire.text(book.get("address_book_name", book.get("name"))))
            for book in map(wire.record, books)
        ),
        extra=wire.rest(data, "statistic", "sent", "open", "link", "blacklist", "addressbooks", "adressbooks"),
    )


def _delivery(data: Mapping[str, Any]) -> Delivery:
    detail = data.get("detail_status")
    return Delivery(
        sent_date=wire.text(data.get("sent_date", data.get("send_date"))),
        global_status=wire.integer(data["global_status"]),
        global_status_explain=wire.text(data.get("global_status_explain")),
        detail_status=None if detail is None else wire.integer(detail),
        detail_status_explain=wire.text(data.get("detail_status_explain")),
        extra=wire.rest(
            data,
            "sent_date",
            "send_date",
            "global_status",
            "global_status_explain",
            "detail_status",
            "detail_status_explain",
        ),
    )


__all__ = [
    "AddressStatistics",
    "BookName",
    "Delivery",
    "Membership",
    "Origin",
    "delivery",
    "memberships",
    "memberships_of_many",
    "origins",
    "remove_everywhere",
    "statistics",
    "statistics_of_many",
]
