# SPDX-License-Identifier: Apache-2.0
"""Operators for eSputnik's orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.hooks.esputnik import EsputnikHook
from airflow_provider_sendpulse.jobs.esputnik.order_sending import MEMBERS, NAME, REACHED, REQUIRED, OrderDelivery
from airflow_provider_sendpulse.jobs.schedule import timezone
from airflow_provider_sendpulse.operators.esputnik.base import EsputnikRowsOperator
from airflow_provider_sendpulse.operators.sending import SendOnceOperator
from airflow_provider_sendpulse.rows.confidential import reveal
from airflow_provider_sendpulse.rows.people import Columns
from airflow_provider_sendpulse.rows.source import RowSource, source_of


class EsputnikSendOrdersOperator(SendOnceOperator, EsputnikRowsOperator):
    """Add orders to eSputnik, or bring those that are there to another status, and return the counts.

    A row is an order as it is now. eSputnik knows it by ``external_order_id``; only ``DELIVERED`` counts as revenue. Every
    order that is accepted emits the event ``order<STATUS>``, such as ``orderDELIVERED``, which may launch workflows; sent
    again, it emits it again. So each status of an order is sent once: across the tries of the task, and with ``ledger``
    across all runs. Requests go one after the other, and none holds an order twice: first the first row of every order,
    then the second one of every order that has more. So none falls back to an earlier status, also when a request is
    refused and its orders go in smaller ones, and sorted by order they make no more requests than sorted by status. A
    row is skipped when a later one of the same order was sent already, or may have been. With ``ledger`` it waits, up to
    a minute, while another run is sending an earlier one that is among the rows as well; still under way then, the row
    is rejected, and a retry or a later run sends it. When the answer to a request is lost, all of its orders are in
    doubt.

    **A customer who is not known becomes a confirmed contact, without a word**; one who is known is not updated.
    ``create_contacts=False`` looks for each of them first, by your id, address and number, and skips orders of the others:
    when all rows are read and the query is closed, and before the first order is sent. Rows that were sent before are not
    looked up, and skipped ones do not count for ``max_orders`` and are not in the ledger. Whoever is erased between the
    look and the order becomes a contact again.

    The columns are called as the members of an order: ``external_order_id``, ``total_cost``, ``status``
    (``INITIALIZED``, ``IN_PROGRESS``, ``DELIVERED``, ``CANCELLED``, ``ABANDONED_SHOPPING_CART``), ``date`` and
    ``currency`` are needed, and at least one of ``email``, ``phone``, ``external_customer_id``. There may be
    ``first_name``, ``last_name``, ``shipping``, ``discount``, ``taxes``, ``restore_url``, ``status_description``,
    ``store_id``, ``source``, ``delivery_method``, ``payment_method``, ``delivery_address``, ``additional_info`` and
    ``items``. The last two are JSON: an object, and a list of objects with ``externalItemId`` and ``quantity``, perhaps
    ``name``, ``category``, ``cost``, ``url``, ``imageUrl``, ``description``. A column with another name is refused,
    also where it is empty: eSputnik would ignore it without a word.

    A date has a time of day. Without an offset it is in the connection's ``account_timezone``; without that, such a row is
    invalid. A currency is a code of three letters (ISO 4217), in either case.

    :param orders: a row source or a list of mappings, one order each (templated; shows as a count in the UI)
    :param columns: member to column, where columns are called otherwise; then these alone are read (templated)
    :param create_contacts: whether unknown customers may become confirmed contacts
    :param per_call: orders in a request, up to 1000
    :param max_orders: with more to send, fail and send nothing (templated)
    :param max_rejected, max_rejected_ratio, rejects: see
        :class:`~airflow_provider_sendpulse.operators.rows.RowsOperator`
    """

    template_fields: Collection[str] = (
        *EsputnikRowsOperator.template_fields,
        *SendOnceOperator.template_fields,
        "orders",
        "columns",
        "max_orders",
    )
    personal_fields: ClassVar[Mapping[str, str]] = {"orders": "orders"}
    noun = "orders"

    def __init__(
        self,
        *,
        orders: RowSource | Sequence[Mapping[str, Any]] | None,
        columns: Mapping[str, str] | None = None,
        create_contacts: bool = True,
        per_call: int = 100,
        max_orders: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.orders = orders
        self.columns = columns
        self.create_contacts = create_contacts
        self.per_call = per_call
        self.max_orders = max_orders

    def _subject(self) -> str:
        return NAME

    def _title(self, subject: str) -> str:
        return "Orders"

    def _delivery(self, hook: EsputnikHook, subject: str) -> OrderDelivery:
        zone = hook.settings.account_timezone
        return OrderDelivery(self.per_call, self.create_contacts, timezone(zone) if zone else None)

    def _rows(self) -> tuple[RowSource, Columns]:
        orders = reveal(self.orders)
        if orders is None:
            raise InvalidRequest("orders is empty. Does the task it comes from return something?")
        source = source_of(orders, "orders")
        if self.columns is None:
            named: Mapping[str, str] = {name: name for name in REACHED}
            return source, _columns(named, None)
        if unknown := sorted(str(name) for name in self.columns if name not in (*REACHED, *MEMBERS)):
            raise InvalidRequest(f"columns has {', '.join(unknown)}; it may have {', '.join((*REACHED, *MEMBERS))}.")
        if missing := [name for name in REQUIRED if name not in self.columns]:
            raise InvalidRequest(f"columns has no {', '.join(missing)}, which every order needs.")
        if not any(name in self.columns for name in REACHED):
            raise InvalidRequest(f"columns says nothing of whose orders these are: name one of {', '.join(REACHED)}.")
        members = {column: name for name, column in self.columns.items() if name not in REACHED}
        if len(members) < sum(name not in REACHED for name in self.columns):
            raise InvalidRequest("columns takes two members from one column: select it twice.")
        return source, _columns(self.columns, members)


def _columns(named: Mapping[str, str], members: Mapping[str, str] | None) -> Columns:
    return Columns(
        email=named.get("email", ""),
        phone=named.get("phone", ""),
        external_customer_id=named.get("external_customer_id", ""),
        automation_id=None,
        variables=members,
        known=MEMBERS,
        noun="an order",
    )


__all__ = ["EsputnikSendOrdersOperator"]
