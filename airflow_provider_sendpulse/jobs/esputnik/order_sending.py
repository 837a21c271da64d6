# SPDX-License-Identifier: Apache-2.0
"""Orders from rows: each status of an order once, because each emits an event."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_provider_sendpulse.api.call import Call
from airflow_provider_sendpulse.api.clock import Clock
from airflow_provider_sendpulse.api.redact import redact
from airflow_provider_sendpulse.api.values import plain
from airflow_provider_sendpulse.esputnik import orders
from airflow_provider_sendpulse.esputnik.service import REPEATED
from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.jobs.counts import Outcome
from airflow_provider_sendpulse.jobs.esputnik.known_contacts import by_email, by_external_id, by_phone, known_contact
from airflow_provider_sendpulse.jobs.esputnik.repeats import REPEATED_FATE
from airflow_provider_sendpulse.jobs.event_rows import key_of
from airflow_provider_sendpulse.jobs.ledger import Ledger
from airflow_provider_sendpulse.jobs.report import Report
from airflow_provider_sendpulse.jobs.screening import Item, Key, screened
from airflow_provider_sendpulse.jobs.send_once import Fate, send_once
from airflow_provider_sendpulse.jobs.sending import Sender
from airflow_provider_sendpulse.jobs.sending_rules import SendingRules
from airflow_provider_sendpulse.rows.people import Person, cell_text

REACHED = ("email", "phone", "external_customer_id")
"""Members that say whose order it is."""

MEMBERS = tuple(item.name for item in fields(orders.Order) if item.name not in REACHED)
"""The other members of an order, as the operator calls them."""

NAME = "orders"
"""What the ledger calls them."""

REQUIRED = ("external_order_id", "total_cost", "status", "date", "currency")
_AMOUNTS = frozenset({"total_cost", "shipping", "discount", "taxes"})
_ITEM_MEMBERS = {
    "externalItemId": "external_item_id",
    "quantity": "quantity",
    "name": "name",
    "category": "category",
    "cost": "cost",
    "url": "url",
    "imageUrl": "image_url",
    "description": "description",
}
_CURRENCY = re.compile("[A-Z]{3}")
_ACCEPTED = Fate()
_UNTOLD = Fate(Outcome.IN_DOUBT, "eSputnik refused an order of the call without saying which")


@dataclass(frozen=True, slots=True)
class OrderDelivery:
    """How orders are sent.

    :param per_call: orders in a call
    :param create_contacts: whether customers who are not known may become contacts
    :param zone: time zone of dates that say none; without it such a date is refused
    """

    per_call: int = 100
    create_contacts: bool = True
    zone: dt.tzinfo | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.per_call <= orders.MOST_ORDERS:
            raise InvalidRequest(f"per_call is {self.per_call}; it is 1 to {orders.MOST_ORDERS}.")

    def run(
        self,
        sender: Sender,
        persons: Iterable[Person],
        ledger: Ledger,
        report: Report,
        clock: Clock,
        rules: SendingRules = SendingRules(noun="orders"),
    ) -> None:
        """Send an order for each row: all rows are read first, then those are sent that were not before."""
        known = None
        if not self.create_contacts:
            known = known_contact(sender, (by_external_id, by_email, by_phone))
        with contextlib.closing(screened(persons, report, self._key, outgoing=_outgoing)) as items:
            send_once(
                sender,
                items,
                self._call,
                ledger,
                report,
                per_call=self.per_call,
                outgoing=_outgoing,
                clock=clock,
                rules=rules,
                judge=self._judge,
                condition=known,
                thing=_order_id,
            )

    def _key(self, person: Person) -> Key:
        order = self._order(person)
        order.body()
        return key_of(NAME, [order.external_order_id, str(order.status)])

    def _call(self, batch: Sequence[Person]) -> Call[Any]:
        call: Call[Any] = orders.add([self._order(person) for person in batch])
        return replace(call, accepted={REPEATED: None})

    def _judge(self, items: Sequence[Item], failed: list[orders.FailedOrder] | None) -> list[Fate]:
        """Say what became of each order: those that failed are told by their ids and statuses."""
        if failed is None:
            return [REPEATED_FATE] * len(items)
        made = [self._order(item.person) for item in items]
        fates = [_ACCEPTED] * len(items)
        for one in failed:
            status = one.order.get("status")
            places = [
                place
                for place, order in enumerate(made)
                if order.external_order_id == one.external_order_id and status in (None, str(order.status))
            ]
            if not places:
                return [_UNTOLD] * len(items)
            for place in places:
                fates[place] = Fate(Outcome.REJECTED, _refusal(one.error, made[place]))
        return fates

    def _order(self, person: Person) -> orders.Order:
        """Return the order of a row.

        :raises InvalidRequest: for a value that no order can have
        """
        given = {name: value for name, value in person.variables.items() if value not in (None, "")}
        if missing := [name for name in REQUIRED if name not in given]:
            raise InvalidRequest(f"the order has no {', '.join(missing)}")
        members: dict[str, Any] = {}
        for name, value in given.items():
            if name in _AMOUNTS:
                members[name] = amount(name, value)
            elif name == "items":
                members[name] = items_of(value)
            elif name == "additional_info":
                members[name] = _object(value, name)
            elif name == "date":
                members[name] = self._date(value)
            else:
                members[name] = cell_text(value)
        members["status"] = _status(members["status"])
        members["currency"] = _currency(members["currency"])
        if members.get("source", "online") not in ("online", "offline"):
            raise InvalidRequest("the source of the order is neither online nor offline")
        return orders.Order(
            email=person.email or None,
            phone=person.phone or None,
            external_customer_id=person.external_customer_id or None,
            **members,
        )

    def _date(self, value: Any) -> dt.datetime:
        """Return when an order was made, of the text that any date is by now."""
        text = value.strip() if isinstance(value, str) else ""
        try:
            date = dt.datetime.fromisoformat(text)
        except ValueError:
            raise InvalidRequest("the date of the order cannot be read") from None
        if _is_day(text):
            raise InvalidRequest("the date of the order has no time of day")
        if date.utcoffset() is None:
            if self.zone is None:
                raise InvalidRequest(
                    "the date of the order does not say its offset from UTC, and the connection has no account_timezone"
                )
            return date.replace(tzinfo=self.zone)
        return date


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _order_id(person: Person) -> str:
    return cell_text(person.variables["external_order_id"])


def _outgoing(name: str, value: Any) -> Any:
    # Dates keep their offsets.
    return plain(name, value, dt.datetime.isoformat)


def amount(name: str, value: Any) -> Decimal:
    """Return a number.

    :raises InvalidRequest: for what is none
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        found = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except (InvalidOperation, TypeError):
        raise InvalidRequest(f"the {name} of the order is not a number") from None
    if not found.is_finite():
        raise InvalidRequest(f"the {name} of the order is not a number")
    return found


