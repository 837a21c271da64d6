# SPDX-License-Identifier: Apache-2.0
"""What the operators share that erase contacts: a bound, what an earlier try has found, and a receipt for everybody."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_sendpulse.arguments import one_of, whole_number
from airflow_provider_sendpulse.jobs.receipts import Erased, Findings, Shown, shown
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.operators.rows import RowsOperator
from airflow_provider_sendpulse.operators.task_store import task_position
from airflow_provider_sendpulse.rows.audience import Audience
from airflow_provider_sendpulse.rows.bounded import bounded
from airflow_provider_sendpulse.rows.output import Layout, Output, OutputFile, OutputTable, Record, output_of
from airflow_provider_sendpulse.rows.people import Person
from airflow_provider_sendpulse.rows.rejects_spool import reason_of
from airflow_provider_sendpulse.rows.spool import Spool
from airflow_provider_sendpulse.rows.storage import as_template

if TYPE_CHECKING:
    from airflow.sdk import Context


@dataclass(frozen=True, slots=True)
class ReceiptKind:
    """What the receipts of one service say beyond whom they are for, when, and which task has erased them.

    :param columns: name to kind, as a layout has them
    :param describe: their values for somebody
    """

    columns: dict[str, type]
    describe: Callable[[Erased], Record]

    @property
    def layout(self) -> Layout:
        """What the receipts look like."""
        columns = {"receipt_id": str, "contact": str, **self.columns, "erased_at": str, "dag_id": str, "run_id": str}
        return Layout("receipts", columns, ("receipt_id",))


@dataclass(slots=True)
class Tally:
    """How many rows were found, and how much of them.

    :param rows: of which something was found
    :param things: that were found of them together
    """

    rows: int = 0
    things: int = 0


Erase = Callable[[Iterator[Item], Report, Findings, Callable[[Erased], None]], None]


class ErasingOperator(RowsOperator):
    """An operator that erases contacts.

    :param receipt: where receipts go: a path or URL that ends in ``.csv`` or ``.jsonl``, an
        :class:`~airflow_provider_sendpulse.rows.OutputFile`, or an
        :class:`~airflow_provider_sendpulse.rows.OutputTable` (templated). Without rows none is written.
    :param receipt_contact: what a receipt says of whom it is for. ``digest``: the SHA-256 digest of the address in lower
        case, as hexadecimal digits, so that whoever has the address can find its receipt, and the receipts are no list of
        addresses; whoever guesses one can check it. ``address``: the address itself
    :param max_contacts: with more rows than that nothing is erased and the task fails: nothing brings contacts back that a
        wrong query has erased (templated)
    :param max_rejected_ratio: share of the rows that may go wrong: up to it the task warns, above it fails
    """

    template_fields: Collection[str] = ("receipt", "max_contacts")

    def __init__(
        self,
        *,
        receipt: str | os.PathLike[str] | OutputFile | OutputTable,
        receipt_contact: Shown = "digest",
        max_contacts: int | str = 1000,
        max_rejected_ratio: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(max_rejected_ratio=max_rejected_ratio, **kwargs)
        self.receipt: str | os.PathLike[str] | OutputFile | OutputTable = as_template(receipt)
        self.receipt_contact = receipt_contact
        self.max_contacts = max_contacts

    def _erase(
        self,
        context: Context,
        audience: Audience,
        key: Callable[[Person], Key],
        kind: ReceiptKind,
        erase: Erase,
        *,
        reached: bool = True,
    ) -> tuple[dict[str, Any], Tally]:
        """Erase the rows, write receipts, and return the counts with the place of these, and what was found.

        :param key: what a row is recognised by, and labelled with: that is what a receipt shows
        :param erase: erases some rows
        :param reached: whether a row needs an address or a telephone number, and is not known by an id instead
        """
        one_of(self.receipt_contact, "receipt_contact", "digest", "address")
        most = whole_number(self.max_contacts, "max_contacts")
        place = output_of(self.receipt, "receipt")
        findings = Findings(task_position(context))
        tally = Tally()
        with contextlib.closing(Spool()) as receipts:

            def note(erased: Erased) -> None:
                tally.rows += bool(erased.found)
                tally.things += len(erased.found)
                receipts.add(self._receipt(erased, kind, context))

            with self._accounted("Contacts to erase", audience.source) as report, contextlib.ExitStack() as stack:
                place.prepare(kind.layout, adding=True)
                counted = stack.enter_context(bounded(audience, most, "erased"))
                try:
                    with (
                        counted.reading() as persons,
                        contextlib.closing(screened(persons, report, key, reached=reached)) as items,
                    ):
                        erase(items, report, findings, note)
                except Exception:
                    # Not of an interruption, which leaves no time for it: another try writes them.
                    try:
                        self._write(place, kind.layout, receipts, findings)
                    except Exception as error:
                        self.log.error("The receipts could not be written: %s", reason_of(error))
                    raise
                self._write(place, kind.layout, receipts, findings)
            written = {"receipt": str(place)} if len(receipts) else {}
        return {**report.counts.as_dict(), **written}, tally

    def _write(self, place: Output, layout: Layout, receipts: Spool, findings: Findings) -> None:
        if len(receipts):
            receipts.flush()
            findings.keep()
            self.log.info("%s receipts are in %s.", f"{place.add(layout, receipts):,}", place)

    def _receipt(self, erased: Erased, kind: ReceiptKind, context: Context) -> Record:
        instance: Any = context["ti"]
        task = [instance.dag_id, instance.run_id, instance.task_id, instance.map_index]
        # With the time: who is erased a second time gets a second receipt.
        identity = json.dumps([*task, erased.item.key, erased.at])
        return {
            "receipt_id": hashlib.sha256(identity.encode()).hexdigest(),
            "contact": shown(erased.item.label, self.receipt_contact),
            **kind.describe(erased),
            "erased_at": datetime.fromtimestamp(erased.at, UTC).isoformat(timespec="seconds"),
            "dag_id": instance.dag_id,
            "run_id": instance.run_id,
        }


__all__ = ["ErasingOperator", "ReceiptKind", "Tally"]
