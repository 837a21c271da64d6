# SPDX-License-Identifier: Apache-2.0
"""Sensors on the account's balance and plan."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from airflow_provider_sendpulse.arguments import optional_amount, optional_number
from airflow_provider_sendpulse.jobs.balance import Minimums, figures_of, judge_balance
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.sendpulse import balance
from airflow_provider_sendpulse.sensors.base import SendPulseSensor
from airflow_provider_sendpulse.sensors.service import FiguresSensor
from airflow_provider_sendpulse.triggers.balance import SendPulseBalanceTrigger


class SendPulseBalanceSensor(FiguresSensor, SendPulseSensor):
    """Wait until the account has enough money, messages and days left, such as before a mailing.

    At least one minimum is given, and all that are given must be reached. An account can be topped up and a plan renewed,
    so too little is waited for until ``timeout``; an account without an email plan has no messages and no days.

    It returns the figures that it has looked at: ``balance`` and ``currency``, ``emails_left``, ``days_left``.

    :param min_balance: money in the account, in ``currency`` (templated)
    :param min_emails_left: messages that the plan of the email service still allows (templated)
    :param min_days_left: days until that plan ends; needs the connection's ``account_timezone`` (templated)
    :param currency: currency of ``min_balance``, such as ``USD``, ``EUR``, ``UAH``; the account's own when left out
        (templated)
    :raises InvalidRequest: without a minimum, for a currency that SendPulse does not answer in, or for ``min_days_left``
        where the connection has no ``account_timezone``
    """

    template_fields: Collection[str] = (
        *SendPulseSensor.template_fields,
        "min_balance",
        "min_emails_left",
        "min_days_left",
        "currency",
    )

    def __init__(
        self,
        *,
        min_balance: float | str | None = None,
        min_emails_left: int | str | None = None,
        min_days_left: float | str | None = None,
        currency: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_balance = min_balance
        self.min_emails_left = min_emails_left
        self.min_days_left = min_days_left
        self.currency = currency

    @property
    def what(self) -> str:
        """What is waited for."""
        return "Balance"

    def look(self) -> Decision:
        """Read what there are minimums for, and judge it.

        :raises InvalidRequest: without a minimum, for a currency that the service does not answer in, or for
            ``min_days_left`` where the connection has no ``account_timezone``
        """
        minimums = self._minimums
        figures = figures_of(
            minimums,
            self.hook.send(balance.read(minimums.currency)) if minimums.is_about_money else None,
            self.hook.send(balance.detail()) if minimums.is_about_the_plan else None,
            self.hook.settings.account_timezone,
            time.time(),
        )
        return judge_balance(minimums, figures)

    def judge_figures(self, figures: dict[str, Any]) -> Decision:
        """Judge figures."""
        return judge_balance(self._minimums, figures)

    def trigger(self, **wait: Any) -> SendPulseBalanceTrigger:
        """Return what waits in the triggerer."""
        minimums = self._minimums
        return SendPulseBalanceTrigger(
            min_balance=minimums.balance,
            min_emails_left=minimums.emails_left,
            min_days_left=minimums.days_left,
            currency=minimums.currency,
            **wait,
        )

    @property
    def _minimums(self) -> Minimums:
        minimums = Minimums(
            optional_amount(self.min_balance, "min_balance"),
            optional_number(self.min_emails_left, "min_emails_left"),
            optional_amount(self.min_days_left, "min_days_left"),
            str(self.currency).strip() if self.currency else None,
        )
        minimums.require_any()
        return minimums


__all__ = ["SendPulseBalanceSensor"]
