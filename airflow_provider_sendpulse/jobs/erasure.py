# SPDX-License-Identifier: Apache-2.0
"""Addresses that are removed from all address books, which is looked up afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.exceptions import Refused
from airflow_provider_sendpulse.jobs.chunks import chunks
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.receipts import Erased, Findings
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.sendpulse import addresses, blacklist
from airflow_provider_sendpulse.sendpulse.error_codes import UNKNOWN_ADDRESS

log = logging.getLogger(__name__)

WINDOW = 20
"""Addresses that are looked up before any of them is removed."""

PAUSES = (0.0, 5.0, 30.0)
"""Seconds before each time an address is removed: nobody documents when a look-up shows that it was."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """How addresses are erased.

    :param blacklists: whether they go on the account's blacklist first, so that nothing brings them back
    :param comment: for the blacklist
    """

    sender: Sender
    clock: Clock
    blacklists: bool = False
    comment: str | None = None

    def run(self, items: Iterable[Item], report: Report, findings: Findings, erased: Callable[[Erased], None]) -> None:
        """Erase addresses; a repeat changes nothing.

        :param erased: is told of every address that is in no book any more
        :raises ServiceError: as the calls do
        """
        for window in chunks(items, WINDOW):
            findings.add((item, self._before(item.person.email)) for item in window)
            for item in window:
                try:
                    left = self._erase(item.person.email)
                except Refused as error:
                    if not error.due_to_a_row:
                        raise
                    report.settle(item.person, Outcome.REJECTED, str(error), item.label)
                    continue
                if left:
                    reason = f"removed, and still in the address books {', '.join(map(str, left))}"
                    report.settle(item.person, Outcome.REJECTED, reason, item.label)
                    continue
                erased(findings.erased(item, self.clock.now()))
                report.settle(item.person, Outcome.ACCEPTED)

    def _erase(self, email: str) -> list[int]:
        """Remove an address, and return the books that it is in all the same."""
        if self.blacklists:
            self.sender.send(blacklist.add([email], comment=self.comment))
        left: list[int] = []
        for pause in PAUSES:
            if pause:
                log.info("An address is still there; removing it once more in %g s.", pause)
                self.clock.sleep(pause)
            try:
                self.sender.send(addresses.remove_everywhere(email))
            except Refused as error:
                if error.error_code not in UNKNOWN_ADDRESS:
                    raise
            left = self._address_books(email)
            if not left:
                break
        return left

    def _before(self, email: str) -> list[int]:
        try:
            return self._address_books(email)
        except Refused as error:
            if error.due_to_a_row:
                return []  # It is refused again when it is to be removed, and then the row is told of.
            raise

    def _address_books(self, email: str) -> list[int]:
        try:
            return [found.book_id for found in self.sender.send(addresses.memberships(email))]
        except Refused as error:
            if error.error_code in UNKNOWN_ADDRESS:
                return []
            raise


__all__ = ["PAUSES", "WINDOW", "Erasure"]
