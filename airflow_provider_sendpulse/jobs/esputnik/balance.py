# SPDX-License-Identifier: Apache-2.0
"""Whether an organisation has enough money and paid messages for what is to be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_sendpulse.esputnik.balance import Balance
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.balance import counts_missing, money_missing, of_another_currency
from airflow_provider_sendpulse.jobs.waiting import Decision, judge_figures


@dataclass(frozen=True, slots=True)
class Minimums:
    """What an organisation must have at least.

    :param balance: money, in its own currency
    :param bonus_emails: e-mails that are paid for already
    :param bonus_smses: SMS that are paid for already
    :param currency: the currency that the minimum is meant in; there is no conversion
    """

    balance: float | None = None
    bonus_emails: int | None = None
    bonus_smses: int | None = None
    currency: str | None = None

    def require_any(self) -> None:
        """Check that there is something to wait for.

        :raises InvalidRequest: when there is no minimum, or a currency without money
        """
        if self.balance is None and self.bonus_emails is None and self.bonus_smses is None:
            raise InvalidRequest("Give at least one of min_balance, min_bonus_emails and min_bonus_smses.")
        if self.currency is not None and self.balance is None:
            raise InvalidRequest("currency is the one of min_balance, which is not given.")


def figures_of(balance: Balance) -> dict[str, Any]:
    """Return what an organisation has, in figures only."""
    return {
        "balance": balance.current_balance,
        "currency": balance.currency,
        "credit_limit": balance.credit_limit,
        "bonus_emails": balance.bonus_emails,
        "bonus_smses": balance.bonus_smses,
    }


def judge_balance(minimums: Minimums, figures: Mapping[str, Any]) -> Decision:
    """Decide on figures. An account can be topped up: nothing is too little for good."""
    if (failure := of_another_currency("eSputnik", minimums.currency, figures)) is not None:
        return failure
    missing = [
        *money_missing(minimums.balance, figures),
        *counts_missing(
            figures,
            bonus_emails=(minimums.bonus_emails, "bonus e-mails are left"),
            bonus_smses=(minimums.bonus_smses, "bonus SMS are left"),
        ),
    ]
    return judge_figures(figures, missing)


__all__ = ["Minimums", "figures_of", "judge_balance"]
