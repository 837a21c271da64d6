# SPDX-License-Identifier: Apache-2.0
"""The operator that erases contacts of eSputnik, with a receipt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.jobs.esputnik.contact_search import key_of
from airflow_provider_sendpulse.jobs.esputnik.erasure import ContactErasure
from airflow_provider_sendpulse.jobs.receipts import Erased, Findings
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item
from airflow_provider_sendpulse.operators.esputnik.rows import EsputnikKnownContactsOperator
from airflow_provider_sendpulse.operators.receipts import ErasingOperator, ReceiptKind
from airflow_provider_sendpulse.rows.output import Record

if TYPE_CHECKING:
    from airflow.sdk import Context


class EsputnikEraseContactsOperator(ErasingOperator, EsputnikKnownContactsOperator):
    """Erase contacts for good, or just delete them, and write a receipt for each; return the counts.

    A contact that is not there counts as accepted: it is gone already. Where several contacts have the same address,
    telephone number or external id, none of them is deleted and the row is rejected, as one of them may be somebody else.
    A contact that was deleted before, and not erased, is not found by address or telephone number any more: to erase it,
    name it by one of the ids. Doing it again changes nothing.

    A receipt has the columns ``receipt_id``, ``contact``, ``contact_ids`` (eSputnik's ids of what was found, as JSON),
    ``erased`` (false where contacts were just deleted), ``erased_at`` (in UTC), ``dag_id`` and ``run_id``.
    Receipts are only ever added, in a table and in a file; tasks that may run at the same time need files of their own. A
    retry or a cleared task writes the receipts of what it has erased before again, the same ones. That needs Airflow 3.3;
    below it they are others, and may say that nothing was found.

    :param erase: remove profile, activity and tracking for good, which nothing brings back; ``False`` deletes the contact,
        which comes back when it is written again under the same external id
    :param contacts, by, column: see
        :class:`~airflow_provider_sendpulse.operators.esputnik.rows.EsputnikKnownContactsOperator`
    :param receipt_contact: what a receipt says of whom it is for. ``digest``: the SHA-256 digest of what the row says (the
        address in lower case, say) as hexadecimal digits, so that whoever has that can find its receipt; whoever guesses
        it can check it. ``address``: what the row says, an address or an id
    :param receipt, max_contacts, max_rejected_ratio: see
        :class:`~airflow_provider_sendpulse.operators.receipts.ErasingOperator`
    :param max_rejected, rejects: see :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (*EsputnikKnownContactsOperator.template_fields, *ErasingOperator.template_fields)

    def __init__(self, *, erase: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.erase = erase

    def execute(self, context: Context) -> dict[str, Any]:
        """Erase the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt; ``found``, how many of the
            accepted were there; and ``receipt``, where the receipts are, if there are any
        :raises InvalidRequest: there are more rows than ``max_contacts``, or nothing can be written to ``receipt``; nothing
            was erased
        :raises DeliveryFailed: a row was wrong, or means several contacts
        """
        by, audience = self._meant()

        def erase(items: Iterator[Item], report: Report, findings: Findings, erased: Callable[[Erased], None]) -> None:
            with self.hook as hook:
                ContactErasure(hook, SystemClock(), by, self.erase).run(items, report, findings, erased)

        kind = ReceiptKind({"contact_ids": dict, "erased": bool}, self._described)
        told, found = self._erase(context, audience, key_of(by), kind, erase, reached=not by.is_id)
        return {**told, "found": found.rows}

    def _described(self, erased: Erased) -> Record:
        return {"contact_ids": list(erased.found), "erased": self.erase}


__all__ = ["EsputnikEraseContactsOperator"]