def items_of(value: Any) -> tuple[orders.Item, ...]:
    """Return the items of an order from a list of objects, or its JSON text.

    :raises InvalidRequest: for anything else, an item without ``externalItemId`` or ``quantity``, or with a member that
        no item has
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InvalidRequest("the items of the order are no JSON") from None
    if not isinstance(value, Sequence) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidRequest("the items of the order are not a list of objects")
    return tuple(map(_item, value))


def _item(data: Mapping[str, Any]) -> orders.Item:
    if any(str(name) not in _ITEM_MEMBERS for name in data):
        raise InvalidRequest(f"an item of the order has a member that no item has; it has {', '.join(_ITEM_MEMBERS)}")
    given = {_ITEM_MEMBERS[name]: value for name, value in data.items() if value not in (None, "")}
    if "external_item_id" not in given or "quantity" not in given:
        raise InvalidRequest("an item of the order has no externalItemId or no quantity")
    members = {
        name: amount(f"{name} of an item", value) if name in ("quantity", "cost") else cell_text(value)
        for name, value in given.items()
    }
    return orders.Item(**members)  # type: ignore[arg-type]


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InvalidRequest(f"the {name} of the order is no JSON") from None
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"the {name} of the order is not an object")
    return value


def _status(text: str) -> orders.OrderStatus:
    try:
        return orders.OrderStatus(text.upper())
    except ValueError:
        raise InvalidRequest(f"the status of the order is none of {', '.join(orders.OrderStatus)}") from None


def _currency(text: str) -> str:
    code = text.upper()
    if not _CURRENCY.fullmatch(code):
        raise InvalidRequest("the currency of the order is not a code of three letters, such as UAH (ISO 4217)")
    return code


def _refusal(error: str, order: orders.Order) -> str:
    return f"eSputnik refused the order: {redact(error, private=order.private) or 'it does not say why'}"


__all__ = ["MEMBERS", "NAME", "REACHED", "REQUIRED", "OrderDelivery"]
