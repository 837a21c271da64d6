# SPDX-License-Identifier: Apache-2.0
"""Whether an account has enough money, messages and time left for what is to be done next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.schedule import timezone
from airflow_provider_sendpulse.jobs.waiting import Decision, Verdict, judge_figures
from airflow_provider_sendpulse.sendpulse.balance import Balance, BalanceDetail

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Minimums:
    """What an account must have at least.

    :param balance: money, in ``currency``
    :param emails_left: messages that the plan of the email service still allows
    :param days_left: days until that plan ends
    :param currency: such as ``USD``; the account's own when left out
    """

    balance: float | None = None
    emails_left: int | None = None
    days_left: float | None = None
    currency: str | None = None

    @property
    def is_about_money(self) -> bool:
        """Whether the balance has to be read."""
        return self.balance is not None

    @property
    def is_about_the_plan(self) -> bool:
        """Whether the plan has to be read."""
        return self.emails_left is not None or self.days_left is not None

    def require_any(self) -> None:
        """Check that there is something to wait for.

        :raises InvalidRequest: when there is no minimum, or a currency without money
        """
        if not self.is_about_money and not self.is_about_the_plan:
            raise InvalidRequest("Give at least one of min_balance, min_emails_left and min_days_left.")
        if self.currency is not None and not self.is_about_money:
            raise InvalidRequest("currency is the one of min_balance, which is not given.")


def figures_of(
    minimums: Minimums,
    money: Balance | None,
    detail: BalanceDetail | None,
    account_timezone: str | None,
    now: float,
) -> dict[str, Any]:
    """Return what an account has, in figures only.

    :param money: the balance, where there is a minimum for it
    :param detail: the plans, where there is a minimum for one
    :param account_timezone: the connection's setting; the plan's end is written in this zone
    :param now: seconds since the epoch
    :return: ``balance`` and ``currency``; ``emails_left`` and ``days_left``, which are ``None`` without an email plan, or
        where it does not tell its end
    :raises InvalidRequest: when there is a minimum of days, and no time zone
    """
    figures: dict[str, Any] = {}
    if money is not None:
        figures |= {"balance": money.balance_currency, "currency": money.currency}
    if detail is not None:
        figures["emails_left"] = None if detail.email is None else detail.email.emails_left
        if minimums.days_left is not None:
            zone = timezone(account_timezone, "min_days_left")
            figures["days_left"] = None if detail.email is None else _days_left(detail.email.finished_time, zone, now)
    return figures


def judge_balance(minimums: Minimums, figures: dict[str, Any]) -> Decision:
    """Decide on an account's figures. An account can be topped up, and a plan renewed: nothing is too little for good."""
    if (failure := of_another_currency("SendPulse", minimums.currency, figures)) is not None:
        return failure
    missing = [
        *money_missing(minimums.balance, figures),
        *counts_missing(
            figures,
            emails_left=(minimums.emails_left, "emails are left"),
            days_left=(minimums.days_left, "days are left"),
        ),
    ]
    return judge_figures(figures, missing)


def of_another_currency(service: str, wanted: str | None, figures: Mapping[str, Any]) -> Decision | None:
    """Return a failure when a service tells the balance in another currency than was asked for."""
    currency = figures.get("currency")
    if wanted is None or _code(currency or "") == _code(wanted):
        return None
    text = f"The balance was asked for in {wanted}, and {service} tells it in {currency or 'none'}."
    return Decision(Verdict.FAILED, None, text, InvalidRequest(text), figures)


def money_missing(minimum: float | None, figures: Mapping[str, Any]) -> list[str]:
    """Return what the balance falls short of, in words."""
    if minimum is None or figures["balance"] >= minimum:
        return []
    return [f"the balance is {figures['balance']:g} {figures['currency']}, of {minimum:g}"]


def counts_missing(figures: Mapping[str, Any], **minimums: tuple[float | None, str]) -> list[str]:
    """Return what counts fall short of, in words.

    :param minimums: by the name of the figure: the minimum, and what the figure is, such as ``emails are left``
    """
    missing = []
    for name, (minimum, noun) in minimums.items():
        if minimum is None:
            continue
        if figures[name] is None:
            missing.append(f"no plan of the email service tells how many {noun}")
        elif figures[name] < minimum:
            missing.append(f"{figures[name]:,} {noun}, of {minimum:,}")
    return missing


def _days_left(finished_time: str, zone: dt.tzinfo, now: float) -> float | None:
    try:
        end = dt.datetime.fromisoformat(finished_time.strip())
    except ValueError:
        # Empty or of zeros: nobody documents what a plan without an end looks like.
        return None
    if end.tzinfo is None:
        end = end.replace(tzinfo=zone)
    return round((end.timestamp() - now) / _DAY, 2)


def _code(currency: str) -> str:
    # The service answers RUR when it is asked for RUB.
    return currency.strip().upper().replace("RUB", "RUR")


__all__ = ["Minimums", "counts_missing", "figures_of", "judge_balance", "money_missing", "of_another_currency"]
