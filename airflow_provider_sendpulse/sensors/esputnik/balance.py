# SPDX-License-Identifier: Apache-2.0
"""Sensors on the organisation's balance."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow_provider_sendpulse.arguments import optional_amount, optional_number
from airflow_provider_sendpulse.esputnik import balance
from airflow_provider_sendpulse.jobs.esputnik.balance import Minimums, figures_of, judge_balance
from airflow_provider_sendpulse.jobs.waiting import Decision
from airflow_provider_sendpulse.sensors.esputnik.base import EsputnikSensor
from airflow_provider_sendpulse.sensors.service import FiguresSensor
from airflow_provider_sendpulse.triggers.esputnik.balance import EsputnikBalanceTrigger


class EsputnikBalanceSensor(FiguresSensor, EsputnikSensor):
    """Wait until the organisation has enough money and paid messages, such as before a broadcast.

    At least one minimum is given, and all that are given must be reached. An account can be topped up, so too little is
    waited for until ``timeout``.

    The figures are ``balance``, ``currency``, ``credit_limit``, ``bonus_emails`` and ``bonus_smses``.

    :param min_balance: money in the account, in its own currency, without what it may be overdrawn by (templated)
    :param min_bonus_emails: e-mails that are paid for already (templated)
    :param min_bonus_smses: SMS that are paid for already (templated)
    :param currency: currency that ``min_balance`` is meant in, such as ``UAH``; the sensor fails when the account has
        another one (templated)
    """

    template_fields: Collection[str] = (
        *EsputnikSensor.template_fields,
        "min_balance",
        "min_bonus_emails",
        "min_bonus_smses",
        "currency",
    )

    def __init__(
        self,
        *,
        min_balance: float | str | None = None,
        min_bonus_emails: int | str | None = None,
        min_bonus_smses: int | str | None = None,
        currency: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.min_balance = min_balance
        self.min_bonus_emails = min_bonus_emails
        self.min_bonus_smses = min_bonus_smses
        self.currency = currency

    @property
    def what(self) -> str:
        """What is waited for."""
        return "Balance"

    def look(self) -> Decision:
        """Read the balance and judge it.

        :raises InvalidRequest: without a minimum, or for another currency than the account's
        """
        minimums = self._minimums
        return judge_balance(minimums, figures_of(self.hook.send(balance.read())))

    def judge_figures(self, figures: dict[str, Any]) -> Decision:
        """Judge figures."""
        return judge_balance(self._minimums, figures)

    def trigger(self, **wait: Any) -> EsputnikBalanceTrigger:
        """Return what waits in the triggerer."""
        minimums = self._minimums
        return EsputnikBalanceTrigger(
            min_balance=minimums.balance,
            min_bonus_emails=minimums.bonus_emails,
            min_bonus_smses=minimums.bonus_smses,
            currency=minimums.currency,
            **wait,
        )

    @property
    def _minimums(self) -> Minimums:
        minimums = Minimums(
            optional_amount(self.min_balance, "min_balance"),
            optional_number(self.min_bonus_emails, "min_bonus_emails"),
            optional_number(self.min_bonus_smses, "min_bonus_smses"),
            str(self.currency).strip() if self.currency else None,
        )
        minimums.require_any()
        return minimums


__all__ = ["EsputnikBalanceSensor"]
