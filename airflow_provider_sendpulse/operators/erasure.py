# SPDX-License-Identifier: Apache-2.0
"""The operator that erases contacts everywhere, with a receipt."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.api.clock import SystemClock
from airflow_provider_sendpulse.arguments import one_of, whole_number
from airflow_provider_sendpulse.jobs.address_delivery import address_key
from airflow_provider_sendpulse.jobs.erasure import Erased, Erasure, Findings, Shown, at_most, shown
from airflow_provider_sendpulse.jobs.screening import screened
from airflow_provider_sendpulse.operators.addresses import SendPulseAddressesOperator
from airflow_provider_sendpulse.operators.base import plain_text
from airflow_provider_sendpulse.operators.task_store import task_position
from airflow_provider_sendpulse.rows.output import Layout, Output, OutputFile, OutputTable, Record, output_of
from airflow_provider_sendpulse.rows.rejects_spool import reason_of
from airflow_provider_sendpulse.rows.spool import Spool
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context

RECEIPTS = Layout(
    "receipts",
    {
        "receipt_id": str,
        "contact": str,
        "address_books": dict,
        "blacklisted": bool,
        "erased_at": str,
        "dag_id": str,
        "run_id": str,
    },
    ("receipt_id",),
)


class SendPulseEraseContactsOperator(SendPulseAddressesOperator):
    """Erase contacts: remove them from all address books of the account, look up that they are in none, write a receipt.

    An address that is in no book counts as accepted; one that is still found after it was removed three times is rejected,
    and the task fails. Doing it again changes nothing.

    The API can erase no more than that. What SendPulse has written down of messages that were sent (statistics of
    campaigns, the list of transactional messages) stays, and the blacklist holds the addresses that are on it.

    A receipt has the columns ``receipt_id``, ``contact``, ``address_books`` (ids of those that the contact was in, as
    JSON), ``blacklisted``, ``erased_at`` (in UTC), ``dag_id`` and ``run_id``. In a table receipts are only ever added; a
    file is written anew, so give every run its own. A retry knows which books the try before it has found; that needs
    Airflow 3.3, and below it the receipt of a retry may say that there were none.

    :param receipt: where receipts go: a path or URL that ends in ``.csv`` or ``.jsonl``, an
        :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated). Without rows none is written.
    :param receipt_contact: what a receipt says of whom it is for. ``digest``: the SHA-256 digest of the address in lower
        case, as hexadecimal digits, so that whoever has the address can find its receipt, and the receipts are no list of
        addresses; whoever guesses one can check it. ``address``: the address itself
    :param blacklist: put every address on the account's blacklist first, so that it cannot be added again; SendPulse then
        keeps the address there
    :param comment: comment for the blacklist (templated)
    :param max_contacts: with more rows than that nothing is erased and the task fails: nothing brings contacts back that a
        wrong query has erased (templated)
    :param max_rejected_ratio: share of the rows that may go wrong: up to it the task warns, above it fails
    """

    template_fields: Collection[str] = (*SendPulseAddressesOperator.template_fields, "receipt", "comment", "max_contacts")

    def __init__(
        self,
        *,
        receipt: str | os.PathLike[str] | OutputFile | OutputTable,
        receipt_contact: Shown = "digest",
        blacklist: bool = False,
        comment: str | None = None,
        max_contacts: int | str = 1000,
        max_rejected_ratio: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(max_rejected_ratio=max_rejected_ratio, **kwargs)
        self.receipt: str | os.PathLike[str] | OutputFile | OutputTable = as_template(receipt)
        self.receipt_contact = receipt_contact
        self.blacklist = blacklist
        self.comment = comment
        self.max_contacts = max_contacts

    def execute(self, context: Context) -> dict[str, Any]:
        """Erase the contacts.

        :return: the counts: read, accepted, duplicate, invalid, rejected, skipped, in_doubt; ``found``, how many of the
            accepted were in an address book, ``memberships``, in how many books together; and ``receipt``, where the
            receipts are, if there are any
        :raises InvalidRequest: there are more rows than ``max_contacts``, or nothing can be written to ``receipt``; nothing
            was erased
        :raises DeliveryFailed: a row was no address, or a contact is still there
        """
        one_of(self.receipt_contact, "receipt_contact", "digest", "address")
        most = whole_number(self.max_contacts, "max_contacts")
        place = output_of(self.receipt, "receipt")
        audience = self._audience()
        findings = Findings(task_position(context))
        clock = SystemClock()
        found = memberships = 0
        with contextlib.closing(Spool()) as receipts:

            def note(erased: Erased) -> None:
                nonlocal found, memberships
                found += bool(erased.address_books)
                memberships += len(erased.address_books)
                receipts.add(self._receipt(erased, context))

            with self._accounted("Contacts to erase", audience.source) as report:
                place.prepare(RECEIPTS)
                with audience.reading() as persons:
                    for _ in at_most(persons, most):
                        pass
                try:
                    with (
                        self.hook as hook,
                        audience.reading() as persons,
                        contextlib.closing(screened(at_most(persons, most), report, address_key)) as items,
                    ):
                        erasure = Erasure(hook, clock, self.blacklist, plain_text(self.comment) or None)
                        erasure.run(items, report, findings, note)
                except Exception:
                    # Not of an interruption, which leaves no time for it: another try writes them.
                    try:
                        self._write(place, receipts)
                    except Exception as error:
                        self.log.error("The receipts could not be written: %s", reason_of(error))
                    raise
                self._write(place, receipts)
            findings.forget()
            written = {"receipt": str(place)} if len(receipts) else {}
        return {**report.counts.as_dict(), "found": found, "memberships": memberships, **written}

    def _write(self, place: Output, receipts: Spool) -> None:
        if len(receipts):
            receipts.flush()
            self.log.info("%s receipts are in %s.", f"{place.write(RECEIPTS, receipts):,}", place)

    def _receipt(self, erased: Erased, context: Context) -> Record:
        instance: Any = context["ti"]
        task = [instance.dag_id, instance.run_id, instance.task_id, instance.map_index]
        # With the time: a task that is cleared finds nothing any more, and must not write over what it once did.
        identity = json.dumps([*task, erased.item.key, erased.at])
        return {
            "receipt_id": hashlib.sha256(identity.encode()).hexdigest(),
            "contact": shown(erased.item.person.email, self.receipt_contact),
            "address_books": list(erased.address_books),
            "blacklisted": self.blacklist,
            "erased_at": datetime.fromtimestamp(erased.at, UTC).isoformat(timespec="seconds"),
            "dag_id": instance.dag_id,
            "run_id": instance.run_id,
        }


__all__ = ["SendPulseEraseContactsOperator"]
