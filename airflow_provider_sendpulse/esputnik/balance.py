# SPDX-License-Identifier: Apache-2.0
"""Balance of the account. Source: eSputnik API, "Balance"."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_sendpulse.api.call import Call, Repeat
from airflow_provider_sendpulse.esputnik import wire
from airflow_provider_sendpulse.esputnik.values import date_text


@dataclass(frozen=True, slots=True)
class Balance:
    """Money in the account, and messages that are paid for already."""

    current_balance: float
    currency: str
    credit_limit: float = 0.0
    bonus_emails: int = 0
    bonus_smses: int = 0
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BalanceHistory:
    """What was spent, by day.

    :param daily_costs: as the service writes them
    """

    currency: str
    daily_costs: tuple[dict[str, Any], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


def read() -> Call[Balance]:
    """Return the money in the account."""
    return Call(method="GET", path="/v1/balance", read=_balance, repeat=Repeat.ALWAYS)


def history(date_from: dt.date | str, date_to: dt.date | str) -> Call[BalanceHistory]:
    """Return what was spent in a period of at most 90 days; a longer one is refused with 419."""
    return Call(
        method="GET",
        path="/v1/balance/history",
        query={"dateFrom": date_text(date_from), "dateTo": date_text(date_to)},
        read=_history,
        repeat=Repeat.ALWAYS,
    )


def _balance(answer: Any) -> Balance:
    data = wire.record(answer)
    return Balance(
        current_balance=wire.number(data["currentBalance"]),
        currency=wire.text(data.get("currency")),
        credit_limit=wire.number_or(data.get("creditLimit"), 0.0),
        bonus_emails=wire.integer_or(data.get("bonusEmails"), 0),
        bonus_smses=wire.integer_or(data.get("bonusSmses"), 0),
        extra=wire.rest(data, "currentBalance", "currency", "creditLimit", "bonusEmails", "bonusSmses"),
    )


def _history(answer: Any) -> BalanceHistory:
    data = wire.record(answer)
    return BalanceHistory(
        currency=wire.text(data["currency"]),
        daily_costs=tuple(dict(wire.record(item)) for item in wire.as_list(data.get("dailyCosts"))),
        extra=wire.rest(data, "currency", "dailyCosts"),
    )


__all__ = ["Balance", "BalanceHistory", "history", "read"]
