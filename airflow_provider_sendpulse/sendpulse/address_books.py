# SPDX-License-Identifier: Apache-2.0
"""Address books. Source: SendPulse API, "Mailing lists" (the email service manual calls them address books)."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, JsonBody, PagedCall, Repeat
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.sendpulse import wire
from airflow_provider_sendpulse.sendpulse.error_codes import ErrorCode


@dataclass(frozen=True, slots=True)
class AddressBook:
    """An address book.

    :param active_email_qty: contacts that can be mailed; 0 is normal for a book that has just been filled, because new
        contacts are activated by the service
    :param status: see :class:`~airflow_provider_sendpulse.sendpulse.statuses.AddressBookStatus`
    """

    id: int
    name: str
    all_email_qty: int
    active_email_qty: int
    inactive_email_qty: int
    creationdate: str
    status: int
    status_explain: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of an address book; ``type`` is string, number or date."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a campaign to an address book would cost.

    :param affordable: the answer's ``result``
    """

    cur: str
    sent_emails_qty: int
    overdraft_all_emails_price: float
    addresses_delta_from_balance: int
    addresses_delta_from_tariff: int
    max_emails_per_task: int
    affordable: bool
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BookCampaign:
    """A campaign as an address book lists it."""

    task_id: int
    task_name: str
    task_status: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def create(name: str) -> Call[int]:
    """Create an address book and return its id. Names are unique in an account: a taken one is refused with 203."""
    return Call(
        method="POST",
        path="/addressbooks",
        body=JsonBody({"bookName": name}),
        read=lambda answer: wire.integer(wire.record(answer)["id"]),
        repeat=Repeat.IF_NOT_EXECUTED,
    )


def list(limit: int = 100) -> PagedCall[AddressBook]:
    """List the account's address books, at most 100 a page."""
    return PagedCall(method="GET", path="/addressbooks", read=wire.listed(_book), repeat=Repeat.ALWAYS, limit=limit)


def read(address_book_id: int) -> Call[AddressBook]:
    """Read one address book; the service wraps it in a list."""
    return Call(
        method="GET",
        path="/addressbooks/{id}",
        values={"id": address_book_id},
        read=_the_book,
        repeat=Repeat.ALWAYS,
    )


def rename(address_book_id: int, name: str) -> Call[None]:
    """Give an address book another name."""
    return Call(
        method="PUT",
        path="/addressbooks/{id}",
        values={"id": address_book_id},
        body=JsonBody({"name": name}),
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
    )


def delete(address_book_id: int) -> Call[None]:
    """Delete an address book; refused while a campaign of it is active."""
    return Call(
        method="DELETE",
        path="/addressbooks/{id}",
        values={"id": address_book_id},
        read=wire.confirmed,
        repeat=Repeat.ALWAYS,
        done_on_repeat=frozenset({ErrorCode.BOOK_NOT_FOUND.code}),
    )


def variables(address_book_id: int) -> Call[builtins.list[Variable]]:
    """List the variables of an address book with their types."""
    return Call(
        method="GET",
        path="/addressbooks/{id}/variables",
        values={"id": address_book_id},
        read=wire.listed(_variable),
        repeat=Repeat.ALWAYS,
    )


def cost(address_book_id: int) -> Call[Cost]:
    """Estimate what a campaign to an address book would cost; an empty book is refused with 211."""
    return Call(
        method="GET",
        path="/addressbooks/{id}/cost",
        values={"id": address_book_id},
        read=_cost,
        repeat=Repeat.ALWAYS,
        result_is_data=True,
    )


def campaigns(address_book_id: int, limit: int = 100) -> PagedCall[BookCampaign]:
    """List the campaigns that were created from an address book."""
    return PagedCall(
        method="GET",
        path="/addressbooks/{id}/campaigns",
        values={"id": address_book_id},
        read=wire.listed(_book_campaign),
        repeat=Repeat.ALWAYS,
        limit=limit,
    )


def _variable(data: Mapping[str, Any]) -> Variable:
    kind = wire.text(data.get("type"))
    # The manual prints the type of dates so.
    return Variable(wire.text(data["name"]), "date" if kind == "data" else kind)


def _the_book(answer: Any) -> AddressBook:
    if answer == []:  # how some editions of the service say that there is no such book
        code = ErrorCode.BOOK_NOT_FOUND
        raise Refused(
            f"SendPulse: the address book was not found: {code.meaning}. {code.advice}",
            operation="GET /addressbooks/{id}",
            status=200,
            error_code=code.code,
        )
    return _book(wire.only(answer))


def _book(data: Mapping[str, Any]) -> AddressBook:
    return AddressBook(
        id=wire.integer(data["id"]),
        name=wire.text(data.get("name")),
        all_email_qty=wire.integer_or(data.get("all_email_qty"), 0),
        active_email_qty=wire.integer_or(data.get("active_email_qty"), 0),
        inactive_email_qty=wire.integer_or(data.get("inactive_email_qty"), 0),
        creationdate=wire.text(data.get("creationdate")),
        status=wire.integer(data["status"]),
        status_explain=wire.text(data.get("status_explain")),
        extra=wire.rest(
            data,
            "id",
            "name",
            "all_email_qty",
            "active_email_qty",
            "inactive_email_qty",
            "creationdate",
            "status",
            "status_explain",
        ),
    )


def _cost(answer: Any) -> Cost:
    data = wire.record(answer)
    price = data.get("overdraftAllEmailsPrice")
    return Cost(
        cur=wire.text(data.get("cur")),
        sent_emails_qty=wire.integer_or(data.get("sent_emails_qty"), 0),
        # What cannot be read is not free.
        overdraft_all_emails_price=0.0 if price is None else wire.number(price),
        addresses_delta_from_balance=wire.integer_or(data.get("addressesDeltaFromBalance"), 0),
        addresses_delta_from_tariff=wire.integer_or(data.get("addressesDeltaFromTariff"), 0),
        max_emails_per_task=wire.integer_or(data.get("max_emails_per_task"), 0),
        affordable=data["result"] is True,
        extra=wire.rest(
            data,
            "cur",
            "sent_emails_qty",
            "overdraftAllEmailsPrice",
            "addressesDeltaFromBalance",
            "addressesDeltaFromTariff",
            "max_emails_per_task",
            "result",
        ),
    )


def _book_campaign(data: Mapping[str, Any]) -> BookCampaign:
    return BookCampaign(
        task_id=wire.integer(data["task_id"]),
        task_name=wire.text(data.get("task_name")),
        task_status=wire.integer_or(data.get("task_status"), -1),
        extra=wire.rest(data, "task_id", "task_name", "task_status"),
    )


__all__ = [
    "AddressBook",
    "BookCampaign",
    "Cost",
    "Variable",
    "campaigns",
    "cost",
    "create",
    "delete",
    "list",
    "read",
    "rename",
    "variables",
]
