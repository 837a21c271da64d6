# SPDX-License-Identifier: Apache-2.0
"""Balance of the account. Source: SendPulse API, "Balance"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.sendpulse import wire


@dataclass(frozen=True, slots=True)
class Balance:
    """Money in the account, in one currency."""

    currency: str
    balance_currency: float


@dataclass(frozen=True, slots=True)
class EmailPlan:
    """The plan of the email service."""

    tariff_name: str
    finished_time: str
    emails_left: int
    maximum_subscribers: int
    current_subscribers: int


@dataclass(frozen=True, slots=True)
class BalanceDetail:
    """Money and plans.

    :param email: ``None`` when the account has no email service
    """

    main: float
    bonus: float
    currency: str
    email: EmailPlan | None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def read(currency: str | None = None) -> Call[Balance]:
    """Return the money in the account.

    :param currency: such as ``USD``, ``EUR``, ``GBP``, ``UAH``, ``RUR``, ``INR``, ``JPY``; the account's own when left out
    """
    return Call(
        method="GET",
        path="/balance/{currency}" if currency else "/balance",
        values={"currency": currency} if currency else {},
        read=_balance,
        repeat=Repeat.ALWAYS,
    )


def detail() -> Call[BalanceDetail]:
    """Return money and plans."""
    return Call(method="GET", path="/user/balance/detail", read=_detail, repeat=Repeat.ALWAYS)


def _balance(answer: Any) -> Balance:
    data = wire.only(answer)
    return Balance(wire.text(data.get("currency")), wire.number(data["balance_currency"]))


def _detail(answer: Any) -> BalanceDetail:
    data = wire.only(answer)
    money = wire.record(data.get("balance") or {})
    plan = wire.record(data.get("email") or {})
    return BalanceDetail(
        main=wire.number_or(money.get("main"), 0.0),
        bonus=wire.number_or(money.get("bonus"), 0.0),
        currency=wire.text(money.get("currency")),
        email=EmailPlan(
            tariff_name=wire.text(plan.get("tariff_name")),
            finished_time=wire.text(plan.get("finished_time")),
            emails_left=wire.integer_or(plan.get("emails_left"), 0),
            maximum_subscribers=wire.integer_or(plan.get("maximum_subscribers"), 0),
            current_subscribers=wire.integer_or(plan.get("current_subscribers"), 0),
        )
        if plan
        else None,
        extra=wire.rest(data, "balance", "email"),
    )


__all__ = ["Balance", "BalanceDetail", "EmailPlan", "detail", "read"]
