# SPDX-License-Identifier: Apache-2.0
"""The operator that erases contacts everywhere, with a receipt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.jobs.address_delivery import address_key
from airflow_provider_sendpulse.jobs.erasure import Erasure
from airflow_provider_sendpulse.jobs.receipts import Erased, Findings
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.operators.addresses import SendPulseAddressesOperator
from airflow_provider_sendpulse.operators.base import plain_text
from airflow_provider_sendpulse.operators.receipts import ErasingOperator, ReceiptKind
from airflow_provider_sendpulse.rows.output import Record

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendPulseEraseContactsOperator(ErasingOperator, SendPulseAddressesOperator):
    """Erase contacts: remove them from all address books of the account, look up that they are in none, write a receipt.

    An address that is in no book counts as accepted; one that is still found after it was removed three times is rejected,
    and the task fails. Doing it again changes nothing.

    The API can erase no more than that. What SendPulse has written down of messages that were sent (statistics of
    campaigns, the list of transactional messages) stays, and the blacklist holds the addresses that are on it.

    A receipt has the columns ``receipt_id``, ``contact``, ``address_books`` (ids of those that the contact was in, as
    JSON), ``blacklisted``, ``erased_at`` (in UTC), ``dag_id`` and ``run_id``.
    Receipts are only ever added, in a table and in a file; tasks that may run at the same time need files of their own. A
    retry or a cleared task writes the receipts of what it has erased before again, the same ones. That needs Airflow 3.3;
    below it they are others, and may say that nothing was found.

    :param blacklist: put every address on the account's blacklist first, so that it cannot be added again; SendPulse then
        keeps the address there
    :param comment: comment for the blacklist (templated)
    :param receipt, receipt_contact, max_contacts, max_rejected_ratio: see
        :class:`~airflow_provider_sendpulse.operators.receipts.ErasingOperator`
    """

    template_fields: Collection[str] = (
        *SendPulseAddressesOperator.template_fields,
        *ErasingOperator.template_fields,
        "comment",
    )

    def __init__(self, *, blacklist: bool = False, comment: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blacklist = blacklist
        self.comment = comment

    def execute(self, context: Context) -> dict[str, Any]:
        """Erase the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt; ``found``, how many of the
            accepted were in an address book, ``memberships``, in how many books together; and ``receipt``, where the
            receipts are, if there are any
        :raises InvalidRequest: there are more rows than ``max_contacts``, or nothing can be written to ``receipt``; nothing
            was erased
        :raises DeliveryFailed: a row was no address, or a contact is still there
        """

        def erase(items: Iterator[Item], report: Report, findings: Findings, erased: Callable[[Erased], None]) -> None:
            with self.hook as hook:
                erasure = Erasure(hook, SystemClock(), self.blacklist, plain_text(self.comment) or None)
                erasure.run(items, report, findings, erased)

        kind = ReceiptKind({"address_books": dict, "blacklisted": bool}, self._described)
        told, found = self._erase(context, self._audience(), address_key, kind, erase)
        return {**told, "found": found.rows, "memberships": found.things}

    def _described(self, erased: Erased) -> Record:
        return {"address_books": list(erased.found), "blacklisted": self.blacklist}


__all__ = ["SendPulseEraseContactsOperator"]
