# SPDX-License-Identifier: Apache-2.0
"""Whether an account has enough money, messages and time left for what is to be done next."""

from __future__ import annotations

import datetime as dt
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
    missing = []
    if minimums.balance is not None:
        currency = figures["currency"]
        if minimums.currency is not None and _code(currency) != _code(minimums.currency):
            text = f"The balance was asked for in {minimums.currency}, and SendPulse tells it in {currency or 'none'}."
            return Decision(Verdict.FAILED, None, text, InvalidRequest(text), figures)
        if figures["balance"] < minimums.balance:
            missing.append(f"the balance is {figures['balance']:g} {currency}, of {minimums.balance:g}")
    for name, minimum, noun in (
        ("emails_left", minimums.emails_left, "emails"),
        ("days_left", minimums.days_left, "days"),
    ):
        if minimum is None:
            continue
        if figures[name] is None:
            missing.append(f"no plan of the email service tells how many {noun} are left")
        elif figures[name] < minimum:
            missing.append(f"{figures[name]:,} {noun} are left, of {minimum:,}")
    return judge_figures(figures, missing)


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


__all__ = ["Minimums", "figures_of", "judge_balance"]
