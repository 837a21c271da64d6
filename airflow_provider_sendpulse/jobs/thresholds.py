# SPDX-License-Identifier: Apache-2.0
"""How many bad rows a delivery may have."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_sendpulse.exceptions import DeliveryFailed, InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Counts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bad rows that are allowed: with fewer the task warns, with more it fails.

    :param max_rejected: so many rows; no such bound when left out
    :param max_rejected_ratio: so large a share of the rows that were tried, from 0 to 1: duplicates are not, nor those that
        were skipped
    :raises InvalidRequest: for values that cannot be meant
    """

    max_rejected: int | None = None
    max_rejected_ratio: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.max_rejected_ratio <= 1:
            raise InvalidRequest(f"max_rejected_ratio is {self.max_rejected_ratio}; it is a share from 0 to 1.")
        if self.max_rejected is not None and self.max_rejected < 0:
            raise InvalidRequest(f"max_rejected is {self.max_rejected}; it is a number of rows, at least 0.")

    def conclude(self, counts: Counts, noun: str, place: str | None = None, *, resumed: bool = False) -> None:
        """Judge a delivery that has ended.

        :param place: where the bad rows were written, for the message
        :param resumed: rows that were skipped are those that an earlier try of this delivery has sent; they count as tried
        :raises DeliveryFailed: when more went wrong than is allowed
        """
        if not counts.bad:
            return
        tried = counts.read - counts.duplicate - (0 if resumed else counts.skipped)
        message = f"{noun}: {counts.bad:,} of {tried:,} rows went wrong ({counts})."
        where = f"They are in {place}." if place else "What is wrong with the rows is in the log above, by row number."
        if self.max_rejected is not None and counts.bad > self.max_rejected:
            raise DeliveryFailed(f"{message} That is more than max_rejected={self.max_rejected} allows. {where}")
        # In decimals, because 0.29 of 100 is a little less than 29 otherwise.
        if counts.bad > Decimal(str(self.max_rejected_ratio)) * tried:
            raise DeliveryFailed(
                f"{message} That is more than max_rejected_ratio={self.max_rejected_ratio:g} allows. {where}"
            )
        log.warning("%s The thresholds allow that. %s", message, where)


__all__ = ["Thresholds"]
