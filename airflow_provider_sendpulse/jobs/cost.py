# SPDX-License-Identifier: Apache-2.0
"""Whether a campaign to an address book may cost what it would."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_sendpulse.exceptions import CostTooHigh, InvalidRequest
from airflow_provider_sendpulse.sendpulse.address_books import Cost


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a campaign may cost.

    :param most: the highest price beyond the plan, in ``currency``
    :param currency: such as ``USD``; a price in another one is no answer
    :param affordable: whether the account must be able to pay for it
    :raises InvalidRequest: for a price without a currency, and the other way round
    """

    most: float | None = None
    currency: str = ""
    affordable: bool = False

    def __post_init__(self) -> None:
        if (self.most is None) != (not self.currency):
            raise InvalidRequest("max_cost needs a currency, and currency a max_cost: give both or neither.")

    def check(self, address_book_id: int, cost: Cost) -> None:
        """Judge what a campaign to an address book would cost.

        :raises CostTooHigh: when that is more than is allowed, or more than the account can pay
        :raises InvalidRequest: when the account is in another currency
        """
        price = f"{cost.overdraft_all_emails_price:g} {cost.cur}"
        told = f"A campaign to address book {address_book_id} would mail {cost.sent_emails_qty:,} contacts for {price}"
        if self.most is not None:
            if cost.cur.upper() != self.currency.upper():
                raise InvalidRequest(f"{told}, and max_cost is in {self.currency}. Give it in the currency of the account.")
            if cost.overdraft_all_emails_price > self.most:
                raise CostTooHigh(f"{told}, which is more than max_cost={self.most:g}. Mail fewer contacts, or allow more.")
        if self.affordable and not cost.affordable:
            raise CostTooHigh(
                f"{told}, and the account cannot pay for it: {cost.addresses_delta_from_tariff:,} contacts are beyond the "
                f"plan, {cost.addresses_delta_from_balance:,} beyond the balance. Top up the balance, change the plan, or "
                "mail fewer contacts."
            )


__all__ = ["Allowance"]
