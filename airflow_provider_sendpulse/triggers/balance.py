# SPDX-License-Identifier: Apache-2.0
"""Waiting for the account's balance and plan in the triggerer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.base import SendPulseTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.sendpulse import SendPulseHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class SendPulseBalanceTrigger(SendPulseTrigger):
    """Wait until the account has enough money, messages and days left.

    :param min_balance: money in the account, in ``currency``
    :param min_emails_left: messages that the plan of the email service still allows
    :param min_days_left: days until that plan ends
    :param currency: such as ``USD``; the account's own when left out
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        min_balance: float | None = None,
        min_emails_left: int | None = None,
        min_days_left: float | None = None,
        currency: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.min_balance = min_balance
        self.min_emails_left = min_emails_left
        self.min_days_left = min_days_left
        self.currency = currency

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {
            "min_balance": self.min_balance,
            "min_emails_left": self.min_emails_left,
            "min_days_left": self.min_days_left,
            "currency": self.currency,
        }

    @property
    def what(self) -> str:
        """What is waited for."""
        return "Balance"

    async def look(self, hook: SendPulseHook) -> Decision:
        """Read what there are minimums for, and judge it."""
        from airflow_provider_sendpulse.jobs.balance import Minimums, figures_of, judge_balance
        from airflow_provider_sendpulse.sendpulse import balance

        minimums = Minimums(self.min_balance, self.min_emails_left, self.min_days_left, self.currency)
        zone = (await hook.asettings()).account_timezone
        money = detail = None
        if minimums.is_about_money:
            money = await hook.asend(balance.read(self.currency))
        if minimums.is_about_the_plan:
            detail = await hook.asend(balance.detail())
        return judge_balance(minimums, figures_of(minimums, money, detail, zone, time.time()))


__all__ = ["SendPulseBalanceTrigger"]
