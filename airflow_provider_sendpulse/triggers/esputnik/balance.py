# SPDX-License-Identifier: Apache-2.0
"""Waiting for the organisation's balance in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.triggers.esputnik.base import EsputnikTrigger

if TYPE_CHECKING:
    from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
    from airflow_provider_sendpulse.jobs.waiting import Decision


class EsputnikBalanceTrigger(EsputnikTrigger):
    """Wait until the organisation has enough money and paid messages.

    :param min_balance: money in the account, in its own currency
    :param min_bonus_emails: e-mails that are paid for already
    :param min_bonus_smses: SMS that are paid for already
    :param currency: currency that ``min_balance`` is meant in
    :param others: see :class:`~airflow_provider_sendpulse.triggers.service.PollingTrigger`
    """

    def __init__(
        self,
        *,
        min_balance: float | None = None,
        min_bonus_emails: int | None = None,
        min_bonus_smses: int | None = None,
        currency: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.min_balance = min_balance
        self.min_bonus_emails = min_bonus_emails
        self.min_bonus_smses = min_bonus_smses
        self.currency = currency

    def arguments(self) -> dict[str, Any]:
        """Return what tells this wait from others."""
        return {
            "min_balance": self.min_balance,
            "min_bonus_emails": self.min_bonus_emails,
            "min_bonus_smses": self.min_bonus_smses,
            "currency": self.currency,
        }

    @property
    def what(self) -> str:
        """What is waited for."""
        return "Balance"

    async def look(self, hook: EsputnikHook) -> Decision:
        """Read the balance and judge it."""
        from airflow_provider_sendpulse.esputnik import balance
        from airflow_provider_sendpulse.jobs.esputnik.balance import Minimums, figures_of, judge_balance

        minimums = Minimums(self.min_balance, self.min_bonus_emails, self.min_bonus_smses, self.currency)
        return judge_balance(minimums, figures_of(await hook.asend(balance.read())))


__all__ = ["EsputnikBalanceTrigger"]
